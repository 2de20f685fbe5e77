// Safetensors headers that would cost more than they weigh.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openSafetensors } from '../../engine/weights/safetensors.js';
import { freshFolder } from '../fixtures/folder.js';
import { safetensorsOf } from '../fixtures/safetensors-bytes.js';

const path = join(freshFolder(), 'case.safetensors');

describe('headers that would cost more than they weigh are refused by a bound', () => {
  const many = (n: number, one: (i: number) => string) => Array.from({ length: n }, (_, i) => one(i)).join();
  test.each([
    [
      'tensors',
      () => `{${many(1_500_000, i => `"t${i}":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}`)}}`,
      /more than 100000 tensors/,
    ],
    [
      'a tensor that comes again and again',
      () => `{${many(200_000, () => '"t":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}')}}`,
      /more than 100000 tensors/,
    ],
    [
      'keys of metadata',
      () => `{"__metadata__":{${many(3_000_000, i => `"${i}":""`)}}}`,
      /more than 100000 keys of __metadata__/,
    ],
    [
      'dimensions',
      () => `{"t":{"dtype":"U8","shape":[${'1,'.repeat(40_000_000)}0],"data_offsets":[0,0]}}`,
      /more than 1000000 dimensions/,
    ],
  ])('%s', async (_, header, message) => {
    writeFileSync(path, safetensorsOf(header()));
    const began = performance.now();
    await expect(openSafetensors(path)).rejects.toThrow(message);
    expect(performance.now() - began).toBeLessThan(10_000); // it is tenths of a second; 30 without the bounds
  });
});
