// The fast plan against the exact one: the same values, whatever the lengths, chunks and adapters; looking changes nothing; a patch and an edit inside a
// step open it, and the run says so.

import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { sharedGpu } from '../../engine/shared-gpu.js';
import { givesOf } from '../../engine/step.js';
import { compare } from '../../lab/diff/metrics.js';
import { golden } from '../../lab/values/golden.js';
import { open } from '../../lab/session/open.js';
import type { Session } from '../../lab/session/session.js';
import { freshFolder } from '../fixtures/folder.js';
import { writeTiny } from '../fixtures/tiny-model.js';

const folder = freshFolder();
const IDS = Array.from({ length: 41 }, (_, i) => (i === 0 ? 2 : 5 + ((i * 37) % 500)));
const bits = (data: Float32Array) => new Uint32Array(data.buffer, data.byteOffset, data.length);
const RULES = ['products', 'heads', 'attention', 'sums', 'gated'];
let tiny: Session;
let atlas: Session;

beforeAll(async () => {
  await writeTiny(join(folder, 'tiny'));
  await reopen();
});
async function reopen() {
  tiny = await open(join(folder, 'tiny'), { quiet: true });
  atlas = await open('atlas', { quiet: true });
}
afterAll(() => {
  const { gpu } = atlas;
  tiny[Symbol.dispose]();
  atlas[Symbol.dispose]();
  expect(gpu.liveBytes).toBe(0);
});

/** Largest relative L2, over all that steps leave, of the fast run against the exact one. */
async function apart(model: Session, ids: readonly number[], chunks?: readonly number[]): Promise<number> {
  const tap = model.model.steps('fast').flatMap(step => givesOf(step).map(({ name }) => name));
  const exact = await model.run(ids, { tap, chunks, logits: 'all' });
  const fast = await model.run(ids, { tap, chunks, logits: 'all', plan: 'fast' });
  expect(exact.provenance.plan).toBe('exact');
  expect(fast.provenance.plan).toBe('fast');
  return Math.max(
    ...tap.map(name => compare(fast.at(name).data, exact.at(name).data, exact.at(name).shape).relL2),
    compare(fast.logits.values.data, exact.logits.values.data, [exact.logits.values.data.length]).relL2,
  );
}

const SCHEDULES = [undefined, IDS.map(() => 1), [5, ...Array<number>(29).fill(1), 7], [30, 1, 9, 1]];

describe.each(['tiny', 'atlas'] as const)('%s', name => {
  const model = () => (name === 'tiny' ? tiny : atlas);

  test('every rule applies in every layer', () => {
    const { layers } = model().config;
    const steps = model().model.steps('fast');
    const many = (rule: string | null) => steps.filter(step => step.rule === rule).length;
    expect(RULES.map(many)).toEqual([layers, layers, layers, 2 * layers, layers]);
    // embed, the first norm, logits, and of each layer the two products that share their input with none.
    expect(many(null)).toBe(3 + 2 * layers);
    expect(steps.flatMap(({ stages }) => stages.map(({ name }) => name))).toEqual(
      model().plan.stages.map(({ name }) => name),
    );
  });

  test.each(SCHEDULES.map((chunks, i) => [i, chunks] as const))('schedule %i: the exact values', async (_, chunks) => {
    expect(await apart(model(), IDS, chunks)).toBeLessThan(2e-6);
  });

  // Atlas has PyTorch's word on these kernels below.
  if (name === 'tiny')
    test('as a GPU would run it', async () => {
      const gpu = await sharedGpu();
      const own = gpu.traits;
      gpu.traits = { ...own, software: false, subgroup: null };
      try {
        await reopen();
        expect(await apart(model(), IDS, [30, 1, 1, 9])).toBeLessThan(2e-6);
      } finally {
        gpu.traits = own;
        await reopen();
      }
    });

  test('looking changes nothing: bits are equal with any taps, and what was made once more is marked', async () => {
    const plain = await model().run(IDS, { plan: 'fast', chunks: [38, 1, 1, 1] });
    const looked = await model().run(IDS, { plan: 'fast', chunks: [38, 1, 1, 1], tap: '**' });
    expect(bits(looked.logits.values.data)).toEqual(bits(plain.logits.values.data));
    const given = new Set(
      model()
        .model.steps('fast')
        .flatMap(step => givesOf(step).map(({ name }) => name)),
    );
    const exact = await model().run(IDS, { chunks: [38, 1, 1, 1], tap: '**' });
    for (const [stage, activation] of looked.activations) {
      expect(activation.recomputed, stage).toBe(!given.has(stage));
      expect(compare(activation.data, exact.at(stage).data, activation.shape).relL2, stage).toBeLessThan(2e-6);
    }
    expect(String(looked.at('layers.0.attn.pattern'))).toMatch(/, recomputed$/);
    expect(String(looked.at('layers.0.attn.pattern').slice({ head: 0 }))).toMatch(/, recomputed$/);
    expect(String(looked.at('layers.0.attn.mix'))).not.toContain('recomputed');
  });

  test.each(['attn.pattern', 'attn.k_rope', 'mlp.act', 'resid_mid', 'attn.mix', 'post_mlp_norm', 'attn.q'])(
    'a patch of %s does what it does in the exact plan',
    async stage => {
      const patch = { stage: `layers.1.${stage}`, values: 0.25 };
      const taps = { tap: ['layers.*.resid', 'logits'], patch, chunks: [39, 1, 1] };
      const exact = await model().run(IDS, taps);
      const fast = await model().run(IDS, { ...taps, plan: 'fast' });
      const plain = await model().run(IDS, { tap: taps.tap, plan: 'fast' });
      expect(bits(fast.logits.values.data)).not.toEqual(bits(plain.logits.values.data));
      for (const name of fast.activations.keys()) {
        expect(compare(fast.at(name).data, exact.at(name).data, fast.at(name).shape).relL2).toBeLessThan(2e-6);
      }
      // What nobody in its own step reads is put in its place behind the step.
      const inside = !['attn.mix', 'attn.q'].includes(stage);
      const opened = fast.provenance.opened_steps ?? '';
      expect(opened).toMatch(inside ? new RegExp(`: a patch of 'layers.1.${stage}'`) : /^$/);
    },
  );
});

test.each([
  ['rows that fill no tile', 248, {}, ['heads', 'attention', 'products', 'sums']],
  ['rows of an odd length', 90, {}, ['heads', 'attention', 'products', 'sums']],
  ['an adapter of eight buffers a shader', 256, { maxStorageBuffers: 8 }, ['attention', 'gated', 'products', 'sums']],
] as const)('%s: rules that do not fit leave the stages', async (_, intermediate_size, traits, rules) => {
  const gpu = await sharedGpu();
  const own = gpu.traits;
  gpu.traits = { ...own, ...traits };
  try {
    const made = await writeTiny(join(folder, `odd ${intermediate_size}`), {
      config: { intermediate_size },
      tensors: shapes => {
        for (const i of [0, 1]) {
          for (const name of ['gate', 'up'])
            shapes.set(`model.layers.${i}.mlp.${name}_proj.weight`, [intermediate_size, 128]);
          shapes.set(`model.layers.${i}.mlp.down_proj.weight`, [128, intermediate_size]);
        }
      },
    });
    using model = await open(made, { quiet: true });
    const used = new Set(model.model.steps('fast').flatMap(({ rule }) => rule ?? []));
    expect([...used].sort()).toEqual([...rules].sort());
    expect(await apart(model, IDS, [30, 1, 1, 9])).toBeLessThan(2e-6);
  } finally {
    gpu.traits = own;
  }
});

test('the golden of PyTorch holds for the fast plan, each step alone too', async () => {
  const diff = await atlas.diff(await golden('atlas/capital'), { plan: 'fast' });
  expect(diff.first).toBeNull();
  expect(diff.rows.length).toBe(81);
  expect(diff.rows.every(({ local }) => local !== null)).toBe(true);
  expect(diff.provenance.plan).toBe('fast');
  const decode = await atlas.diff(await golden('atlas/decode'), { plan: 'fast' });
  expect(decode.first).toBeNull();
});

test('the kernels of a GPU, asked for by name, agree with PyTorch by either plan', async () => {
  using model = await open('atlas', { quiet: true, kernels: 'gpu' });
  expect(atlas.model).toBeDefined(); // beside that on the adapter's own kernels
  expect((await model.edit('matvec', wgsl => `${wgsl}\n// looked at`)).by).toContain('layers.0.attn.q');
  await model.edit('matvec', null);
  expect(model.provenance().adapter).toMatch(/, a GPU's kernels$/);
  for (const plan of ['exact', 'fast'] as const) {
    for (const name of ['atlas/capital', 'atlas/decode']) {
      expect((await model.diff(await golden(name), { plan })).first).toBeNull();
    }
  }
  await expect(open('atlas', { kernels: 'mine' as never })).rejects.toThrow(/^kernels is 'own'/);
});

test('an edit of a stage inside a step is in force in what goes on, and the steps that stood for it run stage by stage', async () => {
  const ids = async (plan: 'fast' | 'exact') => {
    const made: number[] = [];
    for await (const { id } of atlas.generate('The capital of France is', { maxTokens: 6, plan })) made.push(id);
    return made;
  };
  const before = await ids('fast');
  expect(await ids('exact')).toEqual(before);
  const use = await atlas.edit('softmax', wgsl => wgsl.replace('x[row + s] - top', '0.0 * (x[row + s] - top)'));
  expect(use.note).toBe(
    `While it is edited, ${atlas.config.layers} steps of the fast plan, which generates and chats, run as the stages they stand for.`,
  );
  const during = await ids('fast');
  expect(during).not.toEqual(before);
  expect(await ids('exact')).toEqual(during);
  const run = await atlas.run('The capital of France is', { plan: 'fast' });
  expect(run.provenance.opened_steps).toContain('layers.0.attn.scores + pattern + mix: the edited softmax.wgsl');
  await atlas.edit('softmax', null);
  expect(await ids('fast')).toEqual(before);
});

test('an edit of a shader of the fast plan alone is seen by the diff of that plan, and by no other', async () => {
  const g = await golden('atlas/capital');
  const use = await atlas.edit('add_norm', wgsl => wgsl.replace('v += a[row + i];', 'v += 1.01 * a[row + i];'));
  expect(use.note).toMatch(/^Only in the fast plan/);
  expect(use.by).toContain('layers.0.resid_mid');
  expect((await atlas.diff(g)).pass).toBe(true);
  const diff = await atlas.diff(g, { plan: 'fast' });
  expect(diff.first!.stage).toBe('layers.0.resid_mid');
  expect(diff.first!.verdict).toBe('source');
  await atlas.edit('add_norm', null);
  expect((await atlas.diff(g, { plan: 'fast' })).pass).toBe(true);
});

test('a thousand chunks by either plan leave no byte and no buffer behind', async () => {
  const { gpu } = tiny;
  const before = [gpu.liveBytes, gpu.liveBuffers];
  for (const plan of ['fast', 'exact'] as const) {
    using context = tiny.model.context({ length: 64, plan });
    await context.forward([2, 5, 7], { argmax: true });
    await context.forward([9], { argmax: true });
    const held = [gpu.liveBytes, gpu.liveBuffers];
    for (let i = 0; i < 500; i++) {
      if (context.ids.length > 60) context.rewind(0);
      await context.forward(i % 7 === 0 ? [5, 6] : [9], { argmax: true });
    }
    expect([gpu.liveBytes, gpu.liveBuffers]).toEqual(held);
  }
  expect([gpu.liveBytes, gpu.liveBuffers]).toEqual(before);
});

test('whoever stops early has only what was given in the context, and can go back in it', async () => {
  using context = tiny.model.context({ length: 64 });
  const ids = IDS.slice(0, 12);
  const { token } = await context.forward(ids, { argmax: true });
  const made: number[] = [];
  for await (const { token: next } of context.ahead(token!, 20)) {
    made.push(next);
    if (made.length === 5) break;
  }
  expect(context.ids).toEqual([...ids, token, ...made.slice(0, 4)]);
  await expect(context.logits()).rejects.toThrow('computed no logits');
  // What was under way wrote to the rings; that is not what is read next.
  const { token: again } = await context.forward([made[4]], { argmax: true });
  using other = tiny.model.context({ length: 64 });
  let { token: one } = await other.forward(ids, { argmax: true });
  const all = [];
  for (let i = 0; i < 6; i++) {
    ({ token: one } = await other.forward([one!], { argmax: true }));
    all.push(one);
  }
  expect([...made, again]).toEqual(all);
});

test.each(['fast', 'exact'] as const)(
  'the %s plan: what taps see of tokens that are read ahead has the bits of each read by itself, and nothing is left on the GPU',
  async plan => {
    const { plan: recorded, gpu } = tiny.model;
    // Written by a step, inside of one, the cache's, and the last.
    const taps = ['layers.1.resid', 'layers.0.attn.pattern', 'layers.1.attn.k_rope', 'logits'].map(name => ({
      stage: recorded.stage(name),
    }));
    const ids = IDS.slice(0, 12);
    const seen: { token: number; data: Float32Array[]; from: number[] }[] = [];
    {
      using context = tiny.model.context({ length: 64, plan });
      let { token } = await context.forward(ids, { argmax: true });
      for (let i = 0; i < 24; i++) {
        const read = await context.forward([token!], { argmax: true, taps });
        seen.push({
          token: read.token!,
          data: read.captured.map(({ data }) => data),
          from: read.captured.map(c => c.start),
        });
        token = read.token;
      }
    }
    const before = [gpu.liveBytes, gpu.liveBuffers];
    for (const most of [24, 5]) {
      using context = tiny.model.context({ length: 64, plan });
      const { token } = await context.forward(ids, { argmax: true });
      let at = 0;
      for await (const read of context.ahead(token!, 24, { taps })) {
        const { token: one, data, from } = seen[at];
        expect(read.token).toBe(one);
        expect(read.captured.map(({ data: d }) => bits(d))).toEqual(data.map(bits));
        expect(read.captured.map(c => c.start)).toEqual(from);
        at += 1;
        if (at === most) break;
      }
      expect(at).toBe(most);
    }
    expect([gpu.liveBytes, gpu.liveBuffers]).toEqual(before);
  },
);

test('where there is room for what one token’s taps see and not for two, tokens are read one at a time, and an edit is told once', async () => {
  const { gpu, plan } = atlas.model;
  const taps = plan.stages.filter(stage => !stage.state).map(stage => ({ stage }));
  const read = async () => {
    using context = atlas.model.context({ length: 64, plan: 'fast' });
    const made: number[] = [];
    let { token } = await context.forward([2, 300], { argmax: true, taps });
    const most = gpu.budgetBytes;
    let edited = 0;
    try {
      for await (const one of context.ahead(token!, 12, { taps })) {
        // Room for one more token's, and no more.
        if (made.length === 0) gpu.budgetBytes = gpu.liveBytes + room;
        if (made.length === 5) await atlas.edit('gelu_tanh', wgsl => `// again\n${wgsl}`);
        if (made.length === 8) await atlas.edit('gelu_tanh', null);
        edited += one.edited.filter(name => name === 'gelu_tanh').length;
        expect(one.captured).toHaveLength(taps.length);
        made.push((token = one.token)!);
      }
    } finally {
      gpu.budgetBytes = most;
    }
    return { made, edited };
  };
  let room = Number.POSITIVE_INFINITY;
  const free = await read();
  room = 40_000;
  expect(await read()).toEqual(free);
  expect(free.made).toHaveLength(12);
  expect(free.edited).toBe(2);
});

test.each([
  ['results/three', 'y1[', 'layers.0.attn.k'],
  ['results/pair', 'y1[', 'layers.0.mlp.up'],
  ['results/low', 'y[', 'layers.0.mlp.gate'],
])(
  'an edit of %s, which several stages share, has its source in the diff and in the stage alone',
  async (part, to, stage) => {
    const g = await golden('atlas/capital');
    const right = await atlas.stage(stage).run(g);
    await atlas.edit(part, wgsl => wgsl.replaceAll(/ = (v|low|high);/g, ' = 1.01 * $1;'));
    expect(atlas.shader(part)).toContain(to);
    const { first } = await atlas.diff(g);
    expect(first!.verdict).toBe('source');
    expect(['layers.0.attn.q', 'layers.0.mlp.gate']).toContain(first!.stage);
    expect(bits((await atlas.stage(stage).run(g)).data)).not.toEqual(bits(right.data));
    // In the fast plan it is in force too, whatever step stands for the stages.
    const tap = [stage, 'logits'];
    const [edited, fast] = [await atlas.run(g.ids, { tap }), await atlas.run(g.ids, { tap, plan: 'fast' })];
    for (const name of tap) {
      const [a, b] = [fast.at(name).data, edited.at(name).data];
      expect(compare(a, b, [a.length]).relL2, name).toBeLessThan(2e-6);
    }
    expect((await atlas.diff(g, { plan: 'fast' })).pass).toBe(false);
    await atlas.edit(part, null);
  },
);

test('a plan that there is not is refused', async () => {
  for (const plan of ['quick', 3] as never[]) {
    await expect(atlas.run('a', { plan })).rejects.toThrow(/^The plan is 'exact', .* or 'fast'/);
    await expect(atlas.generate('a', { plan }).next()).rejects.toThrow(/^The plan is/);
    expect(() => atlas.chat({ plan })).toThrow(/^The plan is/);
  }
  const plan = null as never;
  await expect(atlas.run('a', { plan })).rejects.toThrow(/^plan of run is null\. Give it a value, or leave it out\.$/);
  await expect(atlas.generate('a', { plan }).next()).rejects.toThrow(/^plan of generate is null/);
  expect(() => atlas.chat({ plan })).toThrow(/^plan of chat is null/);
});
