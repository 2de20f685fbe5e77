// Traces that Loupe wrote as Arrow and somebody changed: their columns say where each row belongs, so that what was changed is told, and never compared as
// if it were the run.

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Field, Schema, Table, tableFromIPC, tableToIPC, type Vector, vectorFromArray } from 'apache-arrow';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { open } from '../../lab/session/open.js';
import type { Session } from '../../lab/session/session.js';
import { trace } from '../../lab/values/trace.js';
import { command } from '../fixtures/command.js';
import { freshFolder } from '../fixtures/folder.js';

const folder = freshFolder();
const path = (name: string) => join(folder, `${name}.arrow`);
let model: Session;

beforeAll(async () => {
  model = await open('atlas', { quiet: true });
  (await model.run([2, 300, 17, 18, 19], { tap: ['layers.0.resid', 'layers.1.attn.scores'] })).save(path('right'));
  (await model.run([2, 300, 17, 18, 19], { tap: 'layers.0.resid', slice: { token: [2, 4] } })).save(path('slice'));
});
afterAll(() => model[Symbol.dispose]());

/** The right table with other columns. */
function changed(name: string, change: (columns: Map<string, Vector>, metadata: Map<string, string>) => void): string {
  const table = tableFromIPC(readFileSync(path('right')));
  const metadata = new Map(table.schema.metadata);
  const columns = new Map(table.schema.fields.map(field => [field.name, table.getChild(field.name)!]));
  change(columns, metadata);
  const made = new Table(Object.fromEntries(columns) as never);
  writeFileSync(
    path(name),
    tableToIPC(new Table(new Schema(made.schema.fields as Field[], metadata), made.batches as never), 'file'),
  );
  return path(name);
}
const mapped = (vector: Vector, change: (value: never, row: number) => unknown) =>
  vectorFromArray([...vector].map((value, row) => change(value as never, row)) as never, vector.type);

test('as it was written', async () => {
  const { arrays } = await trace(path('right'));
  expect([...arrays].map(([name, { shape }]) => [name, shape])).toEqual([
    ['layers.0.resid', [5, 128]],
    ['layers.1.attn.scores', [4, 5, 5]],
  ]);
  await expect(trace(changed('same', () => {}))).resolves.toBeDefined();
});

test.each(['token', 'head', 'query', 'first', 'row'])('another %s', async name => {
  const all = changed(`${name}-all`, columns =>
    columns.set(
      name,
      mapped(columns.get(name)!, (at: number | null) => (at === null ? null : at + 1)),
    ),
  );
  await expect(trace(all)).rejects.toThrow(
    name === 'row'
      ? /not one after the other: some are missing/
      : new RegExp(`row 0 of '[\\w.]+' says ${name} 1, where it is 0`),
  );
  const last = changed(`${name}-one`, columns => {
    const rows = columns.get(name)!.length;
    columns.set(
      name,
      mapped(columns.get(name)!, (at: number | null, row) => (row === rows - 1 ? 7 : at)),
    );
  });
  await expect(trace(last)).rejects.toThrow(name === 'row' ? /not one after/ : /row 19 of 'layers.1.attn.scores' says/);
  const gone = changed(`${name}-gone`, columns => columns.delete(name));
  await expect(trace(gone)).rejects.toThrow(`it lacks the column '${name}'`);
});

test('a column twice, of which the first would be taken', async () => {
  const other = changed('twice', columns =>
    columns.set(
      'valuez',
      mapped(columns.get('row')!, at => at),
    ),
  );
  const bytes = readFileSync(other);
  for (let at = bytes.indexOf('valuez'); at >= 0; at = bytes.indexOf('valuez')) bytes.write('values', at);
  writeFileSync(other, bytes);
  await expect(trace(other)).rejects.toThrow(/: it has the column 'values' twice\./);
});

test('another version', async () => {
  for (const version of ['2', 'x', '']) {
    const other = changed('version', (_, metadata) => metadata.set('loupe_trace', version));
    await expect(trace(other)).rejects.toThrow(
      `says loupe_trace '${version}', and this Loupe reads version 1 of them.`,
    );
  }
});

test('a part of its stages, along whatever dimension', async () => {
  await expect(trace(path('slice'))).rejects.toThrow(
    /is a trace of parts of its stages .* Trace it again without --slice/,
  );
});

test('cut short, or none at all: no word of the library’s own', async () => {
  const whole = readFileSync(path('right'));
  for (const length of [8, 9, 40, 200, 1000, whole.length >> 1, whole.length - 1]) {
    writeFileSync(path('cut'), whole.subarray(0, length));
    const said = await trace(path('cut')).then(String, (error: Error) => error.message);
    expect([length, said]).toEqual([
      length,
      `${path('cut')} is no sound file of arrays: it is cut short or damaged. Save it again.`,
    ]);
  }
  writeFileSync(path('cut'), '');
  await expect(trace(path('cut'))).rejects.toThrow(`${path('cut')} is empty. Save it again.`);
  const note = changed('note', (_, metadata) => metadata.set('loupe', '99'));
  await expect(trace(note)).rejects.toThrow(/: its metadata 'loupe' names no activation\. Save it again\.$/);
});

test('fewer tokens of a stage than the other has: refused, and the last token’s is compared', async () => {
  const fewer = changed('fewer', columns => {
    const rows = [...Array(columns.get('stage')!.length).keys()].filter(row => row !== 4);
    for (const [name, vector] of columns) {
      const values = rows.map(row => vector.get(row));
      const dims = (value: unknown) => String(value).replace('token=5', 'token=4');
      columns.set(
        name,
        vectorFromArray(
          (name === 'dims'
            ? values.map(dims)
            : values.map(v => (name === 'values' ? [...(v as never as Iterable<number>)] : v))) as never,
          vector.type,
        ),
      );
    }
  });
  const both = await command('diff', '--against', path('right'), '--and', fewer);
  expect([both.status, both.stdout]).toEqual([2, '']);
  expect(both.stderr).toContain(
    `'${fewer}' has 'layers.0.resid' of 4 tokens and '${path('right')}' of 5, and does not say which they are.`,
  );
  (await model.run([2, 300, 17, 18, 19], { tap: ['layers.0.resid', 'logits'], logits: 'all' })).save(path('all'));
  (await model.run([2, 300, 17, 18, 19], { tap: ['layers.0.resid', 'logits'] })).save(path('last'));
  for (const [a, b] of [
    ['all', 'last'],
    ['last', 'all'],
  ]) {
    const { status, stdout, stderr } = await command('diff', '--against', path(a), '--and', path(b), '--json');
    expect([status, stderr]).toEqual([0, expect.any(String)]);
    const rows = (JSON.parse(stdout) as { rows: { stage: string; accumulated: { relL2: number } }[] }).rows;
    expect(rows.map(({ stage, accumulated }) => [stage, accumulated.relL2 < 1e-6])).toEqual([
      ['layers.0.resid', true],
      ['logits', true],
    ]);
  }
});

test.each<[string, string]>([
  ['chunks', 'x'],
  ['chunks', '[3,3]'],
  ['chunks', '[0,5]'],
  ['chunks', '[2.5,2.5]'],
  ['chunks', '["5"]'],
  ['pieces', '["a"]'],
  ['pieces', '[1,2,3,4,5]'],
  ['pieces', 'x'],
])('%s of %s, which do not go with five ids', async (key, value) => {
  const file = changed(`${key}-odd`, (_, metadata) => metadata.set(key, value));
  await expect(trace(file)).rejects.toThrow(
    `${file} has 5 ids, and its ${key} are '${value}', which do not go with them`,
  );
});

test('chunks and pieces that do go with them', async () => {
  const file = changed('chunked', (_, metadata) =>
    metadata.set('chunks', '[3,2]').set('pieces', '["a","b","c","d","e"]'),
  );
  await expect(trace(file)).resolves.toBeDefined();
});
