// A product with a weight: which of its shaders is the fastest for the adapter and the shape, and with which parts it is put together: the weight's
// format, the store where it lies, and the place where the results go.

import { INPUTS, partsFor, ROW } from './assembly.js';
import type { Constants } from './compile.js';
import { LANES, TILE } from './formats/tile.js';
import { chunk, type Dispatch, groups, type Setting, type ShardLayout, type Source, value } from './dispatch.js';
import type { Extent, Ref, Stage } from './plan.js';
import { inputOf } from './rounding.js';
import type { Traits } from './traits.js';

/** Bytes of the array in shaders/inputs/uniform: what every adapter binds. */
export const UNIFORM = 65_536;

/** Where results go: a part of shaders/results. */
export interface Results {
  readonly part: string;
  readonly constants: Constants;
  readonly writes: Readonly<Record<string, Source>>;
}

/** What a product with one vector makes by itself in place of x: a part of shaders/givens. */
export interface Given {
  readonly part: string;
  readonly constants: Constants;
  readonly reads: Readonly<Record<string, Source>>;
  readonly writes: Readonly<Record<string, Source>>;
  /** Of memory that a workgroup shares. */
  readonly bytes: number;
}

/** y [·,rows] = x · weightᵀ. */
export interface Product {
  readonly x: Ref;
  readonly weight: string;
  /** Values of a row of x. */
  readonly columns: number;
  /** Of a head: rows from the first whose logits are wanted. */
  readonly last: boolean;
  results(shard: ShardLayout): Results;
}

/** Whether a product can make what it is given. */
export function canMake({ weight, columns, results }: Product, given: Given, s: Setting): boolean {
  const [shard, ...others] = s.shards(weight);
  if (!s.merged || !s.oneToken || s.many || s.activations === 'int8') return false;
  if (others.length > 0 || shard.layout === 'rows') return false;
  const buffers = [given.reads, given.writes, results(shard).writes].flatMap(Object.keys).length + 1;
  const lanes = lanesOfTile(groups(shard.rows, TILE), columns, s.traits);
  return buffers <= s.traits.maxStorageBuffers && given.bytes + BYTES_OF_LANE * lanes <= s.traits.maxShared;
}

/** Of shared memory: matvec.wgsl's sums, and those of squares in givens/normed. */
const BYTES_OF_LANE = 12;

/** The product that a stage is. */
export const productOf = (stage: Stage, s: Setting, last: boolean): Dispatch[] => product(productIn(stage, last), s);

/** What is multiplied by what in a stage. */
export function productIn(stage: Stage, last: boolean): Product {
  const { name: weight, shape } = stage.weight!;
  const [COLS, columns] = shape;
  const y = { y: value(stage) };
  const results = ({ start, side }: ShardLayout): Results =>
    side
      ? { part: `results/${side}`, constants: { COLS }, writes: y }
      : { part: 'results/one', constants: { COLS, COL0: start }, writes: y };
  return { x: stage.inputs[0], weight, columns, last, results };
}

/**
 * What rounds the input, where it is rounded; then once for each part of the weight.
 * @param made what it makes by itself in place of x, where it `canMake` that
 */
export function product({ x, weight, columns: IN, last, results }: Product, s: Setting, made?: Given): Dispatch[] {
  const vector = last ? s.oneRow : s.oneToken;
  const rowsOf = (e: Extent) => (last ? e.rows : e.tokens);
  const { software, subgroup } = s.traits;
  const { source, first } = inputOf(x, IN, rowsOf, s);
  const parts = s.shards(weight).flatMap((shard, index): Dispatch[] => {
    const to = results(shard);
    // A subgroup of sixteen has eight lanes to spare; one of four could not tell all eight.
    const broadcast = software && (subgroup ?? 0) >= LANES && shard.store === 'texture';
    // Of two weights that lie together, the tiles hold the rows of both.
    const OUT = shard.side ? 2 * shard.rows : shard.rows;
    const common = { IN, OUT, LAST: last ? 1 : 0, ...to.constants };
    const ends = { reads: { chunk, x: source, weight: { weight, shard: index } }, writes: to.writes };
    const tiles = groups(OUT, TILE);
    if (shard.layout === 'rows') {
      const grid = (e: Extent): [number, number, number] => [groups(OUT, 16), groups(rowsOf(e), 16), 1];
      return [{ shader: 'linear_rows', constants: common, ...ends, grid }];
    }
    const whole = { parts: [...partsFor(shard), to.part], constants: { ...common, ...shard.constants }, ...ends };
    const having = (more: Constants) => ({ ...whole, constants: { ...whole.constants, ...more } });
    const [x, y] = [Math.min(tiles, 32768), groups(tiles, 32768)];
    if (vector) {
      const each: Constants = s.many ? { EACH: 1 } : {};
      if (software && !broadcast) {
        return [{ shader: 'matvec_lanes', ...having(each), grid: e => [groups(tiles * LANES, 64), 1, rowsOf(e)] }];
      }
      const grid = (e: Extent): [number, number, number] => [x, y, rowsOf(e)];
      if (broadcast && s.scaled) {
        const inputs = isUniform(source, IN, s) ? INPUTS.uniform : INPUTS.buffer;
        return [{ shader: 'matvec_scaled', ...having(each), parts: [...whole.parts, inputs], grid }];
      }
      if (broadcast) return [{ shader: 'matvec_broadcast', ...having(each), grid }];
      const WG = lanesOfTile(tiles, IN, s.traits);
      const { weight: read } = ends.reads;
      return [
        {
          shader: 'matvec',
          parts: [...whole.parts, made?.part ?? ROW],
          constants: { ...whole.constants, ...each, ...made?.constants, WG },
          reads: made ? { chunk, weight: read, ...made.reads } : ends.reads,
          writes: { ...to.writes, ...made?.writes },
          grid,
        },
      ];
    }
    // SwiftShader's is four, and a lane that has a column can read it alone where it is a number by itself.
    if (software && subgroup === 4 && shard.layout === 'f32' && shard.store === 'buffer') {
      const grid = (e: Extent): [number, number, number] => [tiles, groups(rowsOf(e), 8), 1];
      return [{ shader: 'linear_quads', ...having({}), parts: [to.part], grid }];
    }
    if (software) {
      const [shader, across, tokens] = broadcast
        ? ['linear_broadcast', tiles, 8]
        : ['linear_lanes', groups(tiles * LANES, 64), 4];
      return [{ shader, ...whole, grid: e => [across, groups(rowsOf(e), tokens), 1] }];
    }
    const few = (e: Extent) => s.few === true && rowsOf(e) <= FEW;
    const blocks: Dispatch = {
      shader: 'linear',
      ...whole,
      grid: e => [groups(OUT, 64), few(e) ? 0 : groups(rowsOf(e), 64), 1],
    };
    if (!s.few) return [blocks];
    const WG = Math.min(128, lanesOfBlocks(IN));
    return [{ shader: 'linear_few', ...having({ WG }), grid: e => [x, y, few(e) ? groups(rowsOf(e), 4) : 0] }, blocks];
  });
  return [...first, ...parts];
}

/**
 * Whether one vector is all that there is of a value and can be read from a uniform buffer, of which lavapipe loads 16 bytes a lane for a third of what a storage buffer costs. The part has
 * room for UNIFORM bytes, and a binding must be as long.
 */
function isUniform(source: Source, columns: number, { oneToken, many, activations, room = 1 }: Setting): boolean {
  const bytes = 4 * columns;
  return (
    'value' in source && oneToken && !many && activations !== 'int8' && bytes <= UNIFORM && bytes * room >= UNIFORM
  );
}

/**
 * Tokens up to which linear_few is faster than linear on a GPU. Measured on an H100 with the four matrices of a layer of a 1B in bf16: nine times as fast
 * at 16 tokens, 2.1 times at 128, 1.2 times at 256.
 */
const FEW = 192;

/** Lanes that a GPU is kept busy with, if there are as many. */
const BUSY = 65536;

/** Lanes that have a block of 32 columns each, at least: eight a block. */
const lanesOfBlocks = (columns: number): number => 2 ** Math.ceil(Math.log2(LANES * groups(columns, 32)));

/** Lanes of a workgroup that has one tile: many where there are few tiles, but no more than there are columns for. */
function lanesOfTile(tiles: number, columns: number, { maxInvocations }: Traits): number {
  const enough = 2 ** Math.ceil(Math.log2(BUSY / tiles));
  return Math.min(Math.max(enough, 64), lanesOfBlocks(columns), 2 ** Math.floor(Math.log2(maxInvocations)));
}
