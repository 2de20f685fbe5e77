// Ctrl-C of a command. The first asks: what runs stops at its next token, chunk or stage. A second that comes before that was done ends the process,
// whatever it does: signals reach JavaScript only between two turns of its loop, so that a thread of its own waits for the first, and gives the
// signal its system's meaning back.

import { Worker } from 'node:worker_threads';
import { fireInterrupt } from './interrupt.js';

/** For work that does not look whether it was asked to stop. */
const GRACE = 2000; // ms
const STOPPED = 130;
/** The word in shared memory that lets the thread wait for a signal again. */
const REARM = 0;

let shared: Int32Array | null = null;
let listener: (() => void) | null = null;

/** Ctrl-C asks first from when this resolves; before, it means what it means to the system. */
export async function watchCtrlC(): Promise<void> {
  shared = new Int32Array(new SharedArrayBuffer(8));
  const thread = new Worker(new URL('./ctrl-c-thread.js', import.meta.url), { workerData: shared, execArgv: [] });
  await new Promise<void>(resolve => {
    thread.on('message', said => (said === 'SIGINT' ? (listener ?? stop)() : resolve()));
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

function stop(): void {
  fireInterrupt();
  setTimeout(() => process.exit(STOPPED), GRACE).unref();
}
