// Several sequences that are read and continued together: each has, bit by bit, what it has alone.

import { join } from 'node:path';
import { afterEach, beforeAll, expect, test } from 'vitest';
import type { Batch } from '../../engine/batch.js';
import type { PlanKind } from '../../engine/fuse.js';
import { open } from '../../lab/session/open.js';
import type { Session } from '../../lab/session/session.js';
import { freshFolder } from '../fixtures/folder.js';
import { writeTiny } from '../fixtures/tiny-model.js';

const folder = freshFolder();
/** Angles are of a sequence of 24 tokens, and of longer ones others. */
const factors = (by: number) => Array.from({ length: 16 }, () => by);
const LONG = {
  rope_scaling: {
    rope_type: 'longrope',
    original_max_position_embeddings: 24,
    short_factor: factors(1),
    long_factor: factors(4),
  },
};
let atlas: Session;
let before: number;
beforeAll(async () => {
  atlas = await open('atlas', { quiet: true });
  before = atlas.gpu.liveBytes;
});
afterEach(() => {
  expect(atlas.gpu.liveBytes).toBe(before);
});

/** Ids that go round in the vocabulary. */
const idsOf = (n: number, from = 5) =>
  Array.from({ length: n }, (_, i) => (i === 0 ? 2 : 4 + ((from * 37 + i * 11) % 500)));
const bitsOf = (values: Float32Array) => new Uint32Array(values.buffer, values.byteOffset, values.length).slice();
/** The largest difference, as a part of the largest logit. */
function offOf(ours: Float32Array, theirs: Float32Array): number {
  const scale = theirs.reduce((a, b) => Math.max(a, Math.abs(b)), 0);
  return theirs.reduce((a, b, i) => Math.max(a, Math.abs(b - ours[i])), 0) / scale;
}
const likeliest = (logits: Float32Array) => logits.indexOf(logits.reduce((a, b) => Math.max(a, b)));

/** The logits after a prompt and after each of `more` tokens, the likeliest, of a sequence that is alone. */
async function alone(
  prompt: number[],
  more: number,
  plan: PlanKind,
  length: number,
  session = atlas,
): Promise<Float32Array[]> {
  using context = session.model.context({ length, plan });
  let ids: readonly number[] = prompt;
  const all: Float32Array[] = [];
  for (let i = 0; i <= more; i++) {
    await context.forward(ids);
    const logits = await context.logits();
    all.push(logits);
    ids = [likeliest(logits)];
  }
  return all;
}

/** The same of each of several, together; of those that are not over by then. */
async function together(batch: Batch, prompts: number[][], more: number): Promise<Float32Array[][]> {
  const all = prompts.map((): Float32Array[] => []);
  let next = 0;
  const places = new Map<object, number>();
  while (all.some(one => one.length <= more)) {
    for (; batch.free > 0 && next < prompts.length; next++) places.set(batch.admit(prompts[next]), next);
    for (const { sequence, logits } of await batch.step({ argmax: false })) {
      const own = all[places.get(sequence)!];
      own.push(logits!.slice());
      if (own.length > more) sequence.over = true;
      else sequence.ids.push(likeliest(logits!));
    }
  }
  return all;
}

// One token, two, blocks that end with a token alone (65, 129), and more than the window of 16 and its ring.
const LENGTHS = [1, 2, 7, 64, 65, 129, 100, 30, 1];

test('in the exact plan, the logits of every token are the bits of a sequence that is alone', async () => {
  const prompts = LENGTHS.map((n, i) => idsOf(n, i));
  using batch = atlas.model.batch({ length: 192, sequences: 4, plan: 'exact' });
  const ours = await together(batch, prompts, 5);
  for (const [i, prompt] of prompts.entries()) {
    const theirs = await alone(prompt, 5, 'exact', 192);
    expect(ours[i].map(bitsOf), `${prompt.length} tokens`).toEqual(theirs.map(bitsOf));
  }
});

test('in the fast plan, they are equal to within 1e-5, and the tokens are the same', async () => {
  const prompts = LENGTHS.map((n, i) => idsOf(n, i));
  using batch = atlas.model.batch({ length: 192, sequences: 5, plan: 'fast' });
  const ours = await together(batch, prompts, 5);
  for (const [i, prompt] of prompts.entries()) {
    const theirs = await alone(prompt, 5, 'fast', 192);
    for (const [n, logits] of theirs.entries()) {
      expect(offOf(ours[i][n], logits), `${prompt.length} tokens, step ${n}`).toBeLessThan(1e-5);
      expect(likeliest(ours[i][n])).toBe(likeliest(logits));
    }
  }
});

test('whether beginnings are shared is true or false', () => {
  for (const share of [null, 'no', 0, 1, {}, []])
    expect(() => atlas.model.batch({ length: 64, sequences: 1, share: share as never })).toThrow(
      /^share of a batch is true or false, not /,
    );
});

test('a shared beginning is read once, and what follows has the bits of a sequence that is alone', async () => {
  const start = idsOf(90, 3); // goes round in the ring of a sliding layer, which has 79 slots
  const prompts = [
    [...start, 9, 8, 7],
    [...start, 100, 101],
    [...start.slice(0, 40), ...idsOf(25, 8).slice(1)],
    start,
    start,
    idsOf(12, 9),
    [...start, 9, 8, 7, 300],
  ];
  using batch = atlas.model.batch({ length: 128, sequences: 7, plan: 'exact' });
  const ours = await together(batch, prompts, 3);
  expect(batch.tokensRead).toBeLessThan(90 + 3 + 2 + 24 + 1 + 1 + 12 + 1 + 7 * 3 + 5);
  for (const [i, prompt] of prompts.entries()) {
    expect(ours[i].map(bitsOf), `prompt ${i}`).toEqual((await alone(prompt, 3, 'exact', 128)).map(bitsOf));
  }
});

/** The tiny model with other heads, or another RoPE. */
function tinyWith(heads: number, kvHeads: number, config: object = {}): Promise<string> {
  const change = {
    config: { num_attention_heads: heads, num_key_value_heads: kvHeads, ...config },
    tensors: (shapes: Map<string, number[]>) => {
      for (const i of [0, 1]) {
        const put = (name: string, shape: number[]) => shapes.set(`model.layers.${i}.self_attn.${name}.weight`, shape);
        put('q_proj', [32 * heads, 128]);
        put('k_proj', [32 * kvHeads, 128]);
        put('v_proj', [32 * kvHeads, 128]);
        put('o_proj', [128, 32 * heads]);
      }
    },
  };
  return writeTiny(join(folder, `${heads}-${kvHeads}-${Object.keys(config)}`), change);
}

const kinds: [string, () => Promise<string>, 'own' | 'gpu'][] = [
  ['three heads a key', () => tinyWith(6, 2), 'own'],
  ['five heads a key, by the kernels of a GPU', () => tinyWith(5, 1), 'gpu'],
  ['a RoPE that depends on the length', () => tinyWith(4, 2, LONG), 'own'],
];
test.each(kinds)('%s: together as alone', async (_, made, kernels) => {
  using tiny = await open(await made(), { quiet: true, another: true, kernels });
  const prompts = [1, 20, 65, 23].map((n, i) => idsOf(n, i));
  for (const plan of ['exact', 'fast'] as const) {
    using batch = tiny.model.batch({ length: 80, sequences: 4, plan });
    const ours = await together(batch, prompts, 3);
    for (const [i, prompt] of prompts.entries()) {
      const theirs = await alone(prompt, 3, plan, 80, tiny);
      if (plan === 'exact') expect(ours[i].map(bitsOf), `${prompt.length} tokens`).toEqual(theirs.map(bitsOf));
      for (const [n, logits] of theirs.entries()) expect(offOf(ours[i][n], logits), `step ${n}`).toBeLessThan(1e-5);
    }
  }
});
