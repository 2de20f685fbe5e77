// Tokens of a generation as a person wants them: with their text so far certain, and what the taps saw.

import type { Context } from '../engine/context.js';
import { StageError } from '../engine/errors.js';
import { generate } from '../engine/generate.js';
import type { Activation } from './activation.js';
import { assemble, CAPTURE_BUDGET, checkCapture } from './capture.js';
import { progressLine } from './display/progress.js';
import { eitherSignal } from './interrupt.js';
import type { GenerateRunOptions, Token } from './request.js';
import { select } from './select.js';
import type { Session } from './session.js';

const QUICK = 64; // tokens that are read without progress

/** Goes on from what `context` has read with `ids`, and then with what the model makes of it. */
export async function* stream(
  session: Session,
  context: Context,
  ids: readonly number[],
  options: GenerateRunOptions & { readonly stopIds?: readonly number[] },
): AsyncGenerator<Token, void, void> {
  const { tap, slice, budget = CAPTURE_BUDGET } = options;
  const taps = tap === undefined ? [] : select(session.plan, tap).map(stage => ({ stage, slice }));
  // The prompt's are the largest.
  const keys = context.ids.length + ids.length;
  checkCapture(taps, [{ tokens: ids.length, keys, rows: 1 }], budget);
  const text = session.tokenizer?.stream();
  using progress = progressLine('Reading', ids.length < QUICK);
  for await (const token of generate(context, ids, {
    ...options,
    taps,
    signal: eitherSignal(options.signal),
    onPrefill: done => progress.count(done, ids.length, 'tokens'),
    onLayer: ids.length < QUICK ? undefined : (...at) => progress.layer(...at, ids.length),
  })) {
    progress[Symbol.dispose]();
    const labels = session.labels([...context.ids]);
    let seen: Map<string, Activation> | null = null;
    yield {
      id: token.id,
      text: token.stop ? (text?.end() ?? '') : (text?.push(token.id) ?? `#${token.id} `),
      position: token.position,
      stop: token.stop,
      at(stage) {
        seen ??= assemble(token.captured, labels, slice);
        const found = seen.get(stage);
        if (found) return found;
        throw new StageError(`'${stage}' was not tapped. Add it to the option tap of generate().`);
      },
    };
  }
  const rest = text?.end();
  if (rest) yield { id: -1, text: rest, position: context.ids.length, stop: true, at: () => fail() };
  function fail(): never {
    throw new StageError('The end of the text has no activations.');
  }
}
