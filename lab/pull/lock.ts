// One file, fetched by one process at a time. Node has no flock, so that a lock is a file that its holder keeps fresh: one that was left by a process
// that is gone, here or on another machine that shares the disk, is taken over.

import { randomUUID } from 'node:crypto';
import { linkSync, readFileSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';

const FRESH = 5000; // ms between two signs of life
const STALE = 60_000; // ms without one
const LOOK = 200;

/** Waits until nobody else holds `path`; calls `waiting` meanwhile. Released when disposed of. */
export async function lock(path: string, signal?: AbortSignal, waiting: () => void = () => {}): Promise<Disposable> {
  const own = JSON.stringify({ host: hostname(), pid: process.pid, id: randomUUID() });
  for (;;) {
    signal?.throwIfAborted();
    try {
      writeFileSync(path, own, { flag: 'wx' });
      break;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    const left = text(path);
    if (left !== null && abandoned(path, left)) takeAway(path, left);
    else {
      waiting();
      await sleep(LOOK, undefined, { signal }).catch(() => signal?.throwIfAborted());
    }
  }
  const life = setInterval(() => {
    const now = new Date();
    try {
      utimesSync(path, now, now);
    } catch {} // it was taken away; the hash of the file will tell
  }, FRESH).unref();
  return {
    [Symbol.dispose]() {
      clearInterval(life);
      if (text(path) === own) rmSync(path, { force: true });
    },
  };
}

function abandoned(path: string, left: string): boolean {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (!stat) return false;
  if (Date.now() - stat.mtimeMs > STALE) return true;
  try {
    const { host, pid } = JSON.parse(left) as { host: string; pid: number };
    if (host !== hostname()) return false;
    process.kill(pid, 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH'; // not what is half written
  }
}

/** By another name first: of two that find it abandoned, one gets it. */
function takeAway(path: string, left: string): void {
  const aside = `${path}.${randomUUID()}`;
  try {
    renameSync(path, aside);
    if (text(aside) !== left) linkSync(aside, path); // the lock of one that was quicker: put back
    rmSync(aside, { force: true });
  } catch {} // another was first
}

function text(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}
