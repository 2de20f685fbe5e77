// A worker in a process of its own, `loupe sweep PLAN --worker`, asked and answered by lines.

import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { packageRoot } from '../../engine/files.js';
import { printable } from '../../engine/printable.js';
import type { Answer } from './worker.js';

/** Whoever runs shards: this process, or another. */
export interface ShardRunner {
  run(id: string, signal?: AbortSignal, onPrompt?: (done: number) => void): Promise<Answer>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** Milliseconds that a process has to take away what it was writing, before it is killed outright. */
const GRACE = 5000;
/** What a command ends with that was refused. */
const BAD_INPUT = 2;

/** A process that is started with the first shard, and again after it ended. */
export class WorkerProcess implements ShardRunner {
  #child: ChildProcessWithoutNullStreams | null = null;
  #lines: AsyncIterator<string> | null = null;
  #said = '';
  #answered = false;

  constructor(
    private readonly plan: string,
    private readonly adapter?: string,
    /** Seconds that a shard may take, the first with the start and the model. */
    private readonly deadline?: number,
  ) {}

  async run(id: string, signal?: AbortSignal): Promise<Answer> {
    const lines = this.#start();
    const child = this.#child!;
    const { deadline } = this;
    let late = false;
    const timers: NodeJS.Timeout[] = [];
    const end = () => {
      late = true;
      child.kill();
      timers.push(setTimeout(() => child.kill('SIGKILL'), GRACE));
    };
    if (deadline !== undefined) timers.push(setTimeout(end, deadline * 1000));
    const stop = () => void child.kill();
    signal?.addEventListener('abort', stop, { once: true });
    try {
      child.stdin.write(`${JSON.stringify({ shard: id })}\n`);
      const { value, done } = await lines.next();
      signal?.throwIfAborted();
      if (!done) {
        this.#answered = true;
        return JSON.parse(value) as Answer;
      }
      if (child.exitCode === null && child.signalCode === null && child.pid !== undefined) await once(child, 'exit');
    } finally {
      signal?.removeEventListener('abort', stop);
      for (const timer of timers) clearTimeout(timer);
    }
    this.#child = null;
    if (late)
      return {
        shard: id,
        error: `Its worker did not answer within ${deadline} s, and was ended. Give it a longer --deadline, or look why it hangs.`,
        retry: true,
      };
    const last = printable(this.#said.trim().split('\n').at(-1) ?? '').replace(/^loupe: /, '');
    // One that was refused before its first shard would be refused before every other.
    if (child.exitCode === BAD_INPUT && !this.#answered && last)
      return { shard: id, error: last, retry: false, forAll: true };
    return { shard: id, error: `Its worker ended${last ? `: ${last}` : ' without a word.'}`, retry: true };
  }

  #start(): AsyncIterator<string> {
    if (this.#child !== null) return this.#lines!;
    const adapter = this.adapter ? ['--adapter', this.adapter] : [];
    const child = spawn(process.execPath, [script(), 'sweep', this.plan, '--worker', ...adapter]);
    const kill = () => void child.kill('SIGKILL');
    process.once('exit', kill);
    child.once('exit', () => process.off('exit', kill));
    child.on('error', error => {
      this.#said = error.message;
    });
    child.stdin.on('error', () => {}); // its end is told by its last line
    child.stderr.on('data', data => {
      this.#said = `${this.#said}${data}`.slice(-2000);
    });
    this.#child = child;
    this.#said = '';
    this.#answered = false;
    this.#lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    return this.#lines;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const child = this.#child;
    this.#child = null;
    if (child === null || child.exitCode !== null || child.signalCode !== null) return;
    await new Promise<void>(resolve => {
      child.once('exit', () => resolve());
      child.stdin.end();
    });
  }
}

/** The compiled command, from wherever this file is run. */
function script(): string {
  const beside = fileURLToPath(new URL('../cli/loupe.js', import.meta.url));
  return existsSync(beside) ? beside : join(packageRoot(), 'dist', 'lab', 'cli', 'loupe.js');
}
