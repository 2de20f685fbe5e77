// A column of a Parquet file, some rows at a time. The reader takes lengths and counts from the file as they are, and of a changed file goes on for as long
// as they say: so it runs in a thread of its own, which has so much memory and time as a file of this size can need, and can be ended.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { packageRoot } from '../../engine/files.js';
import type { Answer, Asked } from './parquet-worker.js';

/** Memory that a small file may take, in MB, and a large one at most. */
const [LEAST_MB, MOST_MB] = [192, 4096];
/** How many times its size a file may take in memory: texts are compressed, and take two bytes a letter. */
const GROWS = 32;
/** How much time of a processor an answer may take, in ms: so much, and so much more for each megabyte. */
const [LEAST_MS, MS_A_MB] = [500, 2000];
/** How often it is looked at, in ms. */
const LOOK_MS = 50;

/**
 * The columns of a file, then values of one, in the order of the rows, until it is disposed of or there are no more.
 * @param fault makes the error for what is no such file
 */
export class ParquetRows implements AsyncDisposable {
  readonly #worker: Worker;
  readonly #limit: number;
  /** What ended the thread, if something did. */
  #ended: Error | null = null;
  #told: ((answer: Answer | 'ready' | Error) => void) | null = null;

  private constructor(
    asked: Asked,
    private readonly fault: (what: string) => Error,
  ) {
    const megabytes = asked.size / 1e6;
    this.#limit = LEAST_MS + MS_A_MB * megabytes;
    this.#worker = new Worker(script(), {
      workerData: asked,
      execArgv: [],
      resourceLimits: { maxOldGenerationSizeMb: Math.min(MOST_MB, LEAST_MB + GROWS * megabytes) },
    });
    const end = (error: Error) => {
      this.#ended ??= error;
      this.#told?.(error);
    };
    this.#worker.on('message', (answer: Answer) => this.#told?.(answer));
    this.#worker.on('error', error => {
      const full = (error as NodeJS.ErrnoException).code === 'ERR_WORKER_OUT_OF_MEMORY';
      end(
        fault(
          full
            ? 'what it tells of takes far more memory than a file of its size can; a right one is read where it is written with less compression'
            : error.message,
        ),
      );
    });
    this.#worker.on('exit', () => end(fault('its reader ended')));
  }

  /** Throws what `fault` makes. */
  static async open(
    path: string,
    size: number,
    column: string,
    fault: (what: string) => Error,
  ): Promise<{ readonly rows: ParquetRows; readonly columns: readonly string[] }> {
    const rows = new ParquetRows({ path, size, column }, fault);
    try {
      await rows.#answer(() => {}, 60_000); // modules are loaded, whatever else the machine does
      const { columns = [] } = (await rows.#next()) as { columns?: readonly string[] };
      return { rows, columns };
    } catch (error) {
      await rows[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** The next values; none: there are no more. */
  async next(): Promise<readonly unknown[]> {
    const { rows = [] } = (await this.#next()) as { rows?: readonly unknown[] };
    return rows;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#worker.terminate();
  }

  async #next(): Promise<Answer> {
    const answer = await this.#answer(() => this.#worker.postMessage('more'), this.#limit);
    if ('fault' in answer) throw this.fault(answer.fault);
    return answer;
  }

  async #answer(ask: () => void, limit: number): Promise<Answer> {
    if (this.#ended) throw this.#ended;
    let timer: NodeJS.Timeout | undefined;
    try {
      const answer = await new Promise<Answer | 'ready' | Error>(resolve => {
        this.#told = resolve;
        const late = () =>
          resolve(
            this.fault(
              `what it tells of takes longer than a file of its size can (${(limit / 1000).toFixed(1)} s of a processor); a right one is read where it is written with less compression`,
            ),
          );
        // A thread's own time cannot be asked for: it is no more than the process's, of which the rest waits for this answer.
        const [began, used] = [performance.now(), process.cpuUsage()];
        timer = setInterval(() => {
          const { user, system } = process.cpuUsage(used);
          if (Math.min(performance.now() - began, (user + system) / 1000) > limit) late();
        }, LOOK_MS);
        ask();
      });
      if (answer instanceof Error) throw answer;
      return answer as Answer;
    } finally {
      clearInterval(timer);
      this.#told = null;
    }
  }
}

/** The compiled file, from wherever this one is run. */
function script(): string {
  const beside = fileURLToPath(new URL('./parquet-worker.js', import.meta.url));
  return existsSync(beside) ? beside : join(packageRoot(), 'dist', 'lab', 'values', 'parquet-worker.js');
}
