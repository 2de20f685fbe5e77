// A kernel that dies says nothing: V8 ends the process where memory is out, and the system kills it. Jupyter starts another one with the
// same connection file, and this one tells what it knows of the one before.

import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { getHeapStatistics } from 'node:v8';
import { cacheFolder } from '../../engine/cache.js';
import { makeFolder } from '../../engine/make-folder.js';
import { bytesText } from '../values/numbers.js';
import { attempt } from '../values/plain.js';

/** ms after which the mark of a kernel that is gone is taken away. */
const OLD = 24 * 3600 * 1000;

export interface Predecessor {
  /** Where this kernel says that it runs; whoever shuts it down removes it. */
  readonly mark: string;
  /** How the kernel before this one ended, where it was not shut down. */
  readonly told: string | null;
}

/** Marks this kernel as running. Never throws: a disk that is full or read-only takes nobody's session. */
export function predecessor(
  connectionFile: string,
  folder = attempt(() => join(cacheFolder(), 'running')) ?? null,
): Predecessor {
  if (folder === null) return { mark: '', told: null };
  const mark = join(folder, basename(connectionFile));
  const report = `${basename(connectionFile)}.report`;
  let told: string | null = null;
  attempt(() => {
    makeFolder(folder, 0o700);
    sweep(folder);
    const before = Number(attempt(() => readFileSync(mark, 'utf8')));
    if (before > 0 && before !== process.pid && !lives(before)) told = ending(join(folder, report));
    rmSync(join(folder, report), { force: true });
    writeFileSync(mark, String(process.pid), { mode: 0o600 });
    // Node writes it when V8 gives up; nothing in it but the reason is read.
    Object.assign(process.report!, { reportOnFatalError: true, directory: folder, filename: report, excludeEnv: true });
  });
  return { mark, told };
}

function ending(report: string): string {
  const event = attempt(() => JSON.parse(readFileSync(report, 'utf8')).header.event as unknown);
  const memory = typeof event === 'string' && /memory|Allocation/.test(event);
  const limit = bytesText(getHeapStatistics().heap_size_limit);
  return memory
    ? `The kernel before this one ended because its values needed more memory than the ${limit} that Node has for them; its variables are gone. Keep large data in typed arrays, which do not count, or start Jupyter with NODE_OPTIONS=--max-old-space-size=… (in MB).`
    : 'The kernel before this one ended without being shut down: something was larger than Node can make, memory ran out, or it was killed. Its variables are gone.';
}

function sweep(folder: string): void {
  for (const name of readdirSync(folder)) {
    const path = join(folder, name);
    const old = Date.now() - (attempt(() => statSync(path).mtimeMs) ?? Date.now()) > OLD;
    if (old && !lives(Number(attempt(() => readFileSync(path, 'utf8'))))) attempt(() => rmSync(path));
  }
}

function lives(id: number): boolean {
  try {
    return id > 0 && process.kill(id, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
