// What of tslab 1.0 the kernel is made of. Its executor runs the cells: a signal breaks off what runs, and `interrupt` what is waited for. Its
// display API, for cells that import 'tslab', shows where everything else is shown. Its converter is not used (see compile.ts): it prints
// variables as declarations, which not all types have, and forgets those of a cell that fails. tslab is CommonJS and has no public door
// to these.

import { createRequire } from 'node:module';
import { Interrupted } from '../../engine/errors.js';
import { formsOf, within } from '../host/forms.js';
import { type DisplayMessage, notebook } from '../host/notebook.js';

const require = createRequire(import.meta.url);

interface Converter {
  convert(
    earlier: string,
    source: string,
  ): { output: string; diagnostics: readonly never[]; hasToplevelAwait: boolean };
  close(): void;
}

interface TslabExecutor {
  /** @returns false when the cell failed; what it threw was told to the console */
  execute(source: string): Promise<boolean>;
  interrupt(): void;
}

const { createExecutor } = require('tslab/dist/executor.js') as {
  createExecutor(
    folder: string,
    converters: { node: Converter; browser: Converter; close(): void },
    console: { log(value: unknown): void; error(thrown: unknown): void },
  ): TslabExecutor;
};

const CELL = 'gemma-loupe.cell';
const global = globalThis as { [key: symbol]: unknown };

/** What is run has been compiled: tslab is given a call of it. Asynchronous, because it waits for nothing else. */
const CALL: Converter = {
  convert: () => ({
    output: `return globalThis[Symbol.for('${CELL}')]();\n//# sourceURL=node:cell`,
    diagnostics: [],
    hasToplevelAwait: true,
  }),
  close() {},
};

export class Executor {
  #thrown: { readonly error: unknown } | null = null;
  #interrupted = false;
  readonly #tslab: TslabExecutor;

  /** @param folder of the notebook */
  constructor(folder: string) {
    this.#tslab = createExecutor(
      folder,
      { node: CALL, browser: CALL, close() {} },
      {
        log() {},
        error: error => {
          this.#thrown = { error };
        },
      },
    );
  }

  /** Calls a cell and waits for it. Throws what it throws, and Interrupted where `interrupt` was called meanwhile. */
  async run<T>(cell: () => T | Promise<T>): Promise<T> {
    this.#thrown = null;
    this.#interrupted = false;
    let value: { readonly of: T } | null = null;
    global[Symbol.for(CELL)] = () => {
      const ended = cell();
      if (!(ended instanceof Promise)) value = { of: ended };
      return ended instanceof Promise ? ended.then(of => void (value = { of })) : undefined;
    };
    const ended = await this.#tslab.execute('');
    delete global[Symbol.for(CELL)];
    if (ended && value) return (value as { of: T }).of;
    if (this.#interrupted) throw new Interrupted();
    throw (this.#thrown as { error: unknown } | null)?.error;
  }

  /** What runs is not waited for any longer. */
  interrupt(): void {
    this.#interrupted = true;
    this.#tslab.interrupt();
  }
}

type Write = (message: DisplayMessage, update: boolean) => void;

/** tslab as a cell imports it: `display` and `newDisplay` show in the cell that calls them, within the limits of `show`. */
export function tslabForCells(): object {
  const jupyter = require('tslab/dist/jupyter.js') as { lastWriteDisplayData: Write | null };
  jupyter.lastWriteDisplayData = ({ data, metadata, transient }, update) => {
    const notes: string[] = [];
    const forms = formsOf(data, notes);
    let shown = forms && within(forms, notes);
    // An update must find a display, so that the reason stands in its place.
    if (!shown || Object.keys(shown).length === 0) shown = { 'text/plain': notes.splice(0).join('\n') };
    notebook()?.display({ data: shown, metadata, transient }, update === true);
    if (notes.length > 0) process.stderr.write(`${notes.join('\n')}\n`);
  };
  return require('tslab') as object;
}
