// What the watchdog would name: every shader that can be edited, in whatever runs it, is told by name and with its stage or its step. watchdog.test.ts
// has shaders that never end; here all are edited at once, and what is submitted is looked at.

import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test, vi } from 'vitest';
import { packageRoot } from '../../engine/files.js';
import { open } from '../../lab/session/open.js';
import type { OpenOptions, Session } from '../../lab/index.js';
import { atlasWith } from '../fixtures/atlas-weights.js';
import { freshFolder } from '../fixtures/folder.js';

const SHADERS = readdirSync(join(packageRoot(), 'shaders'), { recursive: true, encoding: 'utf8' })
  .filter(file => file.endsWith('.wgsl'))
  .map(file => file.replaceAll('\\', '/').replace(/\.wgsl$/, ''))
  .sort();
const folder = freshFolder();
const infinite = atlasWith(join(folder, 'inf'), {
  'model.layers.2.mlp.down_proj.weight': w => void (w[5 * 512 + 7] = Number.POSITIVE_INFINITY),
});
const sessions: Session[] = [];
afterAll(() => {
  for (const one of sessions) one[Symbol.dispose]();
});

const looked = (wgsl: string) => `${wgsl}\n// looked at\n`;

/** By shader, what was submitted that names it as edited. */
async function named(path: string, options: OpenOptions, work: (model: Session) => Promise<void>) {
  const model = await open(path, { quiet: true, another: true, ...options });
  sessions.push(model);
  // Comments change nothing, so that they need not be tried for each use.
  (model.model.kernels as unknown as { trial: () => Promise<void> }).trial = async () => {};
  const unused: string[] = [];
  for (const shader of SHADERS) {
    const { by } = await model.edit(shader, looked);
    if (by.length === 0) unused.push(shader);
  }
  const said = new Map<string, Set<string>>();
  const look = async (how = work) => {
    const submit = vi.spyOn(model.gpu, 'submit');
    try {
      await how(model);
      for (const [what] of submit.mock.calls) {
        const [step, edited] = what.split(', which runs the edited ');
        for (const shader of edited?.split(', ') ?? []) {
          const known = said.get(shader) ?? new Set();
          said.set(shader, known.add(step));
        }
      }
    } finally {
      submit.mockRestore();
    }
  };
  const steps = (shader: string) => [...(said.get(`${shader}.wgsl`) ?? [])];
  await look();
  if (work !== everything) return { unused, steps };
  // A step of the fast plan is its stages where one of their shaders is edited: so those that only such steps run, alone.
  for (const shader of SHADERS)
    if (unused.includes(shader) || said.has(`${shader}.wgsl`)) await model.edit(shader, null);
  await look();
  // Of steps that have stages in common each is the other's to open: what is left, one by one.
  const left = SHADERS.filter(shader => !unused.includes(shader) && !said.has(`${shader}.wgsl`));
  for (const shader of model.model.kernels.edited) await model.edit(shader, null);
  for (const shader of left) {
    await model.edit(shader, looked);
    await look(briefly);
    await model.edit(shader, null);
  }
  return { unused, steps };
}

const long = Array.from({ length: 140 }, (_, i) => (i === 0 ? 2 : 4 + ((i * 37) % 500)));

/** All that a model is asked, so that every shader has its turn. */
async function everything(model: Session): Promise<void> {
  const tap = ['layers.0.attn.k_rope', 'layers.0.attn.v', 'layers.2.resid'];
  for (const plan of ['exact', 'fast'] as const) {
    await model.run(long, { plan, tap, logits: 'all', patch: { stage: 'layers.1.resid', values: 0 } });
    const asked: [string | number[] | string[], object][] = [
      [long, {}],
      ['Once', {}],
      ['Once', { temperature: 1, topK: 9 }],
      ['Once', { temperature: 1, topP: 0.9 }],
      [['Once', 'The capital of'], {}],
    ];
    for (const [prompt, how] of asked) {
      for await (const _ of model.generate(prompt as string, { maxTokens: 3, plan, ignoreEos: true, ...how }));
    }
  }
}

async function briefly(model: Session): Promise<void> {
  for await (const _ of model.generate('Once', { maxTokens: 2, ignoreEos: true }));
  for (const plan of ['exact', 'fast'] as const) await model.run(long, { plan });
}

const STAGE = /^'(layers\.\d+\.[\w.]+|embed|final_norm|logits)'$/;
const STEP = /^'[\w.]+( \+ [\w.]+)*( from the cache)?'$/; // a stage, or those of a step

test.each([
  ['as it is', {}],
  ['with rounded activations and a cache of f16', { activations: 'int8', cache: 'f16' }],
] as const)(
  'every shader that a model uses is named with the stage or the search that runs it: atlas %s',
  async (_, options) => {
    const { unused, steps } = await named('atlas', options, everything);
    const of = (shader: string) => ({ shader, steps: steps(shader) });
    for (const shader of SHADERS) {
      if (unused.includes(shader)) expect(of(shader)).toEqual({ shader, steps: [] });
      else if (/^finite/.test(shader))
        continue; // the next test
      else if (/^argmax/.test(shader))
        expect(of(shader)).toEqual({ shader, steps: ['the search for the likeliest token'] });
      else if (/^top_/.test(shader))
        expect(of(shader)).toEqual({ shader, steps: ['the search for the largest logits'] });
      else {
        expect(of(shader)).toEqual({ shader, steps: expect.arrayContaining([expect.stringMatching(STEP)]) });
        for (const step of steps(shader)) expect([shader, step]).toEqual([shader, expect.stringMatching(STEP)]);
      }
    }
    // Others are formats, stores and kernels of other models and adapters, and what measures the adapter, which is always as its file has it.
    expect(SHADERS.length - unused.length).toBeGreaterThan(25);
  },
);

test('the check for NaN is named with the stage or the weight that it looks at', async () => {
  const { steps } = await named(infinite, {}, async model => {
    await expect(model.run([2, 286]).then(run => run.logits.top(1))).rejects.toThrow(/its weight does/);
  });
  expect(steps('finite')).toEqual(expect.arrayContaining([expect.stringMatching(STAGE)]));
  expect(steps('finite_weight')).toEqual(["a check of the weight 'layers.2.mlp.down'"]);
  const rounded = await named(infinite, { cache: 'f16' }, async model => {
    await expect(model.run([2, 286]).then(run => run.logits.top(1))).rejects.toThrow(/no numbers/);
  });
  expect(rounded.steps('finite_cache')).toEqual(
    expect.arrayContaining([expect.stringMatching(/^'layers\.\d+\.attn\.[kv]_cache'$/)]),
  );
});
