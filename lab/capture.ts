// Taps of a whole run: planned against a budget before anything runs, put together from the chunks after.

import { BudgetError } from '../engine/errors.js';
import { count, type Extent, type Stage } from '../engine/plan.js';
import { type Captured, type Slice, type Tap, tapBytes } from '../engine/taps.js';
import { Activation, type Dim } from './activation.js';

/** What a run may bring back at most, in bytes. */
export const CAPTURE_BUDGET = 1 << 30;

const MASKED = -3.4028234663852886e38;

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
  const tokenAxis = stage.axes.findIndex(({ size }) => size === 'tokens' || size === 'rows');
  const keyAxis = stage.axes.findIndex(({ size }) => size === 'keys');
  const shape = [...parts[parts.length - 1].shape];
  shape[tokenAxis] = parts.reduce((n, part) => n + part.shape[tokenAxis], 0);
  const dims: Dim[] = stage.axes.map(({ name, size }, i) => {
    if (typeof size === 'number') return { name, size: shape[i] };
    // Logits of the last row alone belong to the last token.
    const first = size === 'rows' ? Math.max(0, labels.length - shape[i]) : 0;
    const from = slice[name]?.[0] ?? first;
    return { name, size: shape[i], labels: labels.slice(from, from + shape[i]) };
  });
  if (parts.length === 1) return new Activation(stage.name, dims, parts[0].data);
  const data = new Float32Array(count(shape));
  // Keys that did not exist yet are what the mask makes of them.
  if (keyAxis >= 0 && stage.operation.kind === 'scores') data.fill(MASKED);
  if (tokenAxis === 0) {
    let at = 0;
    for (const part of parts) {
      data.set(part.data, at);
      at += part.data.length;
    }
  } else {
    const [heads, queries, keys] = shape;
    let row = 0;
    for (const part of parts) {
      const [, some, seen] = part.shape;
      for (let head = 0; head < heads; head++) {
        for (let q = 0; q < some; q++) {
          const from = (head * some + q) * seen;
          data.set(part.data.subarray(from, from + seen), (head * queries + row + q) * keys);
        }
      }
      row += some;
    }
  }
  return new Activation(stage.name, dims, data);
}
