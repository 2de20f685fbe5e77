// loupe generate --prompts: a file of prompts, continued together, and told in its order.

import { contextFull } from '../../engine/longer-context.js';
import { printableJson } from '../../engine/printable.js';
import { type BatchRunOptions, together } from '../session/batch.js';
import type { Session } from '../session/session.js';
import type { Prompt, PromptFile } from '../values/prompt-file.js';
import { print, printText } from './options.js';

/**
 * Prints each continuation as soon as it and those before it are there.
 * @param given what the file had when it was read: mistakes are told by its lines
 */
export async function printContinuations(
  session: Session,
  file: PromptFile,
  given: readonly Prompt[],
  options: BatchRunOptions,
  json: boolean,
): Promise<void> {
  const { adapter } = session.provenance();
  const generation = together(session, given, options, place => file.where(place));
  let told = 0;
  let cut = 0;
  const tell = (until: number) => {
    for (; told < until; told++) {
      const { ids, text, stop } = generation.soFar[told];
      if (!stop && ids.length > 0 && ids.length < (options.maxTokens ?? Number.POSITIVE_INFINITY)) cut += 1;
      if (json) print(printableJson({ prompt: given[told], ids, text, stop, plan: options.plan, adapter }));
      else printText(`${told > 0 ? '\n' : ''}${typeof given[told] === 'string' ? given[told] : ''}${text}\n`);
    }
  };
  const over = new Set<number>();
  for await (const { sequence, last } of generation) {
    if (last) over.add(sequence);
    let until = told;
    while (over.has(until)) until += 1;
    tell(until);
  }
  tell(given.length);
  if (cut > 0)
    process.stderr.write(`loupe: ${cut} of ${given.length} end before they were to: ${contextFull(session)}\n`);
}
