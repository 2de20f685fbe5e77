// The vocabulary in a GGUF's metadata.

import { TokenizerError } from '../errors.js';
import { KINDS } from './sentencepiece-model.js';
import { type PieceKind, PLAIN, SPACE, type Vocabulary } from './vocabulary.js';

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
  // Runs of spaces stand in a GGUF as they are, and in SentencePiece as ▁.
  const pieces = list('tokens').map(token => {
    const piece = String(token);
    return piece.includes(' ') ? piece.replaceAll(' ', SPACE) : piece;
  });
  const types = list('token_type').map(Number);
  const scores = Float32Array.from(list('scores').map(Number));
  if (types.length !== pieces.length || scores.length !== pieces.length) {
    throw new TokenizerError(
      `The GGUF lists ${pieces.length} tokens but ${scores.length} scores and ${types.length} types. Convert it again.`,
    );
  }
  const kinds = types.map((type, id) => kindOf(pieces[id], KINDS[type] ?? 'normal'));
  const id = (key: string, otherwise: number) => Number(metadata.get(`tokenizer.ggml.${key}`) ?? otherwise);
  return {
    pieces,
    scores,
    kinds,
    bosId: id('bos_token_id', 2),
    eosId: id('eos_token_id', 1),
    unkId: id('unknown_token_id', Math.max(0, kinds.indexOf('unknown'))),
    algorithm: { kind: 'bpe' },
    normalisation: {
      ...PLAIN,
      dummyPrefix: metadata.get('tokenizer.ggml.add_space_prefix') !== false,
      collapseSpaces: metadata.get('tokenizer.ggml.remove_extra_whitespaces') === true,
    },
    byteFallback: kinds.includes('byte'),
    userBeforeNormalising: false,
    unkSurface: ' \u2047 ',
  };
}

/**
 * llama.cpp's converter marks every piece that looks special as a control one. Google's vocabularies have these as user pieces: they are
 * text that stands for itself.
 */
function kindOf(piece: string, kind: PieceKind): PieceKind {
  return kind === 'control' && /^(<unused\d+>|<mask>|<2mass>|\[@BOS@\]|\[multimodal\])$/.test(piece) ? 'user' : kind;
}
