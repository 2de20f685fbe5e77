// The variables of all cells, and running a cell among them. A cell shows each of its variables by a way to read it and one to set it,
// so that its own functions and later cells have one and the same variable; the values it had set when it failed or was stopped stay.

import { join } from 'node:path';
import vm from 'node:vm';
import { Interrupted } from '../../engine/errors.js';
import { BREAKABLE, breakable } from './breakable.js';
import type { CellCompiler } from './compile.js';
import { type Imported, required } from './imported.js';
import type { Modules } from './modules.js';
import { DECLARE, type Hoisting } from './rewrite.js';
import { Executor } from './tslab.js';

type Shown = readonly [name: string, hoisting: Hoisting, read: () => unknown, set?: (to: unknown) => void];

/** A variable in the scope: how a later cell finds it. */
interface Variable {
  readonly hoisting: Hoisting;
  readonly property: PropertyDescriptor;
}

/** A variable that the cell which runs has shown. */
interface Own {
  readonly name: string;
  readonly hoisting: Hoisting;
  readonly read: () => unknown;
  /** What it is before the cell comes to it. */
  readonly initial: unknown;
  readonly before: Variable | undefined;
}

export class CellRunner {
  readonly #scope: Record<PropertyKey, unknown> = Object.create(null);
  readonly #variables = new Map<string, Variable>();
  #own: Own[] = [];
  /** Names of the cell that runs whose declaration it has come to, where the value cannot tell. */
  #come = new Set<string>();
  readonly #executor: Executor;
  #interrupt: (reason: Interrupted) => void = () => {};
  /** Called when a cell's own code waits for the first time, and when it is over, before anything looks at what it has left. */
  onEnd: () => void = () => {};

  constructor(
    private readonly compiler: CellCompiler,
    private readonly modules: Modules,
    /** The courier's memory. */
    private readonly signals: Int32Array | null = null,
  ) {
    this.#executor = new Executor(compiler.folder);
    Object.defineProperty(this.#scope, DECLARE, { value: (shown: readonly Shown[]) => this.#declare(shown) });
  }

  /**
   * Runs a cell. Throws what it throws.
   * @returns null where something is wrong with it and it did not run; else its value, if its last statement has one
   */
  async run(source: string): Promise<{ readonly value: unknown } | null> {
    const cell = this.compiler.compile(source);
    if (!cell) return null;
    const interrupted = new Promise<never>((_, reject) => {
      this.#interrupt = reject;
    });
    interrupted.catch(() => {});
    this.#own = [];
    let ended = false;
    try {
      const { folder } = this.compiler;
      const imports: Imported[] = []; // one after the other, so that two lines which lead to one file have one module
      for (const { specifier, line, column, needs } of cell.imports) {
        const loaded = this.modules.load(specifier).then(module => {
          required(specifier, module, needs);
          return module;
        });
        const failed = (error: unknown): never => {
          this.compiler.failedImport ??= { error, name: cell.name, line, column };
          throw error;
        };
        imports.push(await Promise.race([loaded.catch(failed), interrupted]));
      }
      // A signal that came while the cell was compiled is heard now: Node loses those that wait when a breakable script begins.
      await Promise.race([new Promise(setImmediate), interrupted]);
      const path = join(folder, `${cell.name}.ts`);
      const start = vm.runInThisContext(cell.code, { filename: cell.name, displayErrors: false }) as (
        ...given: unknown[]
      ) => unknown;
      const given = [
        this.modules.importer(folder),
        this.modules.meta(path),
        this.modules.require(folder),
        path,
        folder,
      ];
      const begun = breakable(() => start(this.#scope, imports, ...given), this.signals);
      const value = await this.#executor.run(async () => {
        try {
          const running = begun();
          this.onEnd(); // the executor goes on with it
          return await running;
        } finally {
          this.onEnd();
        }
      });
      ended = true;
      return (value as { value: unknown } | undefined) ?? { value: undefined };
    } finally {
      if (this.signals) Atomics.store(this.signals, BREAKABLE, 0);
      this.compiler.settle(this.#reached(ended));
    }
  }

  /** The cell that runs is not waited for any longer. */
  interrupt(): void {
    this.#interrupt(new Interrupted());
    this.#executor.interrupt();
  }

  /** The variables that have a value. */
  get locals(): Readonly<Record<string, unknown>> {
    const found: Record<string, unknown> = Object.create(null);
    for (const name of Object.keys(this.#scope)) {
      try {
        found[name] = this.#scope[name];
      } catch {} // not yet
    }
    return found;
  }

  /** @returns what the cell calls with the names of a declaration that it has come to */
  #declare(shown: readonly Shown[]): (...names: string[]) => void {
    for (const [name, hoisting, read, set] of shown) {
      const before = this.#variables.get(name);
      let initial: unknown;
      // In JavaScript they would be one variable.
      if (hoisting === 'var' && (before?.hoisting === 'var' || before?.hoisting === 'function')) {
        initial = this.#scope[name];
        set?.(initial);
      }
      this.#own.push({ name, hoisting, read, initial, before });
      this.#define(name, {
        hoisting,
        property: {
          get: read,
          set:
            set ??
            (() => {
              throw new TypeError(`Assignment to constant variable '${name}'.`);
            }),
          enumerable: true,
          configurable: true,
        },
      });
    }
    const come = new Set<string>();
    this.#come = come;
    return (...names) => {
      for (const name of names) come.add(name);
    };
  }

  #define(name: string, variable: Variable): void {
    this.#variables.set(name, variable);
    Object.defineProperty(this.#scope, name, variable.property);
  }

  /** Of the cell's variables those that it came to; the others are again what they were. */
  #reached(ended: boolean): Set<string> {
    const reached = new Set<string>();
    for (const own of this.#own) {
      const { name, before } = own;
      if (this.#isReached(own, ended)) reached.add(name);
      else if (before) this.#define(name, before);
      else {
        this.#variables.delete(name);
        delete this.#scope[name];
      }
    }
    this.#own = [];
    return reached;
  }

  #isReached({ name, hoisting, read, initial, before }: Own, ended: boolean): boolean {
    try {
      const value = read();
      if (hoisting === 'own' || hoisting === 'function' || this.#come.has(name)) return true;
      if (hoisting === 'members') return false;
      return !Object.is(value, initial) || (hoisting === 'var' && (ended || !before));
    } catch {
      return false;
    }
  }
}
