// Taps of a whole run: planned against a budget before anything runs, put together from the chunks after.

import { BudgetError } from '../engine/errors.js';
import type { Extent, Stage } from '../engine/plan.js';
import { type Captured, type Slice, type Tap, tapBytes } from '../engine/taps.js';
import { Activation, type Dim } from './activation.js';
import { joined } from './pieces.js';

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
  const mb = (n: number) => `${Math.ceil(n / 1e6)} MB`;
  const largest = sizes.sort((a, b) => b.bytes - a.bytes)[0];
  let left = budget;
  const fit = [...sizes].reverse().filter(({ bytes }) => (left -= bytes) >= 0).length;
  throw new BudgetError(
    `These ${taps.length} taps would bring back ${mb(total)}, and the budget is ${mb(budget)}. The largest is '${largest.name}' with ` +
      `${mb(largest.bytes)}; the ${fit} smallest would fit. Tap fewer stages, slice them, or raise the budget.`,
  );
}

/** One activation a stage, the chunks' rows one after the other, with labels for its tokens. */
export function assemble(
  captured: readonly Captured[],
  labels: readonly string[],
  slice: Slice = {},
): Map<string, Activation> {
  const byStage = new Map<Stage, Captured[]>();
  for (const part of captured) byStage.set(part.stage, [...(byStage.get(part.stage) ?? []), part]);
  return new Map([...byStage].map(([stage, parts]) => [stage.name, join(stage, parts, labels, slice)]));
}

function join(stage: Stage, parts: readonly Captured[], labels: readonly string[], slice: Slice): Activation {
  const { shape, data } = joined(stage, parts);
  const dims: Dim[] = stage.axes.map(({ name, size }, i) => {
    if (typeof size === 'number') return { name, size: shape[i] };
    // Logits of the last row alone belong to the last token.
    const first = size === 'rows' ? Math.max(0, labels.length - shape[i]) : 0;
    const from = slice[name]?.[0] ?? first;
    return { name, size: shape[i], labels: labels.slice(from, from + shape[i]) };
  });
  return new Activation(stage.name, dims, data);
}
