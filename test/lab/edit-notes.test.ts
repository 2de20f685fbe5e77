// An edit says when a shader is used that not every run needs: by length, by plan, by what is asked for, by how the model was opened.

import { afterAll, expect, test } from 'vitest';
import { open } from '../../lab/session/open.js';
import { freshFolder } from '../fixtures/folder.js';
import { writeTiny } from '../fixtures/tiny-model.js';

const model = await open('atlas', { quiet: true, another: true });
const short = await open('atlas', { quiet: true, another: true, context: 100 });
afterAll(() => {
  model[Symbol.dispose]();
  short[Symbol.dispose]();
});

const looked = (wgsl: string) => `// looked at\n${wgsl}`;
const prompt = (tokens: number) => Array.from({ length: tokens }, (_, i) => (i === 0 ? 2 : 4 + ((i * 37) % 500)));
/** What attention of the last layer writes for each token that is generated. */
async function made(tokens: number): Promise<number[][]> {
  const rows: number[][] = [];
  const options = { maxTokens: 4, ignoreEos: true, tap: 'layers.5.attn.mix' };
  for await (const token of model.generate(prompt(tokens), options))
    rows.push([...token.at('layers.5.attn.mix').token(-1).data]);
  return rows;
}

test('a shader of long contexts says from which length on it runs, and that is where it does', async () => {
  const [before, across] = [await made(100), await made(140)];
  const use = await model.edit('attend_join', wgsl => wgsl.replace(/y\[(.*)\] = (.*);/, 'y[$1] = 0.0 * ($2);'));
  expect(use.note).toMatch(
    /^Only in the fast plan, .* It runs only from 129 tokens of context on, in chunks of at most 32\.$/,
  );
  expect(use.by).toEqual(['layers.5.attn.scores', 'layers.5.attn.pattern', 'layers.5.attn.mix']); // windows of the others are shorter
  expect(await made(100)).toEqual(before);
  const edited = await made(140);
  expect(edited.flat().every(value => value === 0)).toBe(true);
  await model.edit('attend_join', null);
  expect(await made(140)).toEqual(across);
  const here = await short.edit('attend_join', looked);
  expect(here.note).toMatch(
    /Not in this session, which reads 100 tokens: it is used from 129 tokens of context on, .* Open the model with a longer context/,
  );
});

test('a shader of few tokens says up to how many it runs, and that is where it does', async () => {
  // Two layers: the kernels of a GPU take their time where there is none.
  const two = await writeTiny(freshFolder(), { config: { max_position_embeddings: 1024 } });
  using gpu = await open(two, { quiet: true, another: true, kernels: 'gpu' });
  const said = async (tokens: number) => (await gpu.run(prompt(tokens), { plan: 'fast' })).logits.values.data;
  const lengths = [1, 2, 192, 193];
  const changed = async (before: readonly Float32Array[]) => {
    const now = await Promise.all(lengths.map(said));
    return lengths.filter((_, i) => now[i].some((value, at) => value !== before[i][at]));
  };
  const before = await Promise.all(lengths.map(said));
  const twice = (wgsl: string) => wgsl.replace('sums.x, sums.y', '2 * sums.x, 3 * sums.y');
  const few = await gpu.edit('linear_few', twice);
  expect(few.note).toMatch(
    /^Only in the fast plan, .* It runs only in chunks of 2 to 192 tokens\. While 'linear' is edited, that computes these too\.$/,
  );
  expect(await changed(before)).toEqual([2, 192]);
  const mine = await Promise.all(lengths.map(said));
  // Computed by the other shader, as the file has it but for a word.
  await gpu.edit('linear', looked);
  expect(await changed(mine)).toEqual([2, 192]);
  await gpu.edit('linear', null);
  await gpu.edit('linear_few', null);
  expect(await changed(before)).toEqual([]);
  using little = await open(two, { quiet: true, another: true, kernels: 'gpu', context: 100 });
  expect((await little.edit('linear_few', looked)).note).not.toMatch('192');
});

test('what reads caches for taps of the fast plan is known, and what does not fit it is refused', async () => {
  const ids = prompt(5);
  const keys = async () =>
    (await model.run(ids, { plan: 'fast', tap: 'layers.0.attn.k_rope' })).at('layers.0.attn.k_rope');
  const before = (await keys()).data;
  await expect(model.edit('cache_read', wgsl => wgsl.replaceAll('RING', 'RINGS'))).rejects.toThrow(
    /cache_read\.wgsl cannot run with the constants/,
  );
  const use = await model.edit('cache_read', wgsl => wgsl.replace(/y\[(.*)\] = (.*);/, 'y[$1] = 2.0 * ($2);'));
  expect(use.by).toEqual(['taps of keys and values']);
  expect(use.note).toMatch(/^Only where these are tapped in the fast plan/);
  expect((await keys()).data).toEqual(before.map(value => 2 * value));
  await model.edit('cache_read', null);
});

test.each([
  ['slice', /^Only where something is tapped/],
  ['patch', /^Only in runs with a patch/],
  ['finite', /^Only when logits are NaN or ±∞/],
  ['finite_weight', /^Only when logits are NaN or ±∞/],
  ['argmax', /most likely token is generated, and not where tokens are drawn/],
  ['top_rank', /^Only where prompts are continued with tokens drawn by top-k or top-p/],
  ['sequences/many', /^Only where several sequences are read/],
  ['caches/f16', /^No stage .* open\(…, { cache: 'f16' }\)/],
  ['formats/q4_k', /^No stage .* in this format\.$/],
  ['round8', /^No stage .* activations: 'int8'/],
  ['softcap', /^No stage .* no soft-cap of the logits/],
  ['stream', /^No stage .* always as the file has it/],
  ['gelu_tanh', /^While it is edited, 6 steps of the fast plan/],
  ['embed', /^$/],
])('%s', async (shader, note) => {
  expect((await model.edit(shader, looked)).note ?? '').toMatch(note);
  await model.edit(shader, null);
});

test.each([
  ['matvec_scaled', /^Only in the fast plan.* For one token.* While 'matvec_broadcast' or 'weights\/scaled' is edited/],
  ['inputs/uniform', /^Only in the fast plan.* of values that have 65,536 bytes or more; else 'inputs\/buffer'/],
])('%s, which lavapipe has', async (shader, note) => {
  const { kind } = model.gpu;
  expect((await model.edit(shader, looked)).note).toMatch(kind === 'lavapipe' ? note : /^No stage/);
  await model.edit(shader, null);
});
