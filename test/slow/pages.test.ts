// Every TypeScript block of the pages that people read first runs as it stands, as a cell, on the model that comes with Loupe.

import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { packageRoot } from '../../engine/files.js';
import { freshFolder } from '../fixtures/folder.js';
import { cellsIn } from '../notebook/cells.js';

const here = process.cwd();
afterAll(() => process.chdir(here));

const blocksOf = (page: string) =>
  [...readFileSync(join(packageRoot(), page), 'utf8').matchAll(/^```ts\n(.*?)^```/gms)].map(([, block]) => block);

test.each([
  ['README.md', 1, ['session.html', 'resid.parquet']],
  ['docs/BATCH.md', 2, ['resid.parquet']],
  ['docs/CHAT.md', 1, []],
])('the blocks of %s run as they stand', async (page, many, written) => {
  const folder = freshFolder();
  process.chdir(folder);
  writeFileSync('many.jsonl', '"Once"\n{ "prompt": "The capital of Italy is" }\n');
  const { run } = cellsIn(folder);
  await run(
    "import { open, golden, heatmap, prompts, report } from 'gemma-loupe';\nconst model = await open('atlas', { quiet: true });",
  );
  const blocks = blocksOf(page);
  expect(blocks).toHaveLength(many);
  for (const block of blocks) await run(block);
  expect(written.filter(name => !existsSync(name))).toEqual([]);
});
