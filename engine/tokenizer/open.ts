// A tokenizer from wherever a vocabulary was found.

import { TokenizerError } from '../errors.js';
import { openFile } from '../files.js';
import { openGguf } from '../weights/gguf.js';
import type { ModelFiles } from '../weights/source.js';
import { BpeTokenizer } from './bpe.js';
import type { Tokenizer } from './tokenizer.js';
import { vocabularyFromGguf, vocabularyFromModel } from './vocabulary.js';

const MAX_MODEL = 256 << 20; // Gemma's is 4.7 MB

/** The tokenizer of a model's own vocabulary. */
export async function openTokenizer(vocabulary: NonNullable<ModelFiles['vocabulary']>): Promise<Tokenizer> {
  if (vocabulary.kind === 'gguf') return new BpeTokenizer(vocabularyFromGguf(vocabulary.metadata));
  return openTokenizerFile(vocabulary.path);
}

/** The tokenizer in a .model, .spm or .gguf file. Throws TokenizerError or ModelFileError. */
export async function openTokenizerFile(path: string): Promise<Tokenizer> {
  if (/\.gguf$/i.test(path)) {
    const gguf = await openGguf(path);
    try {
      return new BpeTokenizer(vocabularyFromGguf(gguf.metadata));
    } finally {
      await gguf.close();
    }
  }
  const file = await openFile(path);
  try {
    if (file.size > MAX_MODEL) {
      throw new TokenizerError(
        `${path} has ${file.size} bytes, far more than a vocabulary. Give a tokenizer.model, .spm or .gguf.`,
      );
    }
    return new BpeTokenizer(vocabularyFromModel(await file.read(0, file.size), path));
  } finally {
    await file.close();
  }
}
