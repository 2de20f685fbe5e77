// Taps of a whole run: planned against a budget before anything runs, put together from the chunks after.

import { BudgetError } from '../../engine/errors.js';
import { count, type Extent, type Stage, windowOfPairs } from '../../engine/plan.js';
import { type Captured, type Slice, type Tap, tapBytes } from '../../engine/taps.js';
import { Activation } from '../values/activation.js';
import type { Ran } from '../values/apart.js';
import type { Dim } from '../values/dims.js';
import { bytesText } from '../values/numbers.js';
import { MASKED } from '../values/stats.js';

/** What a run may bring back at most, in bytes. */
export const CAPTURE_BUDGET = 1 << 30;

/** Throws BudgetError that names the largest stages and what would fit, before the run. */
export function checkCapture(taps: readonly Tap[], extents: readonly Extent[], budget = CAPTURE_BUDGET): void {
  const sizes = taps.map(tap => ({
    name: tap.stage.name,
    bytes: extents.reduce((n, extent) => n + tapBytes(tap, extent), 0),
  }));
  const total = sizes.reduce((n, { bytes }) => n + bytes, 0);
  if (total <= budget) return;
  const text = bytesText(total) === bytesText(budget) ? (n: number) => `${n} bytes` : bytesText;
  const largest = sizes.sort((a, b) => b.bytes - a.bytes)[0];
  let left = budget;
  const fit = [...sizes].reverse().filter(({ bytes }) => (left -= bytes) >= 0).length;
  throw new BudgetError(
    `These ${taps.length} taps would bring back ${text(total)}, and the budget is ${text(budget)}. The largest is '${largest.name}' with ` +
      `${text(largest.bytes)}; the ${fit} smallest would fit. Tap fewer stages, slice them, or raise the budget.`,
  );
}

/** What taps bring back of a chunk. */
export const bytesOf = (taps: readonly Tap[], extent: Extent): number =>
  taps.reduce((n, tap) => n + tapBytes(tap, extent), 0);

/**
 * One activation a stage, the chunks' parts put where they belong, with labels for its tokens. What no chunk had, because its keys did not
 * exist yet, is what the mask makes of it.
 * @param labels of all tokens of the sequence so far @param taps with the slices that were asked for @param first position of the first token read
 */
export function assemble(
  captured: readonly Captured[],
  labels: readonly string[],
  taps: readonly Tap[] = [],
  first = 0,
  ran: Ran | null = null,
): Map<string, Activation> {
  const slices = new Map(taps.map(({ stage, slice }) => [stage, slice]));
  const byStage = new Map<Stage, Captured[]>();
  for (const part of captured) byStage.set(part.stage, [...(byStage.get(part.stage) ?? []), part]);
  // A slice of queries that were read before its keys were is in no chunk's part.
  for (const { stage } of taps)
    if (!byStage.has(stage) && stage.axes.some(({ size }) => size === 'keys')) byStage.set(stage, []);
  return new Map(
    [...byStage].flatMap(([stage, parts]) => {
      const activation = join(stage, parts, labels, slices.get(stage) ?? {}, first, ran);
      return activation ? [[stage.name, activation]] : [];
    }),
  );
}

function join(
  stage: Stage,
  parts: readonly Captured[],
  labels: readonly string[],
  slice: Slice,
  first: number,
  ran: Ran | null,
): Activation | null {
  const dims: Dim[] = stage.axes.map(({ name, size }, i) => {
    const [low, high] = slice[name] ?? [0, Number.POSITIVE_INFINITY];
    const of = typeof size === 'number' ? size : labels.length;
    // Logits are of the rows that were wanted, and the others of all that was read.
    const rows = size === 'rows';
    const from = rows ? Math.min(...parts.map(part => part.from[i])) : Math.max(low, size === 'tokens' ? first : 0);
    const to = rows ? Math.max(...parts.map(part => part.from[i] + part.shape[i])) : Math.min(high, of);
    const window = name === 'key' ? windowOfPairs(stage) : undefined;
    const dim = { name, size: to - from, from, of, ...(typeof window === 'number' && { window }) };
    return typeof size === 'number' ? dim : { ...dim, labels: labels.slice(from, to) };
  });
  if (dims.some(({ size }) => size <= 0)) return null; // in a stream: of tokens that are not there yet, or were before
  const shape = dims.map(({ size }) => size);
  if (parts.length === 1 && parts[0].shape.every((size, i) => size === shape[i]))
    return new Activation(stage.name, dims, parts[0].data, parts[0].recomputed, parts[0].kept, ran);
  const data = new Float32Array(count(shape));
  if (stage.operation.kind === 'scores') data.fill(MASKED);
  for (const part of parts) {
    const width = part.shape[part.shape.length - 1];
    const index = part.shape.map(() => 0);
    for (let at = 0; at < part.data.length; at += width) {
      const to = index.reduce((place, n, d) => place * shape[d] + part.from[d] - dims[d].from + n, 0);
      data.set(part.data.subarray(at, at + width), to);
      for (let d = index.length - 2; d >= 0 && ++index[d] === part.shape[d]; d--) index[d] = 0;
    }
  }
  return new Activation(
    stage.name,
    dims,
    data,
    parts.some(part => part.recomputed),
    parts[0]?.kept,
    ran,
  );
}
