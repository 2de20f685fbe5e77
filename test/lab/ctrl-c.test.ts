// Ctrl-C and closed pipes: what a command does when nobody wants it any more.

import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { packageRoot } from '../../engine/files.js';
import { freshFolder } from '../fixtures/folder.js';
import { python } from '../notebook/jupyter.js';

const folder = freshFolder();
const cli = join(packageRoot(), 'dist/lab/cli/loupe.js');
const words = 'The capital of France is Paris, and people like to say so. ';

interface Ended {
  readonly code: number | null;
  readonly signal: string | null;
  readonly stderr: string;
  readonly ms: number;
}

/** Starts a command and interrupts it when `ready` says so, once for each pause. */
async function interrupted(
  args: string[],
  ready: (child: ChildProcess) => Promise<unknown>,
  pauses: number[],
): Promise<Ended> {
  const child = spawn(process.execPath, [cli, ...args]);
  let stderr = '';
  child.stderr.on('data', part => (stderr += part));
  const ended = new Promise<{ code: number | null; signal: string | null }>(resolve =>
    child.on('close', (code, signal) => resolve({ code, signal })),
  );
  await ready(child);
  const began = performance.now();
  for (const pause of pauses) {
    child.kill('SIGINT');
    await sleep(pause);
  }
  const how = await ended;
  return { ...how, stderr: stderr.replace(/^Warning: .*\n/gm, ''), ms: performance.now() - began };
}

const firstOutput = (child: ChildProcess) => new Promise(resolve => child.stdout!.once('data', resolve));

test('once: what runs stops at its next token, and says nothing of a defect', async () => {
  const { code, stderr } = await interrupted(['generate', '-p', words, '-n', '900', '--ignore-eos'], firstOutput, [0]);
  expect([code, stderr]).toEqual([130, '']);
});

test('twice: ends even what never lets go of the thread', async () => {
  const file = join(folder, 'long.txt');
  writeFileSync(file, words.repeat(1_000_000)); // a minute of work in one go
  const busy = (child: ChildProcess) =>
    new Promise(resolve => {
      // Reading is over when the processor is busy; there is no other sign from outside.
      const timer = setTimeout(resolve, 4000);
      child.on('close', () => clearTimeout(timer));
    });
  const { code, signal, stderr, ms } = await interrupted(['tokenize', '--file', file], busy, [300, 0]);
  expect([code, signal, stderr]).toEqual([null, 'SIGINT', '']);
  expect(ms).toBeLessThan(10_000);
}, 60_000);

test('once: ends what never lets go of the thread too, a little later', async () => {
  const talk = join(folder, 'long.json');
  const settings = { temperature: 0, top_k: 0, top_p: 1, seed: 1, max_tokens: 4 };
  const messages = [
    { role: 'user', content: words.repeat(900_000) },
    { role: 'assistant', content: 'Yes.' },
  ];
  writeFileSync(talk, JSON.stringify({ loupe_conversation: 1, model: 'atlas', system: '', messages, settings }));
  const file = join(folder, 'longer.txt');
  writeFileSync(file, words.repeat(1_000_000));
  for (const args of [
    ['tokenize', '--file', file],
    ['chat', '--load', talk, 'Go on'],
  ]) {
    const { code, signal, ms } = await interrupted(args, () => sleep(4000), [0]);
    expect([args[0], code ?? signal]).toEqual([args[0], args[0] === 'chat' && code !== null ? 130 : 'SIGINT']);
    expect(ms).toBeLessThan(15_000);
  }
}, 120_000);

test('once, where nothing looks for it: the command ends all the same', async () => {
  const file = join(folder, 'lines.jsonl');
  writeFileSync(file, `${JSON.stringify(words)}\n`.repeat(400_000));
  const { code, signal } = await interrupted(['tokenize', '--jsonl', file], firstOutput, [0]);
  expect([code, signal]).toEqual([130, null]);
}, 60_000);

test('twice in a chat that is busy with a prompt of 40 MB: it ends, and the terminal is as it was', () => {
  const talk = join(folder, 'talk.json');
  const settings = { temperature: 0, top_k: 0, top_p: 1, seed: 1, max_tokens: 4 };
  const messages = [
    { role: 'user', content: words.repeat(700_000) },
    { role: 'assistant', content: 'Yes.' },
  ];
  writeFileSync(talk, JSON.stringify({ loupe_conversation: 1, model: 'atlas', system: '', messages, settings }));
  const steps = [
    ['', '› '],
    ['Go on\r', 'Go on'],
    ['', '\\n'],
    ['WAIT 2', ''],
    ['\x03', '\\^C|'],
    ['WAIT 0.5', ''],
    ['\x03', ''],
  ];
  const { stdout, stderr } = spawnSync(
    python,
    [join(packageRoot(), 'test/lab/terminal.py'), process.execPath, cli, 'chat', '--load', talk],
    { input: JSON.stringify(steps), encoding: 'utf8', cwd: folder, env: { ...process.env, LOUPE_CACHE: folder } },
  );
  if (stdout === '') throw new Error(stderr);
  const { status, shown } = JSON.parse(stdout) as { status: number; shown: string[] };
  expect([status, shown.join('').match(/did not come/)]).toEqual([-2, null]);
}, 120_000);

const everyCommand: [string, string[]][] = [
  ['generate', ['generate', '-p', words, '-n', '400', '--ignore-eos']],
  ['generate --json', ['generate', '-p', 'a', '-n', '4', '--json']],
  ['info --json', ['info', '--json']],
  ['plan', ['plan']],
  ['doctor', ['doctor']],
  ['diff --json', ['diff', '--json', '--no-alone']],
  ['tokenize --pieces', ['tokenize', '--pieces', words.repeat(2000)]],
  ['trace', ['trace', '-p', 'a', '-o', join(folder, 'run.arrow')]],
  ['chat', ['chat', words, '--max-tokens', '300']],
  ['chat --json', ['chat', words, '--max-tokens', '4', '--json']],
  ['kernel status', ['kernel', 'status', '--json']],
  ['help', ['--help']],
];

test.each(everyCommand)('%s into a pipe that is closed: silence, and the exit code of a closed pipe', (_, args) => {
  // A reader that never reads: the first byte meets a closed pipe.
  const stderr = join(folder, 'stderr');
  // What is said of the model, before anything is written, is no complaint about the pipe.
  const said = "^Warning: |^loupe: 'atlas' has no chat template";
  const script = `"$0" "$@" 2>${stderr} | exec 0<&-; echo "\${PIPESTATUS[0]}"; grep -vE "${said}" ${stderr}`;
  expect(spawnSync('bash', ['-c', script, process.execPath, cli, ...args], { encoding: 'utf8' }).stdout).toBe('141\n');
});

test('one byte of an answer is all that head wants', () => {
  const script = `"$0" "$1" generate -p a -n 900 --ignore-eos 2>/dev/null | head -c 1 | wc -c; echo "\${PIPESTATUS[0]}"`;
  const { stdout } = spawnSync('bash', ['-c', script, process.execPath, cli], { encoding: 'utf8' });
  expect(stdout).toBe('1\n141\n');
});

test('an endless stream of lines ends with its reader', () => {
  const file = join(folder, 'many.jsonl');
  writeFileSync(file, `${JSON.stringify(words)}\n`.repeat(200_000));
  const { stdout, stderr } = spawnSync(
    'bash',
    [
      '-c',
      `"$0" "$1" tokenize --jsonl "$2" | head -n 1 | wc -l; echo "\${PIPESTATUS[0]}"`,
      process.execPath,
      cli,
      file,
    ],
    { encoding: 'utf8' },
  );
  expect([stdout, stderr]).toEqual(['1\n141\n', '']);
});

test('output that cannot be written is told in a sentence', () => {
  const { stdout, stderr } = spawnSync('bash', ['-c', '"$0" "$1" info >/dev/full; echo $?', process.execPath, cli], {
    encoding: 'utf8',
  });
  expect([stdout, stderr]).toEqual(['2\n', 'loupe: The output cannot be written (ENOSPC). Send it elsewhere.\n']);
});
