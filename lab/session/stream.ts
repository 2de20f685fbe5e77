// Tokens of a generation as a person wants them: with their text so far certain, and what the taps saw.

import type { Context } from '../../engine/context.js';
import { StageError } from '../../engine/errors.js';
import { generate } from '../../engine/generate.js';
import type { Shaders } from '../../engine/kernel.js';
import type { AxisName, Plan } from '../../engine/plan.js';
import type { Tap } from '../../engine/taps.js';
import type { DecodeStream, Tokenizer } from '../../engine/tokenizer/tokenizer.js';
import type { Activation } from '../values/activation.js';
import { assemble, CAPTURE_BUDGET, checkCapture } from './capture.js';
import { progressLine } from '../host/progress.js';
import { eitherSignal } from '../host/interrupt.js';
import type { GenerateRunOptions, Token } from './request.js';
import { namesOf, tapped } from '../values/select.js';
import { planTaps } from './slices.js';

const QUICK = 64; // tokens that are read without progress

/** What a generation asks of its session. */
export interface Speaker {
  readonly plan: Plan;
  /** Null where tokens have no texts. */
  readonly tokenizer: Tokenizer | null;
  labels(ids: readonly number[]): string[];
  noteEdit(shaders: readonly string[], position: number): void;
  /** Throws where it was closed, or its device is lost. */
  ready(): void;
}

/** Goes on from what `context` has read with `ids`, and then with what the model makes of it. */
export async function* stream(
  session: Speaker,
  context: Context,
  ids: readonly number[],
  options: GenerateRunOptions & { readonly stopIds?: readonly number[]; readonly shaders?: Shaders },
): AsyncGenerator<Token, void, void> {
  const { budget = CAPTURE_BUDGET, maxTokens = 128 } = options;
  const keys = context.ids.length + ids.length;
  const most = Number.isInteger(maxTokens)
    ? Math.max(keys, Math.min(keys + maxTokens, context.length))
    : context.length;
  const { taps } = planTaps(tapped(session.plan, options.tap), options.slice, {
    tokens: most,
    logits: 'last',
    open: true,
  });
  // The largest are those of the prompt, or of the last token that is read, or of the last that a slice has.
  checkCapture(taps, [{ tokens: ids.length, keys, rows: 1 }], budget);
  const last = Number.isInteger(maxTokens) ? Math.min(keys + maxTokens - 1, most) : most; // what is made last is not read
  const ends = ['token', 'query'].flatMap(name => taps.map(({ slice }) => slice?.[name as AxisName]?.[1] ?? last));
  for (const end of new Set([last, ...ends]))
    if (end > keys && end <= last) checkCapture(taps, [{ tokens: 1, keys: end, rows: 1 }], budget);
  const text = session.tokenizer?.stream();
  let read = context.ids.length;
  using progress = progressLine('Reading', ids.length < QUICK && 'short');
  const tokens = generate(context, ids, {
    ...options,
    taps,
    signal: eitherSignal(options.signal),
    onPrefill: done => progress.count(done, ids.length, 'tokens'),
    onLayer: ids.length < QUICK ? undefined : (...at) => progress.layer(...at, ids.length),
  });
  for await (const token of whileOpen(session, tokens)) {
    progress[Symbol.dispose]();
    const labels = session.labels([...context.ids]);
    const first = read;
    read = context.ids.length;
    if (token.edited.length > 0) session.noteEdit(token.edited, token.position);
    let seen: Map<string, Activation> | null = null;
    yield {
      id: token.id,
      text: textOf(token, text),
      position: token.position,
      stop: token.stop,
      last: token.last,
      edited: token.edited,
      at(stage) {
        seen ??= assemble(token.captured, labels, taps, first);
        const name = seen.has(stage) ? stage : namesOf(session.plan).one(stage);
        const found = seen.get(name);
        if (found) return found;
        const tap = taps.find(({ stage: { name: known } }) => known === name);
        throw new StageError(tap ? outside(tap, first, labels.length) : untapped(stage, name));
      },
    };
  }
}

/** A session that is closed while it writes says so itself: of contexts its user knows nothing. */
async function* whileOpen<T>(session: Speaker, tokens: AsyncGenerator<T, void, void>): AsyncGenerator<T, void, void> {
  try {
    yield* tokens;
  } catch (error) {
    session.ready();
    throw error;
  }
}

/** What a token adds to the text: with the last come the bytes that no character was made of, as when all are decoded at once. An end of the text is none of it. */
export function textOf(
  { id, stop, last }: { readonly id: number; readonly stop: boolean; readonly last: boolean },
  text: DecodeStream | undefined,
): string {
  if (!text) return stop ? '' : `#${id} `;
  return (stop ? '' : text.push(id)) + (last ? text.end() : '');
}

const untapped = (asked: string, name: string): string =>
  `'${asked}'${asked === name ? '' : `, '${name}',`} was not tapped. Add it to the option tap of generate().`;

function outside({ stage, slice = {} }: Tap, first: number, end: number): string {
  const ranges = Object.entries(slice).map(([axis, [from, to]]) => `${axis} [${from}, ${to}]`);
  const read = end - first === 1 ? `token ${first}` : `tokens ${first} to ${end - 1}`;
  return `Nothing of '${stage.name}' lies within the slice ${ranges.join(', ')} while ${read} ${end - first === 1 ? 'was' : 'were'} read.`;
}
