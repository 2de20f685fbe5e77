// Traces of other programs: their names, their layouts, their rows; and what is told where a trace cannot be judged. The values are of an engine that shares nothing with this one.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { TraceError } from '../../engine/errors.js';
import { locationText } from '../../lab/diff/locate.js';
import { placeOf } from '../../lab/diff/row.js';
import { open } from '../../lab/session/open.js';
import type { Session } from '../../lab/session/session.js';
import { trace, type TraceOptions } from '../../lab/values/trace.js';
import { npy, safetensorsOf, type Tensor, zip } from '../fixtures/array-files.js';
import { freshFolder } from '../fixtures/folder.js';
import { type Dumped, otherEngine, weightsOf } from '../fixtures/other-engine.js';

const folder = freshFolder();
const ids = [2, 300, 17, 18, 19];
const T = ids.length;
let model: Session;
let right: Map<string, Dumped>;
let gain: Float32Array;
beforeAll(async () => {
  model = await open('atlas', { quiet: true });
  const { config, weights } = await weightsOf('golden/atlas');
  right = otherEngine(config, weights, ids);
  gain = weights.get('layers.0.input_norm')!;
});
afterAll(() => model[Symbol.dispose]());

const f32 = (data: ArrayLike<number>) => Buffer.from(Float32Array.from(data).buffer);
const i64 = (list: readonly number[]) => Buffer.from(BigInt64Array.from(list, BigInt).buffer);
const inputIds: Tensor = ['I64', [1, T], i64(ids)];
let made = 0;
function saved(arrays: Readonly<Record<string, Tensor>>, withIds = true, metadata = {}): string {
  const path = join(folder, `${made++}.safetensors`);
  writeFileSync(path, safetensorsOf({ ...arrays, ...(withIds && { input_ids: inputIds }) }, metadata));
  return path;
}
/** A stage's values in another order of its dimensions, `2,0,1` the last first, in another shape, changed. */
function as(
  stage: string,
  order?: readonly number[],
  shape?: readonly number[],
  change = (v: number, _i: number) => v,
): Tensor {
  const { shape: own, data } = right.get(stage)!;
  const axes = order ?? own.map((_, d) => d);
  const sizes = axes.map(d => own[d]);
  const strides = own.map((_, d) => own.slice(d + 1).reduce((a, b) => a * b, 1));
  const out = Array.from({ length: data.length }, (_, i) => {
    let [at, rest] = [0, i];
    for (let d = sizes.length - 1; d >= 0; d--) {
      at += (rest % sizes[d]) * strides[axes[d]];
      rest = Math.floor(rest / sizes[d]);
    }
    return change(data[at], i);
  });
  return ['F32', shape ?? sizes, f32(out)];
}
const judge = async (arrays: Readonly<Record<string, Tensor>>, options: TraceOptions = {}) =>
  model.diff(await trace(saved(arrays), options));
const passes = async (arrays: Readonly<Record<string, Tensor>>, options: TraceOptions = {}) => {
  const diff = await judge(arrays, options);
  expect(diff.rows.map(({ verdict }) => verdict)).toEqual(diff.rows.map(() => 'ok'));
  expect(diff.leftover.notCompared).toEqual([]);
  return diff.rows.map(({ stage }) => stage);
};

test('names of Loupe, Hugging Face, TransformerLens and llama.cpp, in one file, and the nearest for what is none', async () => {
  const stages = await passes({
    embed: as('embed'),
    'model.layers.0.input_layernorm': as('layers.0.input_norm', undefined, [1, T, 128]),
    'module.model.language_model.layers.0.self_attn.q_proj.output': as('layers.0.attn.q', undefined, [1, T, 128]),
    'model.layers.0.self_attn.q_norm': as('layers.0.attn.q_norm', [1, 0, 2], [1, 4, T, 32]),
    'blocks.0.attn.hook_rot_k': as('layers.0.attn.k_rope', undefined, [1, T, 1, 32]),
    'kq_soft_max-0': as('layers.0.attn.pattern'),
    'l_out-0': as('layers.0.resid'),
    'hidden_states.2': as('layers.1.resid', undefined, [1, T, 128]),
    result_norm: as('final_norm'),
    lm_head: as('logits', undefined, [1, T, 512]),
  });
  expect(stages).toEqual([
    'embed',
    'layers.0.input_norm',
    'layers.0.attn.q',
    'layers.0.attn.q_norm',
    'layers.0.attn.k_rope',
    'layers.0.attn.pattern',
    'layers.0.resid',
    'layers.1.resid',
    'final_norm',
    'logits',
  ]);
  const diff = await judge({
    'l_out-0': as('layers.0.resid'),
    'l_oot-1': as('layers.1.resid'),
    'l_out-9': as('embed'),
  });
  expect(diff.leftover.notCompared).toEqual(['l_oot-1', 'l_out-9']);
  expect(String(diff)).toContain("Not compared: 2 arrays. l_oot-1: The nearest is 'l_out-1'.");
  expect((diff.toJSON() as { nearest: object }).nearest).toMatchObject({ 'l_oot-1': "The nearest is 'l_out-1'." });
});

test('orders of dimensions: by their sizes, by what agrees, by what was told', async () => {
  await passes({ 'layers.1.attn.q': as('layers.1.attn.q', [1, 0, 2]) }); // heads first
  await passes({ 'layers.1.attn.q': as('layers.1.attn.q', [2, 1, 0]) });
  await passes({ 'layers.1.resid': as('layers.1.resid', [1, 0]) }); // transposed
  await passes({ 'layers.1.attn.scores': as('layers.1.attn.scores', [1, 2, 0]) }); // query, key, head
  // Queries and keys are as many: the values say which is which.
  const turned = as('layers.1.attn.pattern', [0, 2, 1]);
  const diff = await judge({ 'layers.1.attn.pattern': turned });
  expect(diff.pass).toBe(true);
  expect(diff.rows[0].theirs).toEqual({ name: 'layers.1.attn.pattern', layout: 'head,key,query' });
  await passes(
    { x: as('layers.1.attn.q', [1, 0, 2]) },
    { names: { x: { stage: 'layers.1.attn.q', layout: 'head,token,dim' } } },
  );
});

test('as many tokens as heads: what agrees decides, and where nothing does it is asked', async () => {
  const four = [2, 300, 17, 18];
  const { config, weights } = await weightsOf('golden/atlas');
  const { data } = otherEngine(config, weights, four).get('layers.1.attn.q')!;
  const write = (values: ArrayLike<number>) => {
    const path = join(folder, `four-${made++}.safetensors`);
    writeFileSync(
      path,
      safetensorsOf({ 'layers.1.attn.q': ['F32', [4, 4, 32], f32(values)] }, { ids: JSON.stringify(four) }),
    );
    return path;
  };
  expect((await model.diff(await trace(write(data)))).pass).toBe(true);
  const turned = Float32Array.from(
    data,
    (_, i) => data[(Math.floor(i / 32) % 4) * 128 + Math.floor(i / 128) * 32 + (i % 32)],
  );
  const diff = await model.diff(await trace(write(turned)));
  expect(diff.pass).toBe(true);
  expect(diff.rows[0].theirs?.layout).toBe('head,token,dim');
  const odd = await trace(write(data.map((_, i) => Math.sin(i))));
  await expect(model.diff(odd)).rejects.toThrow(
    /^Of 'layers\.1\.attn\.q' \[4,4,32\] its dimensions may be 'token,head,dim' or 'head,token,dim', and none agrees with this model\. Say which/,
  );
  const layout = { 'layers.{i}.attn.q': 'token,head,dim' };
  expect((await model.diff(await trace(write(data.map((_, i) => Math.sin(i))), { layout }))).first?.stage).toBe(
    'layers.1.attn.q',
  );
});

test('padded rows, with a mask or without, and the last token alone', async () => {
  const { data } = right.get('layers.0.resid')!;
  const rows = (before: number, after: number): Tensor => [
    'F32',
    [1, before + T + after, 128],
    f32([...Array(before * 128).fill(9), ...data, ...Array(after * 128).fill(9)]),
  ];
  await passes({ 'layers.0.resid': rows(0, 3) });
  await passes({ 'layers.0.resid': rows(3, 0) });
  const mask = [0, 0, 0, 1, 1, 1, 1, 1];
  const path = join(folder, 'masked.safetensors');
  const arrays: Record<string, Tensor> = {
    'layers.0.resid': rows(3, 0),
    input_ids: ['I64', [1, 8], i64([0, 0, 0, ...ids])],
    attention_mask: ['I64', [1, 8], i64(mask)],
  };
  writeFileSync(path, safetensorsOf(arrays));
  const theirs = await trace(path);
  expect(theirs.ids).toEqual(ids);
  expect((await model.diff(theirs)).pass).toBe(true);
  // A cache of 256 keys behind five queries, as llama.cpp has it, and scores before the mask.
  const scores = right.get('layers.0.attn.scores')!.data;
  const wide = Array.from({ length: 4 * T * 256 }, (_, i) =>
    i % 256 < T ? Math.max(-50, scores[Math.floor(i / 256) * T + (i % 256)]) : 0,
  );
  await passes({ 'kq-0': ['F32', [4, T, 256], f32(wide)] });
  const last = (stage: string) => right.get(stage)!.data.slice(-right.get(stage)!.shape[1]);
  // The ids of the tokens twice, with their padding and without.
  writeFileSync(path, safetensorsOf({ ...arrays, ids: ['I64', [T], i64(ids)] }, { input_ids: 'not a list' }));
  expect((await trace(path)).ids).toEqual(ids);
  const stages = await passes({
    'l_out-4': as('layers.4.resid'),
    'l_out-5': ['F32', [1, 128], f32(last('layers.5.resid'))],
    result_norm: ['F32', [1, 128], f32(last('final_norm'))],
    result_output: ['F32', [1, 512], f32(last('logits'))],
  });
  expect(stages).toEqual(['layers.4.resid', 'layers.5.resid', 'final_norm', 'logits']);
});

test('a map: their names, a factor, what a stage does last; for all layers at once', async () => {
  const names = {
    'blk.{i}.out': 'layers.{i}.resid',
    half: { stage: 'layers.0.mlp.up', factor: 2 },
    bare: { stage: 'layers.0.input_norm', before: 'gain' },
    raw: { stage: 'embed', before: 'scale' },
    scratch: null,
  } as const;
  const arrays = {
    'blk.0.out': as('layers.0.resid'),
    'blk.3.out': as('layers.3.resid'),
    half: as('layers.0.mlp.up', undefined, undefined, v => v / 2),
    bare: as('layers.0.input_norm', undefined, undefined, (v, i) => v / gain[i % 128]),
    raw: as('embed', undefined, undefined, v => v / Math.sqrt(128)),
    scratch: as('embed'),
  };
  const want = ['embed', 'layers.0.input_norm', 'layers.0.mlp.up', 'layers.0.resid', 'layers.3.resid'];
  expect(await passes(arrays, { names })).toEqual(want);
  const path = join(folder, 'map.json');
  writeFileSync(path, JSON.stringify(names));
  expect(await passes(arrays, { names: path })).toEqual(want);
  // The same of TransformerLens' own names.
  const normalized = as('layers.0.input_norm', undefined, [1, T, 128], (v, i) => v / gain[i % 128]);
  expect(await passes({ 'blocks.0.ln1.hook_normalized': normalized })).toEqual(['layers.0.input_norm']);
});

test('rows of no token are told, those of a mask are not; so are entries of a map that nothing has', async () => {
  const rows = (n: number, stage: string): Tensor => {
    const { data } = right.get(stage)!;
    return ['F32', [T + n, 128], f32([...data, ...Array(n * 128).fill(99)])];
  };
  const told = async (arrays: Readonly<Record<string, Tensor>>, options: TraceOptions = {}) => {
    const diff = await judge(arrays, options);
    expect(diff.pass).toBe(true);
    const { rowsLeft, unusedNames } = diff.toJSON() as { rowsLeft: object; unusedNames: string[] };
    const { metadata } = diff.toArrow().schema;
    return { text: String(diff), rowsLeft, unusedNames, metadata };
  };
  const names = { 'blk.{i}': 'layers.{i}.resid', 'nothere.{i}': 'layers.{i}.resid', scratch: null } as const;
  const layout = { 'layers.{i}.resid': 'token,channel', 'layers.{i}.rseid': 'token,channel' };
  const one = await told({ 'blk.0': rows(1, 'layers.0.resid'), 'blk.1': rows(1, 'layers.1.resid') }, { names, layout });
  expect(one.rowsLeft).toEqual({ 'blk.0': 1, 'blk.1': 1 });
  expect(one.text).toContain(
    "1 row of each of 2 arrays is no token's and was not compared: padding, or ids are missing.",
  );
  expect(JSON.parse(one.metadata.get('rows_left')!)).toEqual(one.rowsLeft);
  expect(one.unusedNames).toEqual(['scratch', 'nothere.{i}', 'layers.{i}.rseid']);
  expect(one.text).toContain('No array is called as the map of names says: scratch, nothere.{i}, layers.{i}.rseid.');
  expect(JSON.parse(one.metadata.get('unused_names')!)).toEqual(one.unusedNames);
  const two = await told({ 'layers.0.resid': rows(2, 'layers.0.resid') });
  expect(two.text).toContain("2 rows of layers.0.resid are no token's and were not compared:");
  const masked = async (padded: number, n: number) =>
    told({
      'layers.0.resid': rows(n, 'layers.0.resid'),
      attention_mask: ['I64', [T + padded], i64([...ids.map(() => 1), ...Array(padded).fill(0)])],
    });
  for (const of of [
    await masked(2, 2),
    await masked(2, 0),
    await told({ 'layers.0.resid': rows(0, 'layers.0.resid') }),
  ])
    expect(of).toMatchObject({
      rowsLeft: {},
      unusedNames: [],
      text: expect.not.stringMatching(/not compared|No array/),
    });
  expect((await masked(2, 3)).rowsLeft).toEqual({ 'layers.0.resid': 1 });
});

test('spans: one residual stream a layer is enough to name the layer, and what would narrow it down', async () => {
  const arrays = Object.fromEntries([0, 1, 2, 3, 4, 5].map(i => [`l_out-${i}`, as(`layers.${i}.resid`)]));
  expect((await judge(arrays)).rows.map(placeOf)).toEqual([
    'from ids to layers.0.resid',
    ...[1, 2, 3, 4, 5].map(i => `from layers.${i - 1}.resid to layers.${i}.resid`),
  ]);
  // One channel of layer 3, and what would have come of it is not known: the next layer is wrong too, of its input.
  const wrong = as('layers.3.resid', undefined, undefined, (v, i) => (i % 128 === 7 ? v + 1 : v));
  const diff = await judge({ ...arrays, 'l_out-3': wrong });
  expect(diff.toJSON()).toMatchObject({ first: 'from layers.2.resid to layers.3.resid', pass: false });
  expect(locationText(diff.first!.where)).toBe('all of it in channel 7');
  expect(diff.first!.between).toContain('layers.3.attn.out');
  expect(String(diff)).toMatch(
    /^First failing span of theirs: from layers\.2\.resid to layers\.3\.resid \(source\).* Dumps of layers\.3\.[^ ]+, .* would narrow it down\./,
  );
});

test('NaN: the first stage that makes it out of numbers', async () => {
  const nan = (stage: string) => as(stage, undefined, undefined, (v, i) => (i >= 3 * 128 ? Number.NaN : v));
  const all = ['layers.0.resid', 'layers.1.resid', 'layers.2.resid', 'layers.3.resid'];
  const diff = await judge(Object.fromEntries(all.map((stage, i) => [stage, i < 2 ? as(stage) : nan(stage)])));
  expect(diff.rows.map(({ verdict }) => verdict)).toEqual(['ok', 'ok', 'source', 'carrier']);
  expect(locationText(diff.first!.where)).toBe('only positions ≥ 3');
});

test('what cannot be judged is told in a sentence', async () => {
  const embed = as('embed');
  const told = (
    what: RegExp | string,
    arrays: Readonly<Record<string, Tensor>>,
    options: TraceOptions = {},
    withIds = true,
    metadata = {},
  ) => expect((async () => model.diff(await trace(saved(arrays, withIds, metadata), options)))()).rejects.toThrow(what);
  await told(/does not say of which tokens it is.* --ids 2,818\./, { embed }, {}, false);
  expect((await model.diff(await trace(saved({ embed }, false), { ids }))).pass).toBe(true);
  await told(
    /is of other tokens: it has 300 at place 1, where 301 was given/,
    { embed },
    { ids: [2, 301, 17, 18, 19] },
  );
  await told(/is of other tokens: it has 5 ids where 6 were given/, { embed }, { ids: [...ids, 20] });
  await told(/so it is of 5 tokens, and there are 6 ids/, { embed }, { ids: [...ids, 20] }, false);
  await told(/in the shape \[5,64\], and of 5 tokens this model's 'embed' is \[5,128\], so it is of another model/, {
    embed: ['F32', [T, 64], f32(Array(T * 64).fill(0))],
  });
  await told(/None of the 1 arrays of .* is called as a stage of this model/, { whatever: embed });
  await told(
    /'a' is 'layers\.9\.resid', which is no stage of this model\. The nearest are 'layers\.0\.resid'/,
    { a: embed },
    { names: { a: 'layers.9.resid' } },
  );
  await told(/two names of the stage 'layers\.0\.resid', with different values/, {
    'l_out-0': as('layers.0.resid'),
    'layers.0.resid': as('layers.1.resid'),
  });
  await told(
    /two lists of token ids that differ, 'ids' and 'input_ids': 19 and 2 at place 0\. Take out the one/,
    {
      embed,
      ids: ['I64', [T], i64([...ids].reverse())],
      input_ids: inputIds,
    },
    {},
    false,
  );
  await told(/differ, 'input_ids' and 'ids of its metadata': 5 and 4 ids\./, { embed }, {}, true, {
    ids: JSON.stringify(ids.slice(0, 4)),
  });
  await told(/has an attention_mask of 4 tokens, and there are 5 ids\./, {
    embed,
    attention_mask: ['I64', [6], i64([1, 1, 1, 1, 0, 0])],
  });
  await told(
    /'embed' \[5,128\] is said to be laid out 'token', and as 'embed' it may be 'token,channel'\. Name its dimensions so/,
    { embed },
    { layout: { embed: 'token' } },
  );
  await told(
    /that 'x' is before the gain of 'layers\.0\.resid', which has no gain, scale or softcap\./,
    { x: as('layers.0.resid') },
    { names: { x: { stage: 'layers.0.resid', before: 'gain' } } },
  );
  await told(/has no activations, only ids/, {});
  await told(/in the shape \[2,5\]: a batch/, { embed, input_ids: ['I64', [2, T], i64([...ids, ...ids])] }, {}, false);
  await told(
    /has ids that are no list of whole numbers from 0/,
    { embed, ids: ['F32', [T], f32([2, 300, -1, 18, 19])] },
    {},
    false,
  );
  await told(
    /a key 'layuot', and there are stage, layout, factor, before/,
    { embed },
    { names: { embed: { stage: 'embed', layuot: 'x' } as never } },
  );
  await told(/the layout 'tokens,dim', and dimensions are named/, { embed }, { layout: { embed: 'tokens,dim' } });
  await expect(trace(saved({ embed }, true, { slice: '{"embed":{"token":[0,2]}}' }))).rejects.toThrow(TraceError);
  const once = await trace(saved({ 'l_out-0': as('layers.0.resid'), 'layers.0.resid': as('layers.0.resid') }));
  expect([...(await model.diff(once)).leftover.otherNames]).toEqual([['layers.0.resid', 'layers.0.resid']]);
});

test('NumPy archives are judged as safetensors are', async () => {
  const path = join(folder, 'theirs.npz');
  const { shape, data } = right.get('layers.0.resid')!;
  const members = [
    { name: 'input_ids.npy', data: npy('<i8', [T], i64(ids)) },
    { name: 'l_out-0.npy', data: npy('<f4', shape, f32(data)), deflate: true },
  ];
  writeFileSync(path, zip(members));
  expect((await model.diff(await trace(path))).pass).toBe(true);
});

// Written by golden/make_trace.py, from transformers 5.23 itself.
test('transformers in f32, residual streams alone, and in bf16, every stage: no alarm', async () => {
  const f32 = await model.diff(await trace('test/fixtures/traces/transformers-f32.npz'));
  expect(f32.rows.map(({ verdict }) => verdict)).toEqual(Array(8).fill('ok'));
  expect(f32.rows[0].from).toEqual(['ids']);
  const bf16 = await model.diff(await trace('test/fixtures/traces/transformers-bf16.safetensors'));
  expect(bf16.rows.length).toBe(135);
  expect(bf16.pass).toBe(true);
  expect(bf16.rows.filter(({ verdict }) => verdict === 'noise').length).toBeGreaterThan(100);
  expect(new Set(bf16.rows.flatMap(({ format }) => format ?? []))).toEqual(new Set(['BF16']));
  expect(bf16.toJSON()).toMatchObject({ first: null, pass: true });
});
