// The thread of ctrl-c.ts. `breakOnSigint` is Node's way to hear SIGINT while JavaScript runs: a script that waits is broken off by it, and from its
// end to its next beginning the signal ends the process, with the terminal as it was found.

import { Script } from 'node:vm';
import { parentPort, workerData } from 'node:worker_threads';

// As in ctrl-c.ts, which is not imported: this thread begins sooner without.
const [REARM, NEVER, HEARD] = [0, 1, 2];
/** ms that the main thread has to hear of it: twice what it gives to what runs. */
const GRACE = 4000;
const shared = workerData as Int32Array;
Object.assign(globalThis, { waitForSignal: () => Atomics.wait(shared, NEVER, 0) });
const waiting = new Script('waitForSignal()');
parentPort?.postMessage('ready');
for (;;) {
  try {
    waiting.runInThisContext({ breakOnSigint: true });
  } catch {} // the signal
  Atomics.store(shared, HEARD, 0);
  parentPort?.postMessage('SIGINT');
  // JavaScript that is busy hears nothing and ends nothing: then the signal does, as a second one would.
  if (Atomics.wait(shared, REARM, 0, GRACE) === 'timed-out' && Atomics.load(shared, HEARD) === 0)
    process.kill(process.pid, 'SIGINT');
  Atomics.wait(shared, REARM, 0);
  Atomics.store(shared, REARM, 0);
}
