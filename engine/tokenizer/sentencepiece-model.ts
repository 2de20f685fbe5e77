// A SentencePiece .model or .spm file: a small protocol buffer with pieces, and how text is normalised and cut.

import { TokenizerError } from '../errors.js';
import { faultOf } from './sentencepiece-checks.js';
import { MAX_PIECES, type PieceKind, type Vocabulary } from './vocabulary.js';

/** SentencePiece's numbers of kinds, which GGUF files use as well. */
export const KINDS: Readonly<Record<number, PieceKind>> = {
  1: 'normal',
  2: 'unknown',
  3: 'control',
  4: 'user',
  5: 'unused',
  6: 'byte',
};

// The fields of the two specifications that say how text is cut; the others say how the model was trained.
const TRAINER: ReadonlySet<number> = new Set([3, 24, 35, 41, 42, 44]);
const NORMALISER: ReadonlySet<number> = new Set([2, 3, 4, 5]);
const MAX_FIELDS = 5 * MAX_PIECES; // a piece takes three or four

/** Vocabulary of a SentencePiece model, BPE or unigram. @param where its path, for messages */
export function vocabularyFromModel(bytes: Uint8Array, where: string): Vocabulary {
  const pieces: string[] = [];
  const scores: number[] = [];
  const kinds: PieceKind[] = [];
  const trainer = new Map<number, number | Uint8Array>();
  const normaliser = new Map<number, number | Uint8Array>();
  const bad = (what: string) =>
    new TokenizerError(`${where} is not a sound SentencePiece model: ${what}. Fetch it again.`);
  let seen = 0;
  for (const { field, value } of fields(bytes, bad)) {
    if (++seen > MAX_FIELDS) throw bad(`it has more than ${MAX_FIELDS} fields`);
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
      if (pieces.length === MAX_PIECES) throw bad(`it has more than ${MAX_PIECES} pieces`);
      pieces.push(piece);
      scores.push(score);
      kinds.push(KINDS[kind]);
    } else if (field === 2) {
      for (const part of fields(value, bad)) if (TRAINER.has(part.field)) trainer.set(part.field, part.value);
    } else if (field === 3) {
      for (const part of fields(value, bad)) if (NORMALISER.has(part.field)) normaliser.set(part.field, part.value);
    }
  }
  if (pieces.length === 0) throw bad('it has no pieces');
  const byteFallback = trainer.get(35) === 1;
  const fault = faultOf(pieces, kinds, byteFallback);
  if (fault !== null) throw bad(fault);
  const algorithms: Readonly<Record<number, 'unigram' | 'bpe'>> = { 1: 'unigram', 2: 'bpe' };
  const algorithm = algorithms[Number(trainer.get(3) ?? 1)];
  if (!algorithm) {
    throw new TokenizerError(
      `${where} cuts text by words or characters, and Gemma's tokenizers by BPE or unigram. Give the tokenizer.model that came with the model.`,
    );
  }
  const flag = (field: number) => normaliser.get(field) !== 0; // these default to true
  const charsmap = normaliser.get(2);
  const surface = trainer.get(44);
  return {
    source: 'sentencepiece',
    pieces,
    scores,
    kinds,
    bosId: id(trainer.get(41), 1),
    eosId: id(trainer.get(42), 2),
    unkId: kinds.indexOf('unknown'),
    algorithm: { kind: algorithm },
    normalisation: {
      charsmap: charsmap instanceof Uint8Array ? charsmap : null,
      dummyPrefix: flag(3),
      collapseSpaces: flag(4),
      escapeSpaces: flag(5),
      spaceAsSuffix: trainer.get(24) === 1,
    },
    byteFallback,
    added: null,
    unkSurface: surface instanceof Uint8Array ? utf8.decode(surface) : ' \u2047 ',
  };
}

/** An int32 that may be negative ("none"), which a varint holds in 64 bits. */
function id(value: number | Uint8Array | undefined, otherwise: number): number {
  if (typeof value !== 'number') return otherwise;
  return value > 0x7fffffff ? -1 : value;
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
    if (key < 8) throw bad(`byte ${at} starts a field without a number`);
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
