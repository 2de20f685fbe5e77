// Waiting for the GPU, here and nowhere else. While a promise of the package is pending it runs the event loop hot, and software adapters compute on the
// same cores: that alone made them 1.6 times slower. So a map is asked for, given up after a moment and asked for again, with sleep between; and where the
// waits before were long, half of one is slept before it is asked for at all.

import type { Traits } from './traits.js';

/** How long work is waited for hot, in ms: timers count whole milliseconds, and a GPU of its own loses nothing by a hot loop. */
export const hotFor = ({ software }: Pick<Traits, 'software'>): number => (software ? 4 : 100);
/** The longest sleep, so that Stop and sockets stay quick and nothing is told late. */
const LONGEST = 20; // ms
/** Of the time waited so far, what may be slept in one piece: nothing comes later by more than that. */
const SHARE = 1 / 16;
const TURNS = 3;

/**
 * Maps a buffer for reading once the GPU is done with it. Rejects as `mapAsync` does.
 * @param hot ms, as of hotFor
 * @param idle whether nobody waits any more, so that the process may end meanwhile
 * @param expected ms that it will take at least, as far as is known
 */
export async function mapWhenDone(buffer: GPUBuffer, hot: number, idle = () => false, expected = 0): Promise<void> {
  const began = performance.now();
  if (expected > hot) {
    await sleep(Math.min(LONGEST, expected / 2), idle());
    if (await tryMap(buffer)) return;
  } else if (await hotly(buffer, hot)) return;
  do await sleep(Math.min(LONGEST, (performance.now() - began) * SHARE), idle());
  while (!(await tryMap(buffer, untilTold)));
}

/** Maps a buffer if the GPU is done with it within so many ms, in a hot loop. */
async function hotly(buffer: GPUBuffer, ms: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const moment = new Promise<void>(resolve => {
    timer = setTimeout(resolve, ms);
  });
  try {
    return await tryMap(buffer, () => moment);
  } finally {
    clearTimeout(timer);
  }
}

/** Maps a buffer if the GPU is done with it by the time `moment` ends; gives up otherwise. */
export async function tryMap(buffer: GPUBuffer, moment: (open: () => boolean) => Promise<void> = untilTold) {
  const map: { done: boolean; failure?: unknown } = { done: false };
  const mapped = buffer.mapAsync(GPUMapMode.READ).then(
    () => {
      map.done = true;
    },
    failure => {
      map.failure = failure;
    },
  );
  await Promise.race([mapped, moment(() => !map.done && map.failure === undefined)]);
  if (map.failure !== undefined) throw map.failure;
  if (map.done) return true;
  buffer.unmap();
  await mapped;
  return false;
}

/** The turns of the event loop in which a map that is ready is told. */
async function untilTold(open: () => boolean): Promise<void> {
  for (let turn = 0; turn < TURNS && open(); turn++) await new Promise<void>(resolve => setImmediate(resolve));
}

function sleep(ms: number, idle: boolean): Promise<void> {
  return new Promise(resolve => {
    const timer = setTimeout(resolve, ms);
    if (idle) timer.unref();
  });
}
