// From a .wgsl file to a pipeline: bindings by name, override constants checked by the compiler, compiled once for each pair of
// source and constants. A shader can be replaced while a model is open; one that does not fit all its uses never takes its place.

import { OptionError, ShaderError } from './errors.js';
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

/** What an edit gives: a whole source, what becomes of the one in force, or null for the file's. */
export type Change = string | ((wgsl: string) => string) | null;

/** Compiles and checks a new source for everything that could use it; throws ShaderError where one cannot. */
type Trial = (name: string, compile: (constants: Constants) => Promise<Kernel>) => Promise<void>;

/**
 * The shaders in force at one moment. A run takes them when it begins and keeps them to its end, whatever is edited meanwhile: its
 * numbers are of one set of shaders, and it can say which.
 */
export class Shaders {
  constructor(
    private readonly kernels: Kernels,
    readonly revision: number,
    private readonly edits: ReadonlyMap<string, string>,
    /** Edits that were asked for before and refused while the run waited, each with its reason. */
    readonly refused: readonly string[] = [],
  ) {}

  /** Names of the shaders that differ from their files. */
  get edited(): readonly string[] {
    return [...this.edits.keys()].sort();
  }

  /** Names of the shaders that differ from those of another moment. */
  changedSince(earlier: Shaders): string[] {
    const names = new Set([...this.edits.keys(), ...earlier.edits.keys()]);
    return [...names].filter(name => this.edits.get(name) !== earlier.edits.get(name)).sort();
  }

  source(name: string): string {
    return this.edits.get(name) ?? this.kernels.readSource(name);
  }

  /** The compiled kernel. Throws ShaderError with file, line, column and the source line. */
  get(name: string, constants: Constants): Promise<Kernel> {
    return this.kernels.compiled(name, constants, this.source(name));
  }
}

export class Kernels {
  readonly #compiled = new Map<string, { readonly source: string; readonly kernel: Promise<Kernel> }>();
  #now = new Shaders(this, 0, new Map());
  /** Resolves to the refusals among the edits that wait, once all of them are taken or refused. */
  #waiting: Promise<readonly string[]> | null = null;

  constructor(
    readonly gpu: Gpu,
    readonly readSource: (name: string) => string,
    private readonly trial: Trial = async () => {},
  ) {}

  /** Grows with every edit. */
  get revision(): number {
    return this.#now.revision;
  }

  /** Names of the shaders that differ from their files. */
  get edited(): readonly string[] {
    return this.#now.edited;
  }

  /** The source in force: the edited one, else the file's. */
  source(name: string): string {
    return this.#now.source(name);
  }

  /** The shaders that a run beginning now is to use: every edit asked for before is in force, or refused. */
  async inForce(): Promise<Shaders> {
    this.gpu.check();
    if (!this.#waiting) return this.#now;
    const refused = await this.#waiting;
    return refused.length === 0 ? this.#now : new Shaders(this, this.revision, this.#edits, refused);
  }

  /** The compiled kernel of the shader in force. Throws ShaderError with file, line, column and the source line. */
  get(name: string, constants: Constants): Promise<Kernel> {
    return this.#now.get(name, constants);
  }

  /** For `Shaders`: compiled once for each pair of source and constants, as long as the source is in force. */
  compiled(name: string, constants: Constants, source: string): Promise<Kernel> {
    const key = `${name} ${JSON.stringify(constants)}`;
    const known = this.#compiled.get(key);
    if (known?.source === source) return known.kernel;
    const kernel = compile(this.gpu, name, source, constants);
    if (source !== this.source(name)) return kernel; // of a run that began before an edit
    this.#compiled.set(key, { source, kernel });
    kernel.catch(() => this.#compiled.delete(key));
    return kernel;
  }

  /**
   * Replaces a shader for everything that begins from now on; null brings the file's back. Edits are taken in the order they were asked for,
   * each on the source that the one before left. It is compiled and checked first for everything that uses it, and if one
   * fails the old shader stays: ShaderError, or OptionError for a change that is none. Runs wait for it.
   */
  edit(name: string, change: Change): Promise<void> {
    if (typeof name !== 'string') {
      const refused = new OptionError(
        `A shader is edited by its name, such as 'rope', not by a value of type ${typeof name}.`,
      );
      return Promise.reject(refused);
    }
    const before = this.#waiting ?? Promise.resolve([]);
    const taken = before.then(() => this.#take(name, change));
    const refusals = taken.then(
      async () => before,
      async error => [...(await before), `${name}: ${reasonOf(error)}`],
    );
    this.#waiting = refusals;
    refusals.then(() => {
      if (this.#waiting === refusals) this.#waiting = null;
    });
    // A promise of its own, so that a rejection that nobody waits for is seen.
    return taken.then(() => {});
  }

  async #take(name: string, change: Change): Promise<void> {
    const file = this.readSource(name);
    const before = this.source(name);
    const next = sourceOf(name, before, change, file);
    if (next === before) return; // the file's is in force already
    const fresh = new Map<string, { source: string; kernel: Promise<Kernel> }>();
    const compileOne = (constants: Constants) => {
      const key = `${name} ${JSON.stringify(constants)}`;
      const kernel = fresh.get(key)?.kernel ?? compile(this.gpu, name, next, constants);
      fresh.set(key, { source: next, kernel });
      return kernel;
    };
    await checkModule(this.gpu, name, next);
    const inUse = [...this.#compiled.keys()].filter(key => key.startsWith(`${name} `));
    for (const key of inUse) await compileOne(JSON.parse(key.slice(name.length + 1)) as Constants);
    await this.trial(name, compileOne);
    // Variants that were compiled while this was checked are of the old source, and are made again at need.
    for (const key of this.#compiled.keys()) if (key.startsWith(`${name} `)) this.#compiled.delete(key);
    for (const [key, made] of fresh) this.#compiled.set(key, made);
    const edits = new Map(this.#edits);
    if (next === file) edits.delete(name);
    else edits.set(name, next);
    this.#edits = edits;
    this.#now = new Shaders(this, this.#now.revision + 1, edits);
  }

  #edits: ReadonlyMap<string, string> = new Map();
}

/** Why an edit was refused, whatever its function threw. Never throws: an edit after it waits for this. */
function reasonOf(error: unknown): string {
  try {
    return error instanceof Error ? String(error.message) : String(error);
  } catch {
    return 'its function threw what cannot be shown';
  }
}

/** The source that a change makes. Throws OptionError for what is no source, or no change. */
function sourceOf(name: string, before: string, change: Change, file: string): string {
  if (change === null) return file;
  if (typeof change !== 'string' && typeof change !== 'function') {
    throw new OptionError(
      `An edit of '${name}' needs a function from the source to the new source, or null for the file's, and got ${typeof change}.`,
    );
  }
  const next: unknown = typeof change === 'string' ? change : change(before);
  if (typeof next !== 'string') {
    const got = next instanceof Promise ? 'a promise' : next === null ? 'null' : typeof next;
    throw new OptionError(
      `The change of '${name}' must return the whole new source as a string, and returned ${got}. The old shader stays; null in the function's place brings the file's back.`,
    );
  }
  if (next !== before) return next;
  throw new OptionError(
    `The edit of '${name}' changes nothing: what it replaces is not in the source in force, which is ${before === file ? "the file's" : 'an edited one (is the edit in it already?)'}. Look at it with model.shader('${name}').`,
  );
}

// The two attributes may come in either order, and with u or i behind the number.
const BINDING =
  /(?:@\s*group\s*\(\s*0[iu]?\s*,?\s*\)\s*@\s*binding\s*\(\s*(\d+)[iu]?\s*,?\s*\)|@\s*binding\s*\(\s*(\d+)[iu]?\s*,?\s*\)\s*@\s*group\s*\(\s*0[iu]?\s*,?\s*\))\s*var\s*<\s*(uniform|storage)\s*(?:,\s*(read|read_write)\s*)?,?\s*>\s*([\p{XID_Start}_][\p{XID_Continue}]*)\s*:/gu;

/** WGSL without its comments, line by line where it was: `//` to the end of the line, and block comments, which nest. */
export function withoutComments(source: string): string {
  let [out, depth] = ['', 0];
  for (let at = 0; at < source.length; ) {
    const two = source.slice(at, at + 2);
    if (two === '/*') depth += 1;
    else if (two === '*/' && depth > 0) depth -= 1;
    else if (two === '//' && depth === 0) {
      while (at < source.length && !LINE_END.test(source[at])) at += 1;
      continue;
    } else {
      if (depth === 0 || LINE_END.test(source[at])) out += source[at];
      at += 1;
      continue;
    }
    out += ' ';
    at += 2;
  }
  return out;
}

/** What ends a line in WGSL. */
const LINE_END = /[\n\v\f\r\u0085\u2028\u2029]/;

/** The bindings a shader declares, in the order of their numbers; comments are no code. */
export function bindingsOf(source: string): Binding[] {
  const found = [...withoutComments(source).matchAll(BINDING)].map(([, index, second, space, mode, name]) => ({
    index: Number(index ?? second),
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
  const { messages } = await gpu.orStuck(module.getCompilationInfo());
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
  const { layout, pipelineLayout } = await gpu
    .scoped(`the bindings of ${name}.wgsl`, () => {
      const layout = gpu.device.createBindGroupLayout({
        label: name,
        entries: bindings.map(({ index, access }) => ({
          binding: index,
          visibility: GPUShaderStage.COMPUTE,
          buffer: { type: types[access] },
        })),
      });
      return { layout, pipelineLayout: gpu.device.createPipelineLayout({ bindGroupLayouts: [layout] }) };
    })
    .catch(error => {
      gpu.check();
      const numbers = bindings.map(binding => `${binding.index} ${binding.name}`).join(', ');
      const reason = error instanceof Error ? error.message.split('\n')[0] : String(error);
      throw new ShaderError(
        `${name}.wgsl cannot run with the bindings ${numbers}: ${reason} The shader was not put to use; give each a number of its own.`,
      );
    });
  try {
    const made = gpu.device.createComputePipelineAsync({
      label: `${name} ${JSON.stringify(constants)}`,
      layout: pipelineLayout,
      compute: { module, entryPoint: 'main', constants },
    });
    const pipeline = await gpu.orStuck(made);
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
