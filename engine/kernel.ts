// From a .wgsl file to a pipeline: bindings by name, override constants checked by the compiler, compiled once for each pair of
// source and constants. A shader can be replaced while a model is open; one that does not fit all its uses never takes its place.

import { Assembly, wholeWith } from './assembly.js';
import { type Constants, checkModule, compile, type Kernel } from './compile.js';
import { OptionError, ShaderError } from './errors.js';
import type { Gpu } from './gpu.js';

/** What an edit gives: a whole source, what becomes of the one in force, or null for the file's. */
export type Change = string | ((wgsl: string) => string) | null;

/** Compiles a shader with the files that it is assembled with, of which one may be new. */
export type Compile = (files: readonly string[], constants: Constants) => Promise<Kernel>;

/** Compiles and checks a new source for everything that could use it; throws ShaderError where one cannot. */
type Trial = (name: string, compile: Compile) => Promise<void>;

/**
 * The shaders in force at one moment. A run takes them when it begins and keeps them to its end, whatever is edited meanwhile: its
 * numbers are of one set of shaders, and it can say which.
 */
export class Shaders {
  constructor(
    private readonly kernels: Kernels,
    /** Grows with every edit. */
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

  /** A source as it was then. Throws ShaderError with the nearest names. */
  source(name: string): string {
    return this.edits.get(name) ?? this.kernels.readSource(name);
  }

  /**
   * The compiled kernel. Throws ShaderError with file, line, column and the source line.
   * @internal
   */
  get(name: string, constants: Constants, parts: readonly string[] = []): Promise<Kernel> {
    const files = [name, ...parts];
    return this.kernels.compiled(
      new Assembly(
        files,
        files.map(file => this.source(file)),
      ),
      constants,
    );
  }
}

/** The shaders of a model: their sources, what they are compiled to, and how one is replaced while the model is open. */
export class Kernels {
  readonly #compiled = new Map<string, Compiled>();
  #now = new Shaders(this, 0, new Map());
  /** Resolves to the refusals among the edits that wait, once all of them are taken or refused. */
  #waiting: Promise<readonly string[]> | null = null;

  readonly #files = new Map<string, string>();

  constructor(
    /** Where they run. */
    readonly gpu: Gpu,
    private readonly readFile: (name: string) => string,
    private readonly trial: Trial = async () => {},
  ) {}

  /** A shader as its file has it. Each is read once: a file that is changed on the disk is another model's, and no run of this one is half of it. */
  readSource(name: string): string {
    const known = this.#files.get(name);
    if (known !== undefined) return known;
    const source = this.readFile(name);
    this.#files.set(name, source);
    return source;
  }

  /** Grows with every edit. */
  get revision(): number {
    return this.#now.revision;
  }

  /** Names of the shaders that differ from their files. */
  get edited(): readonly string[] {
    return this.#now.edited;
  }

  /** The source in force: the edited one, else the file's. Throws ShaderError with the nearest names. */
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

  /**
   * The compiled kernel of the shader in force. Throws ShaderError with file, line, column and the source line.
   * @internal
   */
  get(name: string, constants: Constants, parts?: readonly string[]): Promise<Kernel> {
    return this.#now.get(name, constants, parts);
  }

  /**
   * For `Shaders`: compiled once for each pair of source and constants, as long as the source is in force.
   * @internal
   */
  compiled(assembly: Assembly, constants: Constants): Promise<Kernel> {
    const { files, source } = assembly;
    const key = keyOf(files, constants);
    const known = this.#compiled.get(key);
    if (known?.source === source) return known.kernel;
    const kernel = compile(this.gpu, assembly, constants);
    if (source !== this.#assemble(files).source) return kernel; // of a run that began before an edit
    this.#compiled.set(key, { files, constants, source, kernel });
    kernel.catch(() => this.#compiled.delete(key));
    return kernel;
  }

  /** The files in force, `name` with another text. */
  #assemble(files: readonly string[], name?: string, text?: string): Assembly {
    return new Assembly(
      files,
      files.map(file => (file === name ? text! : this.source(file))),
    );
  }

  /**
   * Replaces a shader for everything that begins from now on; null brings the file's back. Edits are taken in the order they were asked for,
   * each on the source that the one before left. It is compiled and checked first for everything that uses it, and if one
   * fails the old shader stays: ShaderError, or OptionError for a change that is none. Runs wait for it.
   * @example await model.kernels.edit('rope', wgsl => wgsl.replace('a * turn.x - b', 'a * turn.x + b'))
   */
  edit(name: string, change: Change): Promise<void> {
    if (typeof name !== 'string') {
      const refused = new OptionError(
        `A shader is edited by its name, such as 'rope', not by a value of type ${typeof name}.`,
      );
      return Promise.reject(refused);
    }
    const before = this.#waiting ?? Promise.resolve([]);
    let tell: (refused: readonly string[]) => void;
    const refusals = new Promise<readonly string[]>(resolve => {
      tell = resolve;
    });
    this.#waiting = refusals;
    refusals.then(() => {
      if (this.#waiting === refusals) this.#waiting = null;
    });
    // Nobody but the caller waits for this promise: a rejection that he does not wait for is seen, and its stack leads to him.
    return this.#takeAfter(before, name, change, refused => tell(refused));
  }

  async #takeAfter(
    before: Promise<readonly string[]>,
    name: string,
    change: Change,
    tell: (refused: readonly string[]) => void,
  ): Promise<void> {
    const earlier = await before;
    try {
      await this.#take(name, change);
      tell(earlier);
    } catch (error) {
      tell([...earlier, `${name}: ${reasonOf(error)}`]);
      throw error;
    }
  }

  async #take(name: string, change: Change): Promise<void> {
    const file = this.readSource(name);
    const before = this.source(name);
    const next = sourceOf(name, before, change, file);
    if (next === before) return; // the file's is in force already
    const fresh = new Map<string, Compiled>();
    const compileOne: Compile = (files, constants) => {
      const key = keyOf(files, constants);
      const known = fresh.get(key);
      if (known) return known.kernel;
      const assembly = this.#assemble(files, name, next);
      const kernel = compile(this.gpu, assembly, constants);
      fresh.set(key, { files, constants, source: assembly.source, kernel });
      return kernel;
    };
    await checkModule(this.gpu, this.#assemble(wholeWith(name), name, next));
    const inUse = () => [...this.#compiled].filter(([, { files }]) => files.includes(name));
    for (const [, { files, constants }] of inUse()) await compileOne(files, constants);
    await this.trial(name, compileOne);
    // Variants that were compiled while this was checked are of the old source, and are made again at need.
    for (const [key] of inUse()) this.#compiled.delete(key);
    for (const [key, made] of fresh) this.#compiled.set(key, made);
    const edits = new Map(this.#edits);
    if (next === file) edits.delete(name);
    else edits.set(name, next);
    this.#edits = edits;
    this.#now = new Shaders(this, this.#now.revision + 1, edits);
  }

  #edits: ReadonlyMap<string, string> = new Map();
}

interface Compiled {
  readonly files: readonly string[];
  readonly constants: Constants;
  readonly source: string;
  readonly kernel: Promise<Kernel>;
}

const keyOf = (files: readonly string[], constants: Constants) => `${files.join(' + ')} ${JSON.stringify(constants)}`;

/** Why an edit was refused, whatever its function threw. Never throws: an edit after it waits for this. */
function reasonOf(error: unknown): string {
  try {
    return error instanceof Error ? String(error.message) : String(error);
  } catch {
    return 'its function threw what cannot be shown';
  }
}

/** The longest source that is compiled, in characters; ours have 10,000. */
const MOST_SHADER = 1 << 20;

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
  if (next.length > MOST_SHADER)
    throw new OptionError(
      `The change of '${name}' makes a source of ${next.length} characters, and at most ${MOST_SHADER} are compiled. The old shader stays.`,
    );
  if (next.trim() === '') throw new ShaderError(`${name}.wgsl would be empty. The shader was not put to use.`);
  if (next !== before) return next;
  throw new OptionError(
    `The edit of '${name}' changes nothing: either what it replaces is not in the source in force, which is ${before === file ? "the file's" : 'an edited one (is the edit in it already?)'}, or it puts the same in its place. Look at it with model.shader('${name}').`,
  );
}
