// Everything a command prints fits a terminal of 80 columns: help, tables, sentences. Names and paths that are wider by themselves stand alone.

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parityText } from '../../lab/cli/parity.js';
import { folded } from '../../lab/values/fold.js';
import { command } from '../fixtures/command.js';
import { freshFolder } from '../fixtures/folder.js';
import { writeTinyParts } from '../fixtures/tiny-gguf.js';

const folder = freshFolder();
const text = join(folder, 'text.txt');
writeFileSync(text, 'The capital of France is Paris. The people of France speak French.');
const [gguf] = writeTinyParts(join(folder, 'tiny'), 1);

const wide = (stdout: string) =>
  stdout.split('\n').filter(line => [...line].length > 80 && /\S\s+\S/.test(line.trim()));

const COMMANDS = 'chat pull doctor info plan generate tokenize trace diff parity perplexity kernel bench'.split(' ');
const CALLS: readonly (readonly [args: readonly string[], status?: number])[] = [
  [['--help']],
  ...COMMANDS.map(name => [[name, '--help']] as const),
  ...['install', 'uninstall', 'status'].map(name => [['kernel', name, '--help']] as const),
  [['doctor']],
  [['info']],
  [['info', '-m', gguf]],
  [['plan']],
  [['plan', '--tokens', '512']],
  [['generate', '--prompt', 'Once', '--max-tokens', '12']],
  [['tokenize', 'The capital of Italy is Rome']],
  [['tokenize', '--pieces', 'The capital of Italy is Rome']],
  [['trace', '--prompt', 'Once', '--tap', 'embed', '-o', join(folder, 'run.arrow')]],
  [['trace', '--prompts', text, '--tap', 'embed', '-o', join(folder, 'runs.parquet')]],
  [['diff']],
  [['diff', '--all']],
  [['diff', '--limit', '6e-7'], 1],
  [['perplexity', '-t', text]],
  [['perplexity', '-t', text, '--against', 'exact']],
  [['bench', '--prefill', '16', '--decode', '4', '--rounds', '1', '--contexts', '0', '--batch', '2']],
  [['bench', '--stages', '--rounds', '3']],
];

test.each(CALLS.map(([args, status]) => [args.join(' '), args, status ?? 0] as const))(
  'loupe %s',
  async (_, args, status) => {
    const said = await command(...args);
    expect(said.status, said.stderr).toBe(status);
    expect(said.stdout.length).toBeGreaterThan(0);
    expect(wide(said.stdout)).toEqual([]);
  },
  240_000,
);

test('loupe kernel status, also of one that is broken, in a folder far down', async () => {
  const data = join(folder, 'a-long-name-of-a-folder'.repeat(3), 'jupyter');
  const kernel = join(data, 'kernels', 'loupe-1');
  mkdirSync(kernel, { recursive: true });
  const argv = [process.execPath, join(folder, 'gone/dist/lab/kernel/kernel.js'), '{connection_file}'];
  const metadata = { loupe: { version: '0.0.1', root: join(folder, 'gone') } };
  writeFileSync(
    join(kernel, 'kernel.json'),
    JSON.stringify({ argv, display_name: 'Loupe', language: 'typescript', metadata }),
  );
  const before = process.env.JUPYTER_PATH;
  process.env.JUPYTER_PATH = data;
  try {
    const { stdout } = await command('kernel', 'status');
    expect(stdout).toContain(kernel);
    expect(wide(stdout)).toEqual([]);
  } finally {
    if (before === undefined) delete process.env.JUPYTER_PATH;
    else process.env.JUPYTER_PATH = before;
  }
});

test('loupe parity, also where something fails', () => {
  const shape = 'H 100, 5/1 heads of 48, FSSFS, window 16, caps 50/30, RoPE ÷ 8, own head';
  const row = { name: 'g3-multimodal-x', family: 3, shape, lengths: [1, 3, 17, 41], runs: 18, greedyTokens: 24 };
  const text = parityText(
    [
      { ...row, relL2: 1.5e-6, greedyEqual: true, pass: true },
      { ...row, relL2: 1.5e-2, greedyEqual: false, pass: false },
    ] as never,
    [{ format: 'IQ4_XS', block: '256 in 136 B', values: 6144, different: 12, pass: false }] as never,
  );
  expect(text).toContain('1.5e-2 FAILS');
  expect(text.replaceAll('\n', ' ')).toContain(
    '2 models in 36 runs of 1, 3, 17, 41 tokens, logits within 1e-5; 1 formats; 2 fail.',
  );
  expect(wide(text)).toEqual([]);
});

test('sentences are folded at blanks, paths are not cut', () => {
  expect(folded('one two three', '  ', 8)).toBe('one two\n  three');
  expect(folded('  one two three', '  ', 10)).toBe('  one two\n  three');
  expect(folded('see /a/long/path now', '', 8)).toBe('see\n/a/long/path\nnow');
  expect(folded('short\nand a longer line', ' ', 8)).toBe('short\nand a\n longer\n line');
  expect(folded('as wide!', ' ', 8)).toBe('as wide!');
});

describe('in a terminal of 60 columns', () => {
  const before = process.stdout.columns;
  beforeAll(() => {
    process.stdout.columns = 60;
  });
  afterAll(() => {
    process.stdout.columns = before;
  });

  test.each([
    ['diff', 0],
    ['diff --limit 6e-7', 1],
    ['diff --all', 0],
    ['plan', 0],
    ['info', 0],
    ['bench --prefill 16 --decode 4 --rounds 1 --contexts 0 --batch 2', 0],
  ] as const)(
    'loupe %s',
    async (args, status) => {
      const said = await command(...args.split(' '));
      expect(said.status, said.stderr).toBe(status);
      expect(said.stdout.split('\n').filter(line => [...line].length > 60 && /\S\s+\S/.test(line.trim()))).toEqual([]);
    },
    240_000,
  );
});
