// Feeds one reader with inputs, batch by batch, and replaces its thread where an input never ends or takes all memory.

import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { Batch, Failure, WorkerData } from './worker.js';

const BATCH = 100;
const WATCH = 250; // ms between looks
const HANG = 2_000_000; // µs of processor time on one input
const STUCK = 60_000; // ms on one input that uses no processor time

export class Campaign {
  inputs = 0;
  accepted = 0;
  refused = 0;
  readonly failures: Failure[] = [];
  /** By input, where the reader has a reference. */
  readonly verdicts: unknown[] = [];
  /** Of the wall clock, in ms. */
  spent = 0;
  #worker: Worker | null = null;
  readonly #at = new SharedArrayBuffer(4);

  constructor(
    readonly name: string,
    readonly seed: number,
    readonly folder: string,
    readonly keep: boolean,
  ) {}

  /** Runs a batch, or what is left of `most` inputs. */
  async batch(most = Number.POSITIVE_INFINITY): Promise<void> {
    const began = performance.now();
    const from = this.inputs;
    const to = Math.min(from + BATCH, most);
    for (let next = from; next < to; ) next = await this.#run(next, to);
    this.inputs = to;
    this.spent += performance.now() - began;
  }

  async close(): Promise<void> {
    await this.#worker?.terminate();
    this.#worker = null;
  }

  /** Runs inputs from `from` on. @returns the next that is to be run */
  async #run(from: number, to: number): Promise<number> {
    const worker = (this.#worker ??= await this.#start());
    const ended = await new Promise<Batch | Failure>(resolve => {
      const here = new Int32Array(this.#at);
      Atomics.store(here, 0, from);
      let watched = { index: -2, cpu: process.cpuUsage(), wall: performance.now() };
      const timer = setInterval(() => {
        const index = Atomics.load(here, 0);
        if (index !== watched.index) watched = { index, cpu: process.cpuUsage(), wall: performance.now() };
        const { user, system } = process.cpuUsage(watched.cpu);
        const wall = performance.now() - watched.wall;
        if (index < 0 || (user + system < HANG && wall < STUCK)) return;
        finish({
          index,
          kind: 'slow',
          text: `ended after ${Math.round(wall)} ms, ${Math.round((user + system) / 1000)} of the processor`,
        });
      }, WATCH);
      const crashed = (what: unknown) =>
        finish({
          index: Math.max(from, Atomics.load(here, 0)),
          kind: 'crash',
          text: String((what as Error)?.stack ?? what),
        });
      const exited = (code: number) => crashed(`the thread ended with ${code}`);
      const finish = (result: Batch | Failure) => {
        clearInterval(timer);
        worker.off('error', crashed).off('exit', exited).off('message', finish);
        resolve(result);
      };
      worker.on('error', crashed).on('exit', exited).on('message', finish);
      worker.postMessage({ from, to, keep: this.keep });
    });
    if (!('index' in ended)) {
      this.accepted += ended.accepted;
      this.refused += ended.refused;
      this.failures.push(...ended.failures);
      this.verdicts.push(...ended.verdicts);
      return to;
    }
    // What ran before the failure in this batch is run again, without it.
    await this.close();
    this.failures.push(ended);
    const { index } = ended;
    if (index > from) await this.#run(from, index);
    if (this.keep) this.verdicts.push(undefined);
    return index + 1;
  }

  #start(): Promise<Worker> {
    const workerData: WorkerData = { reader: this.name, seed: this.seed, folder: this.folder, at: this.#at };
    const worker = new Worker(join(import.meta.dirname, 'worker.mjs'), {
      workerData,
      resourceLimits: { maxOldGenerationSizeMb: 1500 },
    });
    return new Promise((resolve, reject) => {
      worker.once('error', reject);
      worker.once('message', () => {
        worker.off('error', reject);
        resolve(worker);
      });
    });
  }
}
