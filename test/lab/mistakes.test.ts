// What people pass by mistake, in JavaScript or past the types: one sentence of ours, before anything runs, never a TypeError.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Table, tableFromArrays } from 'apache-arrow';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { LoupeError } from '../../engine/errors.js';
import { writeSafetensors } from '../../engine/weights/safetensors-write.js';
import { Activation } from '../../lab/activation.js';
import { fromArrow } from '../../lab/arrow.js';
import { load } from '../../lab/chat/file.js';
import { report } from '../../lab/display/report.js';
import { golden } from '../../lab/golden.js';
import { open } from '../../lab/open.js';
import { pull } from '../../lab/pull/pull.js';
import type { Session } from '../../lab/session.js';
import { freshFolder } from '../fixtures/folder.js';

const folder = freshFolder();
// biome-ignore lint/suspicious/noExplicitAny: what types would refuse is the point
type Anything = any;
let model: Session;
let m: Anything;
let before = 0;
beforeAll(async () => {
  model = await open('atlas', { quiet: true });
  m = model;
  before = model.gpu.liveBytes;
});
afterAll(() => model[Symbol.dispose]());

const PROXY = new Proxy(
  {},
  {
    get: () => {
      throw new Error('looked at');
    },
  },
);
const NO_TEXT: Anything[] = [
  undefined,
  null,
  7,
  Number.NaN,
  true,
  {},
  [],
  () => 'x',
  Symbol('x'),
  10n,
  new Date(0),
  PROXY,
];
const NO_NUMBER: Anything[] = [Number.NaN, Number.POSITIVE_INFINITY, -1, 0.5, '5', null, {}, [], true, 10n];
const all = async (values: AsyncIterable<unknown>) => {
  for await (const value of values) void value;
};

const say = async (...given: [Anything, Anything?]) => {
  using conversation = model.chat();
  await all(conversation.say(...given));
};

const calls: Record<string, [Anything[], (value: Anything) => unknown]> = {
  run: [
    [...NO_TEXT, '', [], [1.5], [-1], ['2'], [2, null], [2 ** 40], [Number.NaN], [[2]], new Float32Array([1.5])],
    v => m.run(v),
  ],
  'run of many': [[Array(5000).fill(5), 'word '.repeat(5000)], v => m.run(v)],
  'run, options': [['x', 7, true], v => m.run('Hi', v)],
  'run, tap': [
    [5, true, '', [5], [null], {}, [undefined], '***[', 'layers.{0', Symbol('x')],
    tap => m.run('Hi', { tap }),
  ],
  'run, slice': [
    [5, 'x', { head: 'x' }, { head: [0.5, 1] }, { head: [] }, { nose: 1 }, { head: null }, { token: Number.NaN }],
    slice => m.run('Hi', { tap: 'layers.0.attn.q', slice }),
  ],
  'run, logits': [['some', 5, null, {}, true], logits => m.run('Hi', { logits })],
  'run, budget': [
    [...NO_NUMBER.filter(v => v !== Number.POSITIVE_INFINITY), 'x'],
    budget => m.run('Hi', { tap: '**', budget }),
  ],
  'run, chunks': [
    [[0], 5, 'x', [Number.NaN], ['2'], [null], [-1, 4], {}, [1.5, 1.5], [2, 10]],
    chunks => m.run([2, 300, 301], { chunks }),
  ],
  'run, patch': [
    [
      5,
      'x',
      {},
      { stage: 'layers.0.resid' },
      { stage: 5, values: 0 },
      { stage: 'layers.0.resid', values: 'x' },
      { stage: 'layers.0.resid', values: null },
      { stage: 'layers.0.resid', values: {} },
      { stage: 'layers.0.resid', values: [1] },
      [null],
    ],
    patch => m.run('Hi', { patch }),
  ],
  'run, signal': [[5, 'x', {}, true], signal => m.run('Hi', { signal })],
  generate: [[...NO_TEXT, '', [1.5], [-1]], v => all(m.generate(v))],
  'generate, options': [['x', 7, true, ['x'], null, { signal: 5 }], v => all(m.generate('Hi', v))],
  'generate, maxTokens': [NO_NUMBER.filter(v => v !== null || true), maxTokens => all(m.generate('Hi', { maxTokens }))],
  'generate, temperature': [
    [Number.NaN, -1, Number.POSITIVE_INFINITY, '1', null, {}, true, 1n],
    temperature => all(m.generate('Hi', { temperature })),
  ],
  'generate, topK': [[0.5, -1, Number.NaN, '5', {}, null], topK => all(m.generate('Hi', { topK }))],
  'generate, topP': [[0, 1.5, -1, Number.NaN, '0.5', null, {}], topP => all(m.generate('Hi', { topP }))],
  'generate, seed': [['a', 0.5, Number.NaN, {}, null, 2 ** 60], seed => all(m.generate('Hi', { seed }))],
  'generate, stopIds': [[5, 'x', ['x'], [1.5], [null], {}], stopIds => all(m.generate('Hi', { stopIds }))],
  'generate, tap': [[5, '', [5], 'nosuch'], tap => all(m.generate('Hi', { tap }))],
  'generate, budget': [['x', -1, Number.NaN, 1], budget => all(m.generate('Hi', { tap: '**', budget }))],
  write: [[...NO_TEXT, ''], v => m.write(v)],
  open: [[null, '', 7, true, {}, [], '/nowhere', 'a\0b', Symbol('x'), '../..'], v => open(v)],
  'open, options': [
    [
      'x',
      7,
      { context: 'x' },
      { context: 0 },
      { context: 1.5 },
      { context: 1e9 },
      { context: Number.NaN },
      { adapter: 'magic' },
      { adapter: 7 },
      { tokenizer: 7 },
      { tokenizer: '/nowhere' },
      { tokenizer: '' },
      { signal: 5 },
    ],
    v => open('atlas', typeof v === 'object' ? { quiet: true, ...v } : v),
  ],
  golden: [[undefined, null, '', 7, {}, [], '/nowhere', 'atlas/', '../x', 'a\0b', folder, Symbol('x')], v => golden(v)],
  report: [[undefined, null, '', 7, {}, folder, join(folder, 'no/x.html')], v => report(v, 1)],
  'report of nothing': [[join(folder, 'x.html')], v => report(v)],
  stage: [[undefined, null, '', 7, {}, [], 'nosuch', 'layers.*.resid', Symbol('x')], v => m.stage(v)],
  'stage.run': [[undefined, null, 7, {}, 'atlas/short'], v => m.stage('layers.0.resid').run(v)],
  diff: [[undefined, null, 7, {}, 'atlas/short', []], v => m.diff(v)],
  'diff, options': [
    [{ accumulated: 'x' }, { accumulated: Number.NaN }, { local: -1 }, { local: null }, 5],
    v => golden('atlas/short').then(g => m.diff(g, v)),
  ],
  edit: [[undefined, null, '', 7, {}, 'nosuch', '../x', 'constructor'], v => m.edit(v, (wgsl: string) => wgsl)],
  'edit, change': [
    [
      undefined,
      7,
      'x',
      {},
      () => undefined,
      () => 7,
      () => {
        throw new LoupeError('mine');
      },
    ],
    v => m.edit('rope', v),
  ],
  encode: [[...NO_TEXT.filter(v => !Array.isArray(v)), ''], v => m.encode(v)],
  decode: [[undefined, null, 7, 'x', {}, ['x'], [1.5], [-1], [null], [Number.NaN]], v => m.decode(v)],
  labels: [[undefined, null, 7, 'x', {}], v => m.labels(v)],
  patching: [
    [
      undefined,
      null,
      7,
      'x',
      {},
      { clean: 'a' },
      { clean: 7, corrupt: 8 },
      { clean: '', corrupt: '' },
      { clean: 'The', corrupt: 'The capital' },
    ],
    v => m.patching(v),
  ],
  chat: [
    [
      'x',
      7,
      { system: 7 },
      { template: 7 },
      { template: '{% for %}' },
      { stop: [7] },
      { messages: 'x' },
      { messages: [7] },
      { messages: [null] },
      { messages: [{ role: 'user' }] },
      { messages: [{ role: 'nobody', content: 'x' }] },
    ],
    v => m.chat(v),
  ],
  say: [[...NO_TEXT, '', ' '], v => say(v)],
  'say, options': [[{ temperature: 'x' }, { maxTokens: -1 }, { maxTokens: 'x' }, 7], v => say('Hi', v)],
  pull: [[undefined, null, 'org/name', 7, {}], v => pull(v)],
};

test.each(Object.keys(calls))('%s', async name => {
  const [values, call] = calls[name];
  for (const value of values) {
    let text = '?';
    try {
      text =
        typeof value === 'symbol' || typeof value === 'bigint'
          ? String(value)
          : (JSON.stringify(value) ?? String(value));
    } catch {}
    const thrown = await Promise.resolve()
      .then(() => call(value))
      .then(
        () => 'nothing was thrown',
        (error: Error) => (error instanceof LoupeError ? 'ours' : `${error?.name}: ${error?.message}`),
      );
    expect.soft([name, text.slice(0, 80), thrown]).toEqual([name, text.slice(0, 80), 'ours']);
  }
});

test('what was refused took no memory, and the session goes on', async () => {
  expect(model.gpu.liveBytes).toBe(before);
  expect((await model.run('The capital of France is')).logits.top(1).rows[0].text).toBe(' P');
});

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
