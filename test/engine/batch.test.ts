// Several sequences that are read and continued together: each has, bit by bit, what it has alone.

import { afterEach, beforeAll, expect, test } from 'vitest';
import type { Batch } from '../../engine/batch.js';
import type { PlanKind } from '../../engine/fuse.js';
import { open } from '../../lab/open.js';
import type { Session } from '../../lab/session.js';

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
const likeliest = (logits: Float32Array) => logits.indexOf(logits.reduce((a, b) => Math.max(a, b)));

/** The logits after a prompt and after each of `more` tokens, the likeliest, of a sequence that is alone. */
async function alone(prompt: number[], more: number, plan: PlanKind, length: number): Promise<Float32Array[]> {
  using context = atlas.model.context({ length, plan });
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
      const scale = logits.reduce((a, b) => Math.max(a, Math.abs(b)), 0);
      const off = logits.reduce((a, b, j) => Math.max(a, Math.abs(b - ours[i][n][j])), 0);
      expect(off / scale, `${prompt.length} tokens, step ${n}`).toBeLessThan(1e-5);
      expect(likeliest(ours[i][n])).toBe(likeliest(logits));
    }
  }
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
