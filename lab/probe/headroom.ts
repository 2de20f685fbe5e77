// The largest value of each stage while the model reads and writes: what was seen so far stands in the cell, token by token.

import { randomUUID } from 'node:crypto';
import { OptionError } from '../../engine/errors.js';
import type { PlanKind } from '../../engine/fuse.js';
import { notebook, sendBundle } from '../host/notebook.js';
import { progressLine } from '../host/progress.js';
import { isSeveral } from '../session/batch.js';
import { planProvenance } from '../session/request.js';
import type { Session } from '../session/session.js';
import { checkOptions, type OptionNames } from '../values/arguments.js';
import { said } from '../values/dims.js';
import { Headroom } from '../values/headroom.js';
import { sci } from '../values/numbers.js';
import { type Selector, select } from '../values/select.js';
import { DISPLAY } from '../values/shown.js';

/** What to look at, and for how long. */
export interface HeadroomOptions {
  /** Which stages; default all, `'**'`. */
  readonly tap?: Selector;
  /** Tokens to write behind the prompt, from 1; default 32. The last of them is not read. */
  readonly maxTokens?: number;
  /** Default fast, as a generation's. */
  readonly plan?: PlanKind;
  /** Most bytes to bring back for one token, the prompt's with the first. */
  readonly budget?: number;
  /** Stops it; it then rejects with the signal's reason. */
  readonly signal?: AbortSignal;
}

const OPTIONS: OptionNames<HeadroomOptions> = { tap: true, maxTokens: true, plan: true, budget: true, signal: true };

/** ms between looks. */
const EVERY = 400;

/** Throws what a generation throws, and OptionError for less than one token. */
export async function headroom(
  session: Session,
  prompt: string | readonly number[],
  given: HeadroomOptions = {},
): Promise<Headroom> {
  const { tap = '**', maxTokens = 32, ...rest } = checkOptions('headroom', given, OPTIONS);
  const { plan = 'fast' } = rest;
  if (!Number.isSafeInteger(maxTokens) || maxTokens < 1)
    throw new OptionError(`maxTokens of headroom is a whole number from 1, not ${said(maxTokens)}.`);
  if (isSeveral(prompt) || (Array.isArray(prompt) && prompt.length === 0))
    throw new OptionError('headroom() reads one prompt, a text or a list of token ids with something in it.');
  const names = select(session.plan, tap).map(({ name }) => name);
  const id = randomUUID();
  let found = null as Headroom | null;
  const shaders = await session.model.kernels.inForce();
  const told = { ...session.provenance(shaders), ...planProvenance(plan, session.model.activations) };
  const edits: string[] = [];
  let [read, last, shown] = [0, performance.now(), false];
  using progress = progressLine('Looking');
  try {
    for await (const token of session.generate(prompt, { ...rest, tap, maxTokens })) {
      if (token.edited.length > 0) edits.push(`${token.edited.join(', ')} at token ${token.position}`);
      const now = Headroom.of(
        names.map(name => token.at(name)),
        token.position - read,
        { ...told, ...(edits.length > 0 && { edited_while_generating: edits.join('; ') }) },
      );
      read = token.position;
      found = found?.and(now) ?? now;
      if (!notebook()) {
        const { maxAbs, stage } = found.largest;
        progress.count(read, read + maxTokens, `tokens, the largest ${sci(maxAbs)} in ${stage}`);
      } else if (performance.now() - last > EVERY) {
        last = performance.now();
        sendBundle(found[DISPLAY](), { id, update: shown });
        shown = true;
      }
    }
  } finally {
    if (shown) notebook()?.vanish(id); // the value is shown in its place
  }
  return found!;
}
