// The parts of tslab 1.0 that the kernel is made of, with the types they lack. tslab is CommonJS and has no public door to them.
// tslab compiles cells (with its own TypeScript, 5.0) and runs them one on top of the other; the rest of the kernel is ours.

import { createRequire } from 'node:module';
import type typescript from 'typescript';

const require = createRequire(import.meta.url);

/** Zero-based. */
export interface Place {
  readonly offset: number;
  readonly line: number;
  readonly character: number;
}

export interface Diagnostic {
  readonly start: Place;
  readonly end: Place;
  readonly messageText: string;
  readonly code: number;
  /** Null for the cell itself. */
  readonly fileName?: string;
}

export interface Converted {
  /** CommonJS, or nothing to run. */
  output?: string;
  readonly declOutput?: string;
  readonly diagnostics: readonly Diagnostic[];
  hasToplevelAwait?: boolean;
}

export interface Completion {
  readonly start: number;
  readonly end: number;
  readonly candidates: readonly string[];
  readonly original?: { readonly entries: readonly { readonly name: string; readonly kind: string }[] };
}

export interface Converter {
  convert(earlier: string, source: string): Converted;
  complete(earlier: string, source: string, position: number): Completion;
  inspect(earlier: string, source: string, position: number): typescript.QuickInfo | undefined;
  addModule(name: string, content: string, meta: unknown): readonly Diagnostic[];
  close(): void;
}

export interface Executor {
  /** @returns false when the cell failed; what failed was told to the console */
  execute(source: string): Promise<boolean>;
  complete(source: string, position: number): Completion;
  inspect(source: string, position: number): typescript.QuickInfo | undefined;
  interrupt(): void;
  close(): void;
  /** The variables of all cells, by name. */
  readonly locals: Readonly<Record<string, unknown>>;
}

export const { createConverter } = require('tslab/dist/converter.js') as {
  createConverter(o: { isJS: boolean; isBrowser: boolean }): Converter;
};

export const { createExecutor } = require('tslab/dist/executor.js') as {
  createExecutor(
    root: string,
    converters: { node: Converter; browser: Converter; close(): void },
    /** `log` gets the value of the last expression, `error` what a cell threw. */
    console: { log(value: unknown): void; error(...values: unknown[]): void },
  ): Executor;
};

/** The TypeScript that compiles the cells. */
export const ts = createRequire(require.resolve('tslab/dist/main.js'))(
  '@tslab/typescript-for-tslab',
) as typeof typescript;
