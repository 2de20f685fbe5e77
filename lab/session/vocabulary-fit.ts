// Whether a vocabulary that a person gives is the model's: another's ids would be read as if they were its own.

import { TokenizerError } from '../../engine/errors.js';
import { openTokenizer } from '../../engine/tokenizer/open.js';
import type { Tokenizer } from '../../engine/tokenizer/tokenizer.js';
import type { ModelFiles } from '../../engine/weights/source.js';

const ADDED = 1024; // tokens that a vocabulary may have beyond the model's rows: of pictures, of a fine-tune

/**
 * Notices about a vocabulary given beside a model: that it is not the model's own, where the model has one. Throws TokenizerError where
 * the sizes cannot be of one model.
 * @param path where the vocabulary was found
 */
export async function checkVocabulary(tokenizer: Tokenizer, path: string, files: ModelFiles): Promise<string[]> {
  const rows = files.config.vocab;
  const { size } = tokenizer;
  const cure = files.vocabulary ? 'Open the model without it: it has its own' : 'Give the one that it was trained with';
  if (size > rows + ADDED || size < rows / 2) {
    throw new TokenizerError(
      `${path} has ${size} pieces, and the model has rows for ${rows}: it is the vocabulary of another model. ${cure}.`,
    );
  }
  if (!files.vocabulary) return [];
  const own = await openTokenizer(files.vocabulary);
  let others = 0;
  for (let id = 0; id < rows; id++) others += Number(own.has(id) && own.piece(id) !== tokenizer.piece(id));
  if (others === 0) return [];
  return [`${path} has other pieces than the model's own vocabulary for ${others} of ${rows} ids. ${cure}.`];
}
