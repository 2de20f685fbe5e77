// Everything in Jupyter's world that starts our kernel by its name: jupyter_kernel_test, the console, papermill, nbconvert. In an
// environment of its own, where `loupe kernel install --prefix` puts the kernel.

import { type SpawnSyncReturns, spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { packageRoot } from '../../engine/files.js';
import { freshFolder } from '../fixtures/folder.js';

const root = packageRoot();
const prefix = join(root, '.loupe', 'check');
const folder = freshFolder();
const data = join(folder, 'jupyter');
const environment = {
  ...process.env,
  JUPYTER_DATA_DIR: data,
  JUPYTER_CONFIG_DIR: join(folder, 'config'),
  JUPYTER_RUNTIME_DIR: join(folder, 'runtime'),
  LOUPE_CACHE: join(folder, 'cache'), // jupyter_kernel_test counts what a search of the history finds
};

function run(command: string, args: readonly string[], input?: string): SpawnSyncReturns<string> {
  return spawnSync(join(prefix, 'bin', command), args, { env: environment, cwd: folder, encoding: 'utf8', input });
}

const loupe = (...args: string[]) =>
  spawnSync(process.execPath, [join(root, 'dist', 'lab', 'cli', 'loupe.js'), ...args], {
    env: { ...environment, VIRTUAL_ENV: prefix },
    encoding: 'utf8',
  });

beforeAll(() => {
  const { status, stderr } = loupe('kernel', 'install', '--prefix', prefix);
  if (status !== 0) throw new Error(stderr);
});

test('jupyter_kernel_test: every test but the pager’s', () => {
  const { stderr } = run('python', [join(root, 'test', 'slow', 'front-ends.py')]);
  writeFileSync(join(root, '.loupe', 'kernel-test.log'), stderr); // .ci/run shows it
  expect(stderr).not.toMatch(/FAIL|ERROR/);
  expect(stderr.match(/\.\.\. skipped.*/g)).toEqual([expect.stringContaining('No code page something')]);
  expect(stderr).toMatch(/Ran 13 tests/);
  expect(stderr.match(/^test_\w+ .*\.\.\. ok$/gm)).toHaveLength(12);
});

test('jupyter console: results, a mistake, and a way out', () => {
  const typed = 'const a: number = 20\na * 2 + 2\nconst b: string = a\nexit\n';
  const { stdout, stderr } = run('jupyter-console', ['--kernel', 'loupe', '--simple-prompt'], typed);
  expect(stdout).toMatch(/Loupe \d/);
  expect(stdout).toMatch(/: 42/);
  expect(stderr).toMatch(/TS2322/);
});

test('papermill passes parameters into a TypeScript notebook, and nbconvert makes a page with its pictures', () => {
  const cell = (source: string, tags: string[] = []) => ({
    cell_type: 'code',
    execution_count: null,
    id: `cell${source.length}`,
    metadata: { tags },
    outputs: [],
    source,
  });
  const notebook = {
    cells: [
      cell("let prompt = 'The capital of France is';\nlet layers = [0]; // which to show", ['parameters']),
      cell("const model = await open('atlas');\nconst run = await model.run(prompt, { tap: '**.pattern' });"),
      cell('run.logits.top(1).rows[0].text'),
      cell('run.attention(layers[1])'),
      cell('model.picture()'),
      cell('JSON.stringify({ layers, odd })'),
    ],
    metadata: { kernelspec: { name: 'loupe', display_name: 'Loupe', language: 'typescript' } },
    nbformat: 4,
    nbformat_minor: 5,
  };
  writeFileSync(join(folder, 'in.ipynb'), JSON.stringify(notebook));
  const odd = '{ text: "quote \\" and \\\\ and </script>", none: null, sure: true, small: 0.5 }';
  writeFileSync(
    join(folder, 'values.yaml'),
    `prompt: The capital of Italy is\nlayers: [1, 5]\nodd: ${odd.replace('none: null', 'none: ~')}\n`,
  );
  const made = run('papermill', ['in.ipynb', 'out.ipynb', '-f', 'values.yaml']);
  expect(made.stderr).not.toMatch(/Error|unknown parameter: prompt/);
  expect(made.status).toBe(0);
  const text = readFileSync(join(folder, 'out.ipynb'), 'utf8');
  expect(text).toMatch(/ Rome/);
  expect(text).toMatch(/Attention, layer 5/);
  const last = (JSON.parse(text) as { cells: { outputs: { data: Record<string, string | string[]> }[] }[] }).cells.at(
    -1,
  )!;
  expect([last.outputs[0].data['text/plain']].flat().join('')).toBe(
    JSON.stringify({
      layers: [1, 5],
      odd: { text: 'quote " and \\ and </script>', none: null, sure: true, small: 0.5 },
    }),
  );
  const page = run('jupyter-nbconvert', ['--to', 'html', 'out.ipynb']);
  expect(page.status).toBe(0);
  const html = readFileSync(join(folder, 'out.html'), 'utf8');
  expect(html.match(/jp-RenderedSVG/g)?.length).toBeGreaterThanOrEqual(2);
  const help = run('papermill', ['in.ipynb', '--help-notebook']);
  expect(help.stdout).toMatch(/prompt: Unknown type \(default 'The capital of France is'\)/);
  expect(help.stdout).toMatch(/layers: [\s\S]*which to show/);
});

test('two installations keep out of each other’s way', () => {
  const kernels = join(data, 'kernels');
  expect(loupe('kernel', 'install', '--user').stdout).toMatch(/as loupe in/);
  // The same place, written by another installation.
  const path = join(kernels, 'loupe', 'kernel.json');
  writeFileSync(path, readFileSync(path, 'utf8').replaceAll(`"root": "${root}"`, '"root": "/elsewhere/loupe"'));
  expect(loupe('kernel', 'install', '--user').stdout).toMatch(/as loupe-[0-9a-f]{8} in/);
  const status = JSON.parse(loupe('kernel', 'status', '--json').stdout) as { folder: string; own: boolean }[];
  expect(status.filter(({ folder }) => folder.startsWith(data)).map(({ own }) => own)).toEqual([false, true]);
  expect(loupe('kernel', 'uninstall', '--user').stdout).toMatch(/^Removed .*loupe-[0-9a-f]{8}\.\n$/);
  expect(existsSync(path)).toBe(true);
  expect(loupe('kernel', 'uninstall', '--user').stdout).toMatch(/no kernel of this installation/);
  writeFileSync(join(folder, 'file'), '');
  const refused = loupe('kernel', 'install', '--prefix', join(folder, 'file'));
  expect(refused.status).toBe(2);
  expect(refused.stderr).toMatch(/cannot be written into .*ENOTDIR/);
});
