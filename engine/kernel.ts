// From a .wgsl file to a pipeline: bindings by name, override constants checked by the compiler, compiled once for each pair of
// source and constants. A shader can be replaced while a model is open; one that does not compile never takes its place.

import { ShaderError } from './errors.js';
import type { Gpu } from './gpu.js';

export type Access = 'uniform' | 'read' | 'write';

export interface Binding {
  readonly index: number;
  readonly name: string;
  readonly access: Access;
}

export interface Kernel {
  /** File name without .wgsl. */
  readonly name: string;
  readonly bindings: readonly Binding[];
  readonly pipeline: GPUComputePipeline;
  readonly layout: GPUBindGroupLayout;
}

export type Constants = Readonly<Record<string, number>>;

export class Kernels {
  readonly #edits = new Map<string, string>();
  readonly #compiled = new Map<string, Promise<Kernel>>();
  #revision = 0;

  constructor(
    readonly gpu: Gpu,
    readonly readSource: (name: string) => string,
  ) {}

  /** Grows with every edit: who holds kernels asks for them again when it has. */
  get revision(): number {
    return this.#revision;
  }

  /** Names of the shaders that differ from their files. */
  get edited(): readonly string[] {
    return [...this.#edits.keys()];
  }

  /** The source in force: the edited one, else the file's. */
  source(name: string): string {
    return this.#edits.get(name) ?? this.readSource(name);
  }

  /** The compiled kernel. Throws ShaderError with file, line, column and the source line. */
  get(name: string, constants: Constants): Promise<Kernel> {
    const key = `${name} ${JSON.stringify(constants)}`;
    const known = this.#compiled.get(key);
    if (known) return known;
    const compiling = compile(this.gpu, name, this.source(name), constants);
    this.#compiled.set(key, compiling);
    compiling.catch(() => this.#compiled.delete(key));
    return compiling;
  }

  /**
   * Replaces a shader by `source` for everything that runs from now on; null brings the file's back. Every variant in use is
   * compiled first, and if one fails the old shader stays.
   */
  async edit(name: string, source: string | null): Promise<void> {
    const next = source ?? this.readSource(name);
    const inUse = [...this.#compiled.keys()].filter(key => key.startsWith(`${name} `));
    const fresh = new Map<string, Promise<Kernel>>();
    for (const key of inUse.length > 0 ? inUse : [`${name} {}`]) {
      const constants = JSON.parse(key.slice(name.length + 1)) as Constants;
      const kernel = inUse.length > 0 ? compile(this.gpu, name, next, constants) : checkModule(this.gpu, name, next);
      await kernel;
      if (inUse.length > 0) fresh.set(key, kernel as Promise<Kernel>);
    }
    for (const [key, kernel] of fresh) this.#compiled.set(key, kernel);
    if (source === null) this.#edits.delete(name);
    else this.#edits.set(name, source);
    this.#revision += 1;
  }
}

const BINDING =
  /@group\(0\)\s*@binding\((\d+)\)\s*var<\s*(uniform|storage)\s*(?:,\s*(read|read_write)\s*)?>\s*([A-Za-z_]\w*)\s*:/g;

/** The bindings a shader declares, in the order of their numbers. */
export function bindingsOf(source: string): Binding[] {
  const found = [...source.matchAll(BINDING)].map(([, index, space, mode, name]) => ({
    index: Number(index),
    name,
    access: (space === 'uniform' ? 'uniform' : mode === 'read_write' ? 'write' : 'read') as Access,
  }));
  return found.sort((a, b) => a.index - b.index);
}

async function checkModule(gpu: Gpu, name: string, source: string): Promise<GPUShaderModule> {
  gpu.check();
  gpu.device.pushErrorScope('validation');
  const module = gpu.device.createShaderModule({ label: name, code: source });
  const scope = gpu.device.popErrorScope();
  const { messages } = await module.getCompilationInfo();
  await scope; // the same complaint again, without a place
  const error = messages.find(({ type }) => type === 'error');
  if (!error) return module;
  const line = source.split('\n')[error.lineNum - 1] ?? '';
  const pointer = `${' '.repeat(Math.max(0, error.linePos - 1))}^`;
  throw new ShaderError(
    `${name}.wgsl:${error.lineNum}:${error.linePos}: ${error.message}\n  ${line}\n  ${pointer}\n` +
      'The shader was not put to use; mend the line and try again.',
  );
}

async function compile(gpu: Gpu, name: string, source: string, constants: Constants): Promise<Kernel> {
  const module = await checkModule(gpu, name, source);
  const bindings = bindingsOf(source);
  const types = { uniform: 'uniform', read: 'read-only-storage', write: 'storage' } as const;
  const { layout, pipelineLayout } = await gpu.scoped(`the bindings of ${name}.wgsl`, () => {
    const layout = gpu.device.createBindGroupLayout({
      label: name,
      entries: bindings.map(({ index, access }) => ({
        binding: index,
        visibility: GPUShaderStage.COMPUTE,
        buffer: { type: types[access] },
      })),
    });
    return { layout, pipelineLayout: gpu.device.createPipelineLayout({ bindGroupLayouts: [layout] }) };
  });
  try {
    const pipeline = await gpu.device.createComputePipelineAsync({
      label: `${name} ${JSON.stringify(constants)}`,
      layout: pipelineLayout,
      compute: { module, entryPoint: 'main', constants },
    });
    return { name, bindings, pipeline, layout };
  } catch (error) {
    gpu.check();
    const reason = error instanceof Error ? error.message : String(error);
    throw new ShaderError(
      `${name}.wgsl cannot run with the constants ${JSON.stringify(constants)}: ${reason.trim()} ` +
        'The shader was not put to use; its overrides, bindings and entry point `main` must stay as the file has them.',
    );
  }
}
