// Keys and values in f16: half the bytes, near the f32 run in both plans, said wherever numbers go; looking changes nothing; what f16 does not reach is told.

import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { cacheBytesPerToken } from '../../engine/cache-format.js';
import { OptionError } from '../../engine/errors.js';
import { DISPLAY } from '../../lab/values/shown.js';
import { compare } from '../../lab/diff/metrics.js';
import { golden } from '../../lab/values/golden.js';
import { type OpenOptions, open } from '../../lab/session/open.js';
import type { Session } from '../../lab/session/session.js';
import { atlasWith } from '../fixtures/atlas-weights.js';
import { freshFolder } from '../fixtures/folder.js';
import { writeTiny } from '../fixtures/tiny-model.js';

const folder = freshFolder();
const IDS = Array.from({ length: 75 }, (_, i) => (i === 0 ? 2 : 5 + ((i * 37) % 490)));
const bits = (data: Float32Array) => new Uint32Array(data.buffer, data.byteOffset, data.length);
const apart = (a: Float32Array, b: Float32Array) => compare(a, b, [a.length]).relL2;
/** To the nearest f16, ties to even, by way of its grid: for values that f16 has whole. */
function half(x: number): number {
  const step = 2 ** (Math.max(-14, Math.floor(Math.log2(Math.abs(x) || 1))) - 10);
  const q = x / step;
  const down = Math.floor(q);
  const up = q - down > 0.5 || (q - down === 0.5 && down % 2 !== 0);
  return (down + (up ? 1 : 0)) * step;
}

let whole: Session;
let rounded: Session;
beforeAll(async () => {
  whole = await open('atlas', { quiet: true });
  rounded = await open('atlas', { quiet: true, cache: 'f16' });
});
afterAll(() => {
  const { gpu } = whole;
  whole[Symbol.dispose]();
  rounded[Symbol.dispose]();
  expect(gpu.liveBytes).toBe(0);
});

test.each(['exact', 'fast'] as const)('%s plan: near the f32 cache, not equal, whatever the chunks', async plan => {
  for (const chunks of [undefined, [60, 1, 1, 13], IDS.map(() => 1)]) {
    const [a, b] = [await whole.run(IDS, { plan, chunks }), await rounded.run(IDS, { plan, chunks })];
    expect(a.provenance.cache).toBeUndefined();
    expect(b.provenance).toMatchObject({ cache: 'f16', plan });
    const distance = apart(b.logits.values.data, a.logits.values.data);
    expect(distance).toBeGreaterThan(1e-6);
    expect(distance).toBeLessThan(1e-3);
  }
});

test('both plans read the same rounded values', async () => {
  const [exact, fast] = [await rounded.run(IDS), await rounded.run(IDS, { plan: 'fast' })];
  // Where sums differ in their last bit, a value may round to the other side.
  expect(apart(fast.logits.values.data, exact.logits.values.data)).toBeLessThan(2e-4);
});

test('keys that are read from the cache are what it has, and are marked; by the exact plan they are whole', async () => {
  const name = 'layers.0.attn.k_rope';
  const [exact, fast] = [await rounded.run(IDS, { tap: name }), await rounded.run(IDS, { tap: name, plan: 'fast' })];
  expect(exact.at(name).kept).toBe(null);
  expect(fast.at(name).kept).toBe('f16');
  expect(fast.at(name).head(0).kept).toBe('f16');
  expect(String(fast.at(name))).toMatch(/, as the cache has it in f16$/);
  expect([...fast.at(name).data].every(x => half(x) === x)).toBe(true);
  expect([...exact.at(name).data].every(x => half(x) === x)).toBe(false);
  // An adapter may round either way, and plans differ by the order of sums.
  fast.at(name).data.forEach((x, i) => {
    const exactly = exact.at(name).data[i];
    expect(Math.abs(x - exactly)).toBeLessThanOrEqual(2 ** -10 * Math.abs(exactly) + 1e-6);
  });
  const plain = await rounded.run(IDS, { plan: 'fast' });
  const looked = await rounded.run(IDS, { plan: 'fast', tap: '**' });
  expect(bits(looked.logits.values.data)).toEqual(bits(plain.logits.values.data));
  expect((await whole.run(IDS, { tap: name, plan: 'fast' })).at(name).kept).toBe(null);
});

test('takes half the bytes, and says so', async () => {
  const { stages } = whole.plan;
  expect(cacheBytesPerToken(stages, 'f16')).toBe(cacheBytesPerToken(stages, 'f32') / 2);
  const held = (model: Session) => {
    const before = model.gpu.liveBytes;
    using _ = model.model.context({ length: 512, chunk: 8 });
    return model.gpu.liveBytes - before;
  };
  // One full layer of 512 slots, five of a window of 16 and a chunk; keys and values of 32.
  expect(held(whole) - held(rounded)).toBe(2 * 2 * 32 * (512 + 5 * (16 + 8 - 1)));
  expect(rounded[DISPLAY]()['text/plain']).toMatch(/cache +768 B a token in f16/);
  expect(whole[DISPLAY]()['text/plain']).toMatch(/cache +\S+ \S+ a token in f32/);
});

test.each(['exact', 'fast'] as const)(
  'the diff of the %s plan names the cache, and still finds what is wrong',
  async plan => {
    const reference = await golden('atlas/decode');
    const diff = await rounded.diff(reference, { plan });
    expect(diff.pass).toBe(true);
    expect(diff.at('layers.3.attn.mix').verdict).toBe('cache');
    expect(diff.at('layers.0.input_norm').verdict).toBe('ok');
    expect(diff[DISPLAY]()['text/plain']).toContain('differ by the precision of the cache, which keeps f16');
    expect((await rounded.diff(reference, { plan, accumulated: 2e-5, local: 5e-6 })).pass).toBe(false);
    await rounded.edit('scores', wgsl => wgsl.replace('* SCALE', '* SCALE * 1.02'));
    try {
      const wrong = await rounded.diff(reference, { plan: 'exact' });
      expect(wrong.first).toMatchObject({ stage: 'layers.0.attn.scores', verdict: 'source' });
    } finally {
      await rounded.edit('scores', null);
    }
  },
);

test('an edit of how a cache keeps is tried and in force', async () => {
  const before = await rounded.run(IDS, { plan: 'fast' });
  await rounded.edit('caches/f16', wgsl => wgsl.replace('pack2x16float(select(', 'pack2x16float(0.5 * select('));
  const after = await rounded.run(IDS, { plan: 'fast' });
  await rounded.edit('caches/f16', null);
  expect(apart(after.logits.values.data, before.logits.values.data)).toBeGreaterThan(1e-3);
  await expect(rounded.edit('caches/f16', wgsl => wgsl.replace('alias Quad', 'alias Square'))).rejects.toThrow(
    /cache_write\.wgsl|caches\/f16/,
  );
});

test.each(['exact', 'fast'] as const)(
  '%s plan: what f16 does not reach is told, with its stage and place',
  async plan => {
    const name = 'model.layers.2.self_attn.k_norm.weight';
    const path = atlasWith(join(folder, `keys ${plan}`), { [name]: w => void (w[7] = 3e5) });
    const options = { maxTokens: 2, plan };
    const made = async (model: Session) => {
      for await (const _ of model.generate(IDS, options));
    };
    using wide = await open(path, { quiet: true });
    await made(wide);
    using narrow = await open(path, { quiet: true, cache: 'f16' });
    await expect(made(narrow)).rejects.toThrow(
      /the first stage that holds NaN is 'layers\.2\.attn\.k_cache', at token \d+, .*The cache keeps f16, which ends at ±65504/,
    );
  },
);

test('of heads whose halves are odd, and with a full window', async () => {
  await writeTiny(join(folder, 'tiny'));
  using a = await open(join(folder, 'tiny'), { quiet: true });
  using b = await open(join(folder, 'tiny'), { quiet: true, cache: 'f16' });
  for (const plan of ['exact', 'fast'] as const) {
    const ids = IDS.map(id => id % 300);
    const [x, y] = [await a.run(ids, { plan }), await b.run(ids, { plan })];
    const distance = apart(y.logits.values.data, x.logits.values.data);
    expect(distance).toBeGreaterThan(1e-7);
    expect(distance).toBeLessThan(2e-3);
  }
});

test('sequences that are continued together give what each gives alone, shared beginnings too', async () => {
  const prompts = [IDS.slice(0, 40), [...IDS.slice(0, 30), 7, 8, 9], IDS.slice(20, 45)];
  const options = { maxTokens: 6, ignoreEos: true, plan: 'exact' } as const;
  const together = await rounded.generate(prompts, options);
  for (const [i, prompt] of prompts.entries()) {
    const ids: number[] = [];
    for await (const { id } of rounded.generate(prompt, options)) ids.push(id);
    expect(together[i].ids.slice(-ids.length)).toEqual(ids);
  }
});

test('another format is refused', async () => {
  await expect(open('atlas', { cache: 'q8_0' } as unknown as OpenOptions)).rejects.toThrow(OptionError);
});
