// Ctrl-C of a command. The first asks: what runs stops at its next token, chunk or stage. A second that comes before that was done ends the process,
// whatever it does: signals reach JavaScript only between two turns of its loop, so that a thread of its own waits for the first, and gives the
// signal its system's meaning back. It ends a process itself that is too busy to hear of the first.

import { Worker } from 'node:worker_threads';
import { removeUnfinished } from '../values/unfinished.js';
import { fireInterrupt } from './interrupt.js';

/** For work that does not look whether it was asked to stop. */
const GRACE = 2000; // ms
const STOPPED = 130;
/** Words in shared memory: one lets the thread wait for a signal again, one tells it that somebody deals with the last. */
const [REARM, HEARD] = [0, 2];

let shared: Int32Array | null = null;
let listener: (() => void) | null = null;

/** Ctrl-C asks first from when this resolves; before, it means what it means to the system. */
export async function watchCtrlC(): Promise<void> {
  shared = new Int32Array(new SharedArrayBuffer(12));
  const thread = new Worker(new URL('./ctrl-c-thread.js', import.meta.url), { workerData: shared, execArgv: [] });
  await new Promise<void>(resolve => {
    thread.on('message', said => (said === 'SIGINT' ? heard() : resolve()));
    thread.on('error', () => resolve()); // then it stays the system's
  });
  thread.unref();
}

/** Whose the next Ctrl-C is, instead of ending the command: a chat's. It says when it has done as asked: `rearmCtrlC`. */
export function onCtrlC(heard: (() => void) | null): void {
  listener = heard;
}

/** The one before was answered: the next asks again. */
export function rearmCtrlC(): void {
  if (shared === null) return;
  Atomics.store(shared, REARM, 1);
  Atomics.notify(shared, REARM);
}

function heard(): void {
  if (listener === null) {
    stop();
    return;
  }
  if (shared !== null) Atomics.store(shared, HEARD, 1);
  listener();
}

function stop(): void {
  fireInterrupt();
  removeUnfinished(); // a second signal leaves no time for it
  setTimeout(() => process.exit(STOPPED), GRACE).unref();
}
