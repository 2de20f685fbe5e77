// What was measured for docs/BENCHMARKS.md: reports of commands, with the commands.

import type { BenchReport } from '../bench/bench.js';
import type { OperationReached, Roofline } from '../bench/roofline.js';

/** A command, as a person would type it, and what it printed. */
export interface Ran<T> {
  readonly command: string;
  readonly report: T;
}

/** What `loupe bench --stages --json` prints. */
export interface StagesReport {
  readonly adapter: string;
  readonly ceilings: Roofline['ceilings'];
  readonly operations: readonly OperationReached[];
  readonly stages: Roofline['steps'];
  readonly context: number;
}

export interface Measured {
  readonly atlas: Ran<BenchReport>;
  readonly swiftShader: Ran<BenchReport>;
  /** Of the 270M, where it is there. */
  readonly real: {
    readonly full: Ran<BenchReport>;
    readonly exact: Ran<BenchReport>;
    readonly stages: Ran<StagesReport>;
  } | null;
  readonly seconds: number;
}
