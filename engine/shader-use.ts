// Who uses a shader: the stages of a plan with all the constants that any chunk may give it, and the instruments beside the plan
// (instruments.ts). An edit is compiled and bound for each of them before it is taken, so that a later run of another length does
// not find it broken.

import { INPUTS, PRODUCTS } from './assembly.js';
import { UNIFORM } from './products.js';
import { ringOf } from './buffers.js';
import type { Access } from './bindings.js';
import { CACHE_BYTES } from './cache-format.js';
import type { Kernel } from './compile.js';
import { ShaderError } from './errors.js';
import { instrumentUses } from './instruments.js';
import type { Gpu } from './gpu.js';
import type { Compile } from './kernel.js';
import type { LoadedModel } from './loaded.js';
import type { Setting, Source } from './dispatch.js';
import { exactStep, type Step } from './step.js';
import { editedInside, fromCache } from './units.js';
import { everRuns, FAST_NOTES, INSTRUMENT_NOTES, lengthNote, type Used, whyUnused } from './when-used.js';
import { CHUNK_BYTES, type Given, type Use } from './use.js';
import { count, type Extent, type Ref, type Stage, shapeOf } from './plan.js';

/** How many tokens a chunk has. */
export type ChunkKind = 'one token' | 'several tokens';

interface StageUse extends Used {
  readonly kind: ChunkKind;
  /** For several sequences at once. */
  readonly many: boolean;
  /** What the dispatch computes: a stage, or those of a step. */
  readonly stages: readonly Stage[];
  /** Whether only the fast plan has such a step. */
  readonly fast: boolean;
  readonly use: Use;
}

const ROW_BYTES = 16;
/** The smallest run there is. */
const LEAST: Extent = { tokens: 1, keys: 1, rows: 1 };

/** What stages, alone and in the steps of both plans, use for chunks of one token and of several. */
export function stageUses(model: LoadedModel): StageUse[] {
  const { plan, config } = model;
  const uses: StageUse[] = [];
  const known = ({ step, how }: { step: Step; how: How }) => `${step.name} ${step.activations} ${JSON.stringify(how)}`;
  const exact = (steps: readonly Step[]) => steps.map(step => ({ step, how: {} }));
  // What products make by themselves is made by shaders of its own while one of those is edited; weights are multiplied as they are while what they are worth is.
  const ways: How[] = model.gpu.traits.software
    ? [{}, { scaled: true }, { scaled: true, room: UNIFORM }]
    : [{ few: true }, { few: true, merged: true }];
  const fast = (steps: readonly Step[]) => steps.flatMap(step => ways.map(how => ({ step, how })));
  const stages = exact(plan.stages.map(stage => exactStep(stage)));
  const ofExact = new Set([...stages, ...exact(model.steps('exact'))].map(known));
  for (const many of [false, true]) {
    const all = [...stages, ...exact(model.steps('exact', many)), ...fast(model.steps('fast', many))];
    const steps = new Map(all.map(one => [known(one), one]));
    // The shortest context and the longest: a cache has as many slots, and shaders get that as a constant.
    for (const positions of [1, config.contextLength]) {
      for (const [oneToken, oneRow] of BOTH) {
        for (const [key, { step, how }] of steps) {
          const { name, stages, work } = step;
          const { dispatches, scratch } = work(settingOf(model, { oneToken, oneRow, many, positions, ...how }));
          const values = new Map([...plan.stages, ...scratch].map(ref => [ref.name, ref]));
          for (const { shader, parts = [], constants, reads, writes, grid } of dispatches) {
            const given = new Map<string, Given>();
            const uniform = parts.includes(INPUTS.uniform);
            for (const [name, source] of Object.entries(reads))
              given.set(name, givenBy(model, values, source, name === 'x' && uniform ? 'uniform' : 'read'));
            for (const [name, source] of Object.entries(writes)) {
              given.set(name, givenBy(model, values, source, 'write'));
            }
            const use = { shader, files: [shader, ...parts], by: name, constants, given };
            const kind = oneToken ? 'one token' : 'several tokens';
            uses.push({ kind, oneRow, many, stages, fast: !ofExact.has(key), use, grid });
          }
        }
      }
    }
  }
  return uses;
}

/** What reads keys and values out of a cache that a step of the fast plan leaves them in, for who taps them. */
export function cacheUses(model: LoadedModel): Use[] {
  const cached = model.steps('fast').flatMap(step => [...step.cached]);
  return [1, model.config.contextLength].flatMap(positions =>
    cached.flatMap(([stage, cache]) =>
      fromCache(stage, cache)
        .dispatches(settingOf(model, { positions }))
        .map(({ shader, parts = [], constants, reads, writes }): Use => {
          const values = new Map([stage, cache].map(ref => [ref.name, ref]));
          const given = new Map([
            ...Object.entries(reads).map(([name, source]) => [name, givenBy(model, values, source, 'read')] as const),
            ...Object.entries(writes).map(([name, source]) => [name, givenBy(model, values, source, 'write')] as const),
          ]);
          return { shader, files: [shader, ...parts], by: 'taps of keys and values', constants, given };
        }),
    ),
  );
}

/** All that uses shaders beside the stages. */
const besideThePlan = (model: LoadedModel): Use[] => [...instrumentUses(model), ...cacheUses(model)];

/** One token or several, one row of logits or several. */
const BOTH = [true, false].flatMap(oneToken => [true, false].map(oneRow => [oneToken, oneRow] as const));

/** What the fast plan's steps are told of the adapter. */
type How = Pick<Setting, 'few' | 'merged' | 'scaled' | 'room'>;
interface OfChunk {
  readonly oneToken: boolean;
  readonly oneRow: boolean;
  readonly many: boolean;
  readonly positions: number;
}

function settingOf(
  model: LoadedModel,
  { oneToken = true, oneRow = true, many = false, positions = 1, ...how }: Partial<OfChunk> & How = {},
): Setting {
  return {
    traits: model.gpu.traits,
    cache: model.cache,
    oneToken,
    oneRow,
    ...how,
    many,
    shards: name => model.shards(name),
    ring: name => ringOf(model.plan.stage(name), { tokens: 1, positions, rows: 1, ...(many && { sequences: 1 }) }),
  };
}

function givenBy(model: LoadedModel, values: ReadonlyMap<string, Ref>, source: Source, access: Access): Given {
  if ('chunk' in source) return { access: ['uniform', 'read'], bytes: CHUNK_BYTES, index: null };
  if ('ids' in source) return { access: [access], bytes: 4, index: null };
  if ('rows' in source) return { access: [access], bytes: ROW_BYTES, index: null };
  if ('turns' in source) return { access: [access], bytes: 4 * source.turns.dim, index: null };
  if ('weight' in source) {
    const { resource, store, bytes } = model.shards(source.weight)[source.shard];
    return { access: [store === 'texture' ? 'texture' : access], bytes, index: null, resource };
  }
  const ref = values.get(source.value)!;
  if (access === 'uniform') return { access: [access], bytes: UNIFORM, index: null };
  const bytes = ref.state ? CACHE_BYTES[model.cache] : 4;
  return { access: [access], bytes: bytes * count(shapeOf(ref.axes, LEAST, 1)), index: null };
}

/** Compiles a new source of a shader for all its uses and binds it as each would. Throws ShaderError where one cannot. */
export async function tryShader(model: LoadedModel, shader: string, compile: Compile): Promise<void> {
  const uses = [...stageUses(model).map(({ use }) => use), ...besideThePlan(model)].filter(u =>
    u.files.includes(shader),
  );
  const tried = new Set<string>();
  for (const use of uses) {
    const key = JSON.stringify([use.files, use.constants, [...use.given].map(([name, { bytes }]) => [name, bytes])]);
    if (tried.has(key)) continue;
    tried.add(key);
    await tryUse(model.gpu, use, await compile(use.files, use.constants));
  }
}

const REFUSED = 'The shader was not put to use';

async function tryUse(gpu: Gpu, { shader, by, given }: Use, { bindings, pipeline, layout }: Kernel): Promise<void> {
  const names = [...given.keys()].join(', ');
  for (const { index, name, access } of bindings) {
    const found = given.get(name);
    if (!found?.access.includes(access)) {
      const what = found ? `gives it for ${found.access.join(' or ')}` : 'does not give it';
      throw new ShaderError(
        `${shader}.wgsl declares '${name}' for ${access}, and '${by}' ${what}; it gives ${names}. ${REFUSED}.`,
      );
    }
    if (found.index !== null && found.index !== index) {
      throw new ShaderError(
        `${shader}.wgsl declares '${name}' as binding ${index}, and '${by}' gives it as binding ${found.index}. ${REFUSED}.`,
      );
    }
  }
  const declared = new Set(bindings.map(({ name }) => name));
  for (const [name, { access, index }] of given) {
    if (declared.has(name) || !(access.includes('write') || index !== null)) continue;
    throw new ShaderError(
      `${shader}.wgsl no longer declares '${name}', which '${by}' needs; it gives ${names}. ${REFUSED}.`,
    );
  }
  // Encoded, but never submitted: that is enough for the GPU to say whether what it declares fits the smallest it is given.
  const { STORAGE, UNIFORM } = GPUBufferUsage;
  const buffers: GPUBuffer[] = [];
  try {
    const entries = bindings.map(({ index, name, access }) => {
      const { resource, bytes } = given.get(name)!;
      if (resource) return { binding: index, resource };
      const buffer = gpu.createBuffer(`a trial of ${shader}`, bytes, access === 'uniform' ? UNIFORM : STORAGE);
      buffers.push(buffer);
      return { binding: index, resource: { buffer } };
    });
    await gpu
      .scoped(`the shader for '${by}'`, () => {
        const encoder = gpu.device.createCommandEncoder();
        const pass = encoder.beginComputePass();
        pass.setPipeline(pipeline);
        pass.setBindGroup(0, gpu.device.createBindGroup({ layout, entries }));
        pass.dispatchWorkgroups(1);
        pass.end();
        encoder.finish();
      })
      .catch(error => {
        if (gpu.lost) throw error;
        const reason = error instanceof Error ? error.message.split('\n')[0] : String(error);
        throw new ShaderError(`${shader}.wgsl does not fit what '${by}' binds: ${reason} ${REFUSED}.`);
      });
  } finally {
    for (const buffer of buffers) gpu.destroyBuffer(buffer);
  }
}

/** In words, who uses a shader in this model on this adapter. */
export interface ShaderUse {
  readonly shader: string;
  /** The stages that it computes, in the plan's order; or `taps`, `patches` … */
  readonly by: readonly string[];
  /** What there is to know about when it is not used; null when it always is. */
  readonly note: string | null;
}

/**
 * @param longest tokens that the session reads
 * @param edited whether another text than the file's is in force: only then does it change what else runs
 */
export function shaderUse(
  model: LoadedModel,
  shader: string,
  longest = model.config.contextLength,
  edited = true,
): ShaderUse {
  const all = stageUses(model);
  const instruments = besideThePlan(model).filter(use => use.files.includes(shader));
  const some = all.filter(({ use }) => use.files.includes(shader));
  const length = lengthNote(some, longest, model);
  const running = some.filter(use => everRuns(use, longest));
  const own = running.length > 0 ? running : some;
  const noted = (note: string | null) => [note, length].filter(Boolean).join(' ') || null;
  const computed = new Set(own.flatMap(({ stages }) => stages.map(({ name }) => name)));
  const inOrder = model.plan.stages.flatMap(({ name }) => (computed.has(name) ? [name] : []));
  const by = [...inOrder, ...new Set(instruments.map(use => use.by))];
  const { kind } = model.gpu;
  if (by.length === 0) {
    const others = PRODUCTS.includes(shader) ? [...new Set(all.map(({ use }) => use.shader))].filter(isProduct) : [];
    const instead = others.length > 0 ? ` Matrices are multiplied by ${others.map(quoted).join(' and ')}.` : '';
    return {
      shader,
      by,
      note: `No stage of this model uses '${shader}' on this adapter (${kind}), so nothing it computes changes.${instead}${whyUnused(model, shader)}`,
    };
  }
  if (own.length > 0 && own.every(({ fast }) => fast)) {
    const note =
      'Only in the fast plan, which generates, writes and chats; what runs, diffs and looks at stages uses a shader for each of these stages.';
    const few = noted(note);
    const also = edited && FAST_NOTES[shader];
    return { shader, by, note: also ? `${few} ${also}` : few };
  }
  if (own.length > 0 && own.every(({ many }) => many)) {
    return { shader, by, note: noted('Only where several sequences are read and continued together.') };
  }
  if (own.length === 0) return { shader, by, note: instruments.map(use => INSTRUMENT_NOTES[use.by])[0] ?? null };
  const opened = edited ? opensSteps(model, shader) : null;
  // Logits are made for one token wherever only the last row is wanted.
  const layers = own.filter(({ stages: [{ operation }], fast, many }) => operation.kind !== 'head' && !fast && !many);
  const kinds = new Set(layers.map(one => one.kind));
  if (kinds.size !== 1) return { shader, by, note: noted(opened) };
  const [when] = kinds;
  const other = when === 'one token' ? 'several tokens' : 'one token';
  const stages = new Set(layers.flatMap(one => one.stages));
  const alike = all.filter(
    one => one.kind === other && !one.fast && !one.many && one.stages.every(stage => stages.has(stage)),
  );
  const instead = new Set(alike.map(({ use }) => use.shader));
  const head = when === 'one token' && own.some(({ stages: [{ operation }] }) => operation.kind === 'head');
  const logits = head ? ' The logits of a single row, as the last of a prompt, are computed by it in every chunk.' : '';
  const note = `Only for chunks of ${when}; for ${other} the same stages use ${[...instead].map(quoted).join(' and ')}, which is another file.${logits}`;
  return { shader, by, note: noted(opened ? `${note} ${opened}` : note) };
}

/** What an edit means for steps of the fast plan that stand for stages with this shader and do not run it themselves. */
function opensSteps(model: LoadedModel, shader: string): string | null {
  const steps = model.steps('fast').filter(step => editedInside(step, new Set([shader]), settingOf(model)).length > 0);
  if (steps.length === 0) return null;
  return `While it is edited, ${steps.length} ${steps.length === 1 ? 'step' : 'steps'} of the fast plan, which generates and chats, run as the stages they stand for.`;
}

const quoted = (name: string) => `'${name}'`;
const isProduct = (name: string) => PRODUCTS.includes(name);
