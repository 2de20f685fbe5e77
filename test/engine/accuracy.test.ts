// How an adapter rounds: every operation against float64, on each adapter there is, within what WGSL promises and to what IEEE says where it says something.

import { afterAll, expect, test } from 'vitest';
import { accuracyOf, MEASURED } from '../../engine/accuracy.js';
import { Gpu } from '../../engine/gpu.js';
import { ulpOf } from '../../engine/ulp.js';
import { lavapipeThere } from '../fixtures/adapters.js';

const opened: Gpu[] = [];
afterAll(() => {
  for (const gpu of opened) gpu.device.destroy();
});

for (const adapter of ['swiftshader', ...((await lavapipeThere()) ? ['lavapipe'] : [])]) {
  test(`what ${adapter} rounds to, once a device and with nothing left behind`, async () => {
    const gpu = await Gpu.open(adapter);
    opened.push(gpu);
    const accuracy = await accuracyOf(gpu);
    const { operations } = accuracy;
    expect(Object.keys(operations)).toEqual([...MEASURED]);
    // Rounded to the nearest: WGSL asks it of neither by the letter, and every adapter does it.
    for (const name of ['add', 'multiply'] as const) {
      expect(operations[name].most).toBeLessThanOrEqual(0.5);
      expect(operations[name].rms).toBeCloseTo(1 / Math.sqrt(12), 1);
    }
    // WGSL: 2.5 ULP of a quotient, 2 of 1/√, and of exp 3 + 2|x|, where |x| is up to 64 here.
    expect(operations.divide.most).toBeLessThanOrEqual(2.5);
    expect(operations.inverseSqrt.most).toBeLessThanOrEqual(2);
    expect(operations.exp.most).toBeLessThanOrEqual(3 + 2 * 64);
    // One rounding, or two of the product and the sum, of which either is half a ULP of what it rounds.
    expect(operations.fma.most).toBeLessThanOrEqual(accuracy.fused ? 0.5 : 1);
    for (const { most, rms } of Object.values(operations)) {
      expect(rms).toBeGreaterThan(0); // an operation that was never run would be exact
      expect(rms).toBeLessThanOrEqual(most);
      expect(Number.isFinite(most)).toBe(true);
    }
    expect(accuracyOf(gpu)).toBe(accuracyOf(gpu));
    expect(gpu.liveBytes).toBe(0);
  });
}

test('the unit of the last place, from the smallest numbers to large ones', () => {
  expect(ulpOf(1)).toBe(2 ** -23);
  expect(ulpOf(-3)).toBe(2 ** -22);
  expect(ulpOf(0)).toBe(2 ** -149);
  expect(ulpOf(2 ** -140)).toBe(2 ** -149);
  expect(ulpOf(65504)).toBe(2 ** -8);
});
