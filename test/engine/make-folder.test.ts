// Folders in places where none can be: an answer at once, by its code, and a program that goes on without its cache.

import { chmodSync, existsSync, readdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { homedir, userInfo } from 'node:os';
import { join } from 'node:path';
import { spawnSync } from 'node:child_process';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { cacheFolder, cacheTrouble } from '../../engine/cache.js';
import { homeFolder, makeFolder } from '../../engine/make-folder.js';
import { packageRoot } from '../../engine/files.js';
import { History } from '../../lab/kernel/history.js';
import { predecessor } from '../../lab/kernel/predecessor.js';
import { freshFolder } from '../fixtures/folder.js';

let folder: string;
beforeEach(() => {
  folder = freshFolder();
  for (const name of ['LOUPE_CACHE', 'XDG_CACHE_HOME']) vi.stubEnv(name, '');
  vi.stubEnv('TMPDIR', folder);
});
afterEach(() => {
  vi.unstubAllEnvs();
});

const codeOf = (make: () => void): string | null => {
  try {
    make();
    return null;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code!;
  }
};

test('every level is made, with the mode asked for, and what is there stays', () => {
  makeFolder(join(folder, 'a/b/c'), 0o700);
  expect(statSync(join(folder, 'a/b/c')).mode & 0o777).toBe(0o700);
  chmodSync(join(folder, 'a'), 0o755);
  makeFolder(join(folder, 'a/b/c/../c/'), 0o700);
  expect(statSync(join(folder, 'a')).mode & 0o777).toBe(0o755);
  expect(readdirSync(join(folder, 'a/b'))).toEqual(['c']);
  symlinkSync(join(folder, 'a'), join(folder, 'link'));
  makeFolder(join(folder, 'link/d'));
  expect(existsSync(join(folder, 'a/d'))).toBe(true);
});

test('where none can be, the system says why, at once', () => {
  writeFileSync(join(folder, 'file'), '');
  symlinkSync(join(folder, 'nowhere'), join(folder, 'dangling'));
  symlinkSync(join(folder, 'circle'), join(folder, 'circle'));
  expect(codeOf(() => makeFolder(join(folder, 'file')))).toBe('ENOTDIR');
  expect(codeOf(() => makeFolder(join(folder, 'file/a/b')))).toBe('ENOTDIR');
  expect(codeOf(() => makeFolder(join(folder, 'dangling/a')))).toMatch(/^(EEXIST|ENOENT)$/);
  expect(codeOf(() => makeFolder(join(folder, 'circle/a')))).toMatch(/^(EEXIST|ELOOP)$/);
  expect(codeOf(() => makeFolder(join(folder, 'x'.repeat(300), 'a')))).toBe('ENAMETOOLONG');
  expect(codeOf(() => makeFolder(`${folder}/\0`))).toBe('ERR_INVALID_ARG_VALUE');
  if (existsSync('/proc/self')) expect(codeOf(() => makeFolder('/proc/.cache/loupe'))).toBe('ENOENT');
  expect(codeOf(() => makeFolder('/dev/null/.cache'))).toBe('ENOTDIR');
});

test('a HOME that says no place is passed over, and nothing is written where the program runs', () => {
  for (const home of ['', 'relative/home']) {
    vi.stubEnv('HOME', home);
    expect(homeFolder()).toBe(userInfo().homedir);
  }
  vi.stubEnv('HOME', join(folder, 'home'));
  expect([homeFolder(), homedir()]).toEqual([join(folder, 'home'), join(folder, 'home')]);
  vi.stubEnv('XDG_CACHE_HOME', 'relative/cache');
  expect(cacheFolder()).toBe(join(folder, 'home/.cache/loupe'));
});

test.each(['/proc', '/dev/null', '/sys', 'file', 'dangling', 'long'])('HOME=%s: another cache, which is said', home => {
  writeFileSync(join(folder, 'file'), '');
  symlinkSync(join(folder, 'nowhere'), join(folder, 'dangling'));
  const path = home.startsWith('/') ? home : join(folder, home === 'long' ? 'x'.repeat(300) : home);
  vi.stubEnv('HOME', path);
  const used = cacheFolder();
  expect(used.startsWith(folder)).toBe(true);
  expect(cacheTrouble()).toMatch(/is not used as a cache: .* Set LOUPE_CACHE to a folder of your own/);
  expect(existsSync(used)).toBe(true);
});

test('where there is no place at all: one sentence, and a kernel without what it would keep', () => {
  writeFileSync(join(folder, 'file'), '');
  vi.stubEnv('HOME', join(folder, 'file'));
  vi.stubEnv('TMPDIR', join(folder, 'file'));
  expect(() => cacheFolder()).toThrow(
    /^No folder can be made for what is kept, .* Set LOUPE_CACHE to a folder of your own\.$/,
  );
  const history = new History();
  history.add(1, '1 + 1');
  expect(history.read({ hist_access_type: 'tail', n: 5 })).toEqual([[1, 1, '1 + 1']]);
  expect(predecessor('kernel.json')).toEqual({ mark: '', told: null });
});

test('the program answers under HOME=/proc', () => {
  const env = { ...process.env, HOME: '/proc', XDG_CACHE_HOME: '', LOUPE_CACHE: '', TMPDIR: folder };
  const asked = ['dist/lab/cli/loupe.js', 'doctor', '--json'];
  const { status, signal, stdout } = spawnSync(process.execPath, asked, { env, cwd: packageRoot(), timeout: 60_000 });
  expect([status, signal]).toEqual([0, null]);
  expect(String(stdout)).toContain(folder);
});
