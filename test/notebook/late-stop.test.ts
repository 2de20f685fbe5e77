// Stop that reaches a cell in what cannot be stopped, a regular expression or JSON.parse: the cell ends as stopped when that is done. It ended as if nothing had
// been, without its value.

import { expect, test } from 'vitest';
import { Interrupted } from '../../engine/errors.js';
import { ANSWERED, INTERRUPTS, STOP, STOP_NOW } from '../../lab/kernel/courier.js';
import { Interrupts } from '../../lab/kernel/interrupts.js';
import type { CellOutput } from '../../lab/kernel/output.js';

const made = () => {
  const state = new Int32Array(new SharedArrayBuffer(64));
  let stopped = false;
  const output = {
    get stopped() {
      return stopped;
    },
    stop: () => {
      stopped = true;
    },
  } as unknown as CellOutput;
  return { state, output, interrupts: new Interrupts(state, () => {}) };
};
/** As the courier does, while the main thread is busy. */
const press = (state: Int32Array) => {
  Atomics.add(state, INTERRUPTS, 1);
  Atomics.store(state, STOP, STOP_NOW);
};

test('the cell ends as stopped, and Stop is answered', async () => {
  const { state, output, interrupts } = made();
  const ends = interrupts.running(output, async () => {
    await null;
    press(state);
    return 'a value that nobody would see';
  });
  await expect(ends).rejects.toBeInstanceOf(Interrupted);
  expect([output.stopped, Atomics.load(state, ANSWERED)]).toEqual([true, 1]);
});

test('a cell that nobody stops has its value; a Stop before it was for another', async () => {
  const { state, output, interrupts } = made();
  press(state);
  expect(interrupts.verdict(1)).toBe('runs');
  expect(await interrupts.running(output, async () => 3)).toBe(3);
  expect(output.stopped).toBe(false);
});
