// Arrow files are read by their library in a thread of its own: of a changed file it takes lengths as they are, and goes on for as long as they say.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { packageRoot } from '../../../engine/files.js';

/** One array, whole. */
export interface ArrowArray {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
  /** As f32, or as whole numbers. */
  readonly values: Float32Array | Float64Array;
}

/** What the thread answers. */
export type Answer =
  | { readonly arrays: readonly ArrowArray[]; readonly metadata: ReadonlyMap<string, string> }
  | { readonly fault: string };

/** Memory in MB: so much, and so many times the file. */
const [LEAST_MB, GROWS] = [192, 16];
/** Time in ms once the library is loaded: so much, and so much more for each megabyte. */
const [LEAST_MS, MS_A_MB] = [10_000, 500];
const LOADS_MS = 60_000;

/** Throws what `fault` makes of a clause. */
export async function readArrow(
  path: string,
  size: number,
  fault: (what: string) => Error,
): Promise<Exclude<Answer, { fault: string }>> {
  const megabytes = size / 1e6;
  const worker = new Worker(script(), {
    workerData: path,
    execArgv: [],
    resourceLimits: { maxOldGenerationSizeMb: LEAST_MB + GROWS * megabytes },
  });
  let timer: NodeJS.Timeout | undefined;
  try {
    // Thrown here and not where the thread's messages come in, so that the error has the line of the cell that waits.
    const answer = await new Promise<Answer>(resolve => {
      const reject = (what: string) => resolve({ fault: what });
      const within = (ms: number) => {
        clearTimeout(timer);
        timer = setTimeout(() => reject('it takes far longer to read than a file of its size can'), ms);
      };
      within(LOADS_MS);
      worker.on('message', (answer: Answer | 'ready') => {
        if (answer === 'ready') within(LEAST_MS + MS_A_MB * megabytes);
        else resolve(answer);
      });
      worker.on('error', error => {
        const full = (error as NodeJS.ErrnoException).code === 'ERR_WORKER_OUT_OF_MEMORY';
        reject(full ? 'what it tells of takes far more memory than a file of its size can' : error.message);
      });
      worker.on('exit', () => reject('its reader ended'));
    });
    if ('fault' in answer) throw fault(answer.fault);
    return answer;
  } finally {
    clearTimeout(timer);
    await worker.terminate();
  }
}

/** The thread's own file as it was built. */
function script(): string {
  const beside = fileURLToPath(new URL('./arrow-worker.js', import.meta.url));
  return existsSync(beside) ? beside : join(packageRoot(), 'dist', 'lab', 'values', 'arrays', 'arrow-worker.js');
}
