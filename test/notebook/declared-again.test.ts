// A variable that a cell declares again, and what is left of the earlier one when the cell fails: as JavaScript has it for var and function,
// and the earlier one for everything that was not come to.

import { describe, expect, test } from 'vitest';
import { freshFolder } from '../fixtures/folder.js';
import { cellsIn } from './cells.js';

const cells = cellsIn(freshFolder());

/** Cells one after the other; those that begin with `!` fail. The value of the last. */
async function following(...sources: string[]): Promise<unknown> {
  let value: unknown;
  for (const source of sources) {
    if (!source.startsWith('!')) value = await cells.run(source);
    else await expect(cells.run(source.slice(1))).rejects.toThrow(/Thrown|Error: here/);
  }
  return value;
}

describe('what a cell that fails did not come to is as it was', { timeout: 120_000 }, () => {
  test.each<[unknown, ...string[]]>([
    [1, 'var a1 = 1', '!throw 1; var a1 = 2', 'a1'],
    [1, 'var a2 = 1', '!throw 1; for (var a2 = 0; a2 < 3; a2++);', 'a2'],
    [7, 'var a3 = 7', '!var a3; throw 1', 'a3'],
    [1, 'var a4 = 1', "!throw 1; var a4 = 'text'", 'a4.toFixed() && a4'],
    ['1,2', 'var [a5, b5] = [1, 2]', '!throw 1; var { a5, c: [b5] } = { a5: 3, c: [4] }', '[a5, b5].join()'],
    [1, 'let a6 = 1', '!throw 1; var a6 = 2', 'a6'],
    [1, 'const a7 = 1', '!throw 1; if (true) { var a7 = 2 }', 'a7'],
    [1, 'function a8() { return 1 }', '!throw 1; var a8 = 5', 'a8()'],
    [5, 'var a9 = 1; function get9() { return a9 }', '!throw 1; var a9 = 2', 'a9 = 5; get9()'],
    [1, 'enum E10 { A = 1 }', '!throw 1; enum E10 { A = 2 }', 'E10.A'],
    [1, 'enum E11 { A = 1 }', "!enum E11 { A = (() => { throw 'within' })() as number }", 'E11.A'],
    [1, 'const enum E12 { A = 1 }', '!throw 1; const enum E12 { A = 2 }', 'E12.A'],
    [1, 'namespace N13 { export const a = 1 }', '!throw 1; namespace N13 { export const a = 2 }', 'N13.a'],
    [1, 'namespace N14 { export const a = 1 }', '!namespace N14 { throw 1; export const a = 2 }', 'N14.a'],
    [1, 'namespace N15.M { export const a = 1 }', '!throw 1; namespace N15.M { export const a = 2 }', 'N15.M.a'],
    [1, 'class C16 { static a = 1 }', '!throw 1; class C16 { static a = 2 }', 'C16.a'],
    [1, 'const E17 = { A: 1 }', '!throw 1; enum E17 { A = 2 }', 'E17.A'],
    [1, 'var a18 = 1', '!throw 1; async function f18() {} await f18(); var a18 = 2', 'a18'],
    // With `using` TypeScript makes all of a cell `var`.
    [1, 'let a19 = 1', '!using u = { [Symbol.dispose]() {} }; throw 1; let a19 = 2', 'a19'],
    [
      1,
      'class C20 { static a = 1 }',
      '!using u = { [Symbol.dispose]() {} }; throw 1; class C20 { static a = 2 }',
      'C20.a',
    ],
    [1, 'enum E21 { A = 1 }', '!using u = { [Symbol.dispose]() {} }; throw 1; enum E21 { A = 2 }', 'E21.A'],
    // A function is there from the beginning of its cell.
    [2, 'function f22() { return 1 }', '!throw 1; function f22() { return 2 }', 'f22()'],
    [undefined, '!throw 1; var a23 = 1', 'a23'],
  ])('%j after %s | %s | %s', async (value, ...sources) => {
    expect(await following(...sources)).toEqual(value);
  });

  test('and is not known where there was none', async () => {
    for (const declares of ['enum X24 { A }', 'namespace X24 { export const A = 1 }', 'let X24 = 1', 'class X24 {}']) {
      await following(`!throw 1; ${declares}`);
      await following(`!using u = { [Symbol.dispose]() {} }; throw 1; ${declares}`);
      await expect(cells.run('X24')).rejects.toThrow("Cannot find name 'X24'");
    }
  });
});

describe('what a cell that fails has come to stays', { timeout: 120_000 }, () => {
  test.each<[unknown, ...string[]]>([
    [2, 'var b1 = 1', '!var b1 = 2; throw 1', 'b1'],
    [3, 'var b2 = 1', '!for (var b2 = 0; b2 < 3; b2++); throw 1', 'b2'],
    [2, 'var b3 = 1', '!b3 = 2; throw 1; var b3 = 3', 'b3'],
    [2, 'enum E4 { A = 1 }', '!enum E4 { A = 2 } throw 1', 'E4.A'],
    [2, 'namespace N5 { export const a = 1 }', '!namespace N5 { export const a = 2 }\nthrow 1', 'N5.a'],
    [2, 'let b6 = 1', '!using u = { [Symbol.dispose]() {} }; let b6 = 2; throw 1', 'b6'],
    [undefined, 'let b7 = 1', '!using u = { [Symbol.dispose]() {} }; let b7: undefined; throw 1', 'b7'],
    // The same value, and the variable of the cell's own function.
    [5, 'var b8 = 0', '!var b8 = 0; function add8(n: number) { b8 += n }\nthrow 1', 'add8(5); b8'],
    [5, 'var b9: any = 0', '!var b9; function set9() { b9 = 5 }\nthrow 1', 'set9(); b9'],
    [2, 'var b10 = () => 1', '!var b10 = () => 2\nthrow 1', 'b10()'],
  ])('%j after %s | %s | %s', async (value, ...sources) => {
    expect(await following(...sources)).toEqual(value);
  });
});

describe('var goes on with what it had', { timeout: 120_000 }, () => {
  test.each<[unknown, ...string[]]>([
    [7, 'var c1 = 7', 'var c1', 'c1'],
    [7, 'var c2 = 7', 'if (false) { var c2 = 8 }', 'c2'],
    [8, 'var c3 = 7', 'var c3: any; c3 ??= 9; c3 += 1', 'c3'],
    [1, 'function c4() { return 1 }', 'var c4: any;', 'c4()'],
    ['a', 'var c5 = 7', 'for (var c5 in { a: 1 });', 'c5'],
    [undefined, 'var c6 = 7', 'let c6: undefined', 'c6'],
    [undefined, 'let c7 = 7', 'var c7: undefined', 'c7'],
    ['B', 'enum E8 { A }', 'enum E8 { B }', 'Object.keys(E8)[1]'],
    ['b', 'namespace N9 { export const a = 1 }', 'namespace N9 { export const b = 1 }', 'Object.keys(N9).join()'],
    ['c10', 'var c10 = () => 1', 'c10.name'],
  ])('%j after %s | %s | %s', async (value, ...sources) => {
    expect(await following(...sources)).toEqual(value);
  });

  test('and the next statement begins where its declaration ends', async () => {
    expect(await following('var { d1, ...d2 } = { d1: 1, x: 2 }, [, d3 = 3] = [0]\n;[d1, d2.x, d3]')).toEqual([
      1, 2, 3,
    ]);
    expect(await following('var d4 = () => ({ a: 1 })\nd4().a')).toBe(1);
    expect(await following('enum D5 { A } [D5.A]')).toEqual([0]);
    expect(await following('namespace D6 { export const a = 1 } (D6.a)')).toBe(1);
  });
});
