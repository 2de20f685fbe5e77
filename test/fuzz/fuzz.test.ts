// The first inputs of `npm run fuzz`, in this process: every reader takes or refuses each in words. And the fuzzer itself: it repeats itself, and it
// sees an error that is not ours.

import { describe, expect, test } from 'vitest';
import { ModelFileError } from '../../engine/errors.js';
import { freshFolder } from '../fixtures/folder.js';
import { inputOf } from './input.js';
import { isOurs, READERS } from './readers.js';

const folder = freshFolder();
const INPUTS = 60;

describe.each(READERS.map(reader => [reader.name, reader] as const))('%s', (_, reader) => {
  test('takes what it begins with', async () => {
    for (const { bytes } of await reader.seeds()) await reader.read(bytes, folder);
  });

  test('takes or refuses what is changed', async () => {
    const seeds = await reader.seeds();
    let refused = 0;
    for (let index = 0; index < INPUTS; index++) {
      const bytes = inputOf(reader, seeds, 1, index);
      expect(inputOf(reader, seeds, 1, index).equals(bytes)).toBe(true);
      try {
        await reader.read(bytes, folder);
      } catch (error) {
        expect(isOurs(error), `input ${index}: ${error}`).toBe(true);
        refused += 1;
      }
    }
    expect(refused).toBeGreaterThan(3); // the changes do harm
    expect(refused).toBeLessThan(INPUTS); // and not always
  });
});

test('other seeds and readers have other inputs', async () => {
  const [reader] = READERS;
  const seeds = await reader.seeds();
  const some = (seed: number, name: string) =>
    Array.from({ length: 20 }, (_, i) => inputOf({ ...reader, name }, seeds, seed, i).toString('base64')).join();
  expect(new Set([some(1, 'a'), some(2, 'a'), some(1, 'b')]).size).toBe(3);
});

test('an error is ours by its kind alone', () => {
  expect(isOurs(new ModelFileError('a'))).toBe(true);
  for (const error of [new Error('a'), new TypeError('a'), 'a', null, undefined]) expect(isOurs(error)).toBe(false);
});
