// What runs in llama.ts's process: llama.cpp's code for a CPU or a GPU, asked line by line as process.ts says.
//
//     node llama-process.js FOLDER model.gguf THREADS LENGTH cpu|vulkan|metal

import { createInterface } from 'node:readline';
import { performance } from 'node:perf_hooks';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

/** What is used of node-llama-cpp. */
interface Sequence {
  readonly nextTokenIndex: number;
  takeCheckpoint(): Promise<void>;
  eraseContextTokenRanges(ranges: readonly { readonly start: number; readonly end: number }[]): Promise<void>;
  clearHistory(): Promise<void>;
  evaluate(
    ids: readonly number[],
    options: { temperature: number; yieldEogToken: boolean },
  ): AsyncGenerator<number, void>;
  evaluateWithoutGeneratingNewTokens(ids: readonly number[]): Promise<void>;
}
interface Llama {
  readonly llamaCppRelease: { readonly release: string };
  loadModel(options: { modelPath: string; gpuLayers: number | 'max' }): Promise<{
    createContext(options: {
      contextSize: number;
      batchSize: number;
      threads: number;
      sequences: number;
    }): Promise<{ getSequence(): Sequence }>;
  }>;
}
interface Package {
  getLlama(options: {
    gpu: false | string;
    build: 'never';
    maxThreads: number;
    progressLogs: boolean;
    logLevel: string;
  }): Promise<Llama>;
}

const [folder, modelPath, threads, length, code] = process.argv.slice(2);
const gpu = code === 'cpu' ? false : code;
const BATCH = 512; // llama.cpp's own, of tokens that are computed at once
const say = (what: object) => process.stdout.write(`${JSON.stringify(what)}\n`);

const entry = join(folder, 'node_modules', 'node-llama-cpp', 'dist', 'index.js');
const { getLlama } = (await import(pathToFileURL(entry).href)) as Package;
const own = { gpu, build: 'never', progressLogs: false, logLevel: 'error' } as const;
const llama = await getLlama({ ...own, maxThreads: Number(threads) });
const model = await llama.loadModel({ modelPath, gpuLayers: gpu ? 'max' : 0 });
const sizes = { contextSize: Number(length), batchSize: BATCH, threads: Number(threads), sequences: 1 };
const sequence = (await model.createContext(sizes)).getSequence();
let next = 0;

/** Reads ids and makes tokens greedily: the time of each. */
async function made(ids: readonly number[], tokens: number): Promise<number[]> {
  const times: number[] = [];
  let before = performance.now();
  for await (const token of sequence.evaluate(ids, { temperature: 0, yieldEogToken: true })) {
    const now = performance.now();
    times.push(now - before);
    [next, before] = [token, now];
    if (times.length === tokens) break; // the last is not read
  }
  return times;
}

/** Tokens that are forgotten again. A sliding layer's are brought back from a checkpoint, or else the package reads them again. */
async function forgotten(tokens: number): Promise<number[]> {
  const before = { next, held: sequence.nextTokenIndex };
  await sequence.takeCheckpoint();
  const times = await made([next], tokens);
  await sequence.eraseContextTokenRanges([{ start: before.held, end: sequence.nextTokenIndex }]);
  next = before.next;
  return times;
}

say({
  peer: `llama.cpp ${llama.llamaCppRelease.release} (node-llama-cpp), ${{ cpu: 'CPU', vulkan: 'Vulkan', metal: 'Metal' }[code]}`,
  threads: Number(threads),
});
for await (const line of createInterface({ input: process.stdin })) {
  const asked = JSON.parse(line) as { prefill?: number[]; read?: number[]; decode?: number };
  if (asked.prefill) {
    await sequence.clearHistory();
    say({ ms: await made(asked.prefill, 1) });
  } else if (asked.read) {
    await sequence.evaluateWithoutGeneratingNewTokens(asked.read);
    say({ ms: [] });
  } else say({ ms: await forgotten(asked.decode!) });
}
process.exit(0);
