// Imports go down: the table of floors, held against every import line, those of types too.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import ts from 'typescript';
import { expect, test } from 'vitest';
import { packageRoot } from '../../engine/files.js';
import { FLOORS } from './floors.js';

const root = packageRoot();
const files = ['engine', 'lab'].flatMap(folder =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter(name => name.endsWith('.ts'))
    .map(name => join(folder, name)),
);

const roomOf = (file: string): string | undefined =>
  FLOORS.flat().find(room => file === room || file.startsWith(`${room}/`));
const floorOf = (room: string): number => FLOORS.findIndex(rooms => rooms.includes(room));

/** Files of the house that a file imports. */
const importsOf = (file: string, text: string): string[] =>
  ts
    .preProcessFile(text)
    .importedFiles.filter(({ fileName }) => fileName.startsWith('.'))
    .map(({ fileName }) => relative(root, join(root, dirname(file), fileName)).replace(/\.js$/, '.ts'));

/** What is wrong with an import, or null. */
function wrong(from: string, to: string): string | null {
  const [here, there] = [roomOf(from), roomOf(to)];
  if (here === undefined || there === undefined) return `${there === undefined ? to : from} is in no room`;
  if (here === there || floorOf(there) < floorOf(here)) return null;
  return `${from} imports ${to}, and ${here} is ${floorOf(there) > floorOf(here) ? 'below' : 'beside'} ${there}`;
}

test('every file has a room, and imports what is below', () => {
  expect(files.length).toBeGreaterThan(200);
  expect(files.filter(file => roomOf(file) === undefined)).toEqual([]);
  const all = files.flatMap(file => importsOf(file, readFileSync(join(root, file), 'utf8')).map(to => [file, to]));
  expect(all.length).toBeGreaterThan(800);
  expect(all.flatMap(([from, to]) => wrong(from, to) ?? [])).toEqual([]);
});

test('imports that go up, or across a floor, are told', () => {
  expect(wrong('lab/values/activation.ts', 'lab/display/activation.ts')).toMatch(/lab\/values is below lab\/display/);
  expect(wrong('lab/chat/turns.ts', 'lab/probe/lens.ts')).toMatch(/lab\/chat is beside lab\/probe/);
  expect(wrong('engine/model.ts', 'lab/index.ts')).toMatch(/engine is below/);
  expect(wrong('lab/loose.ts', 'engine/model.ts')).toMatch(/lab\/loose.ts is in no room/);
  expect(importsOf('lab/session/run.ts', "import type { A } from '../values/activation.js';")).toEqual([
    'lab/values/activation.ts',
  ]);
});

test('ARCHITECTURE.md has every room, and every path that it names is there', () => {
  const page = readFileSync(join(root, 'ARCHITECTURE.md'), 'utf8');
  for (const room of FLOORS.flat()) expect(page, room).toContain(`\`${room}${room.endsWith('.ts') ? '' : '/'}\``);
  const named = [...page.matchAll(/`((?:engine|lab|test|golden)\/[\w./-]+\.(?:ts|mjs|py|md))`/g)].map(
    ([, path]) => path,
  );
  expect(named.length).toBeGreaterThan(30);
  expect(named.filter(path => !existsSync(join(root, path)))).toEqual([]);
});
