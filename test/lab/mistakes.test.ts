// What people pass by mistake, in JavaScript or past the types: one sentence of ours, before anything runs, never a TypeError.

import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { LoupeError, StageError } from '../../engine/errors.js';
import { writeSafetensors } from '../../engine/weights/safetensors-write.js';
import { Activation } from '../../lab/values/activation.js';
import { compare } from '../../lab/diff/metrics.js';
import { report } from '../../lab/display/report.js';
import { ask, bar, heatmap, plot } from '../../lab/index.js';
import { traceToIpc } from '../../lab/values/arrow.js';
import { trace } from '../../lab/values/trace.js';
import { golden } from '../../lab/values/golden.js';
import { open } from '../../lab/session/open.js';
import { pull } from '../../lab/pull/pull.js';
import { select } from '../../lab/values/select.js';
import type { Session } from '../../lab/session/session.js';
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
  await writeSafetensors(
    join(folder, 'own.safetensors'),
    [{ name: 'embed', shape: [3], data: new Float32Array(3) }],
    {},
  );
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
/** Throws no error, but a number. */
const ONE = new Proxy(
  {},
  {
    get: () => {
      throw 1;
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
  ONE,
];
const NO_NUMBER: Anything[] = [Number.NaN, Number.POSITIVE_INFINITY, -1, 0.5, '5', null, {}, [], true, 10n];
const all = async (values: AsyncIterable<unknown>) => {
  for await (const value of values) void value;
};

const say = async (...given: [Anything, Anything?]) => {
  using conversation = model.chat();
  await all(conversation.say(...given));
};

const token = { name: 'token', size: 1 };
const thrower = (thrown: unknown) => () => {
  throw thrown;
};

const calls: Record<string, [Anything[], (value: Anything) => unknown]> = {
  run: [
    [...NO_TEXT, '', [], [1.5], [-1], ['2'], [2, null], [2 ** 40], [Number.NaN], [[2]], new Float32Array([1.5])],
    v => m.run(v),
  ],
  'run of many': [[Array(5000).fill(5), 'word '.repeat(5000)], v => m.run(v)],
  'run, options': [
    ['x', 7, true, ONE, PROXY, { token: 'a' }, { taps: '**' }, { onProgress: () => {} }],
    v => m.run('Hi', v),
  ],
  'run, tap': [
    [5, true, '', [5], [null], {}, [undefined], '***[', 'layers.{0', Symbol('x'), ONE, () => 1, () => 'x', () => {}],
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
      { stage: 'layers.0.resid', values: 0, slce: { token: [0, 1] } },
      ONE,
      [null],
    ],
    patch => m.run('Hi', { patch }),
  ],
  'run, signal': [[5, 'x', {}, true], signal => m.run('Hi', { signal })],
  generate: [[...NO_TEXT, '', [1.5], [-1]], v => all(m.generate(v))],
  'generate, options': [
    [
      'x',
      7,
      true,
      ['x'],
      null,
      { signal: 5 },
      ONE,
      PROXY,
      { maxToken: 2 },
      { patch: [] },
      { taps: [] },
      { logits: 'all' },
    ],
    v => all(m.generate('Hi', v)),
  ],
  'generate, next of options': [[null, ONE, { maxToken: 2 }], v => m.generate('Hi', v).next()],
  'generate, maxTokens': [NO_NUMBER.filter(v => v !== null || true), maxTokens => all(m.generate('Hi', { maxTokens }))],
  'generate, temperature': [
    [Number.NaN, -1, Number.POSITIVE_INFINITY, '1', null, {}, true, 1n],
    temperature => all(m.generate('Hi', { temperature })),
  ],
  'roofline, null': [[{ tokens: null }, { context: null }, { rounds: null }], v => m.roofline(v)],
  'generate, topK': [[0.5, -1, Number.NaN, '5', {}, null], topK => all(m.generate('Hi', { topK }))],
  'generate, topP': [[0, 1.5, -1, Number.NaN, '0.5', null, {}], topP => all(m.generate('Hi', { topP }))],
  'generate, seed': [['a', 0.5, Number.NaN, {}, null, 2 ** 60], seed => all(m.generate('Hi', { seed }))],
  'generate, stopIds': [
    [5, 'x', ['x'], [1.5], [null], {}, [-1], [5, 512]],
    stopIds => all(m.generate('Hi', { stopIds })),
  ],
  'what is thrown and is no error': [
    [1, 'x', null, undefined, Symbol('x'), {}, ONE].map(thrower),
    async f => {
      const g = await golden('atlas/short');
      const told: unknown[] = [];
      for (const call of [
        () => m.run('Hi', { tap: f }),
        () => all(m.generate('Hi', { tap: f })),
        () => m.edit('rope', f),
        () => m.diff(g, { alone: false, onProgress: f }),
      ])
        told.push(
          await Promise.resolve()
            .then(call)
            .then(
              () => 'nothing',
              error => error,
            ),
        );
      for (const error of told) if (!(error instanceof LoupeError)) throw error;
      throw told[0];
    },
  ],
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
      { bogus: 1 },
      { contextLength: 64 },
      ONE,
    ],
    v => open('atlas', v === ONE ? v : typeof v === 'object' ? { quiet: true, ...v } : v),
  ],
  golden: [[undefined, null, '', 7, {}, [], '/nowhere', 'atlas/', '../x', 'a\0b', folder, Symbol('x')], v => golden(v)],
  report: [
    [undefined, null, '', 7, {}, Symbol('s'), Object.create(null), ONE, folder, join(folder, 'no/x.html')],
    v => report(v, 1),
  ],
  'report of nothing': [[join(folder, 'x.html')], v => report(v)],
  stage: [[undefined, null, '', 7, {}, [], 'nosuch', 'layers.*.resid', Symbol('x')], v => m.stage(v)],
  'stage.run': [[undefined, null, 7, {}, 'atlas/short', ONE, PROXY], v => m.stage('layers.0.resid').run(v)],
  diff: [[undefined, null, 7, {}, 'atlas/short', [], ONE, PROXY], v => m.diff(v)],
  'diff, options': [
    [
      { accumulated: 'x' },
      { accumulated: Number.NaN },
      { local: -1 },
      { local: null },
      { alone: false, local: 1 },
      { onProgress: 5 },
      5,
      ONE,
      { bound: 1 },
    ],
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
      () => ' \n',
      () => '// nothing\n',
      (wgsl: string) => `${wgsl}//${'x'.repeat(2 ** 20)}`,
      (wgsl: string) => wgsl.replace('fn main', 'fn maim'),
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
      { clean: 'The', corrupt: 'In', stage: 'embed' },
      ONE,
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
      { stop: '' },
      { stop: ['a', ''] },
      { messages: 'x' },
      { messages: [7] },
      { messages: [null] },
      { messages: [{ role: 'user' }] },
      { messages: [{ role: 'nobody', content: 'x' }] },
      { messages: ONE },
      { messages: [ONE] },
      {
        messages: new Proxy([], {
          get: () => {
            throw 1;
          },
        }),
      },
      { prompt: 'x' },
      ONE,
    ],
    v => m.chat(v),
  ],
  say: [[...NO_TEXT, '', ' '], v => say(v)],
  'say, options': [
    [{ temperature: 'x' }, { maxTokens: -1 }, { maxTokens: 'x' }, 7, ONE, { maxToken: 1 }],
    v => say('Hi', v),
  ],
  lens: [
    [5, ONE, null, { budgets: 1 }],
    v => model.run('Hi', { tap: 'layers.*.resid' }).then((run: Anything) => run.lens('layers.*.resid', v)),
  ],
  select: [[undefined, null, 5, [], {}, 'x', ONE, PROXY], v => select(v, '**')],
  'select, by': [[undefined, null, 5, [], {}, 'x', ONE, PROXY, () => 1], v => select(model.plan, v)],
  compare: [
    [undefined, null, 1, 'x', {}, ONE, new DataView(new ArrayBuffer(4))],
    v => compare(v, new Float32Array(1), [1]),
  ],
  'compare, expected': [[undefined, null, 1, 'x', {}, ONE], v => compare(new Float32Array(1), v, [1])],
  'compare, shape': [
    [undefined, null, 1, 'x', {}, ONE, ['1'], [1.5], []],
    v => compare(new Float32Array(0), new Float32Array(0), v),
  ],
  Activation: [[undefined, null, 5, {}, Symbol('x'), ONE], v => new Activation(v, [], new Float32Array(1))],
  'Activation of nothing': [[{}, 'x'], v => new (Activation as Anything)(v)],
  'Activation, dims': [
    [undefined, null, 5, {}, 'x', ONE, [null], [5], [{}], [{ name: 'x' }], [{ name: 'x', size: '1' }], [ONE]],
    v => new Activation('x', v, new Float32Array(1)),
  ],
  'Activation, places': [
    [
      [token, token],
      [token, { name: 'head', size: 1 }, token],
      [{ name: '', size: 1 }],
      ...['tokens', 'row', 'Token', 'constructor'].map(name => [{ name, size: 1 }]),
      ...[-1, 0.5, '0', null, Number.NaN].map(from => [{ ...token, from }]),
      ...[0, 2, 3.5, '4', null].map(of => [{ ...token, from: 2, of }]),
      ...[['a', 'b'], [], 'a', [7], null, ONE].map(labels => [{ ...token, labels }]),
    ],
    v => new Activation('x', v, new Float32Array(1)),
  ],
  'Activation, data': [[undefined, null, 5, {}, [1], 'x', ONE], v => new Activation('x', [], v)],
  'tokenizer.encode': [[undefined, null, 5, {}, [], ONE, Symbol('x'), 5n], v => model.tokenizer!.encode(v)],
  pull: [[undefined, null, 'org/name', 7, {}], v => pull(v)],
  picture: [['x', 7, [], {}, Promise.resolve(), ONE, PROXY, () => 1], v => m.picture(v)],
  provenance: [[null, 'x', 7, [], {}, ONE, Promise.resolve(), () => 1], v => m.provenance(v)],
  shader: [[...NO_TEXT, '', 'nosuch', Promise.resolve('rope'), PROXY], v => m.shader(v)],
  plot: [
    [7, null, [], {}, ['a'], Number.NaN, () => 'x'].flatMap(v => [
      { title: v },
      { x: v, log: 'x' },
      { y: v, log: 'x' },
      { log: v },
    ]),
    v => plot([1, 2], [1, 2], v),
  ],
  bar: [[7, null, [], {}, () => 'x'].flatMap(v => [{ title: v }, { x: v }, { y: v }]), v => bar({ a: 1 }, v)],
  heatmap: [
    [
      ...[7, null, [], {}, ['a'], Number.NaN].map(title => ({ title })),
      ...[7, 0, '', 'x', null, {}, Number.NaN, new Float32Array([1]), [null], [undefined], [{}]].flatMap(v => [
        { x: v },
        { y: v },
      ]),
    ],
    v => heatmap([[1]], v),
  ],
  traceToIpc: [
    [undefined, null, 'x', 7, [], ['a'], { a: 1 }],
    v => traceToIpc([new Activation('x', [token] as Anything, new Float32Array(1))], v),
  ],
  'trace, ids': [
    [[Number.NaN], [], [1.5], [-1], 7, 'x', new Float32Array([1, Number.NaN])],
    v => trace(join(folder, 'own.safetensors'), { ids: v }),
  ],
  'run, shaders': [
    [null, 7, 'x', [], {}, new Map(), ONE, PROXY, () => 1, Promise.resolve()],
    v => m.run('Once', { shaders: v }),
  ],
  'twice, chunks': [[null, 7, 'x', {}, ['x'], [0], ONE, Promise.resolve()], v => m.twice('Once', { chunks: v })],
  'generate, several': [
    [1n, Symbol('x'), null, true, 'x', 1.5].flatMap(v => [
      { seed: v },
      { temperature: v === 1.5 ? -1 : v },
      { topK: v },
    ]),
    v => m.generate(['Once'], { maxTokens: 1, ...v }),
  ],
  'yes or no': [
    ['false', 0, null, [], {}],
    v =>
      Promise.any(
        [
          all(m.generate('Hi', { ignoreEos: v })),
          golden('atlas/short').then(g => m.diff(g, { alone: v })),
          open('atlas', { another: v }),
          open('atlas', { quiet: v }),
        ].map(one => one.then(() => 'taken')),
      ).catch(({ errors }: AggregateError) => {
        throw errors.find(error => !(error instanceof LoupeError)) ?? errors[0];
      }),
  ],
  'lens, budget': [
    ['x', {}, -1, null, 1n, Symbol('x')],
    v => model.run('Hi', { tap: 'layers.*.resid' }).then((run: Anything) => run.lens('layers.*.resid', { budget: v })),
  ],
  'runs of a text': [[new String('Once'), 'Once', [1, 2]], v => m.runs(v)],
  'report of a promise': [[Promise.resolve(1)], v => report(join(folder, 'x.html'), v)],
  'trace.read': [NO_TEXT, v => trace(join(folder, 'own.safetensors')).then(t => t.read(v))],
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

test.each<[string, () => unknown, RegExp]>([
  [
    'generate',
    () => all(m.generate('Hi', { maxToken: 2 })),
    /generate has no option 'maxToken'. The nearest is 'maxTokens'/,
  ],
  ['stop', () => all(m.generate('Hi', { stop: [1] })), /generate has no option 'stop'. The nearest is 'stopIds'/],
  ['ask for', () => ask('Key: ', { hiden: true } as Anything), /ask has no option 'hiden'. The nearest is 'hidden'/],
  ['run', () => m.run('Hi', { taps: '**' }), /run has no option 'taps'. The nearest is 'tap'/],
  ['say', () => say('Hi', { maxToken: 2 }), /say has no option 'maxToken'. The nearest is 'maxTokens'/],
  ['chat', async () => m.chat({ sytem: 'x' }), /chat has no option 'sytem'. The nearest is 'system'/],
  ['open', () => open('atlas', { contex: 8 } as Anything), /open has no option 'contex'. The nearest is 'context'/],
  [
    'diff',
    async () => m.diff(await golden('atlas/short'), { loca: 1 }),
    /diff has no option 'loca'. The nearest is 'local'/,
  ],
  [
    'patching',
    () => m.patching({ clean: 'a', corrupt: 'b', stage: 'embed' }),
    /patching has no option 'stage'. The nearest is 'stages'/,
  ],
  [
    'patch',
    () => m.run('Hi', { patch: { stage: 'embed', values: 0, slce: { token: [0, 1] } } }),
    /a patch has no option 'slce'. The nearest is 'slice'/,
  ],
])('an option that %s has not is named, with the nearest', async (_, call, told) => {
  await expect(Promise.resolve().then(call)).rejects.toThrow(told);
});

test.each<[string, () => unknown, RegExp]>([
  [
    'seed',
    () => all(m.generate('Hi', { seed: new Int32Array(1) })),
    /seed must be a whole number, not an Int32Array\./,
  ],
  ['ask', () => ask('Key: ', { hidden: 'no' } as Anything), /hidden of ask is true or false, not 'no'/],
  [
    'patches of runs',
    () =>
      all(
        m.runs(['The capital of France is', 'Hi'], {
          patch: { stage: 'layers.3.resid', values: 0, slice: { token: 4 } },
        }),
      ),
    /^prompts\[1\]: /,
  ],
  [
    'size',
    () => new Activation('x', [{ name: 'token', size: -2 }], new Float32Array(0)),
    /dims\[0\], 'token', has the size -2\. Give/,
  ],
  [
    'name',
    () => new Activation('x', [{ size: 2 } as Anything], new Float32Array(2)),
    /dims\[0\] has the name undefined\./,
  ],
  ['dim', () => new Activation('x', [7 as Anything], new Float32Array(2)), /dims\[0\] is 7\./],
])('what is wrong with %s is said of that, and not of all', async (_, call, told) => {
  await expect(Promise.resolve().then(call)).rejects.toThrow(told);
});

test('options are taken as they are when a generation is asked for', async () => {
  const options = { maxTokens: 1 };
  const asked = model.generate('The capital of France is', options);
  options.maxTokens = 5;
  let made = 0;
  for await (const _ of asked) made += 1;
  expect(made).toBe(1);
});

test.each<[string, RegExp]>([
  ['layers.{0,9}.resid', /'9' in '\{0,9\}' selects nothing/],
  ['layers.{0,1}.{resid,reisd}', /'reisd' in '\{resid,reisd\}' selects nothing/],
  ['blocks.{0,9}.hook_resid_post', /'9' in '\{0,9\}' selects nothing/],
  ['model.layers.{9,0}.mlp', /'9' in '\{9,0\}' selects nothing/],
])('each alternative of %s must be there', async (tap, told) => {
  await expect(model.run('Hi', { tap })).rejects.toThrow(told);
  await expect(model.run('Hi', { tap })).rejects.toThrow(StageError);
});

test('alternatives that are there are all taken, whosever names they are', () => {
  const names = (tap: string) => select(model.plan, tap).map(({ name }) => name);
  expect(names('{embed,blocks.0.hook_resid_post}')).toEqual(['embed', 'layers.0.resid']);
  expect(names('layers.0.resid{_mid,}')).toEqual(['layers.0.resid_mid', 'layers.0.resid']);
  expect(names('layers.{0,5}.**').length).toBe(2 * names('layers.0.**').length);
});

test('a pattern of very many alternatives is answered', () => {
  expect(() => select(model.plan, '{a,b}'.repeat(40))).toThrow(StageError);
});

test.each<[string, Anything, Anything]>([
  ['token -1', { slice: { token: -1 } }, { slice: { token: [6, 7] } }],
  ['token -3', { slice: { token: -3 } }, { slice: { token: [4, 5] } }],
  ['token 2', { slice: { token: 2 } }, { slice: { token: [2, 3] } }],
  ['head -1', { slice: { head: -1 } }, { slice: { head: [3, 4] } }],
])('a slice by an index, %s, is the range of that one', async (_, index, range) => {
  const ids = [2, 300, 301, 302, 303, 304, 305];
  const tap = 'layers.5.attn.q';
  const [one, other] = [await model.run(ids, { tap, ...index }), await model.run(ids, { tap, ...range })];
  expect(one.at(tap)).toEqual(other.at(tap));
  const patched = (slice: Anything) => model.run(ids, { patch: { stage: tap, values: 0, slice } });
  const [a, b] = [await patched(index.slice), await patched(range.slice)];
  expect(a.logits.values.data).toEqual(b.logits.values.data);
  // What was cut by the same index has lost the dimension.
  const whole = await model.run(ids, { tap });
  const cut = whole.at(tap).slice(index.slice);
  const same = await model.run(ids, { patch: { stage: tap, values: cut, slice: index.slice } });
  expect(same.logits.values.data).toEqual(whole.logits.values.data);
  const refused = model.run(ids, { patch: { stage: tap, values: cut, slice: range.slice } });
  await expect(refused).rejects.toThrow(/needs values of 3 dimensions/);
});

test('a generation takes an index too, where it has it', async () => {
  const tap = 'layers.5.attn.q';
  const tokens = model.generate([2, 300, 301], { tap, slice: { token: 1, head: 2 }, maxTokens: 2 });
  const { value } = await tokens.next();
  expect(String(value!.at(tap))).toBe('layers.5.attn.q [token 1:2 of 3, head 2:3 of 4, dim 32]');
  await tokens.return();
});

test('an index that is outside, or is not known yet, is refused; a misspelt axis is told first', async () => {
  const tap = 'layers.5.attn.q';
  await expect(model.run([2, 3], { tap, slice: { token: 9 } as Anything })).rejects.toThrow(
    /has 2 entries along 'token', so 9 is outside/,
  );
  await expect(model.run([2, 3], { tap, slice: { token: 0.5 } as Anything })).rejects.toThrow(/so 0\.5 is outside/);
  await expect(model.run([2, 3], { tap, slice: { token: '1' } as Anything })).rejects.toThrow(
    /an index or a range of whole numbers .* along 'token', not '1'/,
  );
  const later = all(model.generate([2, 3], { tap, slice: { token: -1 } as Anything }));
  await expect(later).rejects.toThrow(/token: -1 of 'layers\.5\.attn\.q' counts from an end .*positions from 0/);
  await expect(model.run([2, 3], { tap, slice: { haed: 1 } as Anything })).rejects.toThrow(/dimension 'haed'.*'head'/);
  const patch = { stage: tap, values: 0, slice: { tok: 1 } } as Anything;
  await expect(model.run([2, 3], { patch })).rejects.toThrow(/dimension 'tok'.*'token'/);
});

test('what was refused took no memory, and the session goes on', async () => {
  expect(model.gpu.liveBytes).toBe(before);
  expect((await model.run('The capital of France is')).logits.top(1).rows[0].text).toBe(' P');
});
