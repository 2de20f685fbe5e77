// Perplexity against PyTorch's logits and against the definition written out in float64; what is held against another plan; what cannot be measured.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { NumberError, OptionError, PromptError } from '../../engine/errors.js';
import { golden } from '../../lab/values/golden.js';
import { open } from '../../lab/session/open.js';
import type { Session } from '../../lab/session/session.js';
import { command } from '../fixtures/command.js';
import { freshFolder } from '../fixtures/folder.js';

const TEXT = 'The capital of France is Paris. The capital of Italy is Rome. The capital of Spain is Madrid.';
const folder = freshFolder();
const loupe = (...args: string[]) => command('perplexity', ...args);
let model: Session;
let rough: Session;
beforeAll(async () => {
  model = await open('atlas', { quiet: true });
  rough = await open('atlas', { quiet: true, activations: 'int8' });
});
afterAll(() => {
  const { gpu } = model;
  model[Symbol.dispose]();
  rough[Symbol.dispose]();
  expect(gpu.liveBytes).toBe(0);
});

/** Of one row of logits: log2 of every probability. */
function logs(row: Float32Array): Float64Array {
  const most = Math.max(...row);
  const sum = [...row].reduce((n, x) => n + Math.exp(x - most), 0);
  return Float64Array.from(row, x => (x - most - Math.log(sum)) / Math.LN2);
}
const rowsOf = (data: Float32Array, vocab: number) =>
  Array.from({ length: data.length / vocab }, (_, i) => logs(data.subarray(i * vocab, (i + 1) * vocab)));

test('is that of PyTorch’s logits', async () => {
  const reference = await golden('atlas/capital');
  const { vocab } = model.config;
  const rows = rowsOf(await reference.read('logits'), vocab);
  expect(rows.length).toBe(reference.ids.length);
  const bits = reference.ids.slice(1).reduce((n, id, i) => n - rows[i][id], 0) / (reference.ids.length - 1);
  for (const plan of ['exact', 'fast'] as const) {
    const found = await model.perplexity(reference.ids, { plan });
    expect(found.tokens).toBe(reference.ids.length - 1);
    expect(Math.abs(found.bits - bits)).toBeLessThan(1e-5);
    expect(found.perplexity).toBeCloseTo(2 ** bits, 4);
    expect(found.provenance.plan).toBe(plan);
  }
});

test('windows begin anew, with bos in front, and every token of the text is foreseen once', async () => {
  const ids = model.encode(TEXT).slice(1);
  const window = 7; // bos and six tokens
  let [bits, tokens] = [0, 0];
  for (let at = 0; at < ids.length; at += window - 1) {
    const part = [model.config.bosId, ...ids.slice(at, at + window - 1)];
    const run = await model.run(part, { tap: 'logits', logits: 'all' });
    const rows = rowsOf(run.at('logits').data, model.config.vocab);
    for (let i = 1; i < part.length; i++) bits -= rows[i - 1][part[i]];
    tokens += part.length - 1;
  }
  const found = await model.perplexity(TEXT, { window });
  expect(found.tokens).toBe(tokens);
  expect(tokens).toBe(ids.length);
  expect(Math.abs(found.bits - bits / tokens)).toBeLessThan(1e-5);
  const [whole, part] = [await model.perplexity(TEXT), await model.perplexity(TEXT, { tokens: 9 })];
  expect([whole.tokens, part.tokens]).toEqual([ids.length, 9]);
  expect(whole.bits).toBeLessThan(found.bits); // who sees more foresees more
});

// torch 2.13 and transformers 5.23 on the atlas: each window is what stands in front and some of the text, of which the text's own tokens count.
const ITALIAN = 'The capital of France is Paris. The capital of Italy is Rome. In Rome people speak Italian.';
test.each<[string, number[], [number, number, number][]]>([
  [
    'one token',
    [2],
    [
      [8, 59.804893, 27],
      [13, 35.502318, 27],
      [512, 8.798772, 27],
    ],
  ],
  [
    'two tokens',
    [2, 5],
    [
      [8, 236.134304, 27],
      [13, 170.759962, 27],
      [512, 26.258871, 27],
    ],
  ],
  [
    'three tokens',
    [2, 5, 4],
    [
      [8, 337.496274, 27],
      [13, 262.670714, 27],
      [512, 42.19067, 27],
    ],
  ],
  [
    'nothing',
    [],
    [
      [8, 71.30644, 23],
      [13, 87.793133, 24],
      [512, 22.313304, 26],
    ],
  ],
])('with %s in front, the tokens of the text are what is foreseen', async (_, front, expected) => {
  const tokenizer = model.tokenizer as { ends?: { front: readonly number[]; back: readonly number[]; from: string } };
  const before = tokenizer.ends;
  tokenizer.ends = { front, back: [], from: 'a test' };
  try {
    expect(model.encode(ITALIAN).length).toBe(front.length + 27);
    for (const [window, perplexity, tokens] of expected) {
      const ids = model.encode(ITALIAN);
      for (const [text, plan] of [
        [ITALIAN, 'exact'],
        [ids, 'fast'],
      ] as const) {
        const found = await model.perplexity(text, { window, plan });
        expect(found.tokens, `${window}, ${plan}`).toBe(tokens);
        expect(Math.abs(found.perplexity / perplexity - 1), `${window}, ${plan}`).toBeLessThan(1e-5);
      }
    }
    const { against, tokens } = await model.perplexity(ITALIAN, { window: 8, against: 'exact' });
    expect([tokens, against!.agree * tokens]).toEqual([expected[0][2], expected[0][2]]);
    expect(Math.abs(against!.perplexity / expected[0][1] - 1)).toBeLessThan(1e-5);
  } finally {
    tokenizer.ends = before;
  }
});

test('held against another plan it tells the divergence, its largest place and the agreement', async () => {
  const same = await model.perplexity(TEXT, { against: 'exact' });
  expect(same.against!.klMost).toBeLessThan(1e-6);
  expect(same.against!.agree).toBe(1);
  expect(Math.abs(same.perplexity / same.against!.perplexity - 1)).toBeLessThan(1e-5);
  const ids = model.encode(TEXT);
  const [p, q] = await Promise.all(
    (['exact', 'fast'] as const).map(async plan => {
      const run = await rough.run(ids, { tap: 'logits', logits: 'all', plan });
      return rowsOf(run.at('logits').data, rough.config.vocab);
    }),
  );
  const kl = p.slice(0, -1).map((row, i) => row.reduce((n, log, v) => n + 2 ** log * (log - q[i][v]), 0));
  const found = await rough.perplexity(TEXT, { against: 'exact' });
  const mean = kl.reduce((a, b) => a + b, 0) / kl.length;
  expect(mean).toBeGreaterThan(1e-6);
  expect(Math.abs(found.against!.klMean - mean)).toBeLessThan(1e-3 * mean);
  expect(Math.abs(found.against!.klMost - Math.max(...kl))).toBeLessThan(1e-3 * Math.max(...kl));
  expect(found.against!.klMostAt).toBe(kl.indexOf(Math.max(...kl))); // the text's tokens count from 0, without bos
  expect(found.provenance.activations).toBe('int8');
});

test('what cannot be measured is refused', async () => {
  await expect(model.perplexity([2])).rejects.toThrow(PromptError);
  await expect(model.perplexity('')).rejects.toThrow(PromptError);
  await expect(model.perplexity(TEXT, { window: 2 })).rejects.toThrow(OptionError);
  await expect(model.perplexity(TEXT, { window: 1e6 })).rejects.toThrow(OptionError);
  await expect(model.perplexity(TEXT, { tokens: 0.5 })).rejects.toThrow(OptionError);
  await expect(model.perplexity(TEXT, { signal: AbortSignal.abort() })).rejects.toThrow();
  await model.edit('softcap', null).catch(() => {});
  await model.edit('rms_norm', wgsl => wgsl.replace('* gain[i]', '* bitcast<f32>(chunk.tokens | 0x7fc00000u)'));
  await expect(model.perplexity(TEXT)).rejects.toThrow(NumberError);
  await model.edit('rms_norm', null);
});

test('the command prints it, and --json gives the numbers', async () => {
  const file = join(folder, 'text.txt');
  writeFileSync(file, TEXT);
  const tokens = model.encode(TEXT).length - 1;
  const { status, stdout } = await loupe('--text', file, '--against', 'exact', '--json');
  expect(status).toBe(0);
  const told = JSON.parse(stdout) as { tokens: number; against: { agree: number } };
  expect(told).toMatchObject({ tokens, against: { plan: 'exact', agree: 1 } });
  const missing = await loupe('--text', join(folder, 'none'));
  expect([missing.status, missing.stderr]).toEqual([2, expect.stringContaining('Give a file')]);
  const exact = await loupe('--text', file, '--activations', 'int8', '--plan', 'exact');
  expect([exact.status, exact.stderr]).toEqual([2, expect.stringContaining('--plan fast')]);
});
