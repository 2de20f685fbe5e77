// Tab within the name of a module or a path: what comes in its place, and how far that reaches. `node:f` became `node:fnode:fs`.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { complete } from '../../lab/kernel/assist.js';
import { freshFolder } from '../fixtures/folder.js';
import { cellsIn } from './cells.js';

const folder = freshFolder();
for (const name of ['a.ts', 'beta.ts', 'bom.ts']) writeFileSync(join(folder, name), 'export const x = 1;');
const cells = cellsIn(folder);

test.each([
  ["import fs from 'node:f", "import fs from 'node:fs"],
  ["import { x } from './b", "import { x } from './beta"],
  ["const m = await import('./be", "const m = await import('./beta"],
])('%s', { timeout: 120_000 }, (source, becomes) => {
  const { matches, cursor_start, cursor_end } = complete(cells.compiler, {}, source, source.length) as {
    matches: string[];
    cursor_start: number;
    cursor_end: number;
  };
  expect(source.slice(0, cursor_start) + matches[0] + source.slice(cursor_end)).toBe(becomes);
  expect(matches).not.toContain('a');
});
