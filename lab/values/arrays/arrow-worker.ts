// What runs in arrow-thread.ts's thread: a file read whole, and every array in it.

import { readFileSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import { arrowArrays } from './arrow-rows.js';
import type { Answer } from './arrow-thread.js';

parentPort!.postMessage('ready');
parentPort!.postMessage(answer());

function answer(): Answer {
  try {
    const { arrays, metadata } = arrowArrays(
      new Uint8Array(readFileSync(workerData as string)),
      what => new Error(what),
    );
    const read = [...arrays].map(([name, { dtype, shape, values }]) => {
      const own = values();
      return { name, dtype, shape, values: own instanceof Float32Array ? own : Float64Array.from(own) };
    });
    return { arrays: read, metadata };
  } catch (error) {
    return { fault: error instanceof Error ? error.message.slice(0, 300) : String(error) };
  }
}
