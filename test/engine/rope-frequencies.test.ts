// RoPE of every type and both generations of keys against transformers (golden/make_rope.py): the frequencies that the model's own
// module has after a sequence of some length.

import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Rope } from '../../engine/config.js';
import { packageRoot } from '../../engine/files.js';
import { changesWithLength, lengthThatMatters, ropeFrequencies, ropeTable } from '../../engine/rope-table.js';
import { configFromJson } from '../../engine/weights/detect.js';
import { openSafetensors } from '../../engine/weights/safetensors.js';

interface Asked {
  readonly case: string;
  readonly config: { readonly [key: string]: unknown };
  readonly length: number;
  readonly attention: readonly [number, number];
}
const golden = await openSafetensors(join(packageRoot(), 'golden', 'rope.safetensors'));
const asked: Asked[] = JSON.parse(golden.metadata.get('frequencies')!);

describe('frequencies are those of transformers', () => {
  test.each(asked)('$case', async ({ case: name, config, length, attention }) => {
    const { rope } = configFromJson(config, 'config.json');
    for (const [i, kind] of (['full', 'sliding'] as const).entries()) {
      const theirs = await golden.readF32(`${name}/${kind}`);
      const ours = ropeFrequencies(rope[kind], 32, length);
      // A power may differ in its last bit, and what follows in one or two more.
      const worst = Math.max(...ours.map((value, pair) => Math.abs(value / theirs[pair] - 1)));
      expect(worst, `${kind}: ${[...ours]} instead of ${[...theirs]}`).toBeLessThan(3e-7);
      const [cos, sin] = ropeTable(rope[kind], 32, 1);
      expect([cos, sin]).toEqual([Math.fround(attention[i]), 0]);
    }
  });
  test('and they are not all the same', () => {
    const { rope } = configFromJson(asked.find(({ case: name }) => name === 'yarn-10')!.config, 'config.json');
    expect(ropeFrequencies(rope.full, 32, 10)).not.toEqual(ropeFrequencies({ base: 1e6, factor: 1 }, 32, 10));
  });
});

test('what of a length matters: equal where all angles are', () => {
  const matters = (scaling?: object) =>
    [0, 5, 6, 7, 9].map(length => lengthThatMatters({ base: 1e4, factor: 1, scaling } as Rope, length));
  expect(matters({ kind: 'dynamic', original: 6 })).toEqual([6, 6, 6, 7, 9]);
  expect(matters({ kind: 'longrope', original: 6 })).toEqual([0, 0, 0, 1, 1]);
  expect(matters({ kind: 'yarn', original: 6 })).toEqual([0, 0, 0, 0, 0]);
  expect(matters()).toEqual([0, 0, 0, 0, 0]);
});

describe('where no configuration of the goldens leads', () => {
  const yarn = {
    kind: 'yarn',
    factor: 4,
    original: 6,
    betaFast: 32,
    betaSlow: 1,
    truncates: true,
    attention: 0.5,
  } as const;
  const PLAIN = [1, 0.1, 0.01, 0.001]; // base^(−2i/D) of 10⁴ and 8

  const near = (rope: Rope, expected: readonly number[]) => {
    const found = ropeFrequencies(rope, 8, 0);
    expect(found.length).toBe(4);
    for (const [i, value] of expected.entries()) expect(found[i] / value, `pair ${i}`).toBeCloseTo(1, 6);
  };

  test('evenly stretched', () =>
    near(
      { base: 1e4, factor: 8 },
      PLAIN.map(frequency => frequency / 8),
    ));
  // A range of no width is one of 0.001, as in transformers: the first pair stays, the others are stretched whole.
  test('YaRN of a length that no pair turns once in', () =>
    near({ base: 1e4, factor: 1, scaling: yarn }, [1, ...PLAIN.slice(1).map(frequency => frequency / 4)]));
  // The range ends at pair D − 1 = 7: pair 3 is a fifth of the way from 2.
  test('YaRN of a length whose range goes past the last pair', () =>
    near({ base: 1e4, factor: 1, scaling: { ...yarn, original: 1e9, betaFast: 1e6 } }, [
      1,
      0.1,
      0.01,
      0.001 * (0.8 + 0.2 / 4),
    ]));

  test('which scalings change with the length', () => {
    const of = (scaling?: Rope['scaling']) => changesWithLength({ base: 1e4, factor: 1, scaling });
    const lists = { original: 8, short: [1], long: [2] };
    expect(of()).toBe(false);
    expect(of(yarn)).toBe(false);
    expect(of({ kind: 'llama3', factor: 8, original: 8, lowFactor: 1, highFactor: 4 })).toBe(false);
    expect(of({ kind: 'dynamic', factor: 2, original: 8 })).toBe(true);
    expect(of({ kind: 'longrope', attention: 1, ...lists })).toBe(true);
  });

  test('they change once the sequence is longer than the original length', () => {
    const dynamic: Rope = { base: 1e4, factor: 1, scaling: { kind: 'dynamic', factor: 2, original: 8 } };
    expect(ropeFrequencies(dynamic, 8, 8)).toEqual(ropeFrequencies({ base: 1e4, factor: 1 }, 8, 0));
    // base · (2 · 9 / 8 − 1)^(8 / 6)
    expect(ropeFrequencies(dynamic, 8, 9)[3]).toBeCloseTo((1e4 * 1.25 ** (8 / 6)) ** -0.75, 8);
    const lists = { short: [1, 1, 1, 1], long: [2, 4, 8, 16] };
    const long: Rope = { base: 1e4, factor: 1, scaling: { kind: 'longrope', original: 8, attention: 1, ...lists } };
    expect(ropeFrequencies(long, 8, 8)[3]).toBeCloseTo(0.001, 9);
    expect(ropeFrequencies(long, 8, 9)[3]).toBeCloseTo(0.001 / 16, 9);
  });

  test('a table of positions that do not begin at 0', () => {
    const rope: Rope = { base: 1e4, factor: 1, scaling: { ...yarn, factor: 1 } };
    const table = ropeTable(rope, 8, 2, 5);
    expect(table.length).toBe(16);
    for (const [row, position] of [5, 6].entries()) {
      for (const [pair, frequency] of PLAIN.entries()) {
        expect(table[8 * row + 2 * pair]).toBeCloseTo(0.5 * Math.cos(position * frequency), 6);
        expect(table[8 * row + 2 * pair + 1]).toBeCloseTo(0.5 * Math.sin(position * frequency), 6);
      }
    }
  });
});
