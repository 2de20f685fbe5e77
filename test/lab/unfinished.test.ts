// What is written aside goes with the process that wrote it, whichever way that is ended but by SIGKILL.

import { spawn } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeEach, expect, test } from 'vitest';
import { packageRoot } from '../../engine/files.js';
import { freshFolder } from '../fixtures/folder.js';

const cli = join(packageRoot(), 'dist/lab/cli/loupe.js');
const module = JSON.stringify(join(packageRoot(), 'dist/lab/values/write-file.js'));
let folder: string;
beforeEach(() => {
  folder = freshFolder();
});

/** Runs a program until there is something in the folder, then does this to it. */
async function ended(args: readonly string[], end: (kill: (signal: NodeJS.Signals) => void) => unknown) {
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'ignore'] });
  const over = new Promise<[number | null, string | null]>(resolve =>
    child.on('close', (code, signal) => resolve([code, signal])),
  );
  const isOver = over.then(() => true);
  while (!readdirSync(folder).some(name => name.endsWith('.part'))) {
    if (await Promise.race([isOver, sleep(5)])) throw new Error('It ended before it wrote.');
  }
  await end(signal => child.kill(signal));
  return over;
}

/** A program that writes aside, and then does as this says. */
const writer = (then: string) => [
  '--input-type=module',
  '-e',
  `import { writeAside, writeWhole } from ${module};
   const path = ${JSON.stringify(join(folder, 'a.txt'))};
   ${then}`,
];

test.each(['SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGALRM', 'SIGVTALRM', 'SIGXCPU', 'SIGUSR2', 'SIGIO', 'SIGPWR'] as const)(
  '%s takes the part away, and ends the process as it does',
  async signal => {
    writeFileSync(join(folder, 'a.txt'), 'before');
    const waiting = writer(
      `const file = writeAside(path); file.write('after'); await new Promise(r => setTimeout(r, 60000));`,
    );
    expect(await ended(waiting, kill => kill(signal))).toEqual([null, signal]);
    expect(readdirSync(folder)).toEqual(['a.txt']);
    expect(readFileSync(join(folder, 'a.txt'), 'utf8')).toBe('before');
  },
);

test('a signal that comes while a file is written in one go ends the process when that is done', async () => {
  const busy = writer(`
    function* slowly() { const until = Date.now() + 1500; yield 'whole'; while (Date.now() < until); }
    setTimeout(() => {
      writeWhole(path, slowly());
      setTimeout(() => {}, 60000);
    });`);
  expect(await ended(busy, kill => kill('SIGTERM'))).toEqual([null, 'SIGTERM']);
  expect(readdirSync(folder)).toEqual(['a.txt']);
  expect(readFileSync(join(folder, 'a.txt'), 'utf8')).toBe('whole');
});

test('process.exit takes it away too; a program that hears the signal itself decides', async () => {
  const exits = writer(`writeAside(path).write('x'); setTimeout(() => process.exit(3), 300);`);
  expect(await ended(exits, () => {})).toEqual([3, null]);
  expect(readdirSync(folder)).toEqual([]);
  const decides = writer(`
    const file = writeAside(path);
    file.write('whole');
    process.on('SIGTERM', () => { file.commit(); process.exitCode = 5; clearTimeout(wait); });
    const wait = setTimeout(() => {}, 60000);`);
  expect(await ended(decides, kill => kill('SIGTERM'))).toEqual([5, null]);
  expect(readdirSync(folder)).toEqual(['a.txt']);
});

test('who has nothing open hears no signal', async () => {
  const { writeWhole } = await import('../../lab/values/write-file.js');
  const heard = () => ['SIGTERM', 'SIGHUP', 'exit'].map(event => process.listenerCount(event));
  const before = heard();
  for (let i = 0; i < 20; i++) writeWhole(join(folder, 'a.txt'), ['x']);
  expect(heard()).toEqual(before.map(n => n + 1));
  await sleep(20);
  expect(heard()).toEqual(before);
});

test.each([
  ['SIGTERM', 1, ['SIGTERM']],
  ['SIGHUP', 1, ['SIGHUP']],
  ['SIGINT', 1, [130]],
  ['SIGINT', 2, ['SIGINT', 130]], // it may have stopped by then
] as const)(
  'loupe trace --prompts and %s, %i times',
  async (signal, times, how) => {
    const prompts = join(freshFolder(), 'many.txt');
    writeFileSync(prompts, 'The capital of France is Paris, and people like to say so.\n'.repeat(3000));
    const args = [cli, 'trace', '--prompts', prompts, '--tap', 'layers.5.resid', '--out', join(folder, 'k.parquet')];
    const [code, by] = await ended(args, async kill => {
      for (let i = 0; i < times; i++) {
        kill(signal);
        await sleep(500);
      }
    });
    expect(how).toContain(code ?? by);
    expect(readdirSync(folder)).toEqual([]);
  },
  60_000,
);
