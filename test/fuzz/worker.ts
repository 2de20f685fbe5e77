// Runs inputs in a thread of its own, so that one that never ends can be ended.

import { parentPort, workerData } from 'node:worker_threads';
import { inputOf } from './input.js';
import { isOurs, READERS } from './readers.js';

export interface WorkerData {
  readonly reader: string;
  readonly seed: number;
  readonly folder: string;
  /** Index of the input at hand, for the thread that watches. */
  readonly at: SharedArrayBuffer;
}

export interface Failure {
  readonly index: number;
  readonly kind: 'untyped' | 'crash' | 'slow';
  readonly text: string;
}

export interface Batch {
  readonly accepted: number;
  readonly refused: number;
  readonly failures: readonly Failure[];
  /** What was read of each input, null where it was refused; only where there is a reference. */
  readonly verdicts: readonly unknown[];
}

const LIMIT = 1_000_000; // µs of processor time: the wall clock also counts what other programs do

const { reader: name, seed, folder, at } = workerData as WorkerData;
const reader = READERS.find(one => one.name === name)!;
const here = new Int32Array(at);
const seeds = await reader.seeds();

// What is loaded and compiled once is not to be counted as an input's.
for (const { bytes } of seeds) await reader.read(bytes, folder);
parentPort!.postMessage('ready');

parentPort!.on('message', async ({ from, to, keep }: { from: number; to: number; keep: boolean }) => {
  let accepted = 0;
  let refused = 0;
  const failures: Failure[] = [];
  const verdicts: unknown[] = [];
  for (let index = from; index < to; index++) {
    const bytes = inputOf(reader, seeds, seed, index);
    Atomics.store(here, 0, index);
    const before = process.cpuUsage();
    let verdict: unknown = null;
    try {
      verdict = (await reader.read(bytes, folder)) ?? null;
      accepted += 1;
    } catch (error) {
      if (isOurs(error)) refused += 1;
      else failures.push({ index, kind: 'untyped', text: String((error as Error)?.stack ?? error) });
    }
    const { user, system } = process.cpuUsage(before);
    if (user + system > LIMIT) {
      failures.push({ index, kind: 'slow', text: `${Math.round((user + system) / 1000)} ms of processor time` });
    }
    if (keep) verdicts.push(verdict);
  }
  Atomics.store(here, 0, -1);
  parentPort!.postMessage({ accepted, refused, failures, verdicts } satisfies Batch);
});
