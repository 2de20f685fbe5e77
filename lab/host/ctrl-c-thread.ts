// The thread of ctrl-c.ts. `breakOnSigint` is Node's way to hear SIGINT while JavaScript runs: a script that waits is broken off by it, and from its
// end to its next beginning the signal ends the process, with the terminal as it was found.

import { Script } from 'node:vm';
import { parentPort, workerData } from 'node:worker_threads';

// As in ctrl-c.ts, which is not imported: this thread begins sooner without.
const [REARM, NEVER] = [0, 1];
const shared = workerData as Int32Array;
Object.assign(globalThis, { waitForSignal: () => Atomics.wait(shared, NEVER, 0) });
const waiting = new Script('waitForSignal()');
parentPort?.postMessage('ready');
for (;;) {
  try {
    waiting.runInThisContext({ breakOnSigint: true });
  } catch {} // the signal
  parentPort?.postMessage('SIGINT');
  Atomics.wait(shared, REARM, 0);
  Atomics.store(shared, REARM, 0);
}
