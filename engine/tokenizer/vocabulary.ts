// A SentencePiece vocabulary in memory, and its two sources: a .model file (a small protocol buffer) and GGUF metadata.

import { TokenizerError } from '../errors.js';

export type PieceKind = 'normal' | 'unknown' | 'control' | 'user' | 'unused' | 'byte';

export interface Vocabulary {
  readonly pieces: readonly string[];
  readonly scores: ArrayLike<number>;
  readonly kinds: readonly PieceKind[];
  readonly bosId: number;
  readonly eosId: number;
  readonly unkId: number;
  /** Text gets a space in front before it is cut; Gemma does not. */
  readonly dummyPrefix: boolean;
  /** Runs of spaces become one, and those at the ends go; Gemma does not. */
  readonly collapseSpaces: boolean;
  readonly byteFallback: boolean;
}

const KINDS: Readonly<Record<number, PieceKind>> = {
  1: 'normal',
  2: 'unknown',
  3: 'control',
  4: 'user',
  5: 'unused',
  6: 'byte',
};

/** Vocabulary of a SentencePiece BPE .model. @param where its path, for messages */
export function vocabularyFromModel(bytes: Uint8Array, where: string): Vocabulary {
  const pieces: string[] = [];
  const scores: number[] = [];
  const kinds: PieceKind[] = [];
  const trainer = new Map<number, number>();
  const normaliser = new Map<number, number | Uint8Array>();
  const bad = (what: string) =>
    new TokenizerError(`${where} is not a sound SentencePiece model: ${what}. Fetch it again.`);
  for (const { field, value } of fields(bytes, bad)) {
    if (!(value instanceof Uint8Array)) continue;
    if (field === 1) {
      let piece = '';
      let score = 0;
      let kind = 1;
      for (const part of fields(value, bad)) {
        if (part.field === 1 && part.value instanceof Uint8Array) piece = utf8.decode(part.value);
        else if (part.field === 2 && part.value instanceof Uint8Array) score = float(part.value, bad);
        else if (part.field === 3) kind = Number(part.value);
      }
      if (!KINDS[kind]) throw bad(`piece ${pieces.length} has the type ${kind}`);
      pieces.push(piece);
      scores.push(score);
      kinds.push(KINDS[kind]);
    } else if (field === 2) {
      for (const part of fields(value, bad)) if (typeof part.value === 'number') trainer.set(part.field, part.value);
    } else if (field === 3) {
      for (const part of fields(value, bad)) normaliser.set(part.field, part.value);
    }
  }
  if (pieces.length === 0) throw bad('it has no pieces');
  if ((trainer.get(3) ?? 1) !== 2) {
    throw new TokenizerError(
      `${where} is not a BPE model, and Gemma's tokenizers are. Give the tokenizer.model that came with the model.`,
    );
  }
  const charsmap = normaliser.get(2);
  if (charsmap instanceof Uint8Array && charsmap.length > 0) {
    throw new TokenizerError(
      `${where} normalises Unicode, which no Gemma tokenizer does. Give the tokenizer.model that came with the model.`,
    );
  }
  const flag = (field: number) => normaliser.get(field) !== 0; // these default to true
  const ofKind = (kind: PieceKind) => kinds.indexOf(kind);
  return {
    pieces,
    scores,
    kinds,
    bosId: trainer.get(41) ?? 1,
    eosId: trainer.get(42) ?? 2,
    unkId: ofKind('unknown'),
    dummyPrefix: flag(3),
    collapseSpaces: flag(4),
    byteFallback: trainer.get(35) === 1,
  };
}

/** Vocabulary of a GGUF file's metadata. */
export function vocabularyFromGguf(metadata: ReadonlyMap<string, unknown>): Vocabulary {
  const list = (key: string): unknown[] => {
    const value = metadata.get(`tokenizer.ggml.${key}`);
    if (Array.isArray(value) && value.length > 0) return value;
    throw new TokenizerError(`The GGUF has no list 'tokenizer.ggml.${key}'. Give a vocabulary with --tokenizer.`);
  };
  const model = metadata.get('tokenizer.ggml.model');
  if (model !== 'llama') {
    throw new TokenizerError(
      `The GGUF's vocabulary is of the kind '${model}', and Gemma's is 'llama'. Give one with --tokenizer.`,
    );
  }
  const pieces = list('tokens').map(String);
  const types = list('token_type').map(Number);
  const scores = Float32Array.from(list('scores').map(Number));
  if (types.length !== pieces.length || scores.length !== pieces.length) {
    throw new TokenizerError(
      `The GGUF lists ${pieces.length} tokens but ${scores.length} scores and ${types.length} types. Convert it again.`,
    );
  }
  const kinds = types.map(type => KINDS[type] ?? 'normal');
  const id = (key: string, otherwise: number) => Number(metadata.get(`tokenizer.ggml.${key}`) ?? otherwise);
  return {
    pieces,
    scores,
    kinds,
    bosId: id('bos_token_id', 2),
    eosId: id('eos_token_id', 1),
    unkId: id('unknown_token_id', Math.max(0, kinds.indexOf('unknown'))),
    dummyPrefix: metadata.get('tokenizer.ggml.add_space_prefix') !== false,
    collapseSpaces: metadata.get('tokenizer.ggml.remove_extra_whitespaces') === true,
    byteFallback: kinds.includes('byte'),
  };
}

const utf8 = new TextDecoder('utf-8', { ignoreBOM: true });

function float(bytes: Uint8Array, bad: (what: string) => Error): number {
  if (bytes.length !== 4) throw bad('a score is not four bytes long');
  return new DataView(bytes.buffer, bytes.byteOffset, 4).getFloat32(0, true);
}

/** The fields of a protocol buffer: numbers for varints, bytes for everything else. */
function* fields(
  bytes: Uint8Array,
  bad: (what: string) => Error,
): Generator<{ field: number; value: number | Uint8Array }> {
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      if (at >= bytes.length) throw bad('it ends in the middle of a number');
      const byte = bytes[at++];
      value += (byte & 127) * 2 ** shift;
      if (byte < 128) return value;
    }
    throw bad('a number has more than ten bytes');
  };
  while (at < bytes.length) {
    const key = varint();
    const wire = key % 8;
    if (wire === 0) {
      yield { field: Math.floor(key / 8), value: varint() };
      continue;
    }
    const length = wire === 2 ? varint() : wire === 5 ? 4 : wire === 1 ? 8 : -1;
    if (length < 0) throw bad(`byte ${at} starts a field of the unknown kind ${wire}`);
    if (length > bytes.length - at) throw bad(`a field claims ${length} bytes where ${bytes.length - at} are left`);
    yield { field: Math.floor(key / 8), value: bytes.subarray(at, at + length) };
    at += length;
  }
}
