// What ends a line for JavaScript ends one for whoever is told a place: a lone CR and the separators of Unicode as well as LF.

import { describe, expect, test } from 'vitest';
import { freshFolder } from '../fixtures/folder.js';
import { cellsIn } from './cells.js';

const cells = cellsIn(freshFolder());
const failing = (source: string) =>
  cells.run(source).then(
    value => Promise.reject(new Error(`It has a value: ${value}`)),
    error => (error as Error).message,
  );

describe.each([
  ['LF', '\n'],
  ['CRLF', '\r\n'],
  ['CR', '\r'],
  ['U+2028', '\u2028'],
  ['U+2029', '\u2029'],
])('lines that end in %s', { timeout: 60_000 }, (_, end) => {
  test('what is thrown has its place and its line', async () => {
    const message = await failing(`let w = 1;${end}${end}throw new Error('here')`);
    expect(message).toMatch(/cell-\d+:3:7/);
    expect(message.split('\n').slice(-2)).toEqual(["3 throw new Error('here')", '        ^']);
  });

  test('what the compiler refuses has its line', async () => {
    const message = await failing(`let v = 1;${end}const n: number = 'a';`);
    expect(message).toMatch(/^cell-\d+:2:7 - error TS2322/);
    expect(message).toContain("\n2 const n: number = 'a';\n");
  });

  test('lines that are taken out, or are in a text, are counted', async () => {
    const source = `import {${end}join${end}} from 'node:path';${end}const t = \`a${end}b\`;${end}throw new Error('here')`;
    expect(await failing(source)).toMatch(/cell-\d+:6:7/);
  });
});
