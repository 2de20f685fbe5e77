// What was compiled and runs, cells and files alike, as the places of errors are found by it.

import type { Edited } from './edits.js';

/** A text that runs, and how it came from what was written. */
export interface CompiledCell {
  /** As stack traces name it. */
  readonly name: string;
  readonly source: string;
  /** What runs; the first line begins with `prefix` characters that stand for nothing. */
  readonly code: string;
  readonly prefix: number;
  /** From what was written to what the compiler read. */
  readonly edited: Edited;
  /** From there to what runs: a source map. */
  readonly map: string;
}

/** An import line that threw. */
export interface FailedImport {
  readonly error: unknown;
  /** Of the cell. */
  readonly name: string;
  readonly line: number;
  readonly column: number;
}
