// A golden of other weights is told in the head of a diff that fails, and one of these weights never is, whatever makes it fail.

import { join } from 'node:path';
import { expect, test } from 'vitest';
import { packageRoot } from '../../engine/files.js';
import { openModelFiles } from '../../engine/weights/open.js';
import { quantised } from '../../engine/weights/quantise.js';
import { otherWeights } from '../../lab/diff/other-weights.js';
import { DISPLAY, INSPECT } from '../../lab/values/shown.js';
import { golden } from '../../lab/values/golden.js';
import { open } from '../../lab/session/open.js';
import { atlasWith } from '../fixtures/atlas-weights.js';
import { freshFolder } from '../fixtures/folder.js';
import { planOf } from '../../engine/gemma.js';

const GOLDENS = ['atlas/capital', 'atlas/decode', 'atlas/short', 'atlas/long'];
const atlas = join(packageRoot(), 'golden/atlas');

async function told(path: string, name = 'atlas/capital', quantise?: 'q8_0' | 'q4_0'): Promise<string | null> {
  const whole = await openModelFiles(path);
  const files = quantise ? quantised(whole, quantise) : whole;
  try {
    return await otherWeights(planOf(files.config), files.config, files.weights, await golden(name));
  } finally {
    await files.close();
  }
}

/** Every value moved by so much of itself, up or down. */
const moved = (by: number) => (values: Float32Array) => {
  for (let i = 0; i < values.length; i++) values[i] *= 1 + by * Math.sin(i * 12.9898);
};
const QUERIES = Array.from({ length: 6 }, (_, i) => `model.layers.${i}.self_attn.q_proj.weight`);

test.each(GOLDENS)('%s is of the model that ships', async name => {
  expect(await told(atlas, name)).toBeNull();
});

test.each([
  [
    'all of a kind of matrix, as a LoRA does',
    Object.fromEntries(QUERIES.map(name => [name, moved(0.05)])),
    /, 6 do not make .* 'layers\.0\.attn\.q'/,
  ],
  ['the embedding, which is the head too', { 'model.embed_tokens.weight': moved(0.05) }, /, 2 do not make .* 'embed'/],
  [
    'a norm',
    { 'model.norm.weight': moved(0.05) },
    /has at 'final_norm' what this model's weight does not make .* another weight there/,
  ],
])('other weights: %s', async (_, change, sentence) => {
  const said = await told(atlasWith(freshFolder(), change));
  expect(said).toMatch(/on the CPU either/);
  expect(said).toMatch(sentence);
  expect(said).toMatch(/It says it is of 'atlas'\.$/);
});

test('what rounding or quantising explains cannot be told, and is said so', async () => {
  const slight = Object.fromEntries(QUERIES.map(name => [name, moved(2e-3)]));
  expect(await told(atlasWith(freshFolder(), slight))).toMatch(
    /^The golden was not made from these very weights: 6 of \d+ \(F32\).* cannot be told/,
  );
  for (const quantise of ['q8_0', 'q4_0'] as const) {
    const name = quantise.toUpperCase();
    expect(await told(atlas, 'atlas/capital', quantise), quantise).toMatch(
      new RegExp(`\\(${name}\\) give other values.*cannot be told`),
    );
    const other = atlasWith(freshFolder(), { 'model.norm.weight': moved(0.05) });
    expect(await told(other, 'atlas/capital', quantise), quantise).toMatch(
      /'final_norm'.* made from another weight there/,
    );
  }
});

test('a diff says it in its head, in every form; a wrong shader is no other weight', async () => {
  const other = atlasWith(freshFolder(), Object.fromEntries(QUERIES.map(name => [name, moved(0.05)])));
  const capital = await golden('atlas/capital');
  {
    using model = await open(other, { quiet: true, another: true });
    const diff = await model.diff(capital);
    expect(diff.first!.stage).toBe('layers.0.attn.q');
    expect(diff.weights).toMatch(
      /^The golden was made from other weights, or changed since: of the \d+ that this model has, 6 do not make/,
    );
    expect(diff[INSPECT]().split('\n')[1]).toBe(diff.weights);
    expect(diff[DISPLAY]()['text/html']).toContain('The golden was made from other weights');
    expect(diff.toJSON()).toMatchObject({ weights: diff.weights });
    expect(diff.toArrow().schema.metadata.get('weights')).toBe(diff.weights);
  }
  using model = await open('atlas', { quiet: true, another: true });
  const right = await model.diff(capital);
  expect([right.pass, right.weights]).toEqual([true, null]);
  expect(right.toArrow().schema.metadata.has('weights')).toBe(false);
  await model.edit('rms_norm', wgsl => wgsl.replace('1.0 / sqrt', '1.01 / sqrt'));
  const wrong = await model.diff(capital);
  expect([wrong.pass, wrong.weights]).toEqual([false, null]);
}, 120_000);
