// A worker: shards by their ids, one after the other, each answered when it stands. Whoever deals them may be a process on this machine or Ray on another.

import { AdapterError, BudgetError, DeviceError, Interrupted, LoupeError } from '../../engine/errors.js';
import { printable } from '../../engine/printable.js';
import { open } from '../session/open.js';
import type { Session } from '../session/session.js';
import type { Prompt, PromptFile } from '../values/prompt-file.js';
import type { Configuration } from './configurations.js';
import type { SweepPlan } from './plan.js';
import { StorageError } from './place.js';
import { runShard, type Sessions } from './run-shard.js';
import { promptFile, type Shard } from './shards.js';
import type { Sweep } from './sweep.js';
import { zstdReady } from './zstd.js';

/** What a worker says of a shard. */
export type Answer =
  | {
      readonly shard: string;
      readonly rows: number;
      readonly bytes: number;
      readonly tokens: number;
      readonly seconds: number;
      /** It stood before. */
      readonly already?: true;
    }
  | {
      readonly shard: string;
      /** A sentence. */
      readonly error: string;
      /** Whether it may go well another time. */
      readonly retry: boolean;
      /** It is the storage, and so for all shards: at once where it is not to be tried again, a full disk, else when it stays so. */
      readonly forAll?: true;
    };

/** Runs shards of a sweep, and keeps its model open and its place in the file of prompts from one to the next. */
export class Worker {
  readonly #byId: ReadonlyMap<string, Shard>;
  #open: ({ readonly configuration: number } & Sessions) | null = null;
  #cursor: Cursor | null = null;

  constructor(
    private readonly sweep: Sweep,
    /** Where the plan does not say. */
    private readonly adapter?: string,
  ) {
    this.#byId = new Map(sweep.shards.map(shard => [shard.shard, shard]));
  }

  /** Runs one, unless it stands. Throws what `signal` is aborted by alone. */
  async run(id: string, signal?: AbortSignal, onPrompt?: (done: number) => void): Promise<Answer> {
    try {
      const shard = this.#byId.get(id);
      if (!shard)
        return { shard: id, error: `There is no shard '${printable(id)}' in ${this.sweep.plan.path}.`, retry: false };
      const before = await this.sweep.store.record(id);
      const { rows, bytes, tokens, seconds } = before ?? (await this.#make(shard, signal, onPrompt));
      return { shard: id, rows, bytes, tokens, seconds, ...(before && { already: true as const }) };
    } catch (error) {
      if (signal?.aborted || error instanceof Interrupted) throw error;
      const known = error instanceof LoupeError;
      const message = error instanceof Error ? error.message : String(error);
      return {
        shard: id,
        error: known ? message : `This is a defect of Loupe, please report it: ${printable(message)}`,
        // What a device does may be another matter elsewhere; what is wrong with a plan or a prompt is not.
        retry:
          error instanceof DeviceError ||
          error instanceof AdapterError ||
          error instanceof BudgetError ||
          (error instanceof StorageError && error.retry) ||
          !known,
        ...(error instanceof StorageError && error.forAll && { forAll: true as const }),
      };
    }
  }

  async #make(shard: Shard, signal?: AbortSignal, onPrompt?: (done: number) => void) {
    await zstdReady();
    const sessions = await this.#sessions(shard);
    this.#cursor ??= new Cursor(promptFile(this.sweep.plan));
    const prompts = await this.#cursor.read(shard.from, shard.to);
    try {
      return await runShard(sessions, shard, prompts, this.sweep, { signal, onPrompt });
    } catch (error) {
      // A device that is lost does not come back by itself.
      if (error instanceof DeviceError) this.#close();
      throw error;
    }
  }

  async #sessions(shard: Shard): Promise<Sessions> {
    if (this.#open?.configuration === shard.configuration) return this.#open;
    this.#close();
    const { keep } = this.sweep.plan;
    const session = await openFor(this.sweep.plan, shard, this.adapter);
    const against = keep.against.length > 0 && shard.configuration > 0;
    try {
      const reference = against ? await openFor(this.sweep.plan, this.sweep.configurations[0], this.adapter) : null;
      this.#open = { configuration: shard.configuration, session, reference };
    } catch (error) {
      session[Symbol.dispose]();
      throw error;
    }
    return this.#open;
  }

  #close(): void {
    this.#open?.session[Symbol.dispose]();
    this.#open?.reference?.[Symbol.dispose]();
    this.#open = null;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#close();
    await this.#cursor?.close();
  }
}

/** The session of a configuration, beside others that are open. */
export function openFor(
  { context, tokenizer }: SweepPlan,
  { model, adapter, quantise, activations, cache }: Configuration,
  otherwise?: string,
): Promise<Session> {
  return open(model, {
    adapter: adapter ?? otherwise,
    ...(quantise && { quantise }),
    activations,
    cache,
    ...(context !== null && { context }),
    ...(tokenizer !== null && { tokenizer }),
    another: true,
    quiet: true,
  });
}

/** A place in a file of prompts. Shards come in the file's order, so that it is read once for a configuration and not once for a shard. */
class Cursor {
  #rows: AsyncGenerator<() => Prompt, void, void> | null = null;
  #place = 0;

  constructor(private readonly file: PromptFile) {}

  /** The prompts of a range, fewer where the file ends. */
  async read(from: number, to: number): Promise<Prompt[]> {
    if (this.#rows === null || this.#place > from) {
      await this.close();
      this.#rows = this.file.each();
      this.#place = 0;
    }
    const out: Prompt[] = [];
    try {
      while (this.#place < to) {
        const next = await this.#rows.next();
        if (next.done) break;
        if (this.#place++ >= from) out.push(next.value());
      }
    } catch (error) {
      this.#rows = null; // it has ended with that, and the next shard begins anew
      throw error;
    }
    return out;
  }

  async close(): Promise<void> {
    await this.#rows?.return();
    this.#rows = null;
  }
}
