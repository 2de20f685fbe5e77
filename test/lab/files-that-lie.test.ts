// Files that are not what they say: conversations, tables of Arrow and goldens whose JSON or metadata is none, or another. One sentence each.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Table, tableFromArrays } from 'apache-arrow';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { LoupeError } from '../../engine/errors.js';
import { writeSafetensors } from '../../engine/weights/safetensors-write.js';
import { load } from '../../lab/chat/file.js';
import { open } from '../../lab/session/open.js';
import type { Session } from '../../lab/session/session.js';
import { Activation, fromArrow } from '../../lab/values/activation.js';
import { golden } from '../../lab/values/golden.js';
import { freshFolder } from '../fixtures/folder.js';

const folder = freshFolder();
// biome-ignore lint/suspicious/noExplicitAny: what types would refuse is the point
type Anything = any;
let model: Session;
beforeAll(async () => {
  model = await open('atlas', { quiet: true });
});
afterAll(() => model[Symbol.dispose]());

const write = (name: string, text: string | Buffer) => {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
};
const SETTINGS = { temperature: 0, top_k: 0, top_p: 1, seed: 0, max_tokens: 0 };
const TALK = { loupe_conversation: 1, model: 'm', system: '', messages: [], settings: SETTINGS };

test.each([
  '',
  'null',
  '7',
  '[]',
  '"x"',
  '{',
  '['.repeat(100_000),
  `${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}`,
  JSON.stringify({ ...TALK, messages: [null] }),
  JSON.stringify({ ...TALK, messages: [7] }),
  JSON.stringify({ ...TALK, messages: [{ role: 'user', content: {} }] }),
  JSON.stringify({ ...TALK, messages: 'x' }),
  JSON.stringify({ ...TALK, messages: { length: 1 } }),
  JSON.stringify({ ...TALK, settings: null }),
  JSON.stringify({ ...TALK, settings: 7 }),
  JSON.stringify({ ...TALK, settings: [] }),
  JSON.stringify({ ...TALK, settings: { ...SETTINGS, seed: 'x' } }),
  JSON.stringify({ ...TALK, settings: { ...SETTINGS, top_p: 7 } }),
  JSON.stringify({ ...TALK, model: { a: 1 } }),
  JSON.stringify({ ...TALK, system: { a: 1 } }),
  '{"loupe_conversation": 1, "__proto__": {"messages": 7}}',
])('a conversation that is none: %.60s', text => {
  expect(() => load(write('talk.json', text))).toThrow(LoupeError);
});

test('a table of Arrow that is none, and metadata that lies', () => {
  const right = new Activation(
    'x',
    [
      { name: 'token', size: 2 },
      { name: 'dim', size: 3 },
    ],
    new Float32Array(6),
  ).toArrow();
  const note = right.schema.metadata.get('loupe')!;
  const lies = [
    '',
    'x',
    'null',
    '7',
    '[]',
    '{}',
    '{"name": 7, "dims": []}',
    '{"name": "x", "dims": 7}',
    '{"name": "x", "dims": [null]}',
    '{"name": "x", "dims": [{"name": "token", "size": -1}]}',
    '{"name": "x", "dims": [{"name": "token", "size": 7}, {"name": "dim", "size": 3}]}',
    '{"name": "x", "dims": [{"name": "token", "size": 1e300}, {"name": "dim", "size": 3}]}',
    '{"name": "x", "dims": [{"name": "token", "size": 2, "labels": 5}, {"name": "dim", "size": 3}]}',
    '{"name": "x", "dims": [{"name": "token", "size": 2, "labels": ["a"]}, {"name": "dim", "size": 3}]}',
  ];
  for (const lie of lies) {
    right.schema.metadata.set('loupe', lie);
    expect.soft([lie, thrownBy(() => fromArrow(right))]).toEqual([lie, 'ours']);
  }
  right.schema.metadata.set('loupe', note);
  expect(fromArrow(right).shape).toEqual([2, 3]);
  const other = tableFromArrays({ values: new Float32Array(6) });
  other.schema.metadata.set('loupe', note);
  const empty = new Table();
  empty.schema.metadata.set('loupe', note);
  for (const [name, value] of Object.entries({ other, empty, undefined, null: null, object: {}, text: 'x' })) {
    expect.soft([name, thrownBy(() => fromArrow(value as Anything))]).toEqual([name, 'ours']);
  }
});

function thrownBy(call: () => unknown): string {
  try {
    call();
    return 'nothing was thrown';
  } catch (error) {
    return error instanceof LoupeError ? 'ours' : String(error);
  }
}

test('a golden whose metadata lies', async () => {
  const tensors = [{ name: 'embed', shape: [2, 3], data: new Float32Array(6) }];
  const right = { loupe_golden: '1', ids: '[2,3]', chunks: '[2]' };
  const lies: Record<string, string>[] = [
    {},
    { loupe_golden: '2' },
    { ...right, ids: 'x' },
    { ...right, ids: '{}' },
    { ...right, ids: '[1.5, 2]' },
    { ...right, ids: '[]' },
    { ...right, chunks: '[1]' },
    { ...right, chunks: '["2"]' },
    { ...right, chunks: '[0, 2]' },
    { ...right, pieces: 'x' },
    { ...right, pieces: '7' },
    { ...right, pieces: 'null' },
    { ...right, pieces: '[1, 2]' },
    { ...right, pieces: '["a"]' },
    { ...right, pieces: '['.repeat(50_000) },
  ];
  for (const [i, metadata] of lies.entries()) {
    const path = join(folder, `lie-${i}.safetensors`);
    await writeSafetensors(path, tensors, metadata);
    const told = await golden(path).then(
      g =>
        model.diff(g).then(
          () => 'compared',
          error => (error instanceof LoupeError ? 'ours' : String(error)),
        ),
      error => (error instanceof LoupeError ? 'ours' : String(error)),
    );
    expect.soft([JSON.stringify(metadata).slice(0, 80), told]).toEqual([JSON.stringify(metadata).slice(0, 80), 'ours']);
  }
  const path = join(folder, 'lie-0.safetensors');
  await writeSafetensors(path, tensors, { ...right, pieces: '["a","b"]' });
  expect((await golden(path)).pieces).toEqual(['a', 'b']);
});
