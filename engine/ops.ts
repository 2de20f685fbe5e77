// One function an operation: which shader computes a stage, with which constants, what it reads, what it writes, and over
// which grid. This is the only place that chooses between shaders, by adapter and by shape; the plan does not know of it.

import { CAP, partsFor } from './assembly.js';
import { partsForCache } from './cache-format.js';
import type { Constants } from './compile.js';
import {
  chunk,
  type Dispatch,
  groups,
  placed,
  type Setting,
  type Source,
  sizeOf,
  treeLanes,
  value,
} from './dispatch.js';
import type { Extent, Operation, OperationKind, Stage } from './plan.js';
import { productOf } from './products.js';
import { valuesPerToken } from './recorder.js';

type Kind<K extends OperationKind> = Stage & { readonly operation: Extract<Operation, { kind: K }> };
type Operations = { [K in OperationKind]: (stage: Kind<K>, s: Setting) => Dispatch[] };

const LANES = 64;

/** Value by value over [T,N], a lane each. */
function elementwise(shader: string, stage: Stage, reads: Record<string, Source>, more: Constants = {}): Dispatch {
  const N = valuesPerToken(stage.axes);
  return {
    shader,
    constants: { N, ...more },
    reads: { chunk, ...reads },
    writes: { y: value(stage) },
    grid: e => [groups(N, LANES), e.tokens, 1],
  };
}

const operations: Operations = {
  embed: (stage, s) => {
    const { name: weight, shape } = stage.weight!;
    const H = shape[1];
    return s.shards(weight).map((part, shard) => {
      const constants = { H, SCALE: stage.operation.scale, ROW0: part.start, ROWS: part.rows };
      const ends = {
        reads: { chunk, ids: { ids: true }, weight: { weight, shard } },
        writes: { y: value(stage) },
      } as const;
      if (part.layout === 'rows') {
        return { shader: 'embed_rows', constants, ...ends, grid: e => [groups(H, LANES), e.tokens, 1] };
      }
      const grid = (e: Extent): [number, number, number] => [groups(H / 4, LANES), e.tokens, 1];
      return { shader: 'embed', parts: partsFor(part), constants: { ...constants, ...part.constants }, ...ends, grid };
    });
  },

  rmsNorm: (stage, s) => {
    const [N] = stage.weight!.shape;
    const PER = valuesPerToken(stage.axes) / N;
    return [
      {
        shader: 'rms_norm',
        constants: { WG: treeLanes(s), N, PER, EPS: stage.operation.eps },
        reads: { chunk, x: value(stage.inputs[0]), gain: { weight: stage.weight!.name, shard: 0 } },
        writes: { y: value(stage) },
        grid: e => [PER, e.tokens, 1],
      },
    ];
  },

  linear: (stage, s) => productOf(stage, s, false),

  head: (stage, s) => {
    const { softcap } = stage.operation;
    const dispatches = productOf(stage, s, true);
    if (softcap === null) return dispatches;
    const N = sizeOf(stage, 'V');
    return [
      ...dispatches,
      {
        shader: 'softcap',
        parts: [CAP],
        constants: { N, SOFTCAP: softcap },
        reads: { chunk },
        writes: { y: value(stage) },
        grid: e => [groups(N, LANES), e.rows, 1],
      },
    ];
  },

  rope: (stage, s) => {
    const where = placed(s);
    const { kind: _, ...rope } = stage.operation;
    const D = sizeOf(stage, 'D');
    const HEADS = valuesPerToken(stage.axes) / D;
    return [
      {
        shader: 'rope',
        parts: where.parts,
        constants: { D, HEADS },
        reads: { chunk, ...where.reads, x: value(stage.inputs[0]), turns: { turns: { ...rope, dim: D } } },
        writes: { y: value(stage) },
        grid: e => [groups((HEADS * D) / 2, LANES), e.tokens, 1],
      },
    ];
  },

  cache: (stage, s) => {
    const where = placed(s);
    const N = valuesPerToken(stage.axes);
    return [
      {
        shader: 'cache_write',
        parts: [...where.parts, ...partsForCache(s.cache)],
        constants: { N, RING: s.ring(stage.name) },
        reads: { chunk, ...where.reads, x: value(stage.inputs[0]) },
        writes: { cache: value(stage) },
        grid: e => [groups(N / 4, LANES), e.tokens, 1],
      },
    ];
  },

  scores: (stage, s) => {
    const where = placed(s);
    const [q, k] = stage.inputs;
    const { scale, softcap, window } = stage.operation;
    const A = sizeOf(q, 'A');
    return [
      {
        shader: 'scores',
        parts: [CAP, ...where.parts, ...partsForCache(s.cache)],
        constants: {
          A,
          K: sizeOf(k, 'K'),
          D: sizeOf(q, 'D'),
          SCALE: scale,
          SOFTCAP: softcap ?? 0,
          WINDOW: window ?? 0,
          RING: s.ring(k.name),
        },
        reads: { chunk, ...where.reads, q: value(q), k: value(k) },
        writes: { y: value(stage) },
        grid: e => [groups(e.keys, LANES), e.tokens, A],
      },
    ];
  },

  softmax: (stage, s) => {
    const where = placed(s);
    const A = sizeOf(stage, 'A');
    return [
      {
        shader: 'softmax',
        parts: where.parts,
        constants: { WG: treeLanes(s) },
        reads: { chunk, ...where.reads, x: value(stage.inputs[0]) },
        writes: { y: value(stage) },
        grid: e => [e.tokens, A, 1],
      },
    ];
  },

  mix: (stage, s) => {
    const where = placed(s);
    const [pattern, v] = stage.inputs;
    const A = sizeOf(stage, 'A');
    const D = sizeOf(stage, 'D');
    return [
      {
        shader: 'mix',
        parts: [...where.parts, ...partsForCache(s.cache)],
        constants: { A, K: sizeOf(v, 'K'), D, WINDOW: stage.operation.window ?? 0, RING: s.ring(v.name) },
        reads: { chunk, ...where.reads, pattern: value(pattern), v: value(v) },
        writes: { y: value(stage) },
        grid: e => [groups((A * D) / 4, LANES), e.tokens, 1],
      },
    ];
  },

  geluTanh: stage => [elementwise('gelu_tanh', stage, { x: value(stage.inputs[0]) })],
  mul: stage => [elementwise('mul', stage, { a: value(stage.inputs[0]), b: value(stage.inputs[1]) })],
  add: stage => [elementwise('add', stage, { a: value(stage.inputs[0]), b: value(stage.inputs[1]) })],
};

/** The dispatches that compute a stage, in order. */
export function dispatchesOf(stage: Stage, setting: Setting): Dispatch[] {
  const operation = operations[stage.operation.kind] as (stage: Stage, s: Setting) => Dispatch[];
  return operation(stage, setting);
}
