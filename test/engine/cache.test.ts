// Where libraries lie that are loaded: nobody else may have put them there.

import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { cacheFolder, cacheTrouble, whyNotPrivate } from '../../engine/cache.js';
import { swiftShaderManifest, unpacked } from '../../engine/swiftshader.js';
import { freshFolder } from '../fixtures/folder.js';

const root = process.getuid?.() === 0;
let temporary: string;

beforeEach(() => {
  temporary = freshFolder();
  vi.stubEnv('TMPDIR', temporary);
  vi.stubEnv('LOUPE_CACHE', '');
  vi.stubEnv('XDG_CACHE_HOME', join(temporary, 'home'));
});
afterEach(() => {
  vi.unstubAllEnvs();
});

test('a folder of ours is used, and made so that only we may write', () => {
  expect(tmpdir()).toBe(temporary);
  const folder = cacheFolder();
  expect(folder).toBe(join(temporary, 'home', 'loupe'));
  expect(statSync(folder).mode & 0o777).toBe(0o700);
  expect(cacheTrouble()).toBeNull();
  // Of an earlier version, under a umask that lets the group write.
  chmodSync(folder, 0o775);
  vi.stubEnv('XDG_CACHE_HOME', join(temporary, 'home/../home'));
  expect(cacheFolder()).toBe(folder);
  expect(statSync(folder).mode & 0o777).toBe(0o755);
});

test.each([0o777, 0o775, 0o757, 0o1777])('a folder of mode %o is not: others may write there', mode => {
  const folder = join(temporary, 'shared');
  mkdirSync(folder);
  chmodSync(folder, mode);
  vi.stubEnv('LOUPE_CACHE', folder);
  expect(cacheFolder()).toBe(join(temporary, `loupe-cache-${process.getuid!()}`));
  expect(cacheTrouble()).toBe(
    `${folder} is not used as a cache: others may write there (mode ${mode.toString(8)}). Set LOUPE_CACHE to a folder of your own that only you may write.`,
  );
  expect(readdirSync(folder)).toEqual([]);
});

test('the name in the temporary folder that somebody else took first is not used', () => {
  writeFileSync(join(temporary, 'home'), 'no folder can be made here');
  const planted = join(temporary, `loupe-cache-${process.getuid!()}`);
  mkdirSync(planted);
  chmodSync(planted, 0o777);
  const folder = cacheFolder();
  expect(folder).not.toBe(planted);
  expect(folder.startsWith(join(temporary, 'loupe-'))).toBe(true);
  expect(statSync(folder).mode & 0o777).toBe(0o700);
  expect(whyNotPrivate(folder)).toBeNull();
  expect(cacheFolder()).toBe(folder); // one for the process
});

test('nor a link that lies there', () => {
  writeFileSync(join(temporary, 'home'), '');
  const elsewhere = join(temporary, 'elsewhere');
  mkdirSync(elsewhere, { mode: 0o700 });
  symlinkSync(elsewhere, join(temporary, `loupe-cache-${process.getuid!()}`));
  expect(cacheFolder()).toMatch(/loupe-\w{6}$/);
  expect(readdirSync(elsewhere)).toEqual([]);
});

test.runIf(root)('nor a folder of another user', () => {
  const folder = join(temporary, 'theirs');
  mkdirSync(folder, { mode: 0o700 });
  chownSync(folder, 65534, 65534);
  vi.stubEnv('LOUPE_CACHE', folder);
  expect(cacheFolder()).not.toBe(folder);
  expect(cacheTrouble()).toMatch(/it belongs to user 65534, and this is user 0/);
});

test('a library that is not the package’s is replaced before anyone loads it', () => {
  const manifest = swiftShaderManifest();
  const folder = join(manifest, '..');
  const names = readdirSync(folder);
  expect(names).toContain('libvk_swiftshader.so');
  const library = join(folder, 'libvk_swiftshader.so');
  const right = readFileSync(library);
  const time = statSync(library).mtimeMs;
  swiftShaderManifest();
  expect(statSync(library).mtimeMs).toBe(time); // its very files are left alone
  for (const spoil of [
    () => writeFileSync(library, 'planted'),
    () => writeFileSync(library, Buffer.concat([right.subarray(0, -1), Buffer.of(right.at(-1)! ^ 1)])), // of the same size
    () => writeFileSync(manifest, '{"ICD":{"library_path":"/tmp/planted.so"}}'),
  ]) {
    spoil();
    expect(swiftShaderManifest()).toBe(manifest);
    expect(readFileSync(library).equals(right)).toBe(true);
    expect(readFileSync(manifest, 'utf8')).not.toContain('planted');
  }
  expect(readdirSync(cacheFolder())).toEqual([folder.split('/').at(-1)]); // nothing else stays
});

test('what a killed process left half made is made again', () => {
  const folder = join(temporary, 'files-1');
  mkdirSync(folder);
  writeFileSync(join(folder, 'a'), 'hal');
  const files = [
    { name: 'a', body: Buffer.from('half') },
    { name: 'b', body: Buffer.from('whole') },
  ];
  unpacked(files, folder);
  expect(readFileSync(join(folder, 'a'), 'utf8') + readFileSync(join(folder, 'b'), 'utf8')).toBe('halfwhole');
  expect(existsSync(`${folder}.`)).toBe(false);
  expect(readdirSync(temporary)).toEqual(['files-1']);
});
