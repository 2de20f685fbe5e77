// A golden of other weights is told in the head of a diff that fails, and one of these weights never is, whatever makes it fail.

import { copyFileSync, readFileSync, renameSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { packageRoot } from '../../engine/files.js';
import { openModelFiles } from '../../engine/weights/open.js';
import { quantised } from '../../engine/weights/quantise.js';
import { otherWeights } from '../../lab/diff/other-weights.js';
import { DISPLAY, INSPECT } from '../../lab/values/shown.js';
import { golden } from '../../lab/values/golden.js';
import { compare, trace } from '../../lab/index.js';
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

test('the fingerprint is of every matrix, from its first row to its last', async () => {
  const of = async (change: Parameters<typeof atlasWith>[1]) => {
    const files = await openModelFiles(atlasWith(freshFolder(), change));
    await files.close();
    return files.fingerprint;
  };
  const lastRows = (values: Float32Array) => {
    for (let i = values.length - 128; i < values.length; i++) values[i] *= 2;
  };
  const found = await Promise.all([
    of({}),
    of({ 'model.layers.3.self_attn.v_proj.weight': moved(0.2) }),
    of({ 'model.layers.2.mlp.up_proj.weight': values => void values.set(values.map(value => value * 1.5)) }),
    of({ 'model.embed_tokens.weight': lastRows }),
    of({ 'model.norm.weight': moved(0.05) }),
  ]);
  expect(new Set(found).size).toBe(found.length);
  expect(await of({})).toBe(found[0]);
});

/** Other weights in the place of those that were opened. @param how an editor writes into the file, a program puts another in its place */
const rewritten = {
  'in place': (path: string, other: string) => writeFileSync(path, readFileSync(other)),
  'by another file of its name': (path: string, other: string) => {
    copyFileSync(other, `${path}.new`);
    renameSync(`${path}.new`, path);
  },
};
test.each(Object.entries(rewritten))(
  'files that are written %s while a model is open are not blamed on the golden',
  async (_, write) => {
    const folder = atlasWith(freshFolder(), {});
    const other = atlasWith(freshFolder(), { 'model.layers.2.mlp.up_proj.weight': moved(0.5) });
    const path = join(folder, 'model.safetensors');
    utimesSync(path, 1e9, 1e9); // whatever the clock of the disk, what is written later is later
    using model = await open(folder, { quiet: true });
    write(path, join(other, 'model.safetensors'));
    await model.edit('rope', wgsl => wgsl.replace('a * turn.x - b', 'a * turn.x + b'));
    const right = await golden('atlas/capital');
    const diff = await model.diff(right);
    expect(diff.first).toMatchObject({ stage: 'layers.0.attn.q_rope', verdict: 'source' });
    expect(diff.weights).toMatch(
      /^Whether the golden is of this model's weights was not asked: the model's files are gone, or were written since/,
    );
    expect(diff.rows.every(({ oracle }) => !oracle)).toBe(true);
    await expect(model.diff(right, { oracle: true })).rejects.toThrow(
      /they are gone or not what they were when it was opened/,
    );
    await expect(model.reopen()).rejects.toThrow(
      `${folder} is not what it was when it was opened: it was written since. What runs is what it was. Open it again.`,
    );
  },
);

test('traces of other weights are told as such, and of these not', async () => {
  const other = atlasWith(freshFolder(), Object.fromEntries(QUERIES.map(name => [name, moved(0.2)])));
  const at = freshFolder();
  const saved = async (name: string, from: string) => {
    using model = await open(from, { quiet: true, another: true });
    const path = join(at, `${name}.safetensors`);
    await (await model.run([2, 300, 301], { tap: '**' })).save(path);
    return path;
  };
  const [own, theirs] = [await saved('own', 'atlas'), await saved('theirs', other)];
  using model = await open('atlas', { quiet: true, another: true });
  const sentence =
    /^'.*theirs\.safetensors' was made of other weights than this model: fingerprint [0-9a-f]{8}, and there [0-9a-f]{8}\.$/;
  expect((await model.diff(await trace(theirs))).weights).toMatch(sentence);
  expect((await compare(await trace(own), await trace(theirs), { model })).weights).toMatch(sentence);
  expect((await compare(await trace(theirs), await trace(theirs), { model })).weights).toMatch(
    / and .* were made of other weights than this model/,
  );
  expect((await compare(await trace(own), await trace(theirs))).weights).toMatch(
    /theirs\.safetensors' was made of other weights than '.*own\.safetensors'/,
  );
  await model.edit('rope', wgsl => wgsl.replace('a * turn.x - b', 'a * turn.x + b'));
  const edited = await model.diff(await trace(own));
  expect([edited.pass, edited.weights]).toEqual([false, null]);
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
