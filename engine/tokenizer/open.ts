// A tokenizer from wherever a vocabulary was found.

import { TokenizerError } from '../errors.js';
import { openFile } from '../files.js';
import { openGguf } from '../weights/gguf.js';
import type { ModelFiles } from '../weights/source.js';
import { vocabularyOfFolder } from './folder-vocabulary.js';
import { vocabularyFromGguf } from './gguf-vocabulary.js';
import { PieceTokenizer } from './piece-tokenizer.js';
import { vocabularyFromModel } from './sentencepiece-model.js';
import type { Tokenizer } from './tokenizer.js';
import { vocabularyFromJson } from './tokenizer-json.js';

// Gemma's are 4.7 MB and, as tokenizer.json, 33 MB.
const MAX_MODEL = 64 << 20;
const MAX_JSON = 192 << 20;
const isJson = (path: string): boolean => /\.json$/i.test(path);

/**
 * The tokenizer of a model's own vocabulary. Throws TokenizerError or ModelFileError for one that cannot be read.
 * @example const tokenizer = await openTokenizer(files.vocabulary!)
 */
export async function openTokenizer(vocabulary: NonNullable<ModelFiles['vocabulary']>): Promise<Tokenizer> {
  if (vocabulary.kind === 'gguf') return new PieceTokenizer(vocabularyFromGguf(vocabulary.metadata));
  if (!vocabulary.files) return await openTokenizerFile(vocabulary.path);
  const found = await vocabularyOfFolder(vocabulary.files, contentsOf);
  return new PieceTokenizer(found.vocabulary, found.path);
}

/** What a vocabulary's file holds. Throws TokenizerError for one far too large. */
async function contentsOf(path: string): Promise<Uint8Array> {
  const file = await openFile(path);
  try {
    if (file.size <= (isJson(path) ? MAX_JSON : MAX_MODEL)) return await file.read(0, file.size);
  } finally {
    await file.close();
  }
  throw new TokenizerError(
    `${path} has ${file.size} bytes, far more than a vocabulary. Give a tokenizer.model, .spm, tokenizer.json or .gguf.`,
  );
}

/** The tokenizer in a .model, .spm, tokenizer.json or .gguf file. Throws TokenizerError or ModelFileError. */
export async function openTokenizerFile(path: string): Promise<Tokenizer> {
  if (/\.gguf$/i.test(path)) {
    const gguf = await openGguf(path);
    try {
      return new PieceTokenizer(vocabularyFromGguf(gguf.metadata));
    } finally {
      await gguf.close();
    }
  }
  const bytes = await contentsOf(path);
  const vocabulary = isJson(path) ? vocabularyFromJson(bytes, path) : vocabularyFromModel(bytes, path);
  return new PieceTokenizer(vocabulary, path);
}
