// Runs stages of a plan on the GPU. Buffers, pipelines and bind groups are made once; a chunk of tokens then costs its ids, four
// words of sizes and one submit. A whole model and a single stage fed with golden inputs run through the same code.

import type { Rope } from './config.js';
import { costOf } from './cost.js';
import { BudgetError } from './errors.js';
import { type Broken, FiniteCheck, placeOf, valuesToCheck } from './finite.js';
import type { Gpu } from './gpu.js';
import { GreedyChoice } from './greedy.js';
import type { Kernel, Kernels, Shaders } from './kernel.js';
import { type Dispatch, dispatchesOf, type Setting, type ShardRows, type Source } from './ops.js';
import { type Patch, Patches } from './patches.js';
import { count, type Extent, type Ref, type Stage, shapeOf } from './plan.js';
import { changesWithLength, ropeTable } from './rope-table.js';
import { partsOf } from './submits.js';
import { type Captured, type Tap, Taps } from './taps.js';
import { Tensor } from './tensor.js';
import { Timer } from './timer.js';
import { SLOWEST_FLOPS } from './watchdog.js';

/** Weights on the GPU, split by rows where one binding cannot hold them. */
export interface WeightStore {
  shards(name: string): readonly (ShardRows & { readonly tensor: Tensor })[];
}

export interface Capacity {
  /** Largest chunk. */
  readonly tokens: number;
  /** Longest sequence: slots of a full layer's cache. */
  readonly positions: number;
  /** Most rows of logits in a chunk. */
  readonly rows: number;
}

export interface ChunkRun {
  readonly extent: Extent;
  /** Tokens of the sequence once all that is read with this chunk is read, for RoPE that depends on it; default: up to the chunk's end. */
  readonly length?: number;
  /** The shaders to run; by default those in force once the edits asked for so far are. */
  readonly shaders?: Shaders;
  /** Token ids of the chunk, when the stages embed them. */
  readonly ids?: ArrayLike<number>;
  readonly taps?: readonly Tap[];
  /** Values to put in the place of what stages compute. */
  readonly patches?: readonly Patch[];
  /** Pick the token with the highest last logit on the GPU. */
  readonly argmax?: boolean;
  /**
   * Called after every layer, which is then a submit of its own, waited for: a long chunk shows how far it is and can be stopped.
   */
  onLayer?(done: number, total: number): void;
  readonly signal?: AbortSignal;
  /** Time every stage by GPU timestamps; each then runs in a pass of its own. */
  readonly profile?: boolean;
  /** Look at every stage's output for NaN and ±∞. */
  readonly check?: boolean;
}

export interface ChunkResult {
  readonly captured: readonly Captured[];
  /** The likeliest next token, if asked for; NO_TOKEN where a logit is NaN or ±∞. */
  readonly token: number | null;
  /** The stages that are not finite, in the plan's order, if checked. */
  readonly broken: readonly Broken[];
  /** Nanoseconds by stage. */
  readonly times: ReadonlyMap<string, number> | null;
}

/** Shaders that are dispatched after a stage: taps, patches, the check for NaN. */
const COPIES = ['slice', 'patch', 'finite'];

/** Seconds that the arithmetic of stages takes on the slowest adapter. */
function secondsOf(stages: readonly Stage[], extent: Extent): number {
  return stages.reduce((n, stage) => n + costOf(stage, extent).flops, 0) / SLOWEST_FLOPS;
}

interface Bound {
  readonly stage: Stage;
  readonly steps: readonly { kernel: Kernel; group: GPUBindGroup; grid: Dispatch['grid'] }[];
}

export class Executor {
  readonly #values = new Map<string, Tensor>();
  readonly #turns = new Map<string, { readonly rope: Rope & { dim: number }; readonly table: Tensor }>();
  readonly #owned: Tensor[] = [];
  readonly #chunk: Tensor;
  readonly #ids: Tensor;
  #greedy: GreedyChoice | null = null;
  readonly #bound = new Map<string, Promise<Bound[]>>();
  #revision = -1;

  /**
   * @param feeds values that come from outside instead of from a stage
   * @param keep outputs that must survive the chunk; every other buffer is used again once nobody needs it
   */
  constructor(
    readonly gpu: Gpu,
    readonly kernels: Kernels,
    readonly weights: WeightStore,
    readonly stages: readonly Stage[],
    readonly capacity: Capacity,
    { feeds = [], keep = [] }: { feeds?: readonly Ref[]; keep?: readonly string[] } = {},
  ) {
    try {
      this.#chunk = this.#own('chunk', [4], 'u32', GPUBufferUsage.UNIFORM);
      this.#ids = this.#own('ids', [capacity.tokens], 'u32');
      for (const feed of feeds) this.#values.set(feed.name, this.#own(feed.name, this.#largest(feed)));
      this.#allocate(new Set(keep));
    } catch (error) {
      this[Symbol.dispose]();
      throw error;
    }
  }

  /** Slots of a cache: the whole sequence, or a window and one chunk, so that a chunk never overwrites what it still reads. */
  slots(cache: Stage): number {
    const window = cache.operation.kind === 'cache' ? cache.operation.window : null;
    const { positions, tokens } = this.capacity;
    return window === null ? positions : Math.min(positions, window + tokens - 1);
  }

  /** GPU buffer of a value; its contents are those of the last chunk, if nothing reuses it. */
  buffer(name: string): GPUBuffer {
    const tensor = this.#values.get(name);
    if (!tensor) throw new Error(`No buffer holds '${name}'.`);
    return tensor.buffer;
  }

  /** Puts outside values into a feed. */
  feed(name: string, data: Float32Array): void {
    this.gpu.write(this.buffer(name), data);
  }

  async run(chunk: ChunkRun): Promise<ChunkResult> {
    const { extent, ids, taps = [], patches = [], argmax = false, profile = false, onLayer, signal } = chunk;
    this.gpu.check();
    const shaders = chunk.shaders ?? (await this.kernels.inForce());
    const bound = await this.#bind(extent, shaders);
    const start = extent.keys - extent.tokens;
    this.gpu.write(this.#chunk.buffer, Uint32Array.of(extent.tokens, start, extent.keys, extent.tokens - extent.rows));
    if (ids) this.gpu.write(this.#ids.buffer, Uint32Array.from(ids));
    this.#turnFor(extent, chunk.length ?? extent.keys);
    using tapped = new Taps(this.gpu, shaders, taps, extent);
    using patched = new Patches(this.gpu, shaders, patches, extent);
    const after = new Map<Stage, ((pass: GPUComputePassEncoder) => void)[]>();
    for (const [of, copies] of [
      [patches, patched],
      [taps, tapped],
    ] as const) {
      for (const stage of new Set(of.map(({ stage }) => stage))) {
        const copy = await copies.bind(stage, this.buffer(stage.name));
        if (copy) after.set(stage, [...(after.get(stage) ?? []), copy]);
      }
    }
    using check = chunk.check ? new FiniteCheck(this.gpu, shaders, this.stages.length) : null;
    for (const stage of check ? this.stages : []) {
      const slots = stage.state ? this.slots(stage) : 0;
      const size = valuesToCheck(stage, extent, slots);
      const look = await check!.bind(this.buffer(stage.name), size, stage.operation.kind === 'scores');
      after.set(stage, [...(after.get(stage) ?? []), look]);
    }
    const best = argmax ? await this.#search(shaders) : null;
    const edited = new Set(shaders.edited);
    const searchAlone = edited.has('argmax') || edited.has('argmax_last');
    const timer = profile ? new Timer(this.gpu, bound.length) : null;
    try {
      const names = bound.map(({ stage }) => stage.name);
      const ends =
        onLayer && !profile ? names.flatMap((name, i) => (/^layers\.\d+\.resid$/.test(name) ? [i] : [])) : [];
      const parts = partsOf(names, ends, i => {
        const copies = after.has(bound[i].stage) ? COPIES : [];
        return [...new Set([...bound[i].steps.map(({ kernel }) => kernel.name), ...copies])].filter(s => edited.has(s));
      });
      const submitted: Promise<void>[] = [];
      for (const [i, part] of parts.entries()) {
        const { what, layer, from, to } = part;
        const allowance = () => secondsOf(this.stages.slice(from, to), extent);
        const ended = this.#submit(what, allowance, encoder => {
          encode(encoder, from, to);
          if (i === parts.length - 1) timer?.resolve(encoder);
        });
        // What no layer ends with is not waited for before what it made is read: that would be a trip more a token.
        ended.catch(() => {});
        submitted.push(ended);
        if (layer === null) continue;
        await Promise.all(submitted);
        await this.gpu.settle();
        signal?.throwIfAborted();
        onLayer?.(layer, ends.length);
      }
      if (best && searchAlone) {
        const searched = this.#submit(
          'the search for the likeliest token, which runs the edited argmax',
          () => 0,
          encoder => search(encoder.beginComputePass()),
        );
        searched.catch(() => {});
        submitted.push(searched);
      }
      const captured = await tapped.collect();
      const token = best && this.#greedy ? await this.#greedy.read() : null;
      const times = timer ? await timer.read(bound.map(({ stage }) => stage.name)) : null;
      const broken = check ? this.#broken(await check.read(), extent) : [];
      await Promise.all(submitted);
      return { captured, token, broken, times };
    } finally {
      timer?.[Symbol.dispose]();
    }

    /** Stages `from` to `to` in one pass, or, timed, in a pass each. */
    function encode(encoder: GPUCommandEncoder, from: number, to: number): void {
      const pass = timer ? null : encoder.beginComputePass();
      for (let i = from; i < to; i++) {
        const { stage, steps } = bound[i];
        const p = pass ?? encoder.beginComputePass({ timestampWrites: timer!.writes(i) });
        for (const { kernel, group, grid } of steps) {
          const [x, y, z] = grid(extent);
          if (x * y * z === 0) continue;
          p.setPipeline(kernel.pipeline);
          p.setBindGroup(0, group);
          p.dispatchWorkgroups(x, y, z);
        }
        for (const copy of after.get(stage) ?? []) copy(p);
        if (!pass) p.end();
      }
      if (best && to === bound.length && !searchAlone) search(pass ?? encoder.beginComputePass());
      else pass?.end();
    }

    function search(pass: GPUComputePassEncoder): void {
      best?.(pass);
      pass.end();
    }
  }

  /** What the GPU refuses of a submit is thrown by the call that made it. */
  #submit(what: string, allowance: () => number, encode: (encoder: GPUCommandEncoder) => void): Promise<void> {
    return this.gpu.scoped(what, () => {
      const encoder = this.gpu.device.createCommandEncoder();
      encode(encoder);
      this.gpu.submit(what, [encoder.finish()], allowance);
    });
  }

  [Symbol.dispose](): void {
    for (const tensor of this.#owned) tensor[Symbol.dispose]();
    this.#greedy?.[Symbol.dispose]();
  }

  #search(shaders: Shaders): Promise<(pass: GPUComputePassEncoder) => void> {
    this.#greedy ??= new GreedyChoice(this.gpu);
    const logits = this.stages[this.stages.length - 1];
    return this.#greedy.bind(shaders, this.buffer(logits.name), logits.axes[1].size as number, this.#chunk.buffer);
  }

  /** Throws BudgetError for what no shader could be given, before it is allocated. */
  #own(label: string, shape: readonly number[], dtype: 'f32' | 'u32' = 'f32', usage = 0): Tensor {
    const { maxBinding } = this.gpu.traits;
    if (4 * count(shape) > maxBinding) {
      throw new BudgetError(
        `'${label}' [${shape}] needs ${4 * count(shape)} bytes in one binding, and this adapter binds ${maxBinding}. ` +
          'Use a shorter context or a smaller chunk.',
      );
    }
    const tensor = new Tensor(this.gpu, label, shape, dtype, usage);
    this.#owned.push(tensor);
    return tensor;
  }

  #largest(ref: Ref): number[] {
    const { tokens, positions, rows } = this.capacity;
    const stage = ref as Stage;
    return shapeOf(ref.axes, { tokens, keys: positions, rows }, stage.state ? this.slots(stage) : 0);
  }

  /** A buffer for every output: caches their own, the others from a pool by size, returned after their last reader. */
  #allocate(keep: ReadonlySet<string>): void {
    const lastUse = new Map<string, number>();
    this.stages.forEach((stage, i) => {
      lastUse.set(stage.name, i);
      for (const input of stage.inputs) lastUse.set(input.name, i);
    });
    const free = new Map<number, Tensor[]>();
    const outputs = new Map(this.stages.map(stage => [stage.name, stage]));
    this.stages.forEach((stage, i) => {
      const shape = this.#largest(stage);
      const tensor = stage.state || keep.has(stage.name) ? undefined : free.get(count(shape))?.pop();
      this.#values.set(stage.name, tensor ?? this.#own(stage.name, shape));
      for (const name of new Set([stage.name, ...stage.inputs.map(input => input.name)])) {
        const source = outputs.get(name);
        if (!source || source.state || keep.has(name) || lastUse.get(name) !== i) continue;
        const done = this.#values.get(name)!;
        const pool = free.get(count(done.shape)) ?? [];
        free.set(count(done.shape), [...pool, done]);
      }
    });
  }

  #broken(found: Awaited<ReturnType<FiniteCheck['read']>>, extent: Extent): Broken[] {
    return found.flatMap((first, i) => {
      const stage = this.stages[i];
      if (!first) return [];
      return [
        { stage, at: placeOf(stage, first.index, extent, stage.state ? this.slots(stage) : 0), kinds: first.kinds },
      ];
    });
  }

  /** Pipelines and bind groups for chunks of one token or of many, made at first need and again after a shader edit. */
  #bind(extent: Extent, shaders: Shaders): Promise<Bound[]> {
    if (this.#revision !== shaders.revision) {
      this.#bound.clear();
      this.#revision = shaders.revision;
    }
    const setting: Setting = {
      traits: this.gpu.traits,
      oneToken: extent.tokens === 1,
      oneRow: extent.rows === 1,
      shards: name => this.weights.shards(name),
      slots: name => this.slots(this.stages.find(stage => stage.name === name)!),
    };
    const key = `${setting.oneToken} ${setting.oneRow}`;
    const known = this.#bound.get(key);
    if (known) return known;
    const binding = Promise.all(
      this.stages.map(async stage => ({
        stage,
        steps: await Promise.all(dispatchesOf(stage, setting).map(dispatch => this.#step(stage, dispatch, shaders))),
      })),
    );
    this.#bound.set(key, binding);
    binding.catch(() => {
      if (this.#bound.get(key) === binding) this.#bound.delete(key);
    });
    return binding;
  }

  async #step(stage: Stage, { shader, constants, reads, writes, grid }: Dispatch, shaders: Shaders) {
    const kernel = await shaders.get(shader, constants);
    const entries = kernel.bindings.map(({ index, name, access }) => {
      const source = access === 'write' ? writes[name] : reads[name];
      if (!source)
        throw new Error(`${shader}.wgsl declares '${name}' (${access}), which '${stage.name}' does not give it.`);
      return { binding: index, resource: { buffer: this.#source(source) } };
    });
    const group = await this.gpu.scoped(`the bindings of '${stage.name}'`, () =>
      this.gpu.device.createBindGroup({ label: stage.name, layout: kernel.layout, entries }),
    );
    return { kernel, group, grid };
  }

  #source(source: Source): GPUBuffer {
    if ('chunk' in source) return this.#chunk.buffer;
    if ('ids' in source) return this.#ids.buffer;
    if ('value' in source) return this.buffer(source.value);
    if ('weight' in source) return this.weights.shards(source.weight)[source.shard].tensor.buffer;
    return this.#turnTable(source.turns).buffer;
  }

  #turnTable(rope: Rope & { dim: number }): Tensor {
    const key = JSON.stringify(rope);
    const known = this.#turns.get(key);
    if (known) return known.table;
    const { positions } = this.capacity;
    const table = this.#own(`turns ${key}`, [positions, rope.dim / 2, 2]);
    this.gpu.write(table.buffer, ropeTable(rope, rope.dim, positions));
    this.#turns.set(key, { rope, table });
    return table;
  }

  /** Where angles depend on the sequence's length, those of a chunk are made for it. What is in the caches stays, as in transformers. */
  #turnFor({ tokens, keys }: Extent, length: number): void {
    for (const { rope, table } of this.#turns.values()) {
      if (!changesWithLength(rope)) continue;
      const start = keys - tokens;
      this.gpu.write(table.buffer, ropeTable(rope, rope.dim, tokens, start, length), 4 * start * rope.dim);
    }
  }
}
