// Ids of a prompt, as a session reads it: also for who has the files of a model and no session.

import { PromptError } from '../../engine/errors.js';
import { withEnds } from '../../engine/tokenizer/ends.js';
import type { Tokenizer } from '../../engine/tokenizer/tokenizer.js';
import { idsGiven } from '../values/arguments.js';

/** @param vocabulary throws where there is none */
export function promptIds(prompt: string | readonly number[], bosId: number, vocabulary: () => Tokenizer): number[] {
  if (typeof prompt !== 'string') return idsGiven(prompt);
  if (prompt === '') throw new PromptError('The prompt is empty; give some text.');
  const tokenizer = vocabulary();
  const ids = tokenizer.encode(prompt, { special: true });
  return withEnds(ids, tokenizer.ends ?? { front: [bosId], back: [] });
}
