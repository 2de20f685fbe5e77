// Python's safetensors on the same inputs, in one process; nothing where it is not installed.

import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { packageRoot } from '../../engine/files.js';

interface Verdict {
  readonly tensors: Readonly<Record<string, unknown>>;
  readonly metadata: Readonly<Record<string, string>>;
}

/**
 * Inputs on which the reference says otherwise; null where it cannot be asked.
 * @param ours what the reader read of each input: null where it refused it, undefined where it did not end
 */
export async function disagreements(
  inputs: (index: number) => Buffer,
  ours: readonly unknown[],
): Promise<{ index: number; text: string }[] | null> {
  const python = join(packageRoot(), '.loupe', 'torch', 'bin', 'python');
  if (!existsSync(python)) return null;
  const child = spawn(python, [join(packageRoot(), 'golden', 'safetensors_verdict.py')], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  child.stdin.on('error', () => {}); // it ended early: the count of its answers tells
  const feed = async () => {
    for (let index = 0; index < ours.length; index++) {
      if (!child.stdin.write(`${inputs(index).toString('base64')}\n`)) {
        await new Promise(resolve => child.stdin.once('drain', resolve));
      }
    }
    child.stdin.end();
  };
  const feeding = feed();
  const found: { index: number; text: string }[] = [];
  let index = 0;
  for await (const line of createInterface({ input: child.stdout })) {
    const theirs = JSON.parse(line) as Verdict | null;
    const mine = ours[index];
    if (mine !== undefined && canonical(theirs) !== canonicalOurs(mine as Parameters<typeof canonicalOurs>[0])) {
      found.push({
        index,
        text: `reference: ${canonical(theirs).slice(0, 500)}\nours: ${canonicalOurs(mine as never).slice(0, 500)}`,
      });
    }
    index += 1;
  }
  if (index < ours.length) throw new Error(`The reference answered ${index} of ${ours.length} inputs.`);
  await feeding;
  return found;
}

const sorted = (pairs: readonly (readonly [string, unknown])[]) => [...pairs].sort(([a], [b]) => (a < b ? -1 : 1));

const canonical = (verdict: Verdict | null): string =>
  verdict === null
    ? 'refused'
    : JSON.stringify([sorted(Object.entries(verdict.tensors)), sorted(Object.entries(verdict.metadata))]);

const canonicalOurs = (verdict: { tensors: [string, unknown][]; metadata: [string, string][] } | null): string =>
  verdict === null ? 'refused' : JSON.stringify([sorted(verdict.tensors), sorted(verdict.metadata)]);
