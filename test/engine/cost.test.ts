// What attention costs, against its shaders' own conditions, pair by pair: of a query and a key that it may not see nothing is computed.

import { expect, test } from 'vitest';
import { costOf, costOfStep } from '../../engine/cost.js';
import { fuse } from '../../engine/fuse.js';
import type { Extent, Plan } from '../../engine/plan.js';
import { axis, Recorder } from '../../engine/recorder.js';

const [A, K, D] = [4, 2, 32];

/** Scores, pattern and mix of one layer. */
function attention(window: number | null): Plan {
  const m = new Recorder();
  const T = { letter: 'T', name: 'token', size: 'tokens' } as const;
  const heads = (name: string, many: number) => {
    const head = { letter: many === A ? 'A' : 'K', name: 'head', size: many } as const;
    return { name, axes: [T, head, { letter: 'D', name: 'dim', size: D } as const] };
  };
  const keys = m.cache('k_cache', heads('k', K), window);
  const values = m.cache('v_cache', heads('v', K), window);
  const scores = m.scores('scores', heads('q', A), keys, { scale: 1, softcap: null, window });
  m.mix('mix', m.softmax('pattern', scores, { window }), values, { window });
  return m.finish();
}

/** Pairs of a query and a key, and keys of any query, by scores.wgsl's own condition. */
function seen({ tokens, keys }: Extent, window: number | null) {
  const some = new Set<number>();
  let pairs = 0;
  for (let t = 0; t < tokens; t++) {
    const position = keys - tokens + t;
    for (let s = 0; s < keys; s++) {
      if (s > position || (window !== null && s + window <= position)) continue;
      pairs += 1;
      some.add(s);
    }
  }
  return { pairs, keys: some.size };
}

const EXTENTS = [
  [1, 1],
  [1, 15],
  [1, 16],
  [1, 17],
  [1, 512],
  [2, 16],
  [2, 17],
  [7, 7],
  [16, 16],
  [17, 17],
  [20, 64],
  [64, 70],
  [100, 512],
  [512, 512],
].map(([tokens, keys]) => ({ tokens, keys, rows: 1 }));

for (const window of [null, 1, 16, 512]) {
  test(`operations and bytes of attention are those of what a query may see, ${window === null ? 'of all' : `of a window of ${window}`}`, () => {
    const plan = attention(window);
    const [step] = fuse(plan, 'fast', { traits: {} as never, activations: 'f32', joined: () => null }).filter(
      ({ rule }) => rule === 'attention',
    );
    for (const extent of EXTENTS) {
      const { tokens: T, keys: S } = extent;
      const { pairs, keys } = seen(extent, window);
      const cost = (name: string) => costOf(plan.stage(name), extent, () => 0);
      const told = `${T} tokens of ${S} keys`;
      expect(cost('scores').flops, told).toBe(2 * A * D * pairs);
      expect(cost('scores').bytes, told).toBe(4 * (T * A * D + keys * K * D + A * T * S));
      // softmax.wgsl takes masked scores as any other, and writes their weight, 0.
      expect(cost('pattern').flops, told).toBe(5 * A * T * S);
      expect(cost('pattern').bytes, told).toBe(4 * 2 * A * T * S);
      expect(cost('mix').flops, told).toBe(2 * A * D * pairs);
      expect(cost('mix').bytes, told).toBe(4 * (A * pairs + keys * K * D + T * A * D));

      const whole = costOfStep(step, extent, () => 0);
      expect(whole.flops, told).toBe((4 * A * D + 5 * A) * pairs);
      expect(whole.bytes, told).toBe(4 * (2 * T * A * D + 2 * keys * K * D));
      expect(costOfStep(step, extent, () => 0, 2).bytes, told).toBe(4 * 2 * T * A * D + 2 * 2 * keys * K * D);
      for (const one of fuse(plan, 'exact', { traits: {} as never, activations: 'f32', joined: () => null })) {
        expect(
          costOfStep(one, extent, () => 0),
          `${one.name}, ${told}`,
        ).toEqual(cost(one.name));
      }
    }
  });
}

test('what that comes to: 512 tokens of the atlas from an empty cache', () => {
  const [windowed, full] = [attention(16), attention(null)];
  const flops = (plan: Plan, tokens: number, keys: number) =>
    ['scores', 'mix'].map(name => costOf(plan.stage(name), { tokens, keys, rows: 1 }, () => 0).flops);
  expect(flops(windowed, 512, 512)).toEqual([2_066_432, 2_066_432]);
  expect(flops(full, 512, 512)).toEqual([33_619_968, 33_619_968]);
  expect(flops(windowed, 20, 64)).toEqual([81_920, 81_920]);
  expect(flops(full, 20, 64)).toEqual([279_040, 279_040]);
});

test('logits cost what is wanted of them: rows of the stream, and the weight if there are any', () => {
  const m = new Recorder();
  const stream = m.embed('embed', m.ids, [axis.vocab(512), axis.hidden(128)], { scale: 1 });
  m.head('logits', stream, axis.vocab(512), { softcap: null, weight: 'embed' });
  const head = m.finish().stage('logits');
  const weight = 4 * 512 * 128;
  for (const rows of [0, 1, 64]) {
    expect(costOf(head, { tokens: 64, keys: 64, rows }, () => weight)).toEqual({
      flops: 2 * rows * 512 * 128,
      weightBytes: rows === 0 ? 0 : weight,
      bytes: (rows === 0 ? 0 : weight) + 4 * rows * (128 + 512),
      bytesWritten: 4 * rows * 512,
    });
  }
});
