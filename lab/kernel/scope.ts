// The variables of all cells, and running a cell among them. A cell shows each of its variables by a way to read it and one to set it,
// so that its own functions and later cells have one and the same variable; the values it had set when it failed or was stopped stay.

import { join } from 'node:path';
import vm from 'node:vm';
import { Interrupted } from '../../engine/errors.js';
import { BREAKABLE, breakable } from './breakable.js';
import type { CellCompiler } from './compile.js';
import type { Imported } from './imported.js';
import type { Modules } from './modules.js';
import { Executor } from './tslab.js';

const DECLARE = Symbol.for('gemma-loupe.declare');

type Shown = readonly [name: string, read: () => unknown, set?: (to: unknown) => void];

export class CellRunner {
  readonly #scope: Record<PropertyKey, unknown> = Object.create(null);
  /** What the cell that runs has shown, and what stood there before. */
  #shown: { readonly name: string; readonly read: () => unknown; readonly before?: PropertyDescriptor }[] = [];
  readonly #executor: Executor;
  #interrupt: (reason: Interrupted) => void = () => {};

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
    this.#shown = [];
    try {
      const { folder } = this.compiler;
      const loading: Promise<Imported>[] = [];
      for (const { specifier } of cell.imports) loading.push(this.modules.load(specifier)); // `map` would be a line of every stack
      const imports = await Promise.race([Promise.all(loading), interrupted]);
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
      const value = await this.#executor.run(breakable(() => start(this.#scope, imports, ...given), this.signals));
      return (value as { value: unknown } | undefined) ?? { value: undefined };
    } finally {
      if (this.signals) Atomics.store(this.signals, BREAKABLE, 0);
      this.compiler.settle(this.#reached());
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

  #declare(shown: readonly Shown[]): void {
    for (const [name, read, set] of shown) {
      const before = Object.getOwnPropertyDescriptor(this.#scope, name);
      this.#shown.push({ name, read, before });
      Object.defineProperty(this.#scope, name, {
        get: read,
        set:
          set ??
          (() => {
            throw new TypeError(`Assignment to constant variable '${name}'.`);
          }),
        enumerable: true,
        configurable: true,
      });
    }
  }

  /** Of the cell's variables those that were set; the others are again what they were. */
  #reached(): Set<string> {
    const reached = new Set<string>();
    for (const { name, read, before } of this.#shown) {
      try {
        read();
        reached.add(name);
      } catch {
        delete this.#scope[name];
        if (before) Object.defineProperty(this.#scope, name, before);
      }
    }
    this.#shown = [];
    return reached;
  }
}
