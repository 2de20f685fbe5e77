// Cells as people write them: every kind of declaration, and odd texts.

import { describe, expect, test } from 'vitest';
import { freshFolder } from '../fixtures/folder.js';
import { cellsIn } from './cells.js';

const cells = cellsIn(freshFolder());

describe('one cell declares, the next uses', { timeout: 120_000 }, () => {
  test.each<[string, string, unknown]>([
    [
      'class A1 { static n = 1; #p = 2; get p() { return this.#p } }',
      'class B1 extends A1 { q = this.p }\n[new B1().q, B1.n]',
      [2, 1],
    ],
    ['enum E2 { A, B = 5, C } const enum F2 { X = 7 }', '[E2.C, E2[5], F2.X]', [6, 'B', 7]],
    [
      'namespace N3 { export const a = 1; export namespace M { export const b = 2 } }',
      'import M3 = N3.M;\n[N3.a, M3.b]',
      [1, 2],
    ],
    [
      'function dec4(..._: any[]): any { return (t: any) => t }\nfunction mark4(t: any) { t.marked = true }',
      '@mark4 @dec4(1) class C4 { static marked?: boolean }\nC4.marked',
      true,
    ],
    [
      'function id5<T>(x: T): T { return x }\ntype Box5<T> = { v: T }; interface I5 extends Box5<number> { w: string }',
      'const b5: I5 = { v: 1, w: "x" };\nid5<Box5<number>>(b5).v',
      1,
    ],
    [
      'async function* gen6(n: number) { for (let i = 0; i < n; i++) yield i }',
      'const out6: number[] = [];\nfor await (const x of gen6(3)) out6.push(x)\nout6',
      [0, 1, 2],
    ],
    ['const { a7, ...rest7 } = { a7: 1, b: 2 }, [c7, , d7 = 9] = [3, 4];', '[a7, rest7.b, c7, d7]', [1, 2, 3, 9]],
    ['if (true) { var v8 = 1 } for (var i8 = 0; i8 < 3; i8++);', 'v8 + i8', 4],
    ['const early9 = hoisted9(); function hoisted9() { return 9 }', 'early9 + hoisted9()', 18],
    [
      'outer: for (const i of [1, 2]) { for (const j of [1, 2]) { if (j === 2) continue outer; if (i === 2) break outer } } const l10 = 1',
      'l10',
      1,
    ],
    [
      "import { join } from 'node:path'",
      "import { join, dirname } from 'node:path'\n[join('a', 'b'), dirname('a/b')]",
      ['a/b', 'a'],
    ],
    ['// @ts-ignore\nconst t12: number = "x"', 't12', 'x'],
    ['let n13 = 1', 'n13++; n13 += 2; ({ n13 } = { n13: n13 * 10 }); [n13] = [n13 + 1]\nn13', 41],
    [
      'let s14 = 1',
      'const f14 = (s14: number) => s14 * 2; const o14 = { s14, m() { return s14 } };\n[f14(5), o14.s14, o14.m()]',
      [10, 1, 1],
    ],
    [
      'const u15 = undefined, n15 = null, sym15 = Symbol.iterator',
      '[u15, n15, typeof sym15]',
      [undefined, null, 'symbol'],
    ],
    ['const ünïcode = 1, 変数 = 2, $ = 3, _ = 4', '[ünïcode, 変数, $, _]', [1, 2, 3, 4]],
    ['let o17: { a?: { b: number } } = {}', 'o17.a ??= { b: 1 }; o17?.a?.b', 1],
    [
      'abstract class Shape18 { abstract area(): number; twice() { return 2 * this.area() } }',
      'class Sq18 extends Shape18 { constructor(readonly s = 3) { super() } area() { return this.s ** 2 } }\nnew Sq18().twice()',
      18,
    ],
    [
      'function tag19(s: TemplateStringsArray, ...v: unknown[]) { return s.raw.join("|") + v.join() }',
      'const one19 = 1\ntag19`a$' + '{one19}b`',
      'a|b1',
    ],
    ['const fn20 = function () { return this === undefined || this === globalThis }', 'const two20 = 2\nfn20()', true],
    [
      'function over21(a: string): string; function over21(a: number): number; function over21(a: any) { return a }',
      'over21(1) + over21("x").length',
      2,
    ],
    ['declare const process22: undefined; const p22 = 1', 'p22', 1],
    ['const exports = 1, module = 2; const require = 3 as any', 'exports + module + require', 6],
    ['class Point { x = 1 }\nlet point: Point = new Point()', 'class Point { y = 2 }\nnew Point().y + point.x', 3],
    ['interface Opt { a: number }', 'const Opt = { b: 1 };\nconst o25: Opt = { a: Opt.b }; o25.a', 1],
    ['const big26 = 2n ** 70n; const re26 = /a{2}/gu', '[typeof big26, re26.flags]', ['bigint', 'gu']],
    ['const __proto__27 = 1; const constructor = 2; const toString = 3', 'constructor + toString', 5],
    ['try { const inner28 = 1 } catch {} switch (1) { case 1: { let sw = 2 } }\nconst w28 = 1', 'typeof w28', 'number'],
    ['type Rec = { next?: Rec }; const r29: Rec = { next: {} }', 'typeof r29.next', 'object'],
    ['let evolving; evolving = 1; evolving = "x"', 'evolving', 'x'],
  ])('%s', async (declares, uses, value) => {
    await cells.run(declares);
    expect(await cells.run(uses)).toEqual(value);
  });
});

describe('odd texts', { timeout: 120_000 }, () => {
  test.each<[string, unknown]>([
    ['', undefined],
    ['   \n\n', undefined],
    ['// only a comment', undefined],
    ['/* a */ // b', undefined],
    ['1\n// c', 1],
    ['let ran = 1\nran += 1\n// end', 2],
    ['let w = 3\n/* block\n*/', undefined],
    ['5;\n// b\n/* d */\n\n', 5],
    ['await 1\n// c', 1],
    ["import 'node:fs'\n// c", undefined],
    ['function f() {}\n// b', undefined],
    ['interface Z { a: 1 }\n// c', undefined],
    ['1\n// export {}', 1],
    ['1\n// export {};\n', 1],
    ['1 // export {};', 1],
    ['/*\nexport {};\n*/', undefined],
    ['export {};\n2\n// c', 2],
    ['`\nexport {};\n`', '\nexport {};\n'],
    ['`\nexport {};`\n// c', '\nexport {};'],
    ["'x'\n//# sourceMappingURL=x.map", 'x'],
    ['`//# sourceMappingURL=x`\n// c', '//# sourceMappingURL=x'],
    ['/x\\/\\//.source\n//', 'x\\/\\/'],
    ['\ufeff', undefined],
    ['\ufeff// x', undefined],
    [';;;', undefined],
    ['1;;', 1],
    ['\ufeff2', 2],
    ['const a = 1\r\nconst b = 2\r\na + b\r\n', 3],
    ['#!/usr/bin/env node\n4', 4],
    ["'use strict'; (function () { return this === undefined })()", true],
    ["'a string'", 'a string'],
    ['5 // a comment behind', 5],
    ['6 /* open', undefined],
    ['{ a: 1 }', undefined],
    ['({ a: 1 })', { a: 1 }],
    ['interface Last { a: number }\n7\ninterface Later { b: number }', 7],
    ['`$' + '{`$' + '{8}`}`', '8'],
    ['await 9', 9],
    ['(await 5) * 2', 10],
    ['const x11 = [await 11]\n;[x11[0]]', [11]],
    ['const { v12 = await 12 } = {} as { v12?: number }; v12', 12],
    ['class C13 extends (await Promise.resolve(Array)) {}\nnew C13().length', 0],
    ['if (await true) { await 1 } else await 2; 14', 14],
    ['label15: { break label15 }\n15', 15],
    ['for await (const x of [1]) {}\n16', 16],
    ['let a17 = 1, b17 = 2\n;[a17, b17] = [b17, a17]\na17', 2],
    ['(() => { for (const x of [1, 2]) if (x === 2) return x })()', 2],
    ['async () => 1', expect.any(Function)],
    ['function named() {}', undefined],
    ['eval("1 + 20")', 21],
    ['this === globalThis', true],
    [`${'('.repeat(200)}1${')'.repeat(200)}`, 1],
    [`const many = [${'1,'.repeat(20000)}]; many.length`, 20000],
  ])('%j', async (source, value) => {
    const ran = cells.run(source);
    if (source.includes('/* open')) await expect(ran).rejects.toThrow(/TS1010/);
    else expect(await ran).toEqual(value);
  });

  test.each<[string, unknown]>([
    ['const frozen = Object.freeze({ a: 1 }) as any; frozen.a = 2', /Cannot assign to read only property 'a'/],
    ['frozen.a = 3', /Cannot assign to read only property 'a'/],
    ['frozen.b = 3', /Cannot add property b, object is not extensible/],
    ['delete frozen.a', /Cannot delete property 'a'/],
    ['({ get only() { return 1 } } as any).only = 2', /which has only a getter/],
    ['(5 as any).name = 2', /Cannot create property 'name' on number '5'/],
    ['(function () { return arguments.callee })()', /may not be accessed on strict mode functions/],
    ['(globalThis as any).undefined = 1', /Cannot assign to read only property 'undefined'/],
    ['await null; frozen.a = 4', /Cannot assign to read only property 'a'/],
    ['(() => { frozen.a = 5 })()', /Cannot assign to read only property 'a'/],
  ])('%s: a mistake in a module is one in a cell', async (source, told) => {
    await expect(cells.run(source)).rejects.toThrow(told as RegExp);
  });

  test.each<[string, unknown]>([
    ['(function (this: any) { return this === undefined })()', true],
    ['const shadowing = 1; eval("var shadowing = 2; shadowing") + shadowing', 3],
    ['new Function("return this === globalThis")()', true],
    ['if (true) { function inBlock() {} } typeof (globalThis as any).inBlock', 'undefined'],
    ['let later = 1; later = 2; var older: number; older = 3; [later, older]', [2, 3]],
    ['function own() { return 1 } (own as any) = () => 2; (own as any)()', 2],
  ])('%s: as in a module', async (source, value) => {
    expect(await cells.run(source.includes('(own as any) =') ? `// @ts-nocheck\n${source}` : source)).toEqual(value);
  });

  test.each([
    'return 1',
    'break',
    'await',
    'const',
    'let let = 1',
    'import',
    'export',
    '}',
    ')',
    'yield 1',
    'super.x',
    '@',
    '\\',
    '`',
    "'",
    '/',
    '#x',
    'const a = 1; const a = 2',
    'async',
    'new.target',
  ])('%j is refused or an error, and the next cell runs', async source => {
    await cells.run(source).catch(() => {});
    expect(await cells.run('1 + 1')).toBe(2);
  });

  test('hundreds of cells one after the other, each on the one before', async () => {
    await cells.run('let chain = 0; const link0 = 0;');
    for (let i = 1; i <= 60; i++) await cells.run(`const link${i} = link${i - 1} + 1; chain += 1;`);
    expect(await cells.run('[chain, link60]')).toEqual([60, 60]);
  });

  test('the same cell again and again leaves nothing behind', async () => {
    for (let i = 0; i < 30; i++)
      await cells.run('const same = { n: 1 }; class Same {} function sames() { return same.n } type Sames = number;');
    expect(await cells.run('sames()')).toBe(1);
    expect(cells.compiler.language.count).toBeLessThan(200);
  });
});
