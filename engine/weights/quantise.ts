// Weights made smaller on their way to the GPU: matrices of a folder as GGUF's Q8_0 or Q4_0, with the bits that llama.cpp's own quantisation gives
// (ggml-quants.c, the Python package gguf). What a GGUF has quantised already stays as it is.

import { createHash } from 'node:crypto';
import { OptionError } from '../errors.js';
import { BLOCKS, dequantise } from './dequantise.js';
import type { ModelFiles, WeightEntry, WeightSource } from './source.js';

/** What weights can be made on loading. */
export const QUANTISED = ['q8_0', 'q4_0'] as const;
/** A format that matrices are made smaller to on loading. */
export type Quantise = (typeof QUANTISED)[number];

const VALUES = 32; // in a block
const WHOLE = ['F32', 'F16', 'BF16'];

/** Throws OptionError where there is nothing to make smaller. */
export function quantised(files: ModelFiles, to: Quantise): ModelFiles {
  const format = to.toUpperCase();
  const { values, bytes } = BLOCKS[format];
  const taken = ({ shape, format: stored }: WeightEntry) =>
    shape.length === 2 && shape[1] % values === 0 && WHOLE.includes(stored);
  const chosen = [...files.weights.entries.values()].filter(taken);
  const matrices = [...files.weights.entries.values()].filter(({ shape }) => shape.length === 2).length;
  if (chosen.length === 0) {
    throw new OptionError(
      `${files.path} has no matrix that could be made ${to}: they are quantised already, or their rows are no multiple of ${values} values. Leave quantise out.`,
    );
  }
  const entries = new Map(
    [...files.weights.entries].map(([name, entry]) => {
      if (!taken(entry)) return [name, entry];
      return [name, { ...entry, format, bytes: ((entry.shape[0] * entry.shape[1]) / values) * bytes }];
    }),
  );
  const { weights } = files;
  const make = async (name: string, start: number, count: number) => {
    const values = await weights.readRows(name, start, count);
    const largest = values.reduce((a, b) => Math.max(a, Math.abs(b)), 0);
    if (largest < 65520 * (to === 'q8_0' ? 127 : 8) || !Number.isFinite(largest)) return quantiseRows(to, values);
    throw new OptionError(
      `'${name}' in ${files.path} has weights of ${largest.toPrecision(3)}, and ${to} has no scale for them. Leave quantise out.`,
    );
  };
  const source: WeightSource = {
    entries,
    readStored: (name, start, count) =>
      taken(weights.entries.get(name)!) ? make(name, start, count) : weights.readStored(name, start, count),
    readRows: async (name, start, count) =>
      taken(weights.entries.get(name)!)
        ? dequantise(format, await make(name, start, count))
        : weights.readRows(name, start, count),
    close: () => weights.close(),
  };
  const rest = matrices - chosen.length;
  const others = rest > 0 ? `; ${rest} that are quantised already or too narrow stay as they are` : '';
  return {
    ...files,
    weights: source,
    // It computes other numbers, and a golden of the model as it is stored is none of this one.
    fingerprint: createHash('sha256').update(`${files.fingerprint} ${to}`).digest('hex'),
    notices: [
      ...files.notices,
      `${chosen.length} ${chosen.length === 1 ? 'matrix is' : 'matrices are'} made ${to} on loading${others}.`,
    ],
  };
}

/** Blocks of 32 of the values, one after the other. A block with a value that is no number has a scale that is none. */
export function quantiseRows(to: Quantise, values: Float32Array): Uint8Array<ArrayBuffer> {
  const { bytes } = BLOCKS[to.toUpperCase()];
  const out = new Uint8Array((values.length / VALUES) * bytes);
  const put = to === 'q8_0' ? putEight : putFour;
  for (let block = 0, from = 0; from < values.length; block++, from += VALUES) put(values, from, out, block * bytes);
  return out;
}

const f32 = Math.fround;

/** d = largest / 127; q = x / d, halves away from zero. */
function putEight(x: Float32Array, from: number, out: Uint8Array, at: number): void {
  let most = 0;
  for (let i = 0; i < VALUES; i++) most = Math.max(most, Math.abs(x[from + i]));
  const d = f32(most / 127);
  const inverse = d === 0 ? 0 : f32(1 / d);
  putScale(d, out, at);
  for (let i = 0; i < VALUES; i++) {
    const y = f32(x[from + i] * inverse);
    const whole = Math.floor(Math.abs(y));
    const rounded = whole + Math.floor(2 * (Math.abs(y) - whole));
    out[at + 2 + i] = y < 0 ? -rounded : rounded;
  }
}

/** d = the value farthest from 0, with its sign, / −8; q = x / d + 8.5, cut to 0 … 15. Column i and i + 16 share a byte. */
function putFour(x: Float32Array, from: number, out: Uint8Array, at: number): void {
  let most = 0;
  for (let i = 0; i < VALUES; i++) if (Math.abs(x[from + i]) > Math.abs(most)) most = x[from + i];
  for (let i = 0; i < VALUES; i++) if (Number.isNaN(x[from + i])) most = Number.NaN;
  const d = f32(most / -8);
  const inverse = d === 0 ? 0 : f32(1 / d);
  putScale(d, out, at);
  const q = (i: number) => Math.min(15, Math.trunc(f32(f32(x[from + i] * inverse) + 8.5)));
  for (let i = 0; i < 16; i++) out[at + 2 + i] = q(i) | (q(i + 16) << 4);
}

function putScale(d: number, out: Uint8Array, at: number): void {
  const bits = f16Bits(d);
  out[at] = bits & 255;
  out[at + 1] = bits >> 8;
}

/** The nearest half float, ties to even; what is too large is ∞. */
export function f16Bits(value: number): number {
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  const size = Math.abs(value);
  if (Number.isNaN(size)) return 0x7e00;
  if (size >= 65520) return sign | 0x7c00;
  const exponent = Math.max(-14, Math.floor(Math.log2(size)));
  // log2 may round up to the next power.
  const fits = size < 2 ** exponent && exponent > -14 ? exponent - 1 : exponent;
  const units = size / 2 ** (fits - 10);
  const down = Math.floor(units);
  const up = units - down > 0.5 || (units - down === 0.5 && down % 2 === 1) ? 1 : 0;
  return sign | ((fits + 14) * 1024 + down + up); // a carry moves on into the exponent
}
