// Two saved traces, of one model or of two, with a model and without: the same table, and a sentence for what cannot be compared.

import { cpSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { packageRoot } from '../../engine/files.js';
import { openSafetensors } from '../../engine/weights/safetensors.js';
import { writeSafetensors } from '../../engine/weights/safetensors-write.js';
import { compare } from '../../lab/session/compare.js';
import { open } from '../../lab/session/open.js';
import type { Run } from '../../lab/session/run.js';
import type { Session } from '../../lab/session/session.js';
import { golden } from '../../lab/index.js';
import { trace } from '../../lab/values/trace.js';
import { safetensorsOf, type Tensor } from '../fixtures/array-files.js';
import { command } from '../fixtures/command.js';
import { freshFolder } from '../fixtures/folder.js';

const folder = freshFolder();
const ids = [2, 300, 17, 18, 19, 40, 41];
let model: Session;
let right: Run;
const path = (name: string) => join(folder, `${name}.safetensors`);
const loupe = (a: string, b: string, ...more: string[]) =>
  command('diff', '--against', path(a), '--and', path(b), ...more);

/** The right run's values under their names, changed. */
function written(
  name: string,
  change: (stage: string, data: Float32Array) => Float32Array | null = (_, data) => data,
  other: { readonly ids?: readonly number[] | null; readonly named?: (stage: string) => string } = {},
): string {
  const arrays: Record<string, Tensor> = {};
  for (const [stage, { shape, data }] of right.activations) {
    const values = change(stage, data);
    if (values)
      arrays[other.named?.(stage) ?? stage] = ['F32', [...shape], Buffer.from(Float32Array.from(values).buffer)];
  }
  const tokens = other.ids === undefined ? ids : other.ids;
  writeFileSync(path(name), safetensorsOf(arrays, tokens ? { ids: JSON.stringify(tokens) } : {}));
  return name;
}
const nudged = (at: string) => (stage: string, data: Float32Array) =>
  stage === at ? data.map((x, i) => (i % 128 === 5 ? x + 1 : x)) : data;

beforeAll(async () => {
  model = await open('atlas', { quiet: true, another: true });
  right = await model.run(ids, { tap: '**', logits: 'all' });
  right.save(path('right'));
  await model.edit('rope', wgsl => wgsl.replace('a * turn.x - b', 'a * turn.x + b'));
  (await model.run(ids, { tap: '**', logits: 'all' })).save(path('faulty'));
  await model.edit('rope', null);
  (await model.run([2, 17, 300, 19, 18, 40, 41], { tap: '**', logits: 'all' })).save(path('turned'));
  (await model.run(ids.slice(1), { tap: '**', logits: 'all' })).save(path('shorter'));
  right.save(join(folder, 'right.arrow'));
  right.save(join(folder, 'right.parquet'));
});
afterAll(() => model[Symbol.dispose]());

test('without a model: the first stage whose inputs are equal, by what each stage reads, and it is said that none ran alone', async () => {
  const same = await loupe('right', 'right');
  expect(same.status).toBe(0);
  expect(same.stdout).toMatch(/^All 135 stages pass\. The largest error in the run is 0,/);
  const { status, stdout } = await loupe('right', 'faulty');
  expect(status).toBe(1);
  expect(stdout).toMatch(/^First failing stage: layers\.0\.attn\.q_rope \(source\)/);
  expect(stdout.replaceAll('\n', ' ')).toContain('No stage was run alone: what fails although');
  for (const line of stdout.split('\n'))
    if (!line.includes('.safetensors')) expect(line.length).toBeLessThanOrEqual(80);
  const diff = await compare(await trace(path('right')), await trace(path('faulty')));
  expect(diff.rows.filter(({ verdict }) => verdict === 'source').map(({ stage }) => stage)).toEqual([
    'layers.0.attn.q_rope',
    'layers.0.attn.k_rope', // it reads k_norm, which is right
  ]);
  expect(diff.at('layers.0.attn.scores').verdict).toBe('carrier');
  expect(diff.rows.every(({ local }) => local === null)).toBe(true);
  const arrow = await command('diff', '--against', join(folder, 'right.arrow'), '--and', path('right'), '--json');
  expect(JSON.parse(arrow.stdout)).toMatchObject({ pass: true, first: null, other: 'run' });
});

test('with the model: every stage alone too, on the second’s own inputs', async () => {
  const { status, stdout } = await loupe('right', 'faulty', '--model', 'atlas', '--json');
  expect(status).toBe(1);
  const told = JSON.parse(stdout) as {
    first: string;
    note: string | null;
    rows: { stage: string; local: unknown; verdict: string }[];
  };
  expect(told.first).toBe('layers.0.attn.q_rope');
  expect(told.note).toBeNull();
  expect(told.rows.every(({ local }) => local !== null)).toBe(true);
  const faulty = told.rows.filter(({ verdict }) => verdict === 'source').map(({ stage }) => stage);
  expect(faulty).toEqual([0, 1, 2, 3, 4, 5].flatMap(i => [`layers.${i}.attn.q_rope`, `layers.${i}.attn.k_rope`]));
});

test('a trace that the model at hand did not make: the first is right all the same', async () => {
  // The model of today has the fault, and last week's trace has not.
  const week = await trace(path('right'));
  await model.edit('rope', wgsl => wgsl.replace('a * turn.x - b', 'a * turn.x + b'));
  const today = await model.run(ids);
  const diff = await compare(week, today, { model });
  await model.edit('rope', null);
  expect(diff.first).toMatchObject({ stage: 'layers.0.attn.q_rope', verdict: 'source', local: null });
  expect(diff.note).toMatch(/^At layers\.0\.attn\.q_rope this model makes of the second's inputs what the second has/);
  const plain = await compare(week, today);
  expect(plain.first).toMatchObject({ stage: 'layers.0.attn.q_rope', verdict: 'source' });
});

test('a model on either side, and two', async () => {
  const one = await command('diff', '--against', path('right'), '--and', 'atlas');
  expect([one.status, one.stdout]).toEqual([0, expect.stringMatching(/^All 135 stages pass/)]);
  const other = await command('diff', '--against', 'atlas', '--and', path('faulty'), '--json');
  expect([other.status, JSON.parse(other.stdout)]).toEqual([
    1,
    expect.objectContaining({ first: 'layers.0.attn.q_rope' }),
  ]);
  const both = await command(
    'diff',
    '--against',
    'atlas',
    '--and',
    'golden/atlas',
    '--prompt',
    'The capital of France is',
  );
  expect([both.status, both.stdout]).toEqual([0, expect.stringMatching(/largest error in the run is 0,/)]);
});

test('names and what one lacks: stages are found by any names, spans stand for what neither has', async () => {
  const resid = /^layers\.(\d)\.resid$/;
  const only = (stage: string, data: Float32Array) => (resid.test(stage) ? data : null);
  written('streams', (stage, data) => only(stage, nudged('layers.3.resid')(stage, data)), {
    named: stage => stage.replace(resid, 'blocks.$1.hook_resid_post'),
  });
  const diff = await compare(await trace(path('right')), await trace(path('streams')));
  expect(diff.rows.length).toBe(6);
  expect(diff.toJSON()).toMatchObject({ first: 'from layers.2.resid to layers.3.resid' });
  expect(diff.leftover.notCompared).toContain('layers.0.attn.q');
  expect(String(diff)).toContain('Not compared: 129 arrays');
});

test('NaN from a place on: the first stage with it', async () => {
  const stages = [...right.activations.keys()];
  const from = stages.indexOf('layers.2.mlp.act');
  written('nan', (stage, data) => (stages.indexOf(stage) < from ? data : data.map(() => Number.NaN)));
  for (const more of [[], ['--model', 'atlas']]) {
    const { status, stdout } = await loupe('right', 'nan', '--json', ...more);
    const told = JSON.parse(stdout) as { first: string; rows: { verdict: string }[] };
    expect([status, told.first]).toEqual([1, 'layers.2.mlp.act']);
    expect(told.rows.filter(({ verdict }) => verdict === 'source').length).toBe(1);
  }
});

test.each<[string, () => readonly [string, string, ...string[]], RegExp]>([
  ['other lengths', () => ['right', 'shorter'], /The runs are of 7 and 6 tokens/],
  ['other lengths, with a model', () => ['right', 'shorter', '--model', 'atlas'], /The runs are of 7 and 6 tokens/],
  [
    'other tokens',
    () => ['right', 'turned'],
    /is of other tokens than .*: 17 at place 1, where that has 300\. Give .*--model M/,
  ],
  [
    'no ids',
    () => ['right', written('nameless', undefined, { ids: null })],
    /nameless.* does not say of which tokens it is.*--ids/,
  ],
  [
    'another model',
    () => {
      const arrays = Object.fromEntries(
        [...right.activations].map(([stage, { shape }]): [string, Tensor] => {
          const wide = [...shape.slice(0, -1), 2 * shape.at(-1)!];
          return [stage, ['F32', wide, Buffer.alloc(4 * wide.reduce((a, b) => a * b, 1))]];
        }),
      );
      writeFileSync(path('other'), safetensorsOf(arrays, { ids: JSON.stringify(ids) }));
      return ['right', 'other'];
    },
    /has 'embed' in the shape \[7,128\], and .* has 'embed' in \[7,256\], so they are of different models/,
  ],
  [
    'truncated',
    () => {
      writeFileSync(path('cut'), readFileSync(path('right')).subarray(0, 100_000));
      return ['right', 'cut'];
    },
    /cut\.safetensors/,
  ],
  [
    'a stage twice',
    () => {
      writeFileSync(path('twice'), twice());
      return ['right', 'twice'];
    },
    /twice/,
  ],
  [
    'nothing in common',
    () => ['right', written('odd', undefined, { named: stage => `x${stage}x` })],
    /no stage in common/,
  ],
  ['a file that is not there', () => ['right', 'none'], /none\.safetensors/],
  ['a prompt for traces', () => ['right', 'right', '--prompt', 'x'], /a trace has its tokens/],
])('%s: one sentence, exit 2', async (_, two, message) => {
  const { status, stdout, stderr } = await loupe(...two());
  expect(stderr).toMatch(message);
  expect([status, stdout, stderr.trimEnd().split('\n').length]).toEqual([2, '', 1]);
});

test('half a question, and Parquet', async () => {
  const half = await command('diff', '--against', path('right'));
  expect([half.status, half.stderr]).toEqual([2, expect.stringContaining('--and is missing')]);
  const parquet = await command('diff', '--against', join(folder, 'right.parquet'), '--and', path('right'));
  expect([parquet.status, parquet.stderr]).toEqual([2, expect.stringContaining('.safetensors or .arrow')]);
  const prompt = await command('diff', '--prompt', 'x');
  expect([prompt.status, prompt.stderr]).toEqual([2, expect.stringContaining('of two models')]);
});

test('two prompts of one length, with the model: nothing is wrong, all is carried', async () => {
  const diff = await compare(await trace(path('right')), await trace(path('turned')), { model });
  expect(diff.rows[0]).toMatchObject({ stage: 'embed', verdict: 'carrier' });
  expect(diff.rows.filter(({ verdict }) => verdict === 'source' || verdict === 'masked')).toEqual([]);
});

/** The same stage by its own name and by another tool's, with other values. */
function twice(): Buffer {
  const { shape, data } = right.at('layers.0.resid');
  const bytes = (values: Float32Array) => Buffer.from(Float32Array.from(values).buffer);
  return safetensorsOf(
    {
      'layers.0.resid': ['F32', [...shape], bytes(data)],
      'l_out-0': ['F32', [...shape], bytes(data.map(x => x + 1))],
    },
    { ids: JSON.stringify(ids) },
  );
}

test('two models of other depths: which stage one of them has not', async () => {
  const deep = await command('diff', '--against', 'atlas', '--and', await shallow(), '--prompt', 'Once');
  expect([deep.status, deep.stderr]).toEqual([
    2,
    expect.stringContaining("'layers.5.input_norm' is of the first's alone"),
  ]);
  const other = await command('diff', '--against', await shallow(), '--and', 'atlas', '--prompt', 'Once');
  expect([other.status, other.stderr]).toEqual([
    2,
    expect.stringContaining("'layers.5.input_norm' is of the second's alone"),
  ]);
});

test('a golden, and a trace, of a deeper model are of another model', async () => {
  using model = await open(await shallow(), { quiet: true, another: true });
  await expect(model.diff(await golden('atlas/capital'))).rejects.toThrow(
    "The golden 'atlas/capital' has the stage 'layers.5.input_norm', which this Gemma 3 of 5 layers has not, so it is of another model.",
  );
  await expect(model.diff(await trace(path('right')))).rejects.toThrow(
    /right\.safetensors' has 'layers\.5\.input_norm', and this model has 5 layers, so they are of different models/,
  );
  const named = (stage: string) => stage.replace(/^layers\.(\d)\.resid$/, 'l_out-$1');
  written('foreign', (stage, data) => (/resid$|final_norm/.test(stage) ? data : null), { named });
  await expect(model.diff(await trace(path('foreign')))).rejects.toThrow(/has 'l_out-5', and this model has 5 layers/);
  const said = { names: { 'l_out-5': null } };
  await expect(model.diff(await trace(path('foreign'), said))).resolves.toBeDefined(); // that it is left out was said
});

/** Atlas without its last layer. */
async function shallow(): Promise<string> {
  const at = join(folder, 'shallow');
  if (existsSync(at)) return at;
  cpSync(join(packageRoot(), 'golden/atlas'), at, { recursive: true });
  const config = JSON.parse(readFileSync(join(at, 'config.json'), 'utf8')) as {
    num_hidden_layers: number;
    layer_types?: string[];
  };
  config.num_hidden_layers -= 1;
  config.layer_types?.pop();
  writeFileSync(join(at, 'config.json'), JSON.stringify(config));
  const { tensors } = await atlasTensors();
  await writeSafetensors(
    join(at, 'model.safetensors'),
    tensors.filter(({ name }) => !name.includes('layers.5.')),
    {},
  );
  return at;
}

async function atlasTensors() {
  const file = await openSafetensors(join(packageRoot(), 'golden/atlas/model.safetensors'));
  const tensors = [];
  for (const [name, { shape }] of file.tensors)
    tensors.push({ name, shape: [...shape], data: await file.readF32(name) });
  await file.close();
  return { tensors };
}

test('one stage is told as one', async () => {
  (await model.run(ids, { tap: 'layers.0.resid' })).save(path('one'));
  const { stdout } = await loupe('one', 'right');
  expect(stdout).toMatch(/^The one stage passes\. .*/);
  expect(stdout).toContain('1 of 1 stage passes; --all lists it too.');
});
