// Code that is nested deeper than the compiler's own calls can follow is refused by a sentence with its place, and the kernel's answers to
// the editor stay those of the protocol.

import { describe, expect, test } from 'vitest';
import { complete, inspect } from '../../lab/kernel/assist.js';
import { completeness } from '../../lab/kernel/completeness.js';
import { freshFolder } from '../fixtures/folder.js';
import { cellsIn } from './cells.js';

const cells = cellsIn(freshFolder());
const failing = (source: string) =>
  cells.run(source).then(
    value => Promise.reject(new Error(`It has a value: ${value}`)),
    error => (error as Error).message,
  );

/** Where a check or the emitter gives up, and where the parser does. */
const DEEP: readonly (readonly [string, string])[] = [
  ['a sum', `1${'+1'.repeat(5_000)}`],
  ['a chain of calls', `[1]${'.map(x=>x)'.repeat(5_000)}`],
  ['lists', `${'['.repeat(6_000)}${']'.repeat(6_000)}.length`],
  ['brackets', '('.repeat(30_000)],
  ['blocks', '{'.repeat(30_000)],
  ['functions', `const f = ${'a=>'.repeat(10_000)}1`],
];

describe('what is nested too deeply', { timeout: 240_000 }, () => {
  test.each(DEEP)('%s: a sentence with the line', async (_, deep) => {
    expect(await failing(`let a1 = 1;\nlet b1 = 2;\n${deep}`)).toMatch(
      /^cell-\d+:3:\d+ - error: This is nested too deeply for the TypeScript compiler: .* Give parts of it names/,
    );
  });

  test('the cells before and after are there', async () => {
    await cells.run('function keep(n: number) { return n + 1 }\nexport class K { x = 7 }\nconst list = [1, 2]');
    for (const [, deep] of [DEEP[0], DEEP[3]]) {
      await failing(deep);
      expect(await cells.run('const s: number = keep(new K().x) + list.length; s')).toBe(10);
      expect(await failing("const t: number = keep('a')")).toContain('TS2345');
    }
  });

  test.each(DEEP)('%s: Tab and Shift+Tab have nothing to say', (_, deep) => {
    const source = `let abcd = 1;\n${deep};\nabc`;
    const reply = complete(cells.compiler, {}, source, source.length);
    expect(reply).toMatchObject({ status: 'ok', cursor_start: expect.any(Number), cursor_end: source.length });
    expect(inspect(cells.compiler, {}, source, source.length)).toMatchObject({ status: 'ok' });
  });

  test('Enter does not know', () => {
    expect(completeness('('.repeat(30_000))).toEqual({ status: 'unknown' });
  });
});
