// What a cell may be written in: TypeScript with the language as this Node has it, module syntax, no JSX; and what errors then say.

import { runInThisContext } from 'node:vm';
import { describe, expect, test } from 'vitest';
import { freshFolder } from '../fixtures/folder.js';
import { cellsIn } from './cells.js';

const cells = cellsIn(freshFolder());
const run = (source: string) => cells.run(source);
const failing = (source: string) =>
  run(source).then(
    value => Promise.reject(new Error(`It has a value: ${value}`)),
    error => (error as Error).message,
  );

describe('export in front of anything', { timeout: 120_000 }, () => {
  test.each([
    ['export const q1 = 1', 'q1', 1],
    ['export let q2 = 1; q2 += 1', 'q2', 2],
    ['export function f3() { return 3 }', 'f3()', 3],
    ['export async function f4() { return 4 }', 'await f4()', 4],
    ['export class C5 { x = 5 }', 'new C5().x', 5],
    ['export abstract class C6 { static x = 6 }', 'C6.x', 6],
    ['export enum E7 { A = 7 }', 'E7.A', 7],
    ['export const enum E8 { A = 8 }', 'E8.A', 8],
    ['export namespace N9 { export const x = 9 }', 'N9.x', 9],
    ['export type T10 = number; export interface I10 { x: T10 }', 'const i10: I10 = { x: 10 }; i10.x', 10],
    ['const q11 = 11; export { q11 }', 'q11', 11],
    ['export {}\nconst q12 = 12', 'q12', 12],
    ['export { q11, type T10 };', 'q11', 11], // of earlier cells
    [
      'export { q12b }; function q12b() { return 13 }\nimport { sep as s12 } from "node:path"; export { s12, Map }',
      'q12b() + s12',
      '13/',
    ],
    ['export default function f13() { return 13 }', 'f13()', 13],
    ['export default class C14 { x = 14 }', 'new C14().x', 14],
    ["export { join as j15 } from 'node:path'", "j15('a', 'b')", 'a/b'],
    ["export * as p16 from 'node:path'", "p16.join('a', 'b')", 'a/b'],
    ['export const { a17, b17: [c17] } = { a17: 1, b17: [16] }', 'a17 + c17', 17],
  ])('%s', async (declares, uses, value) => {
    await run(declares);
    expect(await run(uses)).toBe(value);
  });

  test('a default is a value', async () => {
    expect(await run('export default 5')).toBe(5);
    expect(((await run('export default function () { return 6 }')) as () => number)()).toBe(6);
    expect(await run('export default { a: 1 }')).toEqual({ a: 1 });
  });

  test.each([
    [
      "export * from 'node:path'",
      /^cell-\d+:1:1 - error: `export \*` means nothing in a cell\. Import the module by a name/,
    ],
    [
      'const z1 = 1;\nexport { z1 as z2 }',
      /^cell-\d+:2:10 - error: A cell has no exports to name: say const z2 = z1\./,
    ],
    [
      'const z3 = 1;\nexport { z3 as default, nope as default }',
      /^cell-\d+:2:25 - error TS2304: Cannot find name 'nope'\./,
    ],
    ['const z3 = 1;\nexport { z3, nope }', /^cell-\d+:2:14 - error TS2304: Cannot find name 'nope'\./],
    ['export = 1', /^cell-\d+:1:1 - error: `export =` means nothing in a cell/],
  ])('%s is refused in a sentence', async (source, told) => {
    const message = await failing(source);
    expect(message).toMatch(told);
    expect(message.match(/error/g)).toHaveLength(1);
  });
});

describe('JSX', { timeout: 120_000 }, () => {
  test.each([
    ['<b/>', '1:1'],
    ['<b>hi</b>', '1:1'],
    ['const e = <div className="x">{1 + 1}</div>;', '1:11'],
    ['<>a</>', '1:1'],
    ['const n = 1;\nfunction View() {\n  return <p>{n}</p>;\n}', '3:10'],
    ['const f = () => <b>x</b>', '1:17'],
  ])('%s is refused as JSX, once', async (source, place) => {
    const message = await failing(source);
    expect(message).toContain(`:${place} - error: JSX is not supported in a cell`);
    expect(message.match(/error/g)).toHaveLength(1);
  });

  test.each([
    ['(<T>(x: T) => x)(1)', 1],
    ['(<T,>(x: T) => x)(2)', 2],
    ['(<T extends number>(x: T) => x)(3)', 3],
    ['<number>4', 4],
    ['const any5: any = 5; <number>any5 + 0', 5],
    ['1 < 2 && 3 > 2 ? 6 : 0', 6],
    ["'<b>hi</b>'.length", 9],
  ])('%s is none', async (source, value) => expect(await run(source)).toBe(value));

  test('a mistake beside a type assertion is no JSX', async () => {
    expect(await failing('const x = <number>1;\nconst = 3')).not.toContain('JSX');
  });
});

describe('what is typed out of habit', { timeout: 120_000 }, () => {
  test.each([
    ['%time 1 + 1', '1:1', "A magic of IPython, and cells here are TypeScript. console.time('a') and"],
    [
      '%matplotlib inline',
      '1:1',
      'A magic of IPython, and cells here are TypeScript. plot(x, y), bar(…) and heatmap(…) draw',
    ],
    ['%pip install x', '1:1', 'A magic of IPython, and cells here are TypeScript. Packages are installed with npm'],
    ['%load_ext autoreload', '1:1', 'A magic of IPython, and cells here are TypeScript.'],
    [
      '\n%%bash\nls -la\necho hi',
      '2:1',
      'A magic of IPython, and cells here are TypeScript. A shell runs in a terminal',
    ],
    ['pip install numpy', '1:1', "A shell's command, and cells here are TypeScript. Packages are installed with npm"],
    [
      'const n = 1;\n  !ls',
      '2:3',
      `A shell's command, and cells here are TypeScript: (await import('node:child_process')).execSync("ls", `,
    ],
    ['!ls -la | head', '1:1', `execSync("ls -la | head", { encoding: 'utf8' }) runs it`],
    ['!./run.sh', '1:1', 'execSync("./run.sh"'],
    ['ls', '1:1', 'execSync("ls"'],
    ['git status', '1:1', 'execSync("git status"'],
    [
      'Math?',
      '1:1',
      'A question of IPython, and cells here are TypeScript: with the cursor on Math, Shift+Tab says what it is',
    ],
    ['?Math.max', '1:1', 'with the cursor on Math.max, Shift+Tab'],
    ['# a comment', '1:1', 'Python, and cells here are TypeScript: a comment begins with //.'],
    ['print("hi")', '1:1', 'Python, and cells here are TypeScript: console.log(…) prints'],
    [
      'import numpy as np',
      '1:1',
      "Python, and cells here are TypeScript: import { open } from 'gemma-loupe' is an import.",
    ],
    ['from math import pi', '1:1', 'Python, and cells here are TypeScript'],
    [
      'def f(x):\n  return x',
      '1:1',
      'Python, and cells here are TypeScript: function name(a: number) { … } is a function.',
    ],
    ['for i in range(3):\n  i', '1:1', 'Python, and cells here are TypeScript: what is within stands between { and }.'],
  ])('%j is answered with how it is done here', async (source, place, told) => {
    const message = await failing(source);
    expect(message).toMatch(new RegExp(`^cell-\\d+:${place} - error: `));
    expect(message).toContain(told);
    expect(message.match(/- error/g)).toHaveLength(1);
  });

  test.each([
    ['const = 3', 'TS1134'],
    ['const odd19: number = "a"', 'TS2322'],
    ['nope19.x', 'TS2304'],
    ['if (!nope19) 1', 'TS2304'],
    ['!"a" - 1', 'TS2362'],
    ['const print19 = (s: string) => s; print19(nope19)', 'TS2304'],
    ['function print(s: string) { return s }\nprint(nope19)', 'TS2304'],
  ])('%j is TypeScript with a mistake', async (source, code) => {
    expect(await failing(source)).toContain(`error ${code}: `);
  });
});

describe('the language is Node’s', { timeout: 120_000 }, () => {
  test.each([
    ['[3, 1].toSorted()', [1, 3]],
    ['[1, 2].toReversed()', [2, 1]],
    ['[1, 2].with(0, 9)', [9, 2]],
    ['[1, 2, 3].toSpliced(0, 1)', [2, 3]],
    ['[1, 2].findLast(x => x < 9)', 2],
    [
      "Object.groupBy([1, 2, 3], x => (x % 2 ? 'odd' : 'even'))",
      Object.assign(Object.create(null), { odd: [1, 3], even: [2] }),
    ],
    [
      '[...Map.groupBy([1, 2, 3], x => x % 2)]',
      [
        [1, [1, 3]],
        [0, [2]],
      ],
    ],
    ["'a\\ud800'.isWellFormed()", false],
    ["'a\\ud800'.toWellFormed()", 'a\ufffd'],
    ['structuredClone({ a: [1] })', { a: [1] }],
    ["/[\\p{L}--[a-z]]/v.test('a')", false],
    ['new ArrayBuffer(1, { maxByteLength: 4 }).resizable', true],
    ["Object.hasOwn({ a: 1 }, 'a')", true],
    ["'abc'.at(-1)", 'c'],
    ['(await Promise.any([Promise.resolve(1)]))', 1],
    ['typeof fetch + typeof Blob + typeof performance.now()', 'functionfunctionnumber'],
    ['new Error("x", { cause: 1 }).cause', 1],
  ])('%s', async (source, value) => expect(await run(source)).toEqual(value));

  // What the types say is what Node does: both or neither.
  test.each([
    'Promise.withResolvers',
    'Array.fromAsync',
    'new Set([1]).union',
    'new ArrayBuffer(1).transfer',
    'new ArrayBuffer(1).resize',
    'Atomics.waitAsync',
    'Promise.try',
    '[1].values().map',
  ])('%s is known exactly where Node has it', async source => {
    const there = runInThisContext(`typeof ${source}`) === 'function';
    const known = await run(`typeof ${source}`).then(
      value => value === 'function',
      () => false,
    );
    expect(known).toBe(there);
  });

  test('using, and await using, end with the cell', async () => {
    expect(
      await run(
        'const order: string[] = [];\n{ using a = { [Symbol.dispose]: () => { order.push("a") } }; order.push("in"); }\norder.join()',
      ),
    ).toBe('in,a');
    await run('using top = { open: true, [Symbol.dispose]() { this.open = false } };\nconst beside = top.open;');
    expect(await run('[top.open, beside]')).toEqual([false, true]);
  });
});

describe('a place is found', { timeout: 120_000 }, () => {
  test.each([
    ['throw new Error("x")', '1:7'],
    ['\r\n\r\n  null!.x;\r\n'.replace('null!', '(null as any)'), '3:17'],
    ['\ufeffconst b1 = 1;\nthrow new Error("x")', '2:7'],
    ['enum D { A }\nclass G { constructor(private x: number) { throw new Error("x") } }\nnew G(1)', '2:50'],
    ['const dec = (c: any) => c;\n@dec class H { m() { throw new Error("x") } }\nnew H().m()', '2:28'],
    ['for (const i of [1])\n  for (const j of [2])\n    throw new Error("x")', '3:11'],
    ['using u = { [Symbol.dispose]() {} };\nthrow new Error("x")', '2:7'],
    ['const größe = 1;\nconst 名前 = (): never => { throw new Error("😀") }; 名前()', '2:33'],
  ])('%j', async (source, place) => {
    expect(await failing(source)).toMatch(new RegExp(`\\n {4}at (\\S+ \\(|new \\S+ \\()?cell-\\d+:${place}\\)?\\n`));
  });

  test('of 20,000 lines, ten calls deep, in a moment', { timeout: 300_000 }, async () => {
    const data = Array.from({ length: 20_000 }, (_, i) => `  [${i}, 'row ${i}'],`).join('\n');
    const calls = Array.from(
      { length: 10 },
      (_, i) => `function call${i}(): number { return ${i === 9 ? 'data[-1].length' : `call${i + 1}() + 1`}; }`,
    ).join('\n');
    const source = `const data: (string | number)[][] = [\n${data}\n];\n${calls}\ncall0();`;
    cells.compiler.begin('cell-999');
    const thrown = await cells.runner.run(source).catch((error: Error) => error);
    const { stackInCells } = await import('../../lab/kernel/place.js');
    const began = process.cpuUsage();
    const stack = stackInCells((thrown as Error).stack!, cells.compiler.cells);
    const { user, system } = process.cpuUsage(began);
    expect(stack.join('\n')).toMatch(/call9 \(.*cell-999:20012:44.*[\s\S]*call0 \(.*cell-999:20003:/);
    expect((user + system) / 1e6).toBeLessThan(5); // it was 21 seconds a frame
  });

  test('of one very long line, with as much of it as a page shows', async () => {
    const message = await failing(`const long = '${'x'.repeat(100_000)}'; throw new Error('far')`);
    expect(message).toMatch(/at cell-\d+:1:100024/);
    expect(message.length).toBeLessThan(2000);
    expect((await failing(`const wrong: number = '${'x'.repeat(100_000)}'`)).length).toBeLessThan(2000);
  });

  test('of thousands of mistakes, the first fifty', async () => {
    const message = await failing(Array.from({ length: 3000 }, (_, i) => `const w${i}: number = 'x';`).join('\n'));
    expect(message.match(/error TS2322/g)).toHaveLength(50);
    expect(message).toMatch(/and 2950 more$/);
  });
});
