// Where a command runs, and what is set around it: a folder that is gone or may not be entered, variables that are set to nothing.

import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { packageRoot } from '../../engine/files.js';
import { freshFolder } from '../fixtures/folder.js';

const folder = freshFolder();
const cli = join(packageRoot(), 'dist/lab/cli/loupe.js');
const warnings = /^Warning: .*\n(?: +at .*\n)*/gm;

/** Runs a command in a folder that is taken away first. */
function inNoFolder(args: readonly string[], env: Record<string, string> = {}) {
  const gone = join(folder, 'gone');
  mkdirSync(gone, { recursive: true });
  const { stdout, stderr } = spawnSync(
    'bash',
    ['-c', 'cd "$1"; rmdir "$1"; shift; "$0" "$@"; echo "rc $?"', process.execPath, gone, cli, ...args],
    { encoding: 'utf8', cwd: folder, env: { ...process.env, ...env } },
  );
  rmSync(gone, { recursive: true, force: true });
  return { stdout, stderr: stderr.replace(warnings, '').replace(/^(?:shell-init|chdir): .*\n/gm, '') };
}

const relative: [string, string[], Record<string, string>?][] = [
  ['trace', ['trace', '-p', 'Once', '--out', 'x.arrow']],
  ['trace --prompts', ['trace', '--prompts', join(packageRoot(), 'LICENSE'), '--out', 'x.parquet']],
  ['a report', ['compare', '-m', 'atlas', 'atlas', '-t', join(packageRoot(), 'LICENSE'), '--html', 'x.html']],
  ['kernel install', ['kernel', 'install', '--prefix', 'x']],
  ['lab', ['lab', '--no-browser']],
  ['parity', ['parity', '--python', 'python3']],
  ['a cache', ['info', '-m', 'org/name'], { LOUPE_CACHE: 'x', HF_HUB_CACHE: 'y' }],
];
test.each(relative)('in a folder that is gone: %s', (_, args, env) => {
  const { stdout, stderr } = inNoFolder(args, env);
  expect(stderr).toMatch(/^loupe: [^\n]*\n$/);
  expect(stderr).not.toMatch(/defect|uv_cwd/);
  expect(stdout).toBe('rc 2\n');
});

test('in a folder that is gone, what needs none is done', () => {
  const out = join(folder, 'run.arrow');
  expect(inNoFolder(['trace', '-p', 'Once', '--tap', 'embed', '--out', out]).stdout).toMatch(
    /1 stage, \d+ values .*\nrc 0/s,
  );
  expect(existsSync(out)).toBe(true);
});

test('a variable that is set to nothing is as one that is not set', () => {
  const env = {
    ...process.env,
    LOUPE_ADAPTER: '',
    LOUPE_CACHE: '',
    LOUPE_WATCHDOG: '',
    LOUPE_TORCH: '',
    HF_ENDPOINT: '',
  };
  const { status, stderr } = spawnSync(process.execPath, [cli, 'generate', '-p', 'Once', '-n', '1'], {
    encoding: 'utf8',
    env,
  });
  expect([status, stderr.replace(warnings, '')]).toEqual([0, '']);
});

const shut = join(folder, 'shut');
const someone = process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : {}; // root is not refused anything
test.each<[string[], RegExp]>([
  [['info', '-m', shut], /shut cannot be listed \(EACCES\)\. Give a folder that you may read\.$/],
  [['info', '-m', join(shut, 'm')], /m cannot be opened: you may not enter a folder that leads to it\.$/],
  [['plan', '-m', join(shut, 'm/model.safetensors')], /you may not enter a folder that leads to it\.$/],
  [['diff', '--golden', join(shut, 'g.safetensors')], /you may not enter a folder that leads to it\.$/],
  [['diff', '--trace', join(shut, 't.npz')], /t\.npz .*you may not read it/],
  [['tokenize', '--tokenizer', join(shut, 't.model'), 'a'], /you may not read it/],
  [['trace', '-p', 'a', '-o', join(shut, 'o.arrow')], /you may not write it/],
])('in a folder that may not be entered: %s', (args, told) => {
  mkdirSync(join(shut, 'm'), { recursive: true });
  chmodSync(folder, 0o755);
  chmodSync(shut, 0);
  const { status, stdout, stderr } = spawnSync(process.execPath, [cli, ...args], {
    encoding: 'utf8',
    cwd: '/',
    env: { ...process.env, HOME: folder, LOUPE_CACHE: join(folder, 'cache') },
    ...someone,
  });
  const said = stderr.match(/loupe: .*/g);
  expect({ status, stdout, said }).toEqual({ status: 2, stdout: '', said: [expect.stringMatching(told)] });
});

test.each([
  [
    'EACCES',
    '/there/packages.stamp cannot be written: you may not write there. Loupe keeps what it installs in its own',
  ],
  ['EROFS', '/there/packages.stamp cannot be written: it can only be read.'],
  ['ENOSPC', '/there/packages.stamp cannot be written: the disk is full.'],
])('where what is installed cannot be written (%s) is a sentence', (code, told) => {
  const steps = JSON.stringify(join(packageRoot(), 'lab/start/steps.mjs'));
  const program = `import { begin } from ${steps}; begin(async () => { throw Object.assign(new Error('x'), { code: '${code}', path: '/there/packages.stamp' }); });`;
  const { status, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', program], { encoding: 'utf8' });
  expect(status).toBe(2);
  expect(stderr.trim()).toMatch(/^✗ [^\n]*$/);
  expect(stderr).toContain(told);
});
