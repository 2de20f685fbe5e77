// Tab within the quotes of an import takes the place of what is typed, so that it is not written twice.

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { complete } from '../../lab/kernel/assist.js';
import { freshFolder } from '../fixtures/folder.js';
import { cellsIn } from './cells.js';

const folder = freshFolder();
mkdirSync(join(folder, 'deep'));
for (const name of ['apple.ts', 'bread.ts', 'butter.ts', 'deep/bone.ts'])
  writeFileSync(join(folder, name), 'export const x = 1;\n');
const cells = cellsIn(folder);

/** The line after each match was taken; the cursor is at `^`. */
function accepted(line: string): string[] {
  const [before, after] = line.split('^');
  const source = before + after;
  const reply = complete(cells.compiler, {}, source, before.length) as {
    matches: string[];
    cursor_start: number;
    cursor_end: number;
  };
  return reply.matches.map(match => source.slice(0, reply.cursor_start) + match + source.slice(reply.cursor_end));
}

test.each([
  ["import fs from 'node:f^", "import fs from 'node:fs"],
  ["import fs from 'node:f^'", "import fs from 'node:fs'"],
  ["import fs from 'node:fs/p^", "import fs from 'node:fs/promises"],
  ["const fs = require('node:f^", "const fs = require('node:fs"],
  ["await import('node:f^')", "await import('node:fs')"],
  ["import x from './b^", "import x from './bread"],
  ["import x from './b^'", "import x from './butter'"],
  ["import x from './deep/^'", "import x from './deep/bone'"],
  ["import x from './deep/b^", "import x from './deep/bone"],
  ["const c: 'red' | 'blue' = 'b^'", "const c: 'red' | 'blue' = 'blue'"],
])('%s', { timeout: 60_000 }, (line, wanted) => {
  const found = accepted(line);
  expect(found).toContain(wanted);
  expect(found.filter(text => !text.startsWith(line.split('^')[0]))).toEqual([]);
});
