// loupe bench: everybody in turn, each figure of what it says it is of, what does not fit left out and told.

import { afterAll, beforeAll, expect, test } from 'vitest';
import { type BenchReport, bench } from '../../lab/bench/bench.js';
import { checkLlamaReads } from '../../lab/bench/llama.js';
import { measure } from '../../lab/bench/measure.js';
import { ours, type Peer } from '../../lab/bench/peer.js';
import { startPeer } from '../../lab/bench/process.js';
import { benchText } from '../../lab/display/bench.js';
import { progressLine } from '../../lab/host/progress.js';
import { open } from '../../lab/session/open.js';
import type { Session } from '../../lab/session/session.js';

let atlas: Session;
beforeAll(async () => {
  atlas = await open('atlas', { quiet: true });
});
afterAll(() => {
  const { gpu } = atlas;
  atlas[Symbol.dispose]();
  expect(gpu.liveBytes).toBe(0);
});

/** A peer that notes what it is asked, holds as many tokens as it was given, and takes `ms` a token. */
function noting(name: string, ms: number, asked: string[]): Peer {
  let held = 0;
  return {
    name,
    prefill: async ids => {
      held = ids.length;
      asked.push(`${name} prompt ${ids.length}`);
      return ms * ids.length;
    },
    read: async ids => {
      expect(ids[0]).toBe(held); // goes on where it was
      held += ids.length;
    },
    decode: async tokens => {
      asked.push(`${name} decode ${tokens} after ${held}`);
      return Array<number>(tokens).fill(ms * (held + tokens));
    },
    close() {},
  };
}

const IDS = Array.from({ length: 4000 }, (_, i) => i);

test('everybody is asked the same, in turn; contexts are read once, and every round is after as many tokens as it says', async () => {
  const asked: string[] = [];
  const [told, looked]: [number[], [number, number][]] = [[], []];
  const peers = [noting('a', 1, asked), noting('b', 2, asked)];
  const wanted = { lengths: [16, 700], contexts: [0, 10, 1300], decode: 4, rounds: 2 };
  const [a, b] = await measure(peers, IDS, wanted, {
    told: done => void told.push(done),
    look: async context => void looked.push([context, asked.length]),
  });
  // Before anybody goes on: after 4 lines of warming up and 8 of prompts, at 12, 18 and 22.
  expect(looked).toEqual([
    [0, 14],
    [10, 18],
    [1300, 22],
  ]);
  expect(asked.slice(4)).toEqual([
    ...['a prompt 16', 'b prompt 16', 'a prompt 16', 'b prompt 16'],
    ...['a prompt 700', 'b prompt 700', 'a prompt 700', 'b prompt 700'],
    ...[
      'a prompt 1',
      'b prompt 1',
      'a decode 4 after 1',
      'b decode 4 after 1',
      'a decode 4 after 1',
      'b decode 4 after 1',
    ],
    ...['a decode 4 after 10', 'b decode 4 after 10', 'a decode 4 after 10', 'b decode 4 after 10'],
    ...['a decode 4 after 1300', 'b decode 4 after 1300', 'a decode 4 after 1300', 'b decode 4 after 1300'],
  ]);
  expect(told.at(-1)).toBe(2 * 2 * 5 - 1);
  expect(a.prefill['16']).toEqual({
    tokensPerSecond: { median: 1000, least: 1000, most: 1000 },
    firstTokenMs: { median: 16, least: 16, most: 16 },
  });
  expect(b.prefill['700'].tokensPerSecond.median).toBe(500);
  expect(a.decode).toEqual({ ...a.decodeAt['1300'], after: 1300 });
  expect(a.decodeAt['0'].tokensPerSecond).toEqual({ median: 200, least: 200, most: 200 });
});

test('a context is read on from the one before it, however many tokens rounds have made there', async () => {
  const asked: string[] = [];
  await measure([noting('a', 1, asked)], IDS, { lengths: [2], contexts: [3, 5], decode: 8, rounds: 1 });
  expect(asked.slice(3)).toEqual(['a prompt 3', 'a decode 8 after 3', 'a decode 8 after 5']);
});

test.each([8, 64])('Loupe forgets what a round has made, with rings that went round, in chunks of %i', async chunk => {
  const ids = Array.from({ length: 90 }, (_, i) => 4 + ((i * 37) % 200));
  using context = atlas.model.context({ length: 128, chunk, plan: 'fast' });
  const peer = ours(atlas.model, context);
  await peer.prefill(ids);
  for (let round = 0; round < 3; round++) {
    expect(await peer.decode(20)).toHaveLength(20);
    expect(context.ids).toEqual(ids);
  }
  // As if no round had been.
  await peer.read([9]);
  using other = atlas.model.context({ length: 128, chunk, plan: 'fast' });
  await other.forward(ids);
  await other.forward([9]);
  expect(await context.logits()).toEqual(await other.logits());
});

async function report(more: Partial<Parameters<typeof bench>[1]> = {}): Promise<BenchReport> {
  return await bench(atlas, {
    ...{
      lengths: [4, 9],
      contexts: [0, 40],
      decode: 3,
      rounds: 2,
      plan: 'fast',
      against: ['exact', 'tap'],
      cacheAt: 0,
      batch: [1, 3],
    },
    ...{ name: 'atlas', load: 1234, progress: progressLine('', true), say() {}, ...more },
  });
}

test('a report has what was measured, with peers and ratios, and fits a terminal', async () => {
  const made = await report();
  expect(made).toMatchObject({ model: 'atlas', plan: 'fast', load: 1234, cache: null, leftOut: [], rounds: 2 });
  expect(made.adapter).toBe(atlas.provenance().adapter);
  expect(made.firstTokenMs).toBe(made.prefill['4'].firstTokenMs.median);
  expect(made.machine.cores).toBeGreaterThan(0);
  expect(Object.keys(made.prefill)).toEqual(['4', '9']);
  expect(Object.keys(made.decodeAt)).toEqual(['0', '40']);
  expect(made.decode.after).toBe(40);
  const { exact } = made.peers;
  expect(exact.name).toBe('the exact plan');
  const theirs = exact.prefill['9'].tokensPerSecond.median;
  expect(exact.ratios.prefill['9']).toBeCloseTo(made.prefill['9'].tokensPerSecond.median / theirs, 9);
  expect(made.peers.tap.name).toBe('with a tap on layers.3.resid');
  expect(Object.keys(made.peers.tap.ratios.decodeAt)).toEqual(['0', '40']);
  expect(Object.keys(made.batch)).toEqual(['1', '3']);
  expect(made.batch['3'].tokensPerSecond.median).toBeGreaterThan(0);
  // Atlas has both kinds of layers.
  expect(Object.keys(made.attentionUs!)).toEqual(['0', '40']);
  expect(made.attentionUs!['40'].sliding).toBeGreaterThan(0);
  expect(made.attentionUs!['40'].full).toBeGreaterThan(0);
  expect(made.memory.gpu).toBeGreaterThan(6e6);

  const speeds = { ...exact, name: 'x'.repeat(30) };
  for (const names of [[], ['torch'], ['torch', 'llama.cpp']]) {
    const peers = Object.fromEntries(names.map(name => [name, speeds]));
    const text = benchText({ ...made, peers, adapter: 'lavapipe', machine: { cpu: 'a CPU', cores: 2 } });
    expect(Math.max(...text.split('\n').map(line => line.length))).toBeLessThanOrEqual(80);
    const special = { ...made, formats: { activations: 'int8', cache: 'f16' } };
    expect(benchText(special)).toContain('fast plan, activations in int8, cache in f16, on ');
    for (const line of ['prompt of 9', 'decode after 40', '3 together', ...names]) expect(text).toContain(line);
  }
});

test('what the model was not made for, or memory does not hold, is left out and told', async () => {
  const long = await report({ lengths: [4, 1030], contexts: [0, 1022], against: [] });
  expect(Object.keys(long.prefill)).toEqual(['4']);
  expect(Object.keys(long.decodeAt)).toEqual(['0']);
  expect(long.leftOut).toEqual([
    'a prompt of 1030: this model was made for 1024 tokens',
    'decode after 1022: this model was made for 1024 tokens',
  ]);
  expect(benchText(long)).toContain('left out  decode after 1022: this model was made for 1024 tokens');
  const noCache = await report({ lengths: [4], contexts: [0], against: [], batch: [], cacheAt: 1020 });
  expect([noCache.cache, noCache.leftOut]).toEqual([
    null,
    ['the cache at 1020: that takes 1025 tokens, and there is room for 1024'],
  ]);
  await expect(report({ lengths: [1030] })).rejects.toThrow(
    /needs at least 1030 tokens, and this model was made for 1024/,
  );

  const { gpu } = atlas;
  const budget = gpu.budgetBytes;
  try {
    // Room for what 64 tokens of context need, and not for 900.
    using context = atlas.model.context({ length: 64, plan: 'fast' });
    gpu.budgetBytes = gpu.liveBytes + 100_000;
    context[Symbol.dispose]();
    const short = await report({ contexts: [0, 900], against: [], batch: [] });
    expect(short.leftOut).toEqual(['decode after 900: there is no memory for it']);
    gpu.budgetBytes = gpu.liveBytes + 2_000_000;
    const few = await report({ contexts: [0], against: [], batch: [1, 300] });
    expect(few.leftOut).toEqual(['300 sequences together: there is no memory for them']);
    expect(Object.keys(few.batch)).toEqual(['1']);
  } finally {
    gpu.budgetBytes = budget;
  }
});

test('a peer in a process answers line by line; one that ends says why and what to do', async () => {
  const answer = `require('readline').createInterface({ input: process.stdin }).on('line', line => {
    const { prefill, decode } = JSON.parse(line);
    console.log(JSON.stringify({ ms: prefill ? [prefill.length] : Array(decode ?? 0).fill(7) }));
  })`;
  const script = `console.log('{"peer":"somebody","threads":2}');${answer}`;
  const peer = await startPeer('Somebody', process.execPath, ['-e', script], 'Ask again.');
  expect(peer.name).toBe('somebody, 2 threads');
  expect(await peer.prefill([1, 2, 3])).toBe(3);
  expect(await peer.read([4])).toBeUndefined();
  expect(await peer.decode(2)).toEqual([7, 7]);
  peer.close();
  const ends = startPeer('Somebody', process.execPath, ['-e', 'throw new RangeError("no room")'], 'Ask again.');
  await expect(ends).rejects.toThrow(/^Somebody ended: .*\. Ask again\.$/);
  const absent = startPeer('Somebody', '/nowhere/python', [], 'Ask again.');
  await expect(absent).rejects.toThrow(/^Somebody could not be started: .*ENOENT.*\. Ask again\.$/);
});

test('llama.cpp is asked for GGUF files alone', () => {
  expect(() => checkLlamaReads('golden/atlas')).toThrow(
    /reads GGUF files, and 'golden\/atlas' is none\. Give --model a \.gguf, or leave llama\.cpp out of --against/,
  );
});
