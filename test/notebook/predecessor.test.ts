// What a kernel says of the one before it that died.

import { existsSync, readdirSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { predecessor } from '../../lab/kernel/predecessor.js';
import { freshFolder } from '../fixtures/folder.js';

const { reportOnFatalError, directory, filename } = process.report!;
afterAll(() => void Object.assign(process.report!, { reportOnFatalError, directory, filename }));

const GONE = '4194999'; // no process id is as large
const begin = (folder: string) => predecessor('/somewhere/kernel-1.json', folder);

test('nothing, where there was none, where it was shut down, and where it lives', () => {
  const folder = freshFolder();
  const { mark, told } = begin(folder);
  expect([told, existsSync(mark)]).toEqual([null, true]);
  writeFileSync(mark, String(process.ppid));
  expect(begin(folder).told).toBeNull();
});

test('that it ended, and that memory was why where Node has written so', () => {
  const folder = freshFolder();
  const { mark } = begin(folder);
  writeFileSync(mark, GONE);
  expect(begin(folder).told).toMatch(/^The kernel before this one ended without being shut down/);
  writeFileSync(mark, GONE);
  const event = 'Allocation failed - JavaScript heap out of memory';
  writeFileSync(join(folder, 'kernel-1.json.report'), JSON.stringify({ header: { event } }));
  expect(begin(folder).told).toMatch(/ended because its values needed more memory than the [\d.]+ [MG]B that Node has/);
  expect(readdirSync(folder)).toEqual(['kernel-1.json']);
});

test('marks of kernels that are gone are taken away after a day', () => {
  const folder = freshFolder();
  for (const name of ['old', 'new', 'lives'])
    writeFileSync(join(folder, name), name === 'lives' ? String(process.ppid) : GONE);
  for (const name of ['old', 'lives']) utimesSync(join(folder, name), 1, 1);
  begin(folder);
  expect(readdirSync(folder).sort()).toEqual(['kernel-1.json', 'lives', 'new']);
});

test('a folder that cannot be made is no hindrance', () => {
  const file = join(freshFolder(), 'file');
  writeFileSync(file, '');
  expect(begin(join(file, 'within')).told).toBeNull();
});
