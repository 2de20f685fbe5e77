// PyTorch on the same model, in a process of its own that is asked in turn with ours (golden/bench_torch.py).

import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { LoupeError } from '../../engine/errors.js';
import { packageRoot } from '../../engine/files.js';

/** PyTorch is not there, or does not open the model. */
export class PeerError extends LoupeError {}

/** Somebody else who runs the same model. Times in milliseconds. */
export interface Peer {
  /** Who, in which version and arithmetic, with how many threads. */
  readonly name: string;
  /** Reads a prompt into an empty cache. */
  prefill(ids: readonly number[]): Promise<number>;
  /** Goes on greedily: the time of each token. */
  decode(tokens: number): Promise<number[]>;
  close(): void;
}

/** @param path a .gguf, or a folder of Hugging Face's layout. Throws PeerError with the cure. */
export async function startTorch(path: string): Promise<Peer> {
  const own = join(packageRoot(), '.loupe', 'torch', 'bin', 'python');
  const python = process.env.LOUPE_TORCH ?? (existsSync(own) ? own : 'python3');
  const model = statSync(path).isDirectory() ? ['--model', path] : ['--gguf', path];
  const child = spawn(python, [join(packageRoot(), 'golden', 'bench_torch.py'), ...model]);
  const kill = () => void child.kill('SIGKILL');
  process.once('exit', kill); // a long answer would outlive an interrupted bench
  child.once('exit', () => process.off('exit', kill));
  const answers = lines(child);
  try {
    const { peer, threads } = (await answers.next()) as { peer: string; threads: number };
    const ask = async (what: object) => {
      child.stdin.write(`${JSON.stringify(what)}\n`);
      return ((await answers.next()) as { ms: number[] }).ms;
    };
    return {
      name: `${peer}, ${threads} threads`,
      prefill: async ids => (await ask({ prefill: ids }))[0],
      decode: tokens => ask({ decode: tokens }),
      close: () => void child.kill(),
    };
  } catch (error) {
    child.kill();
    throw error;
  }
}

/** The process's answers, one a line. Throws PeerError when it ends. */
function lines(child: ChildProcessWithoutNullStreams) {
  const read = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  let said = '';
  child.stderr.on('data', data => {
    said = `${said}${data}`.slice(-2000);
  });
  const failed = new Promise<never>((_, reject) => {
    child.on('error', error => reject(new PeerError(`PyTorch could not be started: ${error.message}. ${CURE}`)));
  });
  failed.catch(() => {}); // told by the next answer
  child.stdin.on('error', () => {}); // as is an end of the process
  return {
    async next(): Promise<unknown> {
      const { value, done } = await Promise.race([read.next(), failed]);
      if (!done) return JSON.parse(value);
      const last = said.trim().split('\n').at(-1) ?? '';
      throw new PeerError(`PyTorch ended${last ? `: ${last}` : ' without a word'}. ${CURE}`);
    },
  };
}

const CURE =
  'It runs in .loupe/torch or where LOUPE_TORCH points (a python): python3 -m venv .loupe/torch, .loupe/torch/bin/pip install torch==2.13.0, then .loupe/torch/bin/pip install -r golden/requirements.txt.';
