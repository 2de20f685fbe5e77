// Two models over a text, against PyTorch and numpy (golden/make_comparison.py): atlas in f32 and quantised. And what cannot be compared.

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { Context } from '../../engine/context.js';
import { OptionError, PromptError } from '../../engine/errors.js';
import '../../lab/index.js';
import { compareModels } from '../../lab/probe/model-comparison.js';
import { open } from '../../lab/session/open.js';
import type { Session } from '../../lab/session/session.js';
import { prompts } from '../../lab/values/prompt-file.js';
import { INSPECT } from '../../lab/values/shown.js';
import { command } from '../fixtures/command.js';
import { freshFolder } from '../fixtures/folder.js';

interface Case {
  readonly tokens: number;
  readonly perplexity: readonly [number, number];
  readonly kl: Readonly<Record<'mean' | 'median' | 'p90' | 'p99' | 'p999' | 'most' | 'mostAt', number>>;
  readonly sameTop: number;
  readonly topChange: number;
  readonly klByPlace: Readonly<Record<string, number>>;
  readonly layers: readonly { readonly mean: number; readonly least: number }[];
}
const {
  text,
  ids,
  window,
  cases,
}: { text: string; ids: number[]; window: number; cases: Readonly<Record<'q8_0' | 'q4_0', Case>> } = JSON.parse(
  readFileSync('golden/comparison.json', 'utf8'),
);
const folder = freshFolder();
let model: Session;
beforeAll(async () => {
  model = await open('atlas', { quiet: true });
});
afterAll(() => model[Symbol.dispose]());

const near = (actual: number, expected: number) =>
  expect(Math.abs(actual - expected)).toBeLessThanOrEqual(1e-3 * Math.abs(expected) + 1e-9);

test.each(['q8_0', 'q4_0'] as const)('atlas in %s: every figure is PyTorch’s within 1e-3', async quantise => {
  using other = await open('atlas', { quiet: true, another: true, quantise });
  const expected = cases[quantise];
  const found = await compareModels(model, other, text, { window });
  expect(found.tokens).toBe(expected.tokens);
  for (const i of [0, 1]) near(found.perplexity[i], expected.perplexity[i]);
  for (const key of ['mean', 'median', 'p90', 'p99', 'p999', 'most'] as const) near(found.kl[key], expected.kl[key]);
  expect(found.kl.mostAt).toBe(expected.kl.mostAt);
  expect(found.sameTop).toBeCloseTo(expected.sameTop, 12);
  near(found.topChange, expected.topChange);
  expect(found.layers.length).toBe(expected.layers.length);
  for (const [i, { mean, least }] of found.layers.entries()) {
    // 1 − cosine is what tells layers apart.
    near(1 - mean, 1 - expected.layers[i].mean);
    near(1 - least, 1 - expected.layers[i].least);
  }
  // Three places a part of a window of 48, each as often as there are windows that reach it.
  const counts = new Map<number, number>();
  for (let at = 0; at < ids.length; at += window - 1)
    for (let place = 1; place <= Math.min(window - 1, ids.length - at); place++)
      counts.set(place, (counts.get(place) ?? 0) + 1);
  expect(found.places.length).toBe(16);
  for (const { from, to, tokens, kl } of found.places) {
    const inside = [...counts].filter(([place]) => place >= from && place < to);
    expect(tokens).toBe(inside.reduce((n, [, many]) => n + many, 0));
    near(kl, inside.reduce((sum, [place, many]) => sum + many * expected.klByPlace[place], 0) / tokens);
  }
});

test('a model and itself: nothing apart, and no perplexity but that of loupe perplexity', async () => {
  using other = await open('atlas', { quiet: true, another: true });
  const found = await compareModels(model, other, ids, { window, plan: 'exact' });
  expect(found.kl.most).toBeLessThan(1e-12);
  expect([found.sameTop, found.topChange]).toEqual([1, 0]);
  expect(found.layers.every(({ least }) => Math.abs(1 - least) < 1e-12)).toBe(true);
  const alone = await model.perplexity(ids, { window, plan: 'exact' });
  near(found.perplexity[0], alone.perplexity);
  expect(found.tokens).toBe(alone.tokens);
});

test('many texts begin anew each, and so many tokens as were asked for', async () => {
  using other = await open('atlas', { quiet: true, another: true, quantise: 'q4_0' });
  const sentences = text.split('. ').slice(0, 4);
  async function* each() {
    yield* sentences;
  }
  const found = await compareModels(model, other, each());
  expect(found.texts).toBe(4);
  const one = [];
  for (const sentence of sentences) one.push(await compareModels(model, other, sentence));
  expect(found.tokens).toBe(one.reduce((n, { tokens }) => n + tokens, 0));
  near(found.kl.mean, one.reduce((n, { kl, tokens }) => n + kl.mean * tokens, 0) / found.tokens);
  expect((await compareModels(model, other, text, { tokens: 9 })).tokens).toBe(9);
});

test('what cannot be compared is told', async () => {
  using small = await open('golden/atlas', { quiet: true, another: true });
  const refused = (texts: never, message: RegExp, kind: new (m: string) => Error, options = {}) =>
    expect(compareModels(model, small, texts, options)).rejects.toSatisfy(
      (error: Error) => error instanceof kind && message.test(error.message),
    );
  async function* none() {}
  await refused('' as never, /The text is empty/, PromptError);
  await refused(none() as never, /There is no text to compare/, PromptError);
  await refused([2] as never, /none with one before it/, PromptError);
  await refused(7 as never, /not 7/, PromptError);
  await refused(text as never, /window is a whole number from 3/, OptionError, { window: 1 });
  await refused(text as never, /tokens is a whole number from 1/, OptionError, { tokens: 0 });
  await expect(compareModels(model, {} as never, text)).rejects.toThrow(/takes two sessions/);
  await expect(compareModels(model, small, text, { signal: AbortSignal.abort() })).rejects.toThrow();
});

test('the command: text, JSON, a page; 80 columns; a sentence for each mistake', async () => {
  const file = join(folder, 'text.txt');
  writeFileSync(file, text);
  const loupe = (...args: string[]) => command('compare', ...args);
  const two = ['--model', 'atlas', '--model', 'golden/atlas'];
  const page = join(folder, 'page.html');
  const said = await loupe(...two, '--text', file, '--tokens', '40', '--html', page);
  expect([said.status, said.stderr]).toEqual([0, '']);
  for (const line of said.stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(80);
  expect(said.stdout).toContain('KL divergence, mean');
  expect(readFileSync(page, 'utf8')).toContain('Residual streams: cosine by layer');
  const lines = join(folder, 'texts.jsonl');
  writeFileSync(lines, `${JSON.stringify({ text: 'The capital of France is Paris.' })}\n`.repeat(3));
  const json = await loupe(...two, '--jsonl', lines, '--column', 'text', '--json');
  expect(JSON.parse(json.stdout)).toMatchObject({ texts: 3, sameTop: 1, kl: { mostAt: expect.any(Number) } });
  const empty = join(folder, 'empty.txt');
  writeFileSync(empty, '');
  const nothing = join(folder, 'empty.jsonl');
  writeFileSync(nothing, '');
  for (const [args, message] of [
    [['--model', 'atlas', '--text', file], /one was given\. Give --model A --model B/],
    [two, /There is no text\. Give --text F/],
    [[...two, '--text', empty], /The text is empty/],
    [[...two, '--jsonl', nothing], /has no prompts/],
    [[...two, '--text', join(folder, 'none')], /cannot be read/],
    [[...two, '--text', file, '--column', 'x'], /--column is of --jsonl/],
  ] as const) {
    const { status, stdout, stderr } = await loupe(...args);
    expect(stderr).toMatch(message);
    expect([status, stdout, stderr.trimEnd().split('\n').length]).toEqual([2, '', 1]);
  }
  expect((await compareModels(model, model, text, { tokens: 5 }))[INSPECT]()).toContain('held against');
});

test('a line of 100,000 tokens is read window by window: what is on the GPU is that of one window', async () => {
  const line = `${JSON.stringify('The capital of France is Paris. '.repeat(16_000))}\n`;
  const file = join(folder, 'long.jsonl');
  writeFileSync(file, line);
  using other = await open('atlas', { quiet: true, another: true });
  const before = model.gpu.liveBytes;
  let peak = 0;
  const watch = setInterval(() => {
    peak = Math.max(peak, model.gpu.liveBytes - before);
  }, 5);
  const found = await compareModels(model, other, prompts(file), { tokens: 300, window: 100 });
  clearInterval(watch);
  expect(found.tokens).toBe(300);
  expect(model.encode(JSON.parse(line) as string).length).toBeGreaterThan(100_000);
  expect(peak).toBeGreaterThan(0);
  expect(peak).toBeLessThan(32e6);
  expect(model.gpu.liveBytes).toBe(before);
});

test('a file whose last line is none is refused before anything is read of it', async () => {
  const file = join(folder, 'late.jsonl');
  writeFileSync(file, `${'{"text":"The capital of France is Paris."}\n'.repeat(20)}{bad\n`);
  using other = await open('atlas', { quiet: true, another: true });
  const read = vi.spyOn(Context.prototype, 'forward');
  try {
    await expect(compareModels(model, other, prompts(file, { column: 'text' }))).rejects.toThrow(
      'late.jsonl:21: This is no JSON',
    );
    expect(read).not.toHaveBeenCalled();
  } finally {
    read.mockRestore();
  }
  // What is not read of it, nobody asks.
  expect((await compareModels(model, other, prompts(file, { column: 'text' }), { tokens: 12 })).tokens).toBe(12);
});
