// Whatever the lab refuses, the traceback leads to the cell that asked: through awaits, queues and calls that are deeper than V8's ten frames.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { freshFolder } from '../fixtures/folder.js';
import { DEEP } from '../../lab/kernel/place.js';
import { type Cells, cellsIn } from './cells.js';

/** Too short an Arrow file. */
const CUT = join(freshFolder(), 'cut.arrow');
writeFileSync(CUT, 'ARROW1..');

let cells: Cells;
const before = Error.stackTraceLimit;
beforeAll(async () => {
  Error.stackTraceLimit = DEEP;
  cells = cellsIn(freshFolder());
  await cells.run("import { open, golden, trace, prompts } from 'gemma-loupe'; const model = await open('atlas')");
  await cells.run(
    "const talk = model.chat(); const run = await model.run('The capital of'); const long = 'x'.repeat(9000)",
  );
});
afterAll(async () => {
  await cells.run('model[Symbol.dispose]()');
  Error.stackTraceLimit = before;
});

test.each([
  "model.chat({ messages: [{ role: 'tool', content: 'a' }] } as any)",
  'await model.run(long)',
  "await model.run('')",
  "await model.run('a', { tap: 'nope' })",
  "await model.run('The capital', { tap: '**', budget: 1 })",
  "await model.run('a', { patch: { stage: 'embed', values: Float32Array.of(1) } } as any)",
  "await model.edit('rope', w => w)",
  "await model.edit('nope', w => w)",
  "await model.edit('rope', w => w.replace('fn', 'fm'))",
  "await model.edit('rope', () => { throw new Error('mine') })",
  "await talk.write('q', { topP: 0, maxTokens: 2 })",
  'for await (const t of model.generate(long)) t',
  'await model.write(long)',
  "await model.generate(['Once', ''])",
  'model.generate([])',
  'await model.diff(3 as any)',
  "await model.diff(await golden('nope'))",
  "await model.diff(await trace('nope.npz'))",
  `await trace(${JSON.stringify(CUT)})`, // from another thread
  "await model.stage('nope')",
  "await model.patching({ clean: 'a', corrupt: 'b c d', answer: 'x' } as any)",
  "await model.perplexity('')",
  'await model.headScores({ period: -1 } as any)',
  "for await (const r of model.runs(['a', long], { tap: 'embed' })) r",
  "await model.runs(['a', long], { tap: 'embed' }).save('x.parquet')",
  "for await (const p of prompts('nope.parquet')) p",
  'run.surprisal()',
  'run.attention(99)',
  "await open('nomodel')",
])('%s', async source => {
  await expect(cells.run(`const before = 1\n${source}`)).rejects.toThrow(/\n {4}at (?:async )?cell-\d+:2:\d+\n/);
});

test('ten frames are told, and of cells as many behind them', async () => {
  const failed = await cells
    .run('function down(n: number): number { return n === 0 ? (null as any).x : down(n - 1) + 1 }\ndown(40)')
    .catch((error: Error) => error);
  expect(String((failed as Error).message).match(/ at /g)).toHaveLength(10);
  const far =
    "const [first] = [1].map(function f(n): any { return JSON.parse('[[[[[[[[[[[[1]]]]]]]]]]]]', () => { throw new Error('deep') }) })";
  await expect(cells.run(`const before = 1\n${far}`)).rejects.toThrow(/ at .*cell-\d+:2:\d+/);
});
