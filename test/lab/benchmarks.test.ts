// The measured part of docs/BENCHMARKS.md: every figure with its command, its adapter, the machine and the day; pictures that need no script; and what a
// person wrote stays.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { packageRoot } from '../../engine/files.js';
import type { BenchReport } from '../../lab/bench/bench.js';
import { thisMachine, vectorsIn } from '../../lab/bench/cpu.js';
import { withMeasured } from '../../lab/benchmarks/document.js';
import type { Measured, StagesReport } from '../../lab/benchmarks/measured.js';
import { measuredPart, picturesOf } from '../../lab/benchmarks/pages.js';
import { growthSvg } from '../../lab/display/growth.js';

const BEGIN = '<!-- measured: written by `npm run benchmarks`, from here to the next mark -->';
const END = '<!-- end of what was measured -->';

test('what stands around the marks stays; without them nothing is measured', () => {
  expect(withMeasured(`above\n${BEGIN}\nold\n${END}\nbelow\n`, 'new\n')).toBe(
    `above\n${BEGIN}\n\nnew\n\n${END}\nbelow\n`,
  );
  const twice = withMeasured(withMeasured(`a${BEGIN}${END}b`, 'x'), 'y');
  expect(twice).toBe(`a${BEGIN}\n\ny\n\n${END}b`);
  for (const text of ['', BEGIN, `${END}${BEGIN}`, `${BEGIN}${BEGIN}${END}`, `${BEGIN}${END}${END}`])
    expect(() => withMeasured(text, 'x')).toThrow(/must be there once each, in this order/);
  const document = readFileSync(join(packageRoot(), 'docs', 'BENCHMARKS.md'), 'utf8');
  expect(() => withMeasured(document, 'x')).not.toThrow();
});

const at = (median: number) => ({ median, least: 0.9 * median, most: 1.2 * median });
const speed = (factor: number) => ({
  prefill: {
    16: { tokensPerSecond: at(100 * factor), firstTokenMs: at(160 / factor) },
    2048: { tokensPerSecond: at(120 * factor), firstTokenMs: at(17_000 / factor) },
  },
  decode: { tokensPerSecond: at(15 * factor), after: 8192 },
  decodeAt: {
    0: { tokensPerSecond: at(18 * factor) },
    512: { tokensPerSecond: at(17 * factor) },
    8192: { tokensPerSecond: at(15 * factor) },
  },
});
const report: BenchReport = {
  ...speed(1),
  ...{ model: 'm.gguf', adapter: 'lavapipe: llvmpipe', date: '2026-01-02', plan: 'fast', rounds: 3, load: 1900 },
  ...{ firstTokenMs: 160, memory: { gpu: 270e6, cpu: 600e6 }, bytesWrittenPerToken: 20, bytesReadPerToken: 4 },
  machine: { cpu: 'a CPU', cores: 2 },
  formats: { activations: 'f32', cache: 'f32' },
  cache: { at: 256, withMs: 60, withoutMs: 2400, gain: 40 },
  batch: { 1: { tokensPerSecond: at(18) }, 16: { tokensPerSecond: at(70) } },
  attentionUs: { 0: { sliding: 100, full: 100 }, 8192: { sliding: 110, full: 900 } },
  peers: { torch: { ...speed(0.5), name: 'PyTorch 9, 2 threads', ratios: { prefill: {}, decodeAt: {} } } },
  leftOut: ['decode after 9000: there is no memory for it'],
};
const step = {
  ...{ operation: 'head', us: 30_000, share: 1, bytesRead: 178e6, bytesWritten: 1e6, operations: 336e6 },
  ...{ bytesPerSecond: 6e9, operationsPerSecond: 11e9, ofBandwidth: 0.5, ofArithmetic: 0.2, reached: 0.5 },
  bound: 'bandwidth' as const,
};
const stages: StagesReport = {
  ...{ adapter: 'lavapipe: llvmpipe', context: 64 },
  ceilings: { bytesPerSecond: 12e9, operationsPerSecond: 55e9, store: 'texture', bytes: 1 << 27, rounds: 5 },
  operations: [{ ...step, steps: 1 }],
  stages: [{ ...step, index: 0, step: 'logits' }],
};
const measured: Measured = {
  atlas: { command: 'loupe bench --atlas', report },
  swiftShader: { command: 'loupe bench --adapter swiftshader', report: { ...report, adapter: 'swiftshader: S' } },
  real: {
    full: { command: 'loupe bench --model M --full', report },
    exact: { command: 'loupe bench --model M --against exact', report },
    stages: { command: 'loupe bench --model M --stages', report: stages },
  },
  seconds: 400,
};

test('every table has its command, adapter, machine and day, and every picture is in the text', () => {
  const text = measuredPart(measured);
  for (const line of [
    '`loupe bench --model M --full` (lavapipe: llvmpipe; 2 cores of a CPU; 2026-01-02; against PyTorch 9, 2 threads)',
    '| prompt of 2,048 | 120 (108–144) | 17.0 s | 60.0 (54.0–72.0) | 2.00× |',
    '| decode after 8,192 | 15.0 (13.5–18.0) |  | 7.5 (6.8–9.0) | 2.00× |',
    '| 16 sequences together | 70.0 (63.0–84.0) |  |  |  |',
    'Loaded in 1.9 s, 270 MB on the GPU, 600 MB resident; 20 bytes to the GPU and 4 back for each greedy token; after 256 tokens, one more takes 60.0 ms on the cache and 2,400 ms with all of them read again: 40.0×; left out: decode after 9000: there is no memory for it.',
    '12.0 GB/s read from textures, 55.0 GFLOP/s',
    '| head | 1 | 30.00 | 100.0 % | 178 MB | 1.0 MB | 6.0 | 11 | 50 %, bandwidth |',
    '(swiftshader: S; 2 cores of a CPU; 2026-01-02',
  ])
    expect(text).toContain(line);
  const pictures = picturesOf(measured);
  expect([...text.matchAll(/\]\(pictures\/([^)]+)\)/g)].map(([, name]) => name).sort()).toEqual(
    [...pictures.keys()].sort(),
  );
  expect(pictures.size).toBe(5);
  for (const [name, svg] of pictures) {
    expect(svg, name).toMatch(/^<svg/);
    expect(svg, name).not.toMatch(/<script|<style|NaN|undefined/);
    expect(svg.length, name).toBeLessThan(60_000);
    expect(svg, name).toContain('lavapipe: llvmpipe');
  }
  for (const shown of ['PyTorch', 'Loupe', '8,192', '2026-01-02', '2 cores of a CPU', '18.0'])
    expect(pictures.get('bench-decode.svg')).toContain(shown);
  for (const shown of ['sees a window', 'sees everything'])
    expect(pictures.get('bench-attention.svg')).toContain(shown);
});

test('without the 270M and without peers there is less of it, and no hole', () => {
  const text = measuredPart({
    ...measured,
    real: null,
    atlas: { ...measured.atlas, report: { ...report, peers: {} } },
  });
  expect(text).not.toContain('pictures/');
  expect(text).toContain('|  | tok/s | first token |\n');
});

test('a line of one point, and of zeros, is drawn', () => {
  const one = { x: 16, median: 0, least: 0, most: 0 };
  const growth = { title: 't', note: 'n', x: 'x', y: 'y', logarithmic: true };
  const svg = growthSvg({ ...growth, lines: [{ name: 'a', colour: '#d55e00', points: [one] }] });
  expect(svg).not.toMatch(/NaN|Infinity/);
});

test('a figure says how wide the vectors of its CPU are, where the system tells', () => {
  const flags = (names: string) => `processor\t: 0\nmodel name\t: AMD EPYC\nflags\t\t: ${names}\nbugs\t\t: none\n`;
  expect(vectorsIn(flags('fpu sse2 avx avx2 f16c'))).toEqual(['AVX2']);
  expect(vectorsIn(flags('fpu avx avx2 avx512f avx512vl'))).toEqual(['AVX-512']);
  expect(vectorsIn(flags('fpu sse2'))).toEqual([]);
  expect(vectorsIn('')).toEqual([]);
  expect(thisMachine().cpu).not.toBe('');
});
