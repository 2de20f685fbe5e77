// A cell that takes away what the kernel itself runs on: the next one works, and it is said; what can never be put back is said with what to do.

import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { packageRoot } from '../../engine/files.js';
import { runPython } from './jupyter.js';

const any = '(globalThis as any)';
const CHANGED = /was changed, and the kernel runs on it: it is again as it was\.|were changed/;
const CASES: [string, RegExp][] = [
  ['(process as any).reallyExit(0)', /process\.reallyExit\(0\) would end the kernel and its session/],
  [`delete ${any}.process`, CHANGED],
  [`${any}.process = undefined`, CHANGED],
  [`${any}.process = {}`, CHANGED],
  [`${any}.Promise = null`, CHANGED],
  [`${any}.Promise = function () {}; 1`, CHANGED],
  [`delete ${any}.Array`, CHANGED],
  [`${any}.Object = 5`, CHANGED],
  [`${any}.Reflect = undefined`, CHANGED],
  [`${any}.Symbol = null; ${any}.Map = null; ${any}.Set = null; ${any}.Error = null`, CHANGED],
  [`${any}.setTimeout = null; ${any}.setImmediate = undefined; delete ${any}.queueMicrotask`, CHANGED],
  [`${any}.console = null`, CHANGED],
  [`${any}.Buffer = null; ${any}.AbortController = null`, CHANGED],
  ['(Array.prototype as any)[Symbol.iterator] = null', CHANGED],
  ['(Array.prototype as any)[Symbol.iterator] = function* () {}; 1', CHANGED],
  ['(Array.prototype as any).push = () => { throw new Error("no") }; 1', CHANGED],
  ['for (const m of ["push", "map", "filter", "join", "slice", "concat"]) delete (Array.prototype as any)[m]', CHANGED],
  ['(Promise.prototype as any).then = null', CHANGED],
  ['(Promise.prototype as any).then = function () { return this }; 1', CHANGED],
  ['(Promise as any).race = null; (Promise as any).all = null', CHANGED],
  [
    '(Function.prototype as any).call = null; (Function.prototype as any).apply = null; (Function.prototype as any).bind = null',
    CHANGED,
  ],
  ['(Object as any).keys = (Object as any).entries = (Object as any).assign = null', CHANGED],
  ['(JSON as any).stringify = () => { throw 1 }; 1', CHANGED],
  [
    '(String.prototype as any).replace = null; (String.prototype as any).split = null; (RegExp.prototype as any).exec = null',
    CHANGED,
  ],
  ['(Map.prototype as any).get = (Map.prototype as any).set = (Set.prototype as any).has = null', CHANGED],
  ['Object.getPrototypeOf([][Symbol.iterator]()).next = null', CHANGED],
  ['(process as any).emit = null; (process as any).on = null; (process as any).nextTick = null', CHANGED],
  ['(Object.prototype as any).get = 1; 1', CHANGED],
  ['(Object.prototype as any).then = function () {}; 1', CHANGED],
  ['(Object.prototype as any).value = 7; await null', CHANGED],
  ['Object.freeze(globalThis); 1', /Object\.freeze\(globalThis\) would end the kernel and its session/],
  ['Reflect.preventExtensions(process)', /would end the kernel and its session/],
  ['setTimeout(() => { (Array.prototype as any).push = null }, 0); 1', /^$|it is again as it was/], // before the next cell
  [`${any}.Promise = null; await null; throw new Error('mine')`, /was changed[\s\S]*Error: mine/],
  [
    'Math.random = () => 0.5; Date.now = () => 7; console.debug = () => {}; (Array.prototype as any).last = 1; Math.random() + Date.now()',
    /^$/,
  ],
  ['Math.random() + Date.now() + (Array.prototype as any).last', /^$/],
];
let result: [string, string, string, string, string[], string][];
beforeAll(() => {
  const folder = mkdtempSync(join(tmpdir(), 'loupe-cells-'));
  const cells = JSON.stringify(CASES.map(([cell]) => cell));
  const { status, stderr } = runPython(
    join(packageRoot(), 'test/notebook/foundations.py'),
    join(folder, 'result.json'),
    cells,
  );
  if (status !== 0) throw new Error(stderr);
  result = JSON.parse(readFileSync(join(folder, 'result.json'), 'utf8'));
  rmSync(folder, { recursive: true });
}, 400_000);

test.each(CASES.map(([cell, says], i) => [cell, says, i] as const))('%s', (cell, says, i) => {
  const [asked, , said, status, shown] = result[i];
  expect(asked).toBe(cell);
  expect(said).toMatch(says);
  expect([status, shown]).toEqual(['ok', ['1,2,3,4']]);
});
