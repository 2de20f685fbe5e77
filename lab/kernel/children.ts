// What a child process writes to the output it inherits, and what a cell writes to descriptor 1 or 2, is the cell's. The kernel's own two
// descriptors belong to Jupyter's log, where nobody looks; so a child gets pipes, which are read into the cell that started it.

import childProcess, { ChildProcess } from 'node:child_process';
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import type { CellOutput } from './output.js';

type Name = 'stdout' | 'stderr';
type Chunk = string | Uint8Array;
interface Options {
  stdio?: unknown;
  maxBuffer?: number;
}
type Call = (this: unknown, ...given: unknown[]) => unknown;

/**
 * @param cell whose output it is
 * @param waiting around each call that waits for its child
 */
export function captureChildren(cell: () => CellOutput | null, waiting: <T>(call: () => T) => T): void {
  const process_ = ChildProcess.prototype as unknown as { spawn: Call };
  const own = process_.spawn;
  process_.spawn = function (options) {
    const output = cell();
    const { stdio, to } = piped((options as Options).stdio);
    if (!output || to.size === 0) return own.call(this, options);
    const failed = own.call(this, { ...(options as Options), stdio });
    const child = this as unknown as Record<Name, NodeJS.ReadableStream | null> & { stdio: unknown[] };
    for (const [at, name] of to) {
      const stream = child.stdio[at] as NodeJS.ReadableStream | null | undefined;
      stream?.on('data', (chunk: Chunk) => output.write(name, chunk));
      // As Node has it for what is inherited.
      child.stdio[at] = null;
      child[at === 1 ? 'stdout' : 'stderr'] = null;
    }
    return failed;
  };
  const module = childProcess as unknown as Record<string, Call>;
  module.spawnSync = synchronous(module.spawnSync, cell, waiting, (result, to, write) => {
    const { output, ...streams } = result as { output: (Chunk | null)[] | null } & Record<Name, Chunk | null>;
    for (const [at, name] of to) write(name, output?.[at]);
    const left = output?.map((chunk, at) => (to.has(at) ? null : chunk)) ?? output;
    return { ...streams, output: left, stdout: left?.[1] ?? null, stderr: left?.[2] ?? null };
  });
  for (const name of ['execSync', 'execFileSync']) {
    module[name] = synchronous(module[name], cell, waiting, (result, to, write) => {
      if (!to.has(1)) return result;
      write(to.get(1)!, result as Chunk);
      return null;
    });
  }
  const files = fs as unknown as Record<string, Call>;
  const { writeSync, write } = files;
  files.writeSync = (fd, chunk, ...where) => {
    const part = written(fd, chunk, where);
    const output = part && cell();
    if (!part || !output) return writeSync(fd, chunk, ...where);
    output.write(fd === 1 ? 'stdout' : 'stderr', part);
    return Buffer.byteLength(part);
  };
  files.write = (fd, chunk, ...where) => {
    const done = where.at(-1);
    const part = typeof done === 'function' && written(fd, chunk, where.slice(0, -1));
    const output = part && cell();
    if (!part || !output) return write(fd, chunk, ...where);
    output.write(fd === 1 ? 'stdout' : 'stderr', part);
    queueMicrotask(() => (done as Call)(null, Buffer.byteLength(part), chunk));
  };
  syncBuiltinESMExports();
}

/** `stdio` with pipes in place of what is inherited, and where these lead. */
function piped(stdio: unknown): { readonly stdio: unknown[]; readonly to: Map<number, Name> } {
  const given = Array.isArray(stdio) ? [...stdio] : [stdio, stdio, stdio];
  const to = new Map<number, Name>();
  for (const at of [1, 2]) {
    const wanted = given[at];
    const inherited = wanted === 'inherit' ? at : ((wanted as { fd?: unknown } | null | undefined)?.fd ?? wanted);
    if (inherited !== 1 && inherited !== 2) continue;
    to.set(at, inherited === 1 ? 'stdout' : 'stderr');
    given[at] = 'pipe';
  }
  return { stdio: given, to };
}

/** A call that waits for its child: what the child wrote is shown when it has ended, or failed. */
function synchronous(
  own: Call,
  cell: () => CellOutput | null,
  waiting: (call: () => unknown) => unknown,
  after: (result: unknown, to: Map<number, Name>, write: (name: Name, chunk?: Chunk | null) => void) => unknown,
): Call {
  const call: Call = (...given) => waiting(() => own(...given));
  return (...given) => {
    const at = given.findIndex(part => typeof part === 'object' && part !== null && !Array.isArray(part));
    const options = given[at] as Options | undefined;
    const { stdio, to } = piped(options?.stdio);
    const output = cell();
    if (!output || to.size === 0) return call(...given);
    const write = (name: Name, chunk?: Chunk | null) => chunk && chunk.length > 0 && output.write(name, chunk);
    const passed = [...given];
    // Node passes on what a child says on stderr where nothing was said of its output.
    const silent = own.name !== 'spawnSync' && to.get(2) === 'stderr';
    passed[at] = { maxBuffer: Number.POSITIVE_INFINITY, ...options, stdio: silent ? undefined : stdio };
    let result: unknown;
    try {
      result = call(...passed);
    } catch (error) {
      const { stdout, stderr } = error as Partial<Record<Name, Chunk>>;
      if (to.has(1)) write(to.get(1)!, stdout);
      if (to.has(2) && !silent) write(to.get(2)!, stderr);
      throw error;
    }
    return after(result, to, write);
  };
}

/** What a call of write puts on descriptor 1 or 2; null for any other. */
function written(fd: unknown, chunk: unknown, where: readonly unknown[]): Chunk | null {
  if (fd !== 1 && fd !== 2) return null;
  if (typeof chunk === 'string') return chunk;
  if (!ArrayBuffer.isView(chunk)) return null;
  const bytes = new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength);
  const options =
    typeof where[0] === 'object' && where[0] !== null ? (where[0] as { offset?: number; length?: number }) : null;
  const from = Number(options ? (options.offset ?? 0) : (where[0] ?? 0));
  const length = Number((options ? options.length : where[1]) ?? bytes.length - from);
  return bytes.subarray(from, from + length);
}
