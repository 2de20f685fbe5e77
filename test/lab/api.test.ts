// docs/API.md: everything that the package exports has a comment and a place there, and the file is what `npm run api` makes.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, test } from 'vitest';
import { packageRoot } from '../../engine/files.js';

type Api = (entry?: string, tsconfig?: string) => Promise<{ text: string; complaints: string[] }>;
const root = packageRoot();
const { api } = (await import(pathToFileURL(join(root, 'docs/api.mjs')).href)) as { api: Api };

test('every export, property and method has a comment and a place, and docs/API.md has them all', async () => {
  const { text, complaints } = await api();
  expect(complaints).toEqual([]);
  expect(readFileSync(join(root, 'docs/API.md'), 'utf8') === text, 'docs/API.md is old: npm run api').toBe(true);
}, 120_000);

test('what has none is named: an export, a property, a method, a type that is not exported', async () => {
  const { complaints } = await api(join(root, 'test/fixtures/undocumented.ts'), join(root, 'test/tsconfig.json'));
  const told = (words: string) => complaints.filter(one => one.includes(words)).length;
  expect(told('Bare (Class)')).toBe(1);
  expect(told('Bare.property (Property)')).toBe(1);
  expect(told('Bare.method (CallSignature)')).toBe(1);
  expect(told('Hidden, defined in')).toBe(1);
  expect(told('said is exported and has no place')).toBe(1);
  expect(told('open has a place in docs/api.mjs and is not exported')).toBe(1);
  expect(told('inside')).toBe(0);
  expect(told('said (Variable)')).toBe(0);
}, 120_000);
