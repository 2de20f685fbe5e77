// Pipelines and bind groups of what a run dispatches: made at first need, for chunks of one token and of many, and again after a shader edit.

import type { Kernel } from './compile.js';
import type { Dispatch, Setting, Source } from './dispatch.js';
import type { Gpu } from './gpu.js';
import type { Shaders } from './kernel.js';
import { UNIFORM } from './products.js';
import type { Unit } from './units.js';

export interface Bound {
  readonly unit: Unit;
  readonly dispatches: readonly { kernel: Kernel; group: GPUBindGroup; grid: Dispatch['grid'] }[];
}

export class BoundUnits {
  /** By the kind of chunk and the unit. */
  readonly #made = new Map<string, Promise<Bound>>();
  /** By the kind of chunk: what is bound for a list of units, which is given again and again. */
  readonly #lists = new Map<string, WeakMap<readonly Unit[], Promise<Bound[]>>>();
  #revision = -1;

  constructor(
    readonly gpu: Gpu,
    private readonly resourceOf: (source: Source) => GPUBindingResource,
  ) {}

  /** Throws ShaderError where a shader does not compile. */
  of(units: readonly Unit[], setting: Setting, shaders: Shaders): Promise<Bound[]> {
    if (this.#revision !== shaders.revision) {
      this.#made.clear();
      this.#lists.clear();
      this.#revision = shaders.revision;
    }
    const chunks = `${setting.oneToken} ${setting.oneRow}`;
    const lists = this.#lists.get(chunks) ?? new WeakMap<readonly Unit[], Promise<Bound[]>>();
    this.#lists.set(chunks, lists);
    return remembered(lists, units, () =>
      Promise.all(
        units.map(unit => remembered(this.#made, `${chunks} ${unit.key}`, () => this.#unit(unit, setting, shaders))),
      ),
    );
  }

  async #unit(unit: Unit, setting: Setting, shaders: Shaders): Promise<Bound> {
    const dispatches = unit.dispatches(setting).map(dispatch => this.#dispatch(unit.name, dispatch, shaders));
    return { unit, dispatches: await Promise.all(dispatches) };
  }

  async #dispatch(of: string, { shader, parts, constants, reads, writes, grid }: Dispatch, shaders: Shaders) {
    const kernel = await shaders.get(shader, constants, parts);
    const entries = kernel.bindings.map(({ index, name, access }) => {
      const source = access === 'write' ? writes[name] : reads[name];
      if (!source) throw new Error(`${shader}.wgsl declares '${name}' (${access}), which '${of}' does not give it.`);
      const resource = this.resourceOf(source);
      // Of a value the beginning: a uniform buffer may not be as long as it is.
      const part = access === 'uniform' && 'value' in source && 'buffer' in resource;
      return { binding: index, resource: part ? { buffer: resource.buffer, size: UNIFORM } : resource };
    });
    const group = await this.gpu.scoped(`the bindings of '${of}'`, () =>
      this.gpu.device.createBindGroup({ label: of, layout: kernel.layout, entries }),
    );
    return { kernel, group, grid };
  }
}

/** What was made before, unless making it failed. */
function remembered<K, T>(
  made: { get(key: K): Promise<T> | undefined; set(key: K, value: Promise<T>): unknown; delete(key: K): boolean },
  key: K,
  make: () => Promise<T>,
): Promise<T> {
  const known = made.get(key);
  if (known) return known;
  const making = make();
  made.set(key, making);
  making.catch(() => {
    if (made.get(key) === making) made.delete(key);
  });
  return making;
}
