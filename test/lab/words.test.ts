// Where an error sits, in words: each pattern planted as data and named, and none said of even noise.

import { beforeEach, describe, expect, test } from 'vitest';
import type { AxisName } from '../../engine/plan.js';
import { layersText } from '../../lab/diff/layers.js';
import { type Located, locate, locationText } from '../../lab/diff/locate.js';
import type { DiffRow } from '../../lab/diff/row.js';

let state = 7;
beforeEach(() => {
  state = 7;
});
/** Even noise, mean 0 and a size of about 1. */
function noise(): number {
  let sum = 0;
  for (let i = 0; i < 4; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    sum += state / 2 ** 32 - 0.5;
  }
  return sum * Math.sqrt(3);
}

/** The words for an error of `size` at the places of an even tensor that are chosen, and rounding elsewhere. */
function said(
  shape: readonly number[],
  axes: readonly AxisName[],
  size: (place: readonly number[]) => number,
  known: Located = {},
): string {
  const n = shape.reduce((a, b) => a * b, 1);
  const expected = Float32Array.from({ length: n }, noise);
  const actual = expected.map((value, i) => {
    const place: number[] = [];
    for (let d = shape.length - 1, rest = i; d >= 0; rest = Math.floor(rest / shape[d--]))
      place.unshift(rest % shape[d]);
    const off = size(place);
    return value + (off === 0 ? 1e-7 : off) * noise();
  });
  return locationText(locate(actual, expected, shape, axes, known));
}
const wrong = (is: (place: readonly number[]) => boolean) => (place: readonly number[]) => (is(place) ? 0.1 : 0);

test('one entry that has nearly all of the error, and within the limit some beside it, is no range', () => {
  const shape = [16, 128];
  const some = ([, channel]: readonly number[]) => (channel === 7 ? 0.1 : 7.4e-4);
  expect(said(shape, ['token', 'channel'], some, { limit: 2e-3 })).toBe('only in channel 7');
  expect(said([64, 128], ['token', 'channel'], ([token]) => (token === 9 ? 0.1 : 1.05e-3), { limit: 2e-3 })).toBe(
    'only in token 9',
  );
});

const HEADS = [16, 8, 32];
const OF_HEADS = ['token', 'head', 'dim'] as const;
const PAIRS = [8, 24, 24];
const OF_PAIRS = ['head', 'query', 'key'] as const;

describe('a pattern is named', () => {
  test.each([
    ['second half of every head', wrong(([, , d]) => d >= 16)],
    ['first half of every head', wrong(([, , d]) => d < 16)],
    ['every second channel of every head, the odd ones', wrong(([, , d]) => d % 2 === 1)],
    ['every second channel of every head, the even ones', wrong(([, , d]) => d % 2 === 0)],
    ['all of it in head 3, second half of that head', wrong(([, h, d]) => h === 3 && d >= 16)],
    ['only positions ≥ 1, second half of every head', wrong(([t, , d]) => t > 0 && d >= 16)],
    ['only positions ≥ 11', wrong(([t]) => t >= 11)],
    ['only in token 2–6', wrong(([t]) => t >= 2 && t < 7)],
    ['only in head 3–4', wrong(([, h]) => h === 3 || h === 4)],
    ['grows with position', ([t]: readonly number[]) => 1e-3 * (t + 0.1)],
  ])('%s', (words, size) => {
    expect(said(HEADS, OF_HEADS, size, { kvHeads: 4 })).toBe(words);
  });

  test.each([
    ['all heads of KV head 0', 4, wrong(([h]) => h < 2)],
    ['all heads of KV head 1', 2, wrong(([h]) => h >= 4)],
    ['all heads of KV heads 0, 2', 4, wrong(([h]) => h < 2 || h === 4 || h === 5)],
    ['only in head 1–2', 4, wrong(([h]) => h === 1 || h === 2)], // of two KV heads a half each
    ['only in head 0–3', undefined, wrong(([h]) => h < 4)], // nobody says how many share one
    [
      'all heads of KV head 0, only in keys 16 or more before their query, only positions ≥ 16',
      4,
      wrong(([h, q, k]) => h < 2 && q >= 16 && k <= q - 16),
    ],
  ])('%s of %s', (words, kvHeads, size) => {
    expect(said(PAIRS, OF_PAIRS, size, { kvHeads })).toBe(words);
  });

  test('channels, and masks on one side only', () => {
    const axes = ['token', 'channel'] as const;
    expect(
      said(
        [8, 64],
        axes,
        wrong(([, c]) => c >= 32),
      ),
    ).toBe('second half of the channels');
    expect(
      said(
        [8, 64],
        axes,
        wrong(([, c]) => c % 2 === 0),
      ),
    ).toBe('every second channel, the even ones');
    const shape = [2, 32, 32];
    const scores = (window: number) =>
      Float32Array.from({ length: 2 * 32 * 32 }, (_, i) => {
        const [q, k] = [Math.floor(i / 32) % 32, i % 32];
        return k > q || q - k >= window ? -3.4028234663852886e38 : 1 + ((q * k) % 7);
      });
    const told = (ours: number, theirs: number, window: number | null) =>
      locationText(locate(scores(ours), scores(theirs), shape, OF_PAIRS, { kvHeads: 1, window }));
    expect(told(99, 16, 16)).toBe('only beyond the window of 16 tokens, only positions ≥ 16');
    expect(told(17, 16, 16)).toBe('only in the key just beyond the window, 16 before the query, only positions ≥ 16');
    expect(told(15, 16, 16)).toBe('only in the last key of the window, 15 before the query, only positions ≥ 15');
    // A full layer that is read through a window has none of its own.
    expect(told(16, 99, null)).toBe('only in keys 16 or more before their query, only positions ≥ 16');
  });

  test('keys after their query, and scores that are not masked on either side', () => {
    const causal = wrong(([, q, k]) => k > q);
    expect(said(PAIRS, OF_PAIRS, causal, { window: 8 })).toMatch(/^only in keys after their query/);
    const beyond = wrong(([, q, k]) => q - k >= 8);
    expect(said(PAIRS, OF_PAIRS, beyond, { window: 8 })).toMatch(/^only beyond the window of 8 tokens/);
    const some = wrong(([h, q, k]) => h === 3 && q - k >= 8);
    expect(said(PAIRS, OF_PAIRS, some, { window: 8 })).toMatch(/^all of it in head 3, only beyond the window/);
    // Wrong within it too, or by less elsewhere: nothing of the window.
    for (const size of [wrong(([, q, k]) => q - k >= 5), (at: readonly number[]) => (at[1] - at[2] >= 8 ? 0.1 : 1e-3)])
      expect(said(PAIRS, OF_PAIRS, size, { window: 8 })).not.toMatch(/window|after/);
  });
});

describe('no false words', () => {
  test('of even noise, however large: a hundred tensors of each shape', () => {
    const told: string[] = [];
    for (let i = 0; i < 100; i++) {
      const size = 10 ** -(i % 7);
      for (const [shape, axes] of [
        [HEADS, OF_HEADS],
        [PAIRS, OF_PAIRS],
        [
          [12, 4],
          ['token', 'channel'],
        ],
      ] as const)
        told.push(said(shape, axes, () => size, { kvHeads: 4, window: 8 }));
    }
    expect(told.length).toBe(300);
    // A share is a number, and true: of four channels one may have half of it by chance.
    expect(told.filter(words => !/^(spread over everything|[3-6]\d % in channel \d)$/.test(words))).toEqual([]);
    expect(told.filter(words => words !== 'spread over everything').length).toBeLessThan(5);
  });

  test('of noise as large as the limit, where chance says what is beyond it', () => {
    const told = Array.from({ length: 100 }, () => said([6, 4, 8], OF_HEADS, () => 5e-6, { kvHeads: 2 }));
    for (const words of told) expect(words).not.toMatch(/half|second|KV|≥|grows/);
    for (let i = 0; i < 100; i++) {
      const size = 5e-6 * (0.9 + 0.002 * i);
      expect(said([2, 12, 12], OF_PAIRS, () => size, { window: 4 })).not.toMatch(/window|before|after/);
    }
  });

  test('where the rest is wrong too, by less: only how much of it is there', () => {
    expect(said(HEADS, OF_HEADS, ([, , d]) => (d >= 16 ? 0.1 : 1e-3), { kvHeads: 4 })).not.toMatch(/half/);
    expect(said(PAIRS, OF_PAIRS, ([h]) => (h < 2 ? 0.1 : 1e-3), { kvHeads: 4 })).not.toMatch(/KV/);
    expect(said(HEADS, OF_HEADS, ([t]) => (t >= 11 ? 0.1 : 1e-4))).not.toMatch(/≥/);
  });

  test('of some channels of a half, and of what attention makes of an even error in scores', () => {
    expect(
      said(
        HEADS,
        OF_HEADS,
        wrong(([, , d]) => d === 17 || d === 30),
      ),
    ).not.toMatch(/half|second/);
    // Weights of like scores, each 1/n of n keys: the first has no error, whatever its score.
    const T = 24;
    const pattern = (off: number) => {
      const out = new Float32Array(T * T);
      for (let q = 0; q < T; q++) {
        const e = Array.from({ length: q + 1 }, () => Math.exp(off * noise()));
        const sum = e.reduce((a, b) => a + b, 0);
        for (const [k, value] of e.entries()) out[q * T + k] = value / sum;
      }
      return out;
    };
    for (let i = 0; i < 20; i++)
      expect(locationText(locate(pattern(0.01), pattern(0), [T, T], ['query', 'key']))).not.toMatch(/grows|≥/);
  });
});

const bf16 = (x: number): number => {
  const bits = new Uint32Array(Float32Array.of(x).buffer);
  bits[0] = (bits[0] + 0x7fff + ((bits[0] >>> 16) & 1)) & 0xffff0000;
  return new Float32Array(bits.buffer)[0];
};

/** The words for what another engine rounds: `made` of each right value. */
function rounded(
  shape: readonly number[],
  axes: readonly AxisName[],
  made: (value: number, place: readonly number[]) => number,
  known: Located = {},
  right: (place: readonly number[]) => number = noise,
): string {
  const places: number[][] = [];
  const n = shape.reduce((a, b) => a * b, 1);
  for (let i = 0; i < n; i++) {
    const place: number[] = [];
    for (let d = shape.length - 1, rest = i; d >= 0; rest = Math.floor(rest / shape[d--]))
      place.unshift(rest % shape[d]);
    places.push(place);
  }
  const expected = Float32Array.from(places, place => right(place));
  const actual = expected.map((value, i) => made(value, places[i]));
  return locationText(locate(actual, expected, shape, axes, { rounds: true, ...known }));
}

describe('of an engine that rounds', () => {
  const off = (is: (place: readonly number[]) => boolean) => (value: number, place: readonly number[]) =>
    bf16(is(place) ? value + 0.3 * noise() : value);
  test.each([
    ['second half of every head', off(([, , d]) => d >= 16)],
    ['every second channel of every head, the odd ones', off(([, , d]) => d % 2 === 1)],
    ['all heads of KV head 1', off(([, h]) => h === 2 || h === 3)],
    ['only positions ≥ 11', off(([t]) => t >= 11)],
  ])('%s', (words, made) => {
    expect(rounded(HEADS, OF_HEADS, made, { kvHeads: 4 })).toBe(words);
    // Of an engine that does not round the rest would be wrong too.
    expect(rounded(HEADS, OF_HEADS, made, { kvHeads: 4, rounds: false })).not.toContain(words);
  });

  test('beyond the window', () => {
    const mask = -3.4028234663852886e38;
    const scores = ([, q, k]: readonly number[]) => (k > q || q - k >= 8 ? mask : 3 * noise());
    const ignored = (value: number, [, q, k]: readonly number[]) => bf16(k <= q && q - k >= 8 ? noise() : value);
    expect(rounded(PAIRS, OF_PAIRS, ignored, { window: 8 }, scores)).toBe(
      'only beyond the window of 8 tokens, only positions ≥ 8',
    );
  });

  test('nothing of rounding alone: three hundred tensors', () => {
    const told: string[] = [];
    const mask = -3.4028234663852886e38;
    const gain = Array.from({ length: 64 }, (_, i) => 10 ** (i % 3) / 10);
    for (let i = 0; i < 50; i++) {
      const size = [4e-3, 2e-2, 0.1][i % 3];
      told.push(
        rounded(HEADS, OF_HEADS, bf16, { kvHeads: 4 }),
        // Not turned at position 0, and so not rounded twice.
        rounded(HEADS, OF_HEADS, (x, [t]) => (t === 0 ? x : bf16(x)), { kvHeads: 4 }),
        rounded([12, 64], ['token', 'channel'], (x, [, c]) => bf16(x + size * gain[c] * noise())),
        rounded([12, 64], ['token', 'channel'], bf16, {}, ([, c]) => gain[c] ** 2 * noise()),
        rounded(PAIRS, OF_PAIRS, bf16, { kvHeads: 4, window: 8 }, ([, q, k]) =>
          k > q || q - k >= 8 ? mask : 3 * noise(),
        ),
        // Weights: 1 at the first query, of few keys at the next.
        rounded(PAIRS, OF_PAIRS, bf16, { kvHeads: 4, window: 8 }, ([, q, k]) =>
          k > q || q - k >= 8 ? 0 : (1 + 0.2 * noise()) / Math.min(8, q + 1),
        ),
      );
    }
    expect(told.length).toBe(300);
    expect(told.filter(words => /half|second|KV|only|window|before/.test(words))).toEqual([]);
  });
});

describe('layers of one kind', () => {
  /** Six layers, of which the third and the sixth see everything; `verdicts` of a stage in each. */
  const rows = (verdicts: readonly DiffRow['verdict'][], part = 'attn.scores'): DiffRow[] =>
    verdicts.map(
      (verdict, i) =>
        ({
          stage: `layers.${i}.${part}`,
          verdict,
          local: {},
          layerKind: i % 3 === 2 ? 'full' : 'sliding',
        }) as DiffRow,
    );
  const first = (of: readonly DiffRow[]) => of.find(({ verdict }) => verdict === 'source') ?? null;
  const text = (of: readonly DiffRow[]) => layersText(of, first(of));
  const [s, k, c] = ['source', 'ok', 'carrier'] as const;

  test('only sliding, only full', () => {
    expect(text(rows([s, s, c, s, s, c]))).toBe(
      'Only sliding layers: attn.scores is wrong alone in each of them (0, 1, 3, 4), and in no full one.',
    );
    expect(text(rows([k, k, s, c, c, s]))).toBe(
      'Only full layers: attn.scores is wrong alone in each of them (2, 5), and in no sliding one.',
    );
  });

  test('nothing of one layer, of some of a kind, of both, of what only carries, and of a model of one kind', () => {
    expect(text(rows([s, c, c, c, c, c]))).toBe('');
    expect(text(rows([s, s, c, s, c, c]))).toBe('');
    expect(text(rows([s, s, s, s, s, c]))).toBe('');
    expect(text(rows([k, s, k, s, s, s]))).toBe('');
    expect(text(rows([c, c, c, c, c, c]))).toBe('');
    expect(text(rows([k, k, s]))).toBe(''); // one full layer is a layer and no kind
    expect(text(rows([s, s, s, s, s, s]).map(row => ({ ...row, layerKind: undefined })))).toBe('');
  });
});

describe('one factor', () => {
  const of = (change: (value: number, i: number) => number, n = 512) => {
    const ours = Float32Array.from({ length: n }, noise);
    return locationText(locate(ours, ours.map(change), [n / 32, 32], ['token', 'channel']));
  };
  test.each([
    ['ours × 16 throughout', 16],
    ['ours × 25.3 (√640) throughout', Math.sqrt(640)],
    ['ours × 0.03953 (1/√640) throughout', 1 / Math.sqrt(640)],
    ['ours × 0.0625 (1/16) throughout', 1 / 16],
    ['ours × −1 throughout', -1],
    ['ours × 1.003 throughout', 1.003],
  ])('%s', (words, factor) => {
    expect(of(value => factor * value)).toBe(words);
    // In an engine that rounds to sixteen bits, too, where it may be too far off to say whose root it is.
    if (Math.abs(factor - 1) > 0.1)
      expect(of(value => factor * value * (1 + noise() / 512))).toMatch(/^ours × \S+( \(\S+\))? throughout$/);
  });

  test('is none where something is added, cut, masked on one side, nothing at all or no number', () => {
    expect(of(value => value + 0.3)).toBe('spread over everything');
    expect(of(value => Math.max(value, 0))).toBe('spread over everything');
    expect(of(value => value * 2 + noise() / 4)).toBe('spread over everything');
    expect(of(() => 0)).toBe('spread over everything');
    expect(of((value, i) => (i % 5 === 0 ? Number.NaN : 2 * value))).not.toContain('ours');
    // Next to nothing, beside which all of the error is gone by any small factor.
    expect(of(() => noise() / 1000)).toBe('spread over everything');
  });

  test('is none where heads or tokens have factors of their own, near or small', () => {
    for (const factors of [
      [16, 15.5, 16.5, 16],
      [0.01, 0.001, 0.02, 0.003],
      [1.1, 1.12, 1.09, 1.1],
    ]) {
      const ours = Float32Array.from({ length: 16 * 4 * 32 }, noise);
      const theirs = ours.map((value, i) => value * factors[Math.floor(i / 32) % 4]);
      expect(locationText(locate(ours, theirs, [16, 4, 32], ['token', 'head', 'dim']))).not.toContain('ours');
    }
    expect(of((value, i) => value * (i < 256 ? 1.1 : 1.11))).not.toContain('ours');
  });

  test('is told where a large channel has most of the error', () => {
    const ours = Float32Array.from({ length: 512 }, (_, i) => noise() * (i % 32 === 5 ? 8 : 1));
    const words = (change: (value: number, i: number) => number) =>
      locationText(locate(ours, ours.map(change), [16, 32], ['token', 'channel']));
    expect(words(value => 1.1 * value)).toBe('ours × 1.1 throughout');
    expect(words((value, i) => value * (i % 32 === 5 ? 1.1 : 1))).toBe('all of it in channel 5');
    expect(words(value => value + noise() * Math.abs(value))).toMatch(/^\d+ % in channel 5$/);
  });

  test('of scores, with what is masked on both sides', () => {
    const ours = Float32Array.from({ length: 8 * 16 * 16 }, (_, i) =>
      i % 16 > Math.floor(i / 16) % 16 ? Number.NEGATIVE_INFINITY : noise(),
    );
    const where = locate(
      ours,
      ours.map(value => value * 16),
      [8, 16, 16],
      OF_PAIRS,
      { kvHeads: 4 },
    );
    expect(locationText(where)).toBe('ours × 16 throughout');
  });
});
