// Runs the steps of a plan on the GPU. Buffers, pipelines and bind groups are made once; a chunk of tokens then costs its ids, four
// words of sizes and one submit. A whole model, exact or fused, and a single stage fed with golden inputs run through the same code.

import { Buffers, type Capacity } from './buffers.js';
import type { CacheFormat } from './cache-format.js';
import { flopsOf } from './cost.js';
import { CHOSEN, type ChunkResult, type ChunkRun } from './chunk.js';
import { type Broken, FiniteCheck, placeOf, valuesToCheck } from './finite.js';
import type { Gpu } from './gpu.js';
import type { Kernels, Shaders } from './kernel.js';
import type { PlanKind } from './fuse.js';
import { Patches } from './patches.js';
import type { Extent, Ref, Stage } from './plan.js';
import { Preparation, type Weights } from './ready.js';
import { type Found, Searches } from './search.js';
import { exactStep, type Step } from './step.js';
import { partsOf, running } from './submits.js';
import { Taps } from './taps.js';
import { Timer } from './timer.js';
import { insideOf, type Opened } from './units.js';
import { SLOWEST_FLOPS } from './watchdog.js';

/** Shaders that are dispatched after a stage: taps, patches, the check for NaN. */
const COPIES = ['slice', 'patch', 'finite', 'finite_cache'];

/** Seconds that the arithmetic of stages takes on the slowest adapter. */
function secondsOf(stages: readonly Stage[], extent: Extent): number {
  return stages.reduce((n, stage) => n + flopsOf(stage, extent), 0) / SLOWEST_FLOPS;
}

export class Executor {
  readonly #buffers: Buffers;
  readonly #searches: Searches;
  readonly #steps: readonly Step[];
  readonly #preparation: Preparation;

  /**
   * @param steps what does the stages' work; by default each stage its own
   * @param feeds values that come from outside instead of from a stage
   * @param keep outputs that must survive the chunk; every other buffer is used again once nobody needs it
   * @param plan of the steps: bits of the exact one do not depend on how many tokens are read together
   */
  constructor(
    readonly gpu: Gpu,
    readonly kernels: Kernels,
    readonly weights: Weights,
    readonly stages: readonly Stage[],
    readonly capacity: Capacity,
    {
      steps = stages.map(stage => exactStep(stage)),
      feeds = [],
      keep = [],
      plan = 'exact',
    }: { steps?: readonly Step[]; feeds?: readonly Ref[]; keep?: readonly string[]; plan?: PlanKind } = {},
  ) {
    this.#steps = steps;
    this.#searches = new Searches(gpu, capacity.sequences === undefined ? 1 : capacity.rows);
    this.#preparation = new Preparation(gpu, { stages, steps, plan, capacity, weights }, source =>
      'weight' in source
        ? weights.shards(source.weight)[source.shard].resource
        : { buffer: this.#buffers.source(source) },
    );
    const settings = [true, false].map(one => this.#preparation.setting(one, one));
    const scratchOf = (step: Step) => settings.flatMap(setting => step.work(setting).scratch);
    this.#buffers = new Buffers(gpu, steps, capacity, feeds, new Set(keep), scratchOf);
  }

  /** GPU buffer of a value; its contents are those of the last chunk, if nothing reuses it. */
  buffer(name: string): GPUBuffer {
    return this.#buffers.of(name);
  }

  /** Puts outside values into a feed. */
  feed(name: string, data: Float32Array): void {
    this.gpu.write(this.buffer(name), data);
  }

  async run(chunk: ChunkRun): Promise<ChunkResult> {
    return await (await this.start(chunk)).result;
  }

  /** As `run`, but resolves once the chunk is submitted: the next may be started before its result is known. */
  async start(chunk: ChunkRun): Promise<{ readonly result: Promise<ChunkResult> }> {
    const held: Disposable[] = [];
    const release = () => {
      for (const one of held.splice(0)) one[Symbol.dispose]();
    };
    try {
      const collect = await this.#start(chunk, one => {
        held.push(one);
        return one;
      });
      return { result: collect().finally(release) };
    } catch (error) {
      release();
      throw error;
    }
  }

  /** Compiles and binds what such a chunk dispatches, where that is not done yet. */
  async prepare(chunk: ChunkRun & { readonly shaders: Shaders }): Promise<void> {
    await this.#preparation.ready(chunk, chunk.shaders);
  }

  /** @param hold what is to be disposed of once the result is known @returns reads the result; called at once, so that nothing comes between */
  async #start(chunk: ChunkRun, hold: <T extends Disposable>(one: T) => T): Promise<() => Promise<ChunkResult>> {
    const {
      extent,
      ids,
      taps = [],
      patches = [],
      argmax = false,
      top = null,
      profile = false,
      rows,
      onLayer,
      signal,
    } = chunk;
    this.gpu.check();
    const shaders = chunk.shaders ?? (await this.kernels.inForce());
    const { edited, why, looks, opened, bound } = await this.#preparation.ready(chunk, shaders);
    const searched = rows ? extent.rows : 1;
    const search = await this.#searches.of({ argmax, top, rows: searched }, shaders, this.#logits);
    this.#buffers.begin(extent, ids === CHOSEN ? undefined : ids, chunk.length ?? extent.keys, rows);
    const tapped = hold(new Taps(this.gpu, shaders, taps, extent, rows !== undefined));
    const patched = hold(new Patches(this.gpu, shaders, patches, extent));
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
    const check = chunk.check ? hold(new FiniteCheck(this.gpu, shaders, this.stages.length)) : null;
    for (const stage of check ? this.stages : []) {
      const slots = stage.state ? this.#buffers.slots(stage) : 0;
      const size = valuesToCheck(stage, extent, slots);
      const kept = stage.state ? this.capacity.cache : undefined;
      const look = await check!.bind(this.buffer(stage.name), size, stage.operation.kind === 'scores', kept);
      after.set(stage, [...(after.get(stage) ?? []), look]);
    }
    const searching = search?.files.filter(file => edited.has(file)) ?? [];
    const searchAlone = searching.length > 0;
    const timer = profile ? hold(new Timer(this.gpu, bound.length)) : null;
    const names = () => bound.map(({ unit }) => unit.name);
    const ends = onLayer && !profile ? bound.flatMap(({ unit }, i) => (unit.stages.some(endsLayer) ? [i] : [])) : [];
    const whyAlone = (i: number): string[] => {
      const copies = bound[i].unit.writes.some(stage => after.has(stage)) ? COPIES : [];
      const files = new Set([...bound[i].dispatches.flatMap(({ kernel }) => kernel.files), ...copies]);
      return [...files].filter(file => edited.has(file));
    };
    const parts = partsOf(names(), ends, edited.size > 0 ? whyAlone : () => []);
    let answers: (() => Promise<Found>) | null = null;
    const submitted: Promise<void>[] = [];
    for (const [i, part] of parts.entries()) {
      const { what, layer, from, to } = part;
      const allowance = () => bound.slice(from, to).reduce((n, { unit }) => n + secondsOf(unit.stages, extent), 0);
      const ended = this.#submit(what, allowance, edited.size > 0, encoder => {
        if (i === 0 && ids === CHOSEN) this.#searches.putInto(encoder, this.#buffers.ids, extent.tokens);
        encode(encoder, from, to);
        if (i < parts.length - 1) return;
        tapped.send(encoder);
        timer?.resolve(encoder);
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
    if (search && searchAlone) {
      const ended = this.#submit(
        running(`the search for ${search.what}`, searching),
        () => 0,
        true,
        encoder => look(encoder, encoder.beginComputePass()),
      );
      ended.catch(() => {});
      submitted.push(ended);
    }
    return async () => {
      // Asked for at once: what comes after this chunk writes where it did.
      const found = answers?.() ?? null;
      found?.catch(() => {}); // it is waited for below, when what was asked for with it is there
      try {
        const captured = await tapped.collect(this.#inside(looks, opened), this.#fromCache(looks, opened));
        const times = timer ? await timer.read(names()) : null;
        const broken = check ? this.#broken(await check.read(), extent) : [];
        await Promise.all(submitted);
        const told = [...why]
          .filter(([step]) => this.#steps.includes(step))
          .map(([step, why]): Opened => ({ step: step.name, stages: namesOf(step), why }));
        const { tokens, tops } = (await found) ?? { tokens: [], tops: [] };
        const [token = null, top = null] = [tokens[0], tops[0]];
        return { captured, token, tokens, top, tops, broken, times, opened: told };
      } finally {
        await Promise.allSettled([found]); // where something else failed, that is told, and this gives back what it holds
      }
    };

    /** Units `from` to `to` in one pass, or, timed, in a pass each. */
    function encode(encoder: GPUCommandEncoder, from: number, to: number): void {
      const pass = timer ? null : encoder.beginComputePass();
      for (let i = from; i < to; i++) {
        const { unit, dispatches } = bound[i];
        const p = pass ?? encoder.beginComputePass({ timestampWrites: timer!.writes(i) });
        for (const { kernel, group, grid } of dispatches) {
          const [x, y, z] = grid(extent);
          if (x * y * z === 0) continue;
          p.setPipeline(kernel.pipeline);
          p.setBindGroup(0, group);
          p.dispatchWorkgroups(x, y, z);
        }
        for (const stage of after.size > 0 ? unit.writes : []) for (const copy of after.get(stage) ?? []) copy(p);
        if (!pass) p.end();
      }
      if (search && to === bound.length && !searchAlone) look(encoder, pass ?? encoder.beginComputePass());
      else pass?.end();
    }

    function look(encoder: GPUCommandEncoder, pass: GPUComputePassEncoder): void {
      search?.encode(pass);
      pass.end();
      answers = search?.answer(encoder) ?? null;
    }
  }

  /** What the GPU refuses of a submit is thrown by the call that made it. */
  #submit(
    what: string,
    allowance: () => number,
    alone: boolean,
    encode: (encoder: GPUCommandEncoder) => void,
  ): Promise<void> {
    return this.gpu.scoped(what, () => {
      const encoder = this.gpu.device.createCommandEncoder();
      encode(encoder);
      this.gpu.submit(what, [encoder.finish()], allowance, alone);
    });
  }

  [Symbol.dispose](): void {
    this.#buffers[Symbol.dispose]();
    this.#searches[Symbol.dispose]();
  }

  get #logits() {
    const logits = this.stages[this.stages.length - 1];
    return { logits: this.buffer(logits.name), N: logits.axes.at(-1)!.size as number, chunk: this.#buffers.chunk };
  }

  #broken(found: Awaited<ReturnType<FiniteCheck['read']>>, extent: Extent): Broken[] {
    return found.flatMap((first, i) => {
      const stage = this.stages[i];
      if (!first) return [];
      return [
        {
          stage,
          at: placeOf(stage, first.index, extent, stage.state ? this.#buffers.slots(stage) : 0),
          kinds: first.kinds,
        },
      ];
    });
  }

  /** Those of `looks` that no step leaves anywhere. */
  #inside(looks: readonly Stage[], opened: ReadonlySet<Step>): Set<Stage> {
    return new Set(this.#steps.flatMap(step => (opened.has(step) ? [] : insideOf(step, looks))));
  }

  /** Those of `looks` that were read from caches that round. */
  #fromCache(looks: readonly Stage[], opened: ReadonlySet<Step>): Map<Stage, CacheFormat> {
    const { cache = 'f32' } = this.capacity;
    if (cache === 'f32') return new Map();
    const cached = this.#steps.flatMap(step => (opened.has(step) ? [] : [...step.cached.keys()]));
    return new Map(looks.filter(stage => cached.includes(stage)).map(stage => [stage, cache]));
  }
}

/** Whether a layer is done with this stage. */
const endsLayer = ({ name }: Stage): boolean => /^layers\.\d+\.resid$/.test(name);

const namesOf = ({ stages }: Step): string[] => stages.map(({ name }) => name);
