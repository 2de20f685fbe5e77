// Every stored format against the Python package gguf, bit by bit (golden/make_quantised.py wrote blocks and their values).

import { join } from 'node:path';
import { packageRoot } from '../../engine/files.js';
import { BLOCKS, dequantise } from '../../engine/weights/dequantise.js';
import { openSafetensors } from '../../engine/weights/safetensors.js';

export interface FormatParity {
  readonly format: string;
  /** Values of a block and the bytes they take. */
  readonly block: string;
  readonly values: number;
  /** Values that differ in any bit. */
  readonly different: number;
  readonly pass: boolean;
}

export async function checkFormats(
  path = join(packageRoot(), 'golden', 'quantised.safetensors'),
): Promise<FormatParity[]> {
  const file = await openSafetensors(path);
  try {
    const rows: FormatParity[] = [];
    for (const [format, { values, bytes }] of Object.entries(BLOCKS)) {
      if (format === 'F32') continue; // nothing is done to it
      const theirs = new Uint32Array((await file.readF32(`${format}/values`)).buffer);
      const ours = new Uint32Array(dequantise(format, await file.readBytes(`${format}/bytes`)).buffer);
      const different =
        ours.length === theirs.length ? ours.filter((bits, i) => bits !== theirs[i]).length : theirs.length;
      rows.push({ format, block: `${values} in ${bytes} B`, values: theirs.length, different, pass: different === 0 });
    }
    return rows;
  } finally {
    await file.close();
  }
}
