// The vocabulary in a GGUF's metadata.

import { TokenizerError } from '../errors.js';
import { endsOfKeys } from './ends.js';
import { quoted } from './quoted.js';
import { KINDS } from './sentencepiece-model.js';
import { MAX_PIECES, type PieceKind, PLAIN, SPACE, type Vocabulary } from './vocabulary.js';

/** Vocabulary of a GGUF file's metadata. */
export function vocabularyFromGguf(metadata: ReadonlyMap<string, unknown>): Vocabulary {
  const list = (key: string): unknown[] => {
    const value = metadata.get(`tokenizer.ggml.${key}`);
    if (Array.isArray(value) && value.length > MAX_PIECES) {
      throw new TokenizerError(
        `The GGUF's 'tokenizer.ggml.${key}' has ${value.length} entries, and at most ${MAX_PIECES} are read.`,
      );
    }
    if (Array.isArray(value) && value.length > 0) return value;
    throw new TokenizerError(`The GGUF has no list 'tokenizer.ggml.${key}'. Give a vocabulary with --tokenizer.`);
  };
  const model = metadata.get('tokenizer.ggml.model') ?? null;
  if (model !== 'llama') {
    const kind =
      typeof model === 'string'
        ? `The GGUF's vocabulary is of the kind ${quoted(model)}`
        : 'The GGUF does not say of what kind its vocabulary is (tokenizer.ggml.model)';
    throw new TokenizerError(`${kind}, and Gemma's is 'llama'. Give one with --tokenizer.`);
  }
  const wrong = (key: string, at: number, expected: string) =>
    new TokenizerError(
      `The GGUF's 'tokenizer.ggml.${key}' has ${JSON.stringify(list(key)[at])} at place ${at}, and ${expected} is expected. Convert it again.`,
    );
  const tokens = list('tokens').map((token, at) => {
    if (typeof token === 'string') return token;
    throw wrong('tokens', at, 'a text');
  });
  const types = list('token_type').map((type, at) => {
    if (typeof type === 'number' && (type === UNDEFINED || KINDS[type] !== undefined)) return type;
    throw wrong('token_type', at, 'a type from 0 to 6');
  });
  const scores = Float32Array.from(list('scores'), (score, at) => {
    if (typeof score === 'number' && !Number.isNaN(score)) return score;
    throw wrong('scores', at, 'a number');
  });
  const places = new Map(tokens.map((token, at) => [token, at]));
  const twice = places.size < tokens.length ? tokens.findIndex((token, at) => places.get(token) !== at) : -1;
  if (twice >= 0) throw wrong('tokens', twice, `a piece that is not at place ${places.get(tokens[twice])} too`);
  // Runs of spaces are pieces of the user's, which converters write as they are typed, and SentencePiece with ▁. In any other piece a space is one that no text
  // has once its own are ▁.
  const pieces = tokens.map((token, at) =>
    types[at] !== NORMAL && token.includes(' ') ? token.replaceAll(' ', SPACE) : token,
  );
  if (types.length !== pieces.length || scores.length !== pieces.length) {
    throw new TokenizerError(
      `The GGUF lists ${pieces.length} tokens but ${scores.length} scores and ${types.length} types. Convert it again.`,
    );
  }
  const template = metadata.get('tokenizer.chat_template');
  const marks = marksOf(typeof template === 'string' ? template : '');
  const kinds = types.map((type, id) => marks.get(pieces[id]) ?? kindOf(pieces[id], KINDS[type] ?? 'normal'));
  const flag = (key: string) => {
    const value = metadata.get(`tokenizer.ggml.${key}`) ?? null;
    if (value === null || typeof value === 'boolean') return value;
    throw new TokenizerError(
      `The GGUF's 'tokenizer.ggml.${key}' is ${JSON.stringify(value)}, and true or false is expected. Convert it again.`,
    );
  };
  const said = flag('add_space_prefix');
  const gemma = /^gemma/.test(String(metadata.get('general.architecture') ?? 'gemma'));
  const notices: string[] =
    said !== null
      ? []
      : [
          `The GGUF does not say whether a space is put in front of a text (tokenizer.ggml.add_space_prefix). ${gemma ? 'With Gemma none is, so none is put.' : 'Of models that are not Gemma one is, so one is put.'}`,
        ];
  const id = (key: string, otherwise: number): number => {
    const value = metadata.get(`tokenizer.ggml.${key}`) ?? null;
    if (value === null) {
      const about = `The GGUF does not say tokenizer.ggml.${key}: ${otherwise} (${pieces[otherwise] === undefined ? 'of which it has no piece' : quoted(pieces[otherwise])}) is taken.`;
      if (!notices.includes(about)) notices.push(about);
      return otherwise;
    }
    if (value === -1 || value === NONE) return -1;
    if (typeof value === 'number' && Number.isInteger(value) && value >= 0 && value < Math.max(pieces.length, 3))
      return value;
    throw new TokenizerError(
      `The GGUF's 'tokenizer.ggml.${key}' is ${JSON.stringify(value)}, and its vocabulary has ids from 0 to ${pieces.length - 1}. Convert it again, or give a vocabulary with --tokenizer.`,
    );
  };
  // llama.cpp would take 1 and 2, which are Llama's.
  const [bos, eos] = [placeOf(metadata, '<bos>') ?? 2, placeOf(metadata, '<eos>') ?? 1];
  return {
    source: 'gguf',
    pieces,
    scores,
    kinds,
    bosId: id('bos_token_id', bos),
    eosId: id('eos_token_id', eos),
    unkId: id('unknown_token_id', Math.max(0, kinds.indexOf('unknown'))),
    algorithm: { kind: 'bpe' },
    normalisation: {
      ...PLAIN,
      dummyPrefix: said ?? !gemma,
      collapseSpaces: flag('remove_extra_whitespaces') === true,
    },
    byteFallback: kinds.includes('byte'),
    added: null,
    ends: endsOfKeys(
      {
        bos: flag('add_bos_token'),
        eos: flag('add_eos_token'),
        bosText: 'bos',
        eosText: metadata.has('tokenizer.ggml.eos_token_id') ? 'eos' : null,
      },
      text => {
        const found = id(`${text}_token_id`, text === 'bos' ? bos : eos);
        return found < 0 ? null : found;
      },
      `the GGUF's tokenizer.ggml.add_bos_token and add_eos_token`,
    ),
    notices,
    unkSurface: ' \u2047 ',
  };
}

/** The id of a piece by its name; null where there is none. */
export function placeOf(metadata: ReadonlyMap<string, unknown>, piece: string): number | null {
  const tokens = metadata.get('tokenizer.ggml.tokens');
  const at = Array.isArray(tokens) ? tokens.indexOf(piece) : -1;
  return at < 0 ? null : at;
}

/** Texts of `bos_token` and the like, which templates may name. */
export function specialTokensOfGguf(metadata: ReadonlyMap<string, unknown>): Readonly<Record<string, string>> {
  const tokens = metadata.get('tokenizer.ggml.tokens');
  const texts: Record<string, string> = { bos_token: '<bos>', eos_token: '<eos>' };
  for (const [name, key] of Object.entries({ bos: 'bos', eos: 'eos', unk: 'unknown', pad: 'padding' })) {
    const id = metadata.get(`tokenizer.ggml.${key}_token_id`);
    const text = Array.isArray(tokens) && typeof id === 'number' ? tokens[id] : undefined;
    if (typeof text === 'string') texts[`${name}_token`] = text;
  }
  return texts;
}

/**
 * llama.cpp's converter marks every piece that looks special as a control one. Google's vocabularies have these as user pieces: they are
 * text that stands for itself.
 */
function kindOf(piece: string, kind: PieceKind): PieceKind {
  return kind === 'control' && /^(<unused\d+>|<mask>|<2mass>|\[@BOS@\]|\[multimodal\])$/.test(piece) ? 'user' : kind;
}

/**
 * Kinds of pieces that are marks although converters wrote them as any text: Gemma's turns, and what the model's template writes in
 * angle brackets. Those of ChatML's form (`<|im_start|>`) stand for no text; others, such as `<think>`, are text that is never cut.
 */
function marksOf(template: string): Map<string, PieceKind> {
  const marks = new Map<string, PieceKind>();
  for (const [mark] of template.slice(0, MAX_TEMPLATE).matchAll(/<[^\s<>{}'"]{1,64}>/g)) {
    if (/^<\|.*\|>$|_of_(turn|image)>$/.test(mark)) marks.set(mark, 'control');
  }
  return marks.set('<start_of_turn>', 'control').set('<end_of_turn>', 'control');
}

/** llama.cpp's type of a token of which nothing is said, and of any text. */
const UNDEFINED = 0;
const NORMAL = 1;
const MAX_TEMPLATE = 1 << 20;
/** What llama.cpp writes for an id that there is none of. */
const NONE = 2 ** 32 - 1;
