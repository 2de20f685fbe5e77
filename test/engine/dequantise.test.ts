// GGUF's block formats, bit by bit as the Python package gguf gives them.

import { expect, test } from 'vitest';
import { BLOCKS, dequantise } from '../../engine/weights/dequantise.js';
import { checkFormats } from '../../lab/parity/formats.js';

test('every format is bit-equal to the Python package gguf', async () => {
  const rows = await checkFormats();
  expect(rows.map(({ format }) => format)).toEqual(Object.keys(BLOCKS).filter(format => format !== 'F32'));
  for (const { format, values, different } of rows) {
    expect(different, format).toBe(0);
    expect(values, format).toBeGreaterThan(20);
  }
});

test('f32 comes as it is; a format that is none is refused', () => {
  expect([...dequantise('F32', new Uint8Array(Float32Array.of(1, -2).buffer))]).toEqual([1, -2]);
  expect(() => dequantise('Q9_9', new Uint8Array(4))).toThrow(/^No dequantiser for Q9_9\.$/);
});
