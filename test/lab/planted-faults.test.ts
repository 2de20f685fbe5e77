// The referee judged: another engine with one bug at a time. The first stage that it names, and where in it, must be that bug's; and of an engine that only rounds it says nothing.

import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { writeSafetensors } from '../../engine/weights/safetensors-write.js';
import type { Diff } from '../../lab/diff/diff.js';
import { locationText } from '../../lab/diff/locate.js';
import { placeOf } from '../../lab/diff/row.js';
import { open } from '../../lab/session/open.js';
import type { Session } from '../../lab/session/session.js';
import { trace } from '../../lab/values/trace.js';
import { command } from '../fixtures/command.js';
import { freshFolder } from '../fixtures/folder.js';
import { type Dumped, type Fault, type OtherOptions, otherEngine, weightsOf } from '../fixtures/other-engine.js';
import { TINY_CONFIG, writeTiny } from '../fixtures/tiny-model.js';

const folder = freshFolder();
const ids = [2, 300, 17, 18, 19, 40, 41, 42, 43, 77, 78, 79, 101, 102, 103, 104, 105, 300, 17, 18, 55, 56];
const sessions = new Map<string, Session>();
afterAll(() => {
  for (const session of sessions.values()) session[Symbol.dispose]();
});

const models: Readonly<Record<string, () => Promise<string>>> = {
  atlas: async () => 'golden/atlas',
  // Two key/value heads.
  tiny: () => writeTiny(join(folder, 'tiny')),
  gemma2: () =>
    writeTiny(join(folder, 'gemma2'), {
      config: {
        ...TINY_CONFIG,
        model_type: 'gemma2',
        architectures: ['Gemma2ForCausalLM'],
        attn_logit_softcapping: 50,
        final_logit_softcapping: 30,
        rope_local_base_freq: undefined,
      },
      tensors: shapes => {
        for (const name of [...shapes.keys()]) if (/[qk]_norm/.test(name)) shapes.delete(name);
      },
    }),
};
const known = new Map<string, Awaited<ReturnType<typeof weightsOf>>>();
const paths = new Map<string, string>();
let made = 0;

async function judged(
  model: string,
  options: OtherOptions,
  keep: (name: string) => boolean = () => true,
): Promise<Diff> {
  if (!paths.has(model)) {
    paths.set(model, await models[model]());
    known.set(model, await weightsOf(paths.get(model)!));
    sessions.set(model, await open(paths.get(model)!, { quiet: true }));
  }
  const { config, weights } = known.get(model)!;
  const dumped = otherEngine(config, weights, ids, options);
  return sessions.get(model)!.diff(await trace(await saved(dumped, keep)));
}

async function saved(dumped: ReadonlyMap<string, Dumped>, keep: (name: string) => boolean): Promise<string> {
  const path = join(folder, `${made++}.safetensors`);
  const tensors = [...dumped]
    .filter(([name]) => keep(name))
    .map(([name, { shape, data }]) => ({ name, shape, data: Float32Array.from(data) }));
  await writeSafetensors(path, tensors, { ids: JSON.stringify(ids) });
  return path;
}

const PLANTED: readonly (readonly [fault: Fault, model: string, first: string, where: RegExp])[] = [
  ['window ignored', 'atlas', 'layers.0.attn.scores', /only beyond the window of 16 tokens, only positions ≥ 16/],
  ['local base on full layers', 'atlas', 'layers.5.attn.q_rope', /./],
  ['scale of 1/√H', 'atlas', 'layers.0.attn.scores', /./],
  ['√H missing', 'atlas', 'embed', /^ours × 0\.08839 \(1\/√128\) throughout$/],
  ['gain without the 1', 'atlas', 'layers.0.input_norm', /./],
  ['heads on the wrong KV head', 'tiny', 'layers.0.attn.scores', /only in head 1–2|head [12]/],
  ['RoPE halves interleaved', 'atlas', 'layers.0.attn.q_rope', /./],
  ['post-norm skipped', 'atlas', 'from layers.1.resid and layers.2.attn.out to layers.2.resid_mid', /./],
  ['GELU erf', 'atlas', 'layers.0.mlp.act', /./],
  ['KV slot off by one', 'atlas', 'layers.0.attn.scores', /only positions ≥ 16, only in key 1–6/],
  ['final norm missing', 'atlas', 'from layers.5.resid to logits', /./],
  ['soft-cap missing', 'gemma2', 'layers.0.attn.scores', /./],
  ['row of a weight transposed', 'atlas', 'layers.3.attn.out', /all of it in channel 7/],
  ['f16 overflow', 'atlas', 'layers.4.mlp.mul', /token|channel/],
  ['stale cache', 'atlas', 'layers.0.attn.scores', /key [345]|only in key 3–5/],
  // Where values are smallest: beside larger ones 1e-5 instead of 1e-6 is below what f32 rounds.
  ['wrong eps', 'atlas', 'layers.4.post_mlp_norm', /./],
];

const SLIDING = 'Only sliding layers: attn.scores is wrong alone in each of them (0, 1, 2, 3, 4), and in no full one.';
/** Atlas has five sliding layers and one full one. */
const LAYERS: Partial<Record<Fault, string>> = {
  'window ignored': SLIDING,
  'KV slot off by one': SLIDING, // of the ring, which sliding layers have
};

for (const [fault, model, first, where] of PLANTED) {
  test(`planted: ${fault}`, async () => {
    const diff = await judged(model, { fault });
    expect(diff.first && placeOf(diff.first)).toBe(first);
    expect(diff.first!.verdict).toBe('source');
    expect(locationText(diff.first!.where)).toMatch(where);
    expect(diff.toJSON()).toMatchObject({ pass: false, first });
    expect(diff.layers).toBe(LAYERS[fault] ?? '');
  });
}

// Where everything is rounded, what reads a fault's values is as even alone as all the rest.
test.each([
  ['local base on full layers', 'layers.5.attn.q_rope', ['layers.5.attn.scores', 'layers.5.attn.pattern']],
  ['row of a weight transposed', 'layers.3.attn.out', ['layers.3.post_attn_norm', 'layers.3.resid_mid']],
  ['√H missing', 'embed', ['layers.0.resid']],
] as const)('planted in bf16: %s, and what carries it is told from rounding', async (fault, first, carriers) => {
  const diff = await judged('atlas', { fault, round: 'bf16' });
  expect(diff.first?.stage).toBe(first);
  const verdicts = new Map(diff.rows.map(({ stage, verdict }) => [stage, verdict]));
  for (const stage of carriers) expect([stage, verdicts.get(stage)]).toEqual([stage, 'carrier']);
  const before = diff.rows.slice(
    0,
    diff.rows.findIndex(({ stage }) => stage === first),
  );
  expect(before.filter(({ verdict }) => verdict !== 'noise')).toEqual([]);
  // What the scale of the embedding does not reach is right.
  if (first === 'embed') expect(verdicts.get('layers.0.attn.q')).toBe('noise');
});

// Everything is off by rounding, and what is beyond it has a place all the same.
test.each([
  ['window ignored', 'atlas', 'layers.0.attn.scores', /^only beyond the window of 16 tokens, only positions ≥ 16/],
  ['heads on the wrong KV head', 'tiny', 'layers.0.attn.scores', /^only in head 1–2/],
  ['RoPE halves interleaved', 'atlas', 'layers.0.attn.q_rope', /only positions ≥ 1/],
  ['local base on full layers', 'atlas', 'layers.5.attn.q_rope', /only positions ≥ 1/],
] as const)('planted in bf16: where %s is wrong', async (fault, model, first, where) => {
  const diff = await judged(model, { fault, round: 'bf16' });
  expect(diff.first?.stage).toBe(first);
  expect(locationText(diff.first!.where)).toMatch(where);
});

for (const model of Object.keys(models)) {
  for (const options of [{}, { round: 'bf16' }, { weightSteps: 127 }, { weightSteps: 7 }] as const) {
    test(`no alarm: ${model} ${JSON.stringify(options)}`, async () => {
      const diff = await judged(model, options);
      const failing = diff.rows.filter(({ pass }) => !pass).map(({ stage, local }) => `${stage} ${local?.relL2}`);
      expect(failing).toEqual([]);
      if (Object.keys(options).length > 0) expect(diff.rows.some(({ verdict }) => verdict === 'noise')).toBe(true);
      else expect(diff.rows.every(({ verdict }) => verdict === 'ok')).toBe(true);
    });
  }
}

// What a script sees of it.
test('loupe diff --trace: exit code 1 and the first stage, 0 where nothing is wrong, 2 where it cannot be judged', async () => {
  const { config, weights } = await weightsOf('golden/atlas');
  const file = async (options: OtherOptions, keep: (name: string) => boolean) =>
    saved(otherEngine(config, weights, ids, options), keep);
  const diff = (...args: string[]) => command('diff', '--trace', ...args, '--json');
  const residuals = (name: string) => /resid$|logits/.test(name);
  const wrong = await diff(await file({ fault: 'row of a weight transposed' }, residuals));
  expect(wrong.status).toBe(1);
  expect(JSON.parse(wrong.stdout)).toMatchObject({ first: 'from layers.2.resid to layers.3.resid', other: 'trace' });
  const right = await diff(await file({}, residuals));
  expect([right.status, JSON.parse(right.stdout).first]).toEqual([0, null]);
  const none = await diff(await file({}, residuals), '--ids', '2,5');
  expect(none.status).toBe(2);
  expect(none.stderr).toMatch(
    /is of other tokens: it has 22 ids where 2 were given|it has 300 at place 1, where 5 was given/,
  );
  expect((await command('diff', '--names', 'x.json')).stderr).toContain('--names is of --trace, and there is none.');
});
