// In which order another program has the dimensions of a value, and which of its rows are of tokens. Sizes tell, mostly; where they do not, all that fit are
// candidates, and the values or the user decide.

import { type Axis, type AxisName, count, type Stage } from '../../engine/plan.js';
import { eachPlace } from '../values/strided.js';

/** One way to read an array as the value of a stage. */
export interface Layout {
  /** Their dimensions, from the outermost: `head,token,dim`. */
  readonly order: string;
  /** Size of each of the stage's axes in their array. */
  readonly sizes: readonly number[];
  /** By axis of the stage: where the part that is of our tokens begins. */
  readonly from: readonly number[];
  /** By axis of the stage: how much of it is there. The first axis of tokens may have the last token alone. */
  readonly shape: readonly number[];
  /** By axis of the stage: how far its entries are apart. */
  readonly strides: readonly number[];
}

/** Axes that count tokens: theirs may be padded. */
const TOKENS = new Set<unknown>(['tokens', 'keys', 'rows']);

/**
 * All ways to read an array of this shape as a stage's value for so many tokens, the exact ones alone where there are some; the stage's own order first.
 * @param offset where the tokens begin among padded rows, if that is known
 * @param told the order that was told
 */
export function layoutsOf(
  stage: Stage,
  shape: readonly number[],
  tokens: number,
  offset: number | null,
  told: string | null,
): Layout[] {
  const { axes } = stage;
  const exact: Layout[] = [];
  const padded: Layout[] = [];
  const last: Layout[] = [];
  const dims = shape.filter(size => size !== 1);
  for (const order of orders(axes.map((_, i) => i))) {
    const names = order.map(i => axes[i].name);
    if (told !== null && !agrees(names, told)) continue;
    for (const sizes of sizesOf(axes, order, dims, tokens)) {
      // One name is no order of several dimensions.
      if (told !== null && !told.includes(',') && !axes.every(({ name }, i) => sizes[i] === 1 || isTold(name, [told])))
        continue;
      const layout = (froms: readonly number[], part: readonly number[]): Layout => ({
        order: names.join(','),
        sizes,
        from: froms,
        shape: part,
        strides: stridesOf(order, sizes),
      });
      const long = axes.map(({ size }, i) => (TOKENS.has(size) ? sizes[i] - tokens : 0));
      const wanted = sizes.map((size, i) => (TOKENS.has(axes[i].size) ? Math.min(size, tokens) : size));
      if (long.every(n => n === 0))
        exact.push(
          layout(
            sizes.map(() => 0),
            wanted,
          ),
        );
      else if (long.every(n => n >= 0)) {
        const starts = offset === null ? [0, 1] : [0];
        for (const end of starts)
          padded.push(
            layout(
              long.map(n => (n === 0 ? 0 : (offset ?? 0) + end * n)),
              wanted,
            ),
          );
      } else if (
        long.every((n, i) => n >= 0 || (sizes[i] === 1 && (axes[i].name === 'token' || axes[i].name === 'query')))
      )
        last.push(
          layout(
            long.map(() => 0),
            wanted,
          ),
        );
    }
  }
  const found = exact.length > 0 ? exact : padded.length > 0 ? padded : last;
  return distinct(found.filter(one => one.from.every((n, i) => n + one.shape[i] <= one.sizes[i])));
}

/** Whether an order is the one that was told; axes of one entry may be left out of what is told, and `query` may be called `token`. */
function agrees(names: readonly AxisName[], told: string): boolean {
  const wanted = told.split(',');
  const said = names.filter(name => isTold(name, wanted));
  return (
    said.length === wanted.length &&
    said.every((name, i) => name === wanted[i] || (name === 'query' && wanted[i] === 'token'))
  );
}

const isTold = (name: AxisName, wanted: readonly string[]): boolean =>
  wanted.includes(name) || (name === 'query' && wanted.includes('token'));

/** Every order of axes; heads and the dimensions in them may be one of theirs, in the natural order alone. */
function orders(axes: readonly number[]): number[][] {
  if (axes.length < 2) return [[...axes]];
  return axes.flatMap((first, i) => orders(axes.filter((_, j) => j !== i)).map(rest => [first, ...rest]));
}

/** The sizes of axes that give these dimensions, ones left out, neighbours joined where need be. */
function sizesOf(axes: readonly Axis[], order: readonly number[], dims: readonly number[], tokens: number): number[][] {
  const found: number[][] = [];
  const sizes = axes.map(() => 1);
  const go = (at: number, dim: number): void => {
    if (at === order.length) {
      if (dim === dims.length) found.push([...sizes]);
      return;
    }
    const axis = order[at];
    const { size, name } = axes[axis];
    const next = order[at + 1];
    if (typeof size === 'number') {
      sizes[axis] = size;
      if (size === 1) go(at + 1, dim);
      else if (dims[dim] === size) go(at + 1, dim + 1);
      const inner = next === undefined ? null : axes[next].size;
      const joins = name === 'head' && typeof inner === 'number' && axes[next].name === 'dim';
      if (joins && size !== 1 && inner !== 1 && dims[dim] === size * inner) {
        sizes[next] = inner;
        go(at + 2, dim + 1);
      }
      return;
    }
    // A size of the run: theirs is as long, or longer where rows are padded, or 1.
    sizes[axis] = 1;
    go(at + 1, dim);
    if (dim < dims.length && (dims[dim] >= tokens || TOKENS.has(size) === false)) {
      sizes[axis] = dims[dim];
      go(at + 1, dim + 1);
    }
    sizes[axis] = 1;
  };
  go(0, 0);
  return found;
}

function stridesOf(order: readonly number[], sizes: readonly number[]): number[] {
  const strides = sizes.map(() => 1);
  let stride = 1;
  for (const axis of [...order].reverse()) {
    strides[axis] = stride;
    stride *= sizes[axis];
  }
  return strides;
}

/** Those that read other values: axes of one entry may stand anywhere. */
function distinct(layouts: readonly Layout[]): Layout[] {
  const seen = new Set<string>();
  return layouts.filter(({ strides, from, shape }) => {
    const key = JSON.stringify(
      shape.map((size, i) => (size === 1 ? [1, from[i] * strides[i]] : [size, strides[i], from[i]])),
    );
    return !seen.has(key) && seen.add(key);
  });
}

/** The values in the stage's own order. */
export function laidOut(data: Float32Array, { sizes, from, shape, strides }: Layout): Float32Array {
  const start = from.reduce((n, at, i) => n + at * strides[i], 0);
  const natural = strides.every((stride, i) => stride === count(sizes.slice(i + 1)));
  if (natural && sizes.every((n, i) => n === shape[i])) return data;
  const out = new Float32Array(count(shape));
  eachPlace(shape, strides, start, (at, to) => {
    out[to] = data[at];
  });
  return out;
}
