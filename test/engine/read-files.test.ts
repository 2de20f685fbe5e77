// Files and the JSON in them: what is read, and what is said where something else stands.

import { execFileSync } from 'node:child_process';
import { renameSync, rmSync, statSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { ModelFileError, OptionError, ShaderError } from '../../engine/errors.js';
import {
  contentsStamp,
  isEmpty,
  isPointer,
  isShut,
  MOST_POINTER,
  openFile,
  packageRoot,
  readLines,
  readShaderSource,
  readText,
  readWhole,
  shaderNames,
  stampOf,
} from '../../engine/files.js';
import { parseJson } from '../../engine/json.js';
import { freshFolder } from '../fixtures/folder.js';
import { openHandles } from '../fixtures/handles.js';

describe('JSON', () => {
  const nested = (n: number, open = '[', close = ']') => `${open.repeat(n)}${close.repeat(n)}`;
  test.each([
    ['a hundred lists', nested(100)],
    ['a hundred objects', `${'{"a":'.repeat(100)}1${'}'.repeat(100)}`],
    ['many beside each other', `[${Array(300).fill('[],{}').join()}]`],
    ['brackets in a text', JSON.stringify(['['.repeat(300), '{'.repeat(300)])],
    ['brackets in a text behind a quote', JSON.stringify([`a"${'['.repeat(300)}\\`, '{'.repeat(300)])],
    ['little', '{"a":[1]}'],
  ])('%s is read', (_, text) => {
    expect(parseJson(text)).toEqual(JSON.parse(text));
  });
  test.each([
    ['101 lists', nested(101)],
    ['101 objects', `${'{"a":'.repeat(101)}1${'}'.repeat(101)}`],
    ['lists behind a text with a quote', `["\\"",${nested(100)}]`],
    ['lists behind a text with a backslash', `["\\\\",${nested(100)}]`],
  ])('%s is refused', (_, text) => {
    expect(() => parseJson(text)).toThrow(SyntaxError);
    expect(() => parseJson(text)).toThrow(/^it has more than 100 brackets within each other$/);
  });
  test('what is none throws as JSON.parse does', () => {
    expect(() => parseJson('{"a":')).toThrow(SyntaxError);
  });
});

const folder = freshFolder();
const path = join(folder, 'f');
const fault = (what: string) => new OptionError(what);

const fifo = join(folder, 'fifo');
execFileSync('mkfifo', [fifo]);
const socket = join(folder, 'socket');
const server = createServer();
await new Promise<void>(done => server.listen(socket, done));
afterAll(() => void server.close());
const loop = join(folder, 'loop');
symlinkSync('loop', loop);

/** What stands in the place of a file, and what is said of it. The names of tests are the same in every run: npm run mutate calls them by it. */
const NO_FILES: readonly (readonly [string, string, RegExp])[] = [
  ['a folder', folder, /^it is a folder, and a file is needed$/],
  ['a pipe', fifo, /^it is a pipe, and a file is needed$/],
  ['a socket', socket, /^it is a socket, and a file is needed$/],
  ['a device', '/dev/null', /^it is a device, and a file is needed$/],
  ['nothing', join(folder, 'none'), /^there is no such file$/],
  ['nothing in a file', join(packageRoot(), 'package.json', 'x'), /^there is no such file$/],
  ['a loop of links', loop, /^ELOOP$/],
  ['a name with a zero byte', 'a\0b', /^The argument 'path' must be .* without null bytes/],
];

describe('a file that is opened', () => {
  test('is read at any place, and no further than its end', async () => {
    writeFileSync(path, Uint8Array.of(1, 2, 3, 4, 5));
    const before = openHandles();
    const file = await openFile(path);
    expect([file.path, file.size]).toEqual([path, 5]);
    expect([...(await file.read(1, 3))]).toEqual([2, 3, 4]);
    expect([...(await file.read(0, 5))]).toEqual([1, 2, 3, 4, 5]);
    expect([...(await file.read(5, 0))]).toEqual([]);
    await expect(file.read(3, 3)).rejects.toThrow(ModelFileError);
    await expect(file.read(3, 3)).rejects.toThrow(
      /f ends at byte 5, but 3 bytes from 3 were expected\. It is truncated; fetch it again\.$/,
    );
    writeFileSync(path, Uint8Array.of(1));
    await expect(file.read(0, 5)).rejects.toThrow(/f became shorter while it was read\. Fetch it again\.$/);
    await file.close();
    expect(openHandles()).toBe(before);
    await expect(file.read(0, 1)).rejects.toThrow(/f cannot be read: .*\. Fetch it again\.$/);
    await expect(file.read(0, 1)).rejects.toThrow(ModelFileError);
  });
  test.each(NO_FILES)('%s is refused', async (_, at, message) => {
    const before = openHandles();
    const found = (await openFile(at).catch(error => error)) as Error;
    expect(found).toBeInstanceOf(ModelFileError);
    const [, what] = /^(?:.*) cannot be opened: (.*)\. Give the file itself\.$/s.exec(found.message) ?? [];
    expect(what).toMatch(message);
    expect(openHandles()).toBe(before);
  });
});

describe('a file that is read whole', () => {
  test('has at most the bytes that it may', () => {
    writeFileSync(path, 'ü\n');
    const before = openHandles();
    expect(readText(path, 3, fault)).toBe('ü\n');
    expect([...readWhole(path, 4, fault)]).toEqual([0xc3, 0xbc, 10]);
    expect(() => readWhole(path, 2, fault)).toThrow(new OptionError('it has 3 bytes, and at most 2 are read'));
    expect(openHandles()).toBe(before);
    writeFileSync(path, '');
    expect(readText(path, 0, fault)).toBe('');
  });
  test.each(NO_FILES)('%s is refused, whole and by lines', async (_, at, message) => {
    for (const read of [(): unknown => readWhole(at, 9, fault), () => readLines(at, fault).next()]) {
      const found = (await Promise.resolve()
        .then(read)
        .catch(error => error)) as Error;
      expect(found).toBeInstanceOf(OptionError);
      expect(found.message).toMatch(message);
    }
  });
});

describe('a pointer of Git LFS', () => {
  const BEGINNING = 'version https://git-lfs.github.com/spec/';
  const POINTER =
    /it is a pointer of Git LFS and not the file itself, which `git lfs pull` or `loupe pull` fetches(\. Give the file itself\.)?$/;
  test.each([
    ['that is its beginning alone', BEGINNING, true],
    ['with all that it has', `${BEGINNING}v1\noid sha256:${'a'.repeat(64)}\nsize 12345\n`, true],
    ['of as many bytes as it has at most', BEGINNING.padEnd(MOST_POINTER), true],
    ['of a byte more, which is a file that begins so', BEGINNING.padEnd(MOST_POINTER + 1), false],
    ['that lacks a sign', BEGINNING.slice(1), false],
    ['that ends before its beginning does', BEGINNING.slice(0, -1), false],
    ['with something before it', ` ${BEGINNING}`, false],
  ])('%s', async (_, text, is) => {
    writeFileSync(path, text);
    const before = openHandles();
    const read = () => readWhole(path, 2000, fault);
    if (is) {
      expect(read).toThrow(OptionError);
      expect(read).toThrow(POINTER);
      await expect(openFile(path)).rejects.toThrow(POINTER);
    } else {
      expect(read()).toEqual(Buffer.from(text));
      await (await openFile(path)).close();
    }
    expect(openHandles()).toBe(before);
    if (text.length <= MOST_POINTER) expect(isPointer(Buffer.from(text))).toBe(is);
  });
});

describe('what there is to know of a file without reading it', () => {
  const other = join(folder, 'other');
  const link = join(folder, 'link');

  test('its stamps: other ones where it was written to, or replaced by one of the same size and time', () => {
    writeFileSync(path, 'abc');
    utimesSync(path, 1, 1);
    const { dev, ino, size, mtimeNs, ctimeNs } = statSync(path, { bigint: true });
    expect(stampOf(path)).toBe(`${dev} ${ino} ${size} ${mtimeNs} ${ctimeNs}`);
    expect(contentsStamp(path)).toBe(`${dev} ${ino} ${size} ${mtimeNs}`);
    const [whole, contents] = [stampOf(path), contentsStamp(path)];
    utimesSync(path, 1, 1); // the same time once more: another stamp of the whole
    expect([stampOf(path) === whole, contentsStamp(path) === contents]).toEqual([false, true]);
    writeFileSync(other, 'abc');
    utimesSync(other, 1, 1);
    renameSync(other, path);
    expect(contentsStamp(path)).not.toBe(contents);
    symlinkSync(path, link);
    expect([stampOf(link), contentsStamp(link)]).toEqual([stampOf(path), contentsStamp(path)]);
    rmSync(link);
  });
  test('of what is not there none, of what cannot be reached why', () => {
    const none = join(folder, 'none');
    expect([stampOf(none), contentsStamp(none)]).toEqual([null, 'ENOENT']);
    const within = join(packageRoot(), 'package.json', 'x');
    expect([stampOf(within), contentsStamp(within)]).toEqual([null, 'ENOTDIR']);
    expect([stampOf(loop), contentsStamp(loop)]).toEqual(['ELOOP', 'ELOOP']);
  });
  test('whether it has no bytes', () => {
    writeFileSync(other, '');
    writeFileSync(path, 'a');
    expect([other, path, join(folder, 'none'), loop, 'a\0b'].map(isEmpty)).toEqual([true, false, false, false, false]);
  });
  test('whether its folder may not be entered: what is there, is not, or leads nowhere is not shut', () => {
    expect([path, folder, join(folder, 'none', 'x'), loop, join(path, 'x')].map(isShut)).toEqual(Array(5).fill(false));
  });
});

describe('lines', () => {
  const lines = async (text: string | Uint8Array, longest?: number) => {
    writeFileSync(path, text);
    const found: string[] = [];
    for await (const line of readLines(path, fault, longest)) found.push(line);
    return found;
  };
  test('of either ending, across blocks', async () => {
    expect(await lines('a\r\n\nb\n')).toEqual(['a', '', 'b']);
    expect(await lines('')).toEqual([]);
    expect(await lines('a')).toEqual(['a']);
    const long = 'ü'.repeat(50_000);
    const before = openHandles();
    expect(await lines(`x\n${long}\r\ny\n${long}`)).toEqual(['x', long, 'y', long]);
    expect(openHandles()).toBe(before);
    // The last block is a short one, and what stood behind its end is of the block before.
    const many = await lines(`${'a\n'.repeat(40_000)}z`);
    expect([many.length, many.at(-2), many.at(-1)]).toEqual([40_001, 'a', 'z']);
    expect(await lines(`${'a'.repeat(65_536)}\nb`, 65_536)).toEqual(['a'.repeat(65_536), 'b']);
  });
  test('that are not in UTF-8: which line', async () => {
    await expect(lines(Uint8Array.of(97, 10, 98, 10, 0xff, 10))).rejects.toThrow(/^its line 3 is not UTF-8, and/);
  });
  test('whose reader has enough: the file is closed', async () => {
    const before = openHandles();
    writeFileSync(path, 'a\nb\n');
    for await (const line of readLines(path, fault)) {
      expect(line).toBe('a');
      break;
    }
    expect(openHandles()).toBe(before);
  });
  test('of more than is read of one', async () => {
    const before = openHandles();
    await expect(lines('x'.repeat(70_000), 69_999)).rejects.toThrow(
      new OptionError('it has a line of more than 69999 bytes'),
    );
    expect(openHandles()).toBe(before);
    // The default is 64 MiB: nothing of a test's size.
    expect(await lines('x'.repeat(70_000))).toHaveLength(1);
    expect(await lines('x'.repeat(70_000), 70_000)).toHaveLength(1);
  });
});

test('shaders by their names', () => {
  const names = shaderNames();
  expect(names).toEqual([...names].sort());
  expect(names).toEqual(expect.arrayContaining(['rope', 'formats/q4_k', 'stores/texture']));
  expect(names.every(name => /^[a-z0-9_]+(\/[a-z0-9_]+)?$/.test(name))).toBe(true);
  expect(shaderNames().some(name => name.includes('.'))).toBe(false);
  expect(readShaderSource('rope')).toMatch(/@compute/);
  expect(() => readShaderSource('ropes')).toThrow(ShaderError);
  expect(() => readShaderSource('ropes')).toThrow(
    /^There is no shader 'ropes'\. .*rope.* They are files of shaders\/\.$/,
  );
});
