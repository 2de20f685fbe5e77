// A tokenizer.json, the file of Hugging Face's `tokenizers`. Of all that such a file can say, what SentencePiece vocabularies with
// byte-pair encoding become is read (Gemma's and Llama's); the rest is refused by name, never passed over.

import { TokenizerError } from '../errors.js';
import { MOST_JSON } from '../files.js';
import { parseJson } from '../json.js';
import { declared, placed, putInto, type TokensBeside } from './declared-tokens.js';
import { endsOfProcessor } from './ends.js';
import { decodingOf } from './json-decoder.js';
import { checkUtf8 } from '../utf8.js';
import { findMerges, readMerges } from './merge-list.js';
import { quoted } from './quoted.js';
import { readVocab } from './vocab-list.js';
import { type Normalisation, type PieceKind, PLAIN, SPACE, type Vocabulary } from './vocabulary.js';

type Json = Readonly<Record<string, unknown>>;

/**
 * Vocabulary of a tokenizer.json.
 * @param where its path, for messages
 * @param beside what other files of its folder say of added tokens; without them, as `tokenizers` reads the file alone
 */
export function vocabularyFromJson(data: Uint8Array, where: string, beside?: TokensBeside): Vocabulary {
  // Whole, before anything of it is read: a piece with U+FFFD in the place of its bytes would be another piece.
  checkUtf8(data, what => new TokenizerError(`${where} is no tokenizer.json: ${what}.`));
  const merges = findMerges(data, where);
  const vocab = readVocab(data, where);
  const file = parsed(without(data, [merges, vocab]), where);
  const model = object(file.model);
  const need = (holds: boolean, what: string) => {
    if (!holds) {
      throw new TokenizerError(
        `${where} ${what}, which no Gemma tokenizer does. Give the tokenizer.json or tokenizer.model that came with the model.`,
      );
    }
  };
  const version = file.version ?? '1.0';
  need(version === '1.0', `is of version ${JSON.stringify(version)}`);
  const unknownKey = Object.keys(file).find(key => !KEYS.includes(key));
  need(unknownKey === undefined, `has a part called ${quoted(unknownKey ?? '')}`);
  need(model.type === 'BPE' || (model.type === undefined && merges !== null), `is of the kind ${model.type}`);
  need(model.byte_fallback === true, 'has no bytes to fall back on');
  for (const key of ['dropout', 'continuing_subword_prefix', 'end_of_word_suffix']) {
    need(!model[key], `has ${key} = ${JSON.stringify(model[key])}`);
  }
  need(model.ignore_merges !== true, 'ignores its merges');
  if (!vocab || !merges) {
    throw new TokenizerError(`${where} has no ${vocab ? 'merges' : 'vocabulary'} under 'model'. Fetch it again.`);
  }

  const { pieces } = vocab;
  const unknown = typeof model.unk_token === 'string' ? model.unk_token : null;
  const kinds = Array.from(pieces, (piece): PieceKind => {
    if (piece === undefined) return 'unused'; // an id without a piece
    return BYTE.test(piece) ? 'byte' : piece === unknown ? 'unknown' : 'normal';
  });
  for (let id = 0; id < pieces.length; id++) pieces[id] ??= '';
  // `tokenizers` writes what is no piece as its bytes where it has them, and loses the order where it has some of them only.
  const bytes = kinds.filter(kind => kind === 'byte').length;
  need(bytes === 0 || bytes === 256, `has ${bytes} of the 256 bytes to fall back on`);
  need(bytes > 0 || (model.fuse_unk === true && kinds.includes('unknown')), 'has no bytes to fall back on');
  const listed = list(file.added_tokens).map(token => declared(token, pieces.length, where));
  const merging = readMerges(data, merges, pieces, where);
  const { added, foreign, notices } = placed(beside ? beside.all(listed) : listed, pieces, where, beside?.rows);
  putInto(pieces, kinds, added, foreign);
  const { dropsFirstSpace, bytesFirst, notice } = decodingOf(flat(file.decoder, 'decoders'), where, need);
  const idOf = (piece: string, otherwise: number) => {
    const id = pieces.indexOf(piece);
    return id < 0 ? otherwise : id;
  };
  return {
    source: 'tokenizer.json',
    pieces,
    scores: new Float32Array(pieces.length),
    kinds,
    bosId: idOf('<bos>', idOf('<s>', 2)),
    eosId: idOf('<eos>', idOf('</s>', 1)),
    unkId: unknown === null ? 3 : idOf(unknown, 3),
    algorithm: { kind: 'merges', merges: merging },
    normalisation: normalisation(file, where, need),
    byteFallback: true,
    added,
    foreign,
    ends: endsOfProcessor(file.post_processor, need),
    dropsFirstSpace,
    bytesFirst,
    notices: notice === null ? notices : [...notices, notice],
    unkSurface: unknown ?? '',
  };
}

const KEYS = [
  ...[
    'version',
    'truncation',
    'padding',
    'added_tokens',
    'normalizer',
    'pre_tokenizer',
    'post_processor',
    'decoder',
    'model',
  ],
];
const BYTE = /^<0x[0-9A-F]{2}>$/;

/** Spaces to ▁, and perhaps one in front: Gemma's replacement, and the older form of Llama's. */
function normalisation(file: Json, where: string, need: (holds: boolean, what: string) => void): Normalisation {
  let dummyPrefix = false;
  let escaped = false;
  const normalisers = flat(file.normalizer, 'normalizers');
  for (const [i, step] of normalisers.entries()) {
    if (step.type === 'Prepend' && step.prepend === SPACE && i === 0) dummyPrefix = true;
    else if (step.type === 'Replace' && object(step.pattern).String === ' ' && step.content === SPACE) escaped = true;
    else need(false, `normalises text by ${JSON.stringify(step).slice(0, 80)}`);
  }
  for (const step of flat(file.pre_tokenizer, 'pretokenizers')) {
    // A cut at spaces of which none are left; and Metaspace, which writes them ▁ too. What it puts in front, where it does, is not what
    // Prepend puts there: nothing before a ▁, and with `first` nothing behind an added token.
    if (step.type === 'Split' && object(step.pattern).String === ' ' && escaped) continue;
    if (
      step.type === 'Metaspace' &&
      step.replacement === SPACE &&
      step.split === false &&
      step.prepend_scheme === 'never'
    )
      escaped = true;
    else need(false, `cuts text by ${JSON.stringify(step).slice(0, 80)}`);
  }
  if (!escaped) throw new TokenizerError(`${where} leaves spaces as they are, which no Gemma tokenizer does.`);
  return { ...PLAIN, dummyPrefix };
}

/** A step, or the steps of a sequence. */
function flat(value: unknown, key: string): Json[] {
  if (value === null || value === undefined) return [];
  const step = object(value);
  return step.type === 'Sequence' ? list(step[key]).map(object) : [step];
}

const text8 = new TextDecoder();

/** The file's text without what was read from its bytes: null stands there. */
function without(bytes: Uint8Array, parts: readonly ({ start: number; end: number } | null)[]): string {
  let text = '';
  let from = 0;
  for (const part of parts.filter(part => part !== null).sort((a, b) => a.start - b.start)) {
    text += `${text8.decode(bytes.subarray(from, part.start))}null`;
    from = part.end;
  }
  return text + text8.decode(bytes.subarray(from));
}

function parsed(text: string, where: string): Json {
  const bad = (what: string) => new TokenizerError(`${where} is no tokenizer.json: ${what}. Fetch it again.`);
  if (text.length > MOST_JSON) throw bad(`it has ${text.length} characters beside its vocabulary and merges`);
  let file: unknown;
  try {
    file = parseJson(text);
  } catch (error) {
    throw bad(`it is not JSON (${(error as Error).message})`);
  }
  if (typeof file === 'object' && file !== null && 'model' in file) return file as Json;
  throw bad("it is not JSON with a 'model' in it");
}

const object = (value: unknown): Json => (typeof value === 'object' && value !== null ? (value as Json) : {});
const list = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);
