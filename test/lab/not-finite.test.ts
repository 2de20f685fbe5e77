// Logits that are no numbers: generation, chat and everything that reads next tokens end with a sentence that names the stage where it
// begins. The right places are by construction: the weight that was broken, or the arithmetic that overflows.

import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { NumberError } from '../../engine/errors.js';
import { packageRoot } from '../../engine/files.js';
import { DISPLAY, INSPECT } from '../../lab/values/shown.js';
import { golden } from '../../lab/values/golden.js';
import { open } from '../../lab/session/open.js';
import type { Session } from '../../lab/session/session.js';
import { atlasWith } from '../fixtures/atlas-weights.js';
import { freshFolder } from '../fixtures/folder.js';
import { writeTiny } from '../fixtures/tiny-model.js';

const folder = freshFolder();
const DOWN = 'model.layers.2.mlp.down_proj.weight';
const infinite = atlasWith(join(folder, 'inf'), { [DOWN]: w => void (w[5 * 512 + 7] = Number.POSITIVE_INFINITY) });
const nan = atlasWith(join(folder, 'nan'), {
  'model.embed_tokens.weight': w => void (w[300 * 128 + 7] = Number.NaN),
});
const huge = atlasWith(join(folder, 'huge'), { 'model.layers.2.input_layernorm.weight': w => void w.fill(3e38) });
const wide = atlasWith(join(folder, 'wide'), { 'model.norm.weight': w => void (w[3] = Number.NaN) });

const opened: Session[] = [];
async function opening(path: string): Promise<Session> {
  const session = await open(path, { quiet: true });
  opened.push(session);
  return session;
}
afterAll(() => {
  for (const session of opened) session[Symbol.dispose]();
  expect(opened[0].gpu.liveBytes).toBe(0);
});

const DOWN_SAYS =
  /^The logits hold values that are no numbers \(NaN or ±∞\), so there is no next token: the first stage that holds (NaN|−?∞).* is 'layers\.2\.mlp\.down', at token 0, channel 5, because its weight does: 'layers\.2\.mlp\.down' holds ∞ at \[5, 7\]\./;

async function all(model: Session, prompt: string | number[], options = {}): Promise<number[]> {
  const ids: number[] = [];
  for await (const { id } of model.generate(prompt, { maxTokens: 4, ...options })) ids.push(id);
  return ids;
}

test.each([{}, { temperature: 0.8, seed: 3 }, { temperature: 1, topK: 5, topP: 0.9 }, { tap: 'layers.*.resid' }])(
  'an infinite weight ends generation with its stage and place: %o',
  async options => {
    const model = await opening(infinite);
    const before = model.gpu.liveBytes;
    await expect(all(model, [2, 286], options)).rejects.toThrow(DOWN_SAYS);
    await expect(all(model, [2, 286], options)).rejects.toThrow(NumberError);
    expect(model.gpu.liveBytes).toBe(before);
  },
);

test('the run is there with its activations; what reads next tokens out of it says why it cannot', async () => {
  const model = await opening(infinite);
  const run = await model.run('The capital of France is', { tap: '**', logits: 'all' });
  expect(run.fault).toBeInstanceOf(NumberError);
  expect(run.at('layers.1.resid').stats().nans).toBe(0);
  expect(Number.isFinite(run.at('layers.2.mlp.down').get(0, 5))).toBe(false);
  expect(() => run.logits.top()).toThrow(DOWN_SAYS);
  expect(() => run.surprisal()).toThrow(DOWN_SAYS);
  await expect(run.lens()).rejects.toThrow(DOWN_SAYS);
  const whole = await (await opening('atlas')).run('The capital of France is');
  expect(() => whole.beside(run)).toThrow(DOWN_SAYS);
  expect(() => run.beside(whole)).toThrow(DOWN_SAYS);
  expect(run[DISPLAY]()['text/plain']).toContain("is 'layers.2.mlp.down'");
  expect(run[INSPECT]()).toContain('logits');
  expect(run.logits.values.shape).toEqual([512]);
  expect(() => run.logits.values.top()).toThrow(NumberError);
  expect(() => run.at('logits').top()).toThrow(NumberError);
  await expect(
    model.patching({ clean: 'The capital of France is', corrupt: 'The capital of Italy is' }),
  ).rejects.toThrow(DOWN_SAYS);
});

test('a chat ends, and the conversation is as it was', async () => {
  const model = await opening(infinite);
  const chat = model.chat();
  for (const options of [{}, { temperature: 0.7 }]) {
    const say = async () => {
      for await (const token of chat.say('hi', options)) void token;
    };
    await expect(say()).rejects.toThrow(DOWN_SAYS);
    expect(chat.messages).toEqual([]);
  }
});

test('a NaN in an embedding row: in the head for every prompt, in the embedding for one that reads it', async () => {
  const model = await opening(nan);
  await expect(all(model, [2, 286])).rejects.toThrow(
    /is 'logits', at token 1, vocab 300, because its weight does: 'embed' holds NaN at \[300, 7\]/,
  );
  await expect(all(model, [2, 286, 300, 5])).rejects.toThrow(
    /is 'embed', at token 2, channel 7, because its weight does: 'embed' holds NaN at \[300, 7\]/,
  );
  // In the first of three chunks, whose logits nobody computes: the cache brings it to the last.
  const ids = Array.from({ length: 150 }, (_, i) => (i === 20 ? 300 : 4 + (i % 200)));
  await expect(all(model, ids)).rejects.toThrow(/is 'embed', at token 20, channel 7/);
});

test('what overflows is told as the arithmetic of its stage', async () => {
  const model = await opening(huge);
  await expect(all(model, [2, 286])).rejects.toThrow(
    /is 'layers\.2\.input_norm', at token 0, channel \d+\. Its inputs and its weight are finite, so it begins in that stage's arithmetic\./,
  );
});

test('the last norm, whose weight has a name of its own', async () => {
  const model = await opening(wide);
  await expect(all(model, [2, 286])).rejects.toThrow(
    /is 'final_norm', at token 0, channel 3, because .*'norm' holds NaN at \[3\]/,
  );
});

test('a patch and an edit that make them are named; −∞ in scores is a mask', async () => {
  const model = await opening('atlas');
  const prompt = 'The capital of France is';
  const patched = await model.run(prompt, {
    patch: { stage: 'layers.3.attn.mix', values: Number.NaN, slice: { token: [2, 3], head: [1, 2] } },
  });
  expect(() => patched.logits.top()).toThrow(
    /holds NaN is 'layers\.3\.attn\.mix', at token 2, head 1, dim 0, which a patch of this run put there/,
  );
  const masked = await model.run(prompt, {
    patch: { stage: 'layers.3.attn.scores', values: Number.NEGATIVE_INFINITY, slice: { key: [1, 2], query: [2, 4] } },
  });
  expect(masked.fault).toBeNull();
  await model.edit('rope', wgsl => wgsl.replace('a * turn.x - b', 'sqrt(-1.0 - a * a) * turn.x - b'));
  await expect(all(model, prompt)).rejects.toThrow(
    /is 'layers\.0\.attn\.q_rope', at token 0, head 0, dim 0\. .* or in the edited shaders \(rope\)/,
  );
  await model.edit('rope', null);
  expect(await all(model, prompt)).toHaveLength(4);
});

test('the soft caps of Gemma 2 do not make numbers of NaN', async () => {
  const gemma2 = {
    architectures: ['Gemma2ForCausalLM'],
    model_type: 'gemma2',
    attn_logit_softcapping: 50,
    final_logit_softcapping: 30,
    rope_theta: 10000,
    rope_local_base_freq: undefined,
  };
  const path = await writeTiny(join(folder, 'two'), {
    config: gemma2,
    tensors: shapes => {
      for (const name of [...shapes.keys()]) if (/[qk]_norm/.test(name)) shapes.delete(name);
    },
  });
  const model = await opening(path);
  const run = await model.run([2, 5, 9], {
    tap: ['layers.1.attn.scores', 'layers.1.attn.pattern', 'logits'],
    patch: { stage: 'layers.1.attn.q_rope', values: Number.NaN, slice: { token: [2, 3], head: [0, 1], dim: [0, 1] } },
  });
  expect(run.at('layers.1.attn.scores').get(0, 2, 1)).toBeNaN();
  expect(run.logits.values.stats().nans).toBe(1000);
  expect(() => run.logits.top()).toThrow(/'layers\.1\.attn\.q_rope', at token 2, head 0, dim 0/);
});

test('a NaN anywhere in a row of logits is seen by the greedy choice on the GPU', async () => {
  const model = await opening('atlas');
  for (const value of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
    for (const at of [0, 1, 255, 510, 511]) {
      using context = model.model.context({ length: 16 });
      const stage = model.plan.stage('logits');
      const patches = [{ stage, values: value, slice: { vocab: [at, at + 1] as const } }];
      await expect(context.forward([2, 286], { argmax: true, patches })).rejects.toThrow(
        new RegExp(`is 'logits', at token 1, vocab ${at}, which a patch`),
      );
    }
  }
});

test('the diff of such a model goes on, and names the stage', async () => {
  const model = await opening(infinite);
  const diff = await model.diff(await golden('atlas/capital'));
  expect(diff.pass).toBe(false);
  expect(diff.first!.stage).toBe('layers.2.mlp.down');
  expect(diff.rows.at(-1)!.accumulated.nonFinite).toBeGreaterThan(0);
});

test('commands end with the sentence and exit code 2; a trace goes on', () => {
  const loupe = (...args: string[]) =>
    spawnSync(process.execPath, [join(packageRoot(), 'dist/lab/cli/loupe.js'), ...args], { encoding: 'utf8' });
  for (const args of [
    ['generate', '--prompt', 'The'],
    ['generate', '--prompt', 'The', '--json'],
    ['generate', '--prompt', 'The', '--temperature', '0.8'],
    ['chat', 'hi'],
    ['chat', 'hi', '--json'],
  ]) {
    const { status, stdout, stderr } = loupe(...args, '--model', infinite);
    expect(stderr, args.join(' ')).toMatch(/^loupe: The logits hold values .* is 'layers\.2\.mlp\.down'.*\n$/m);
    expect(stdout.trim(), args.join(' ')).toBe('');
    expect(status, args.join(' ')).toBe(2);
  }
  const out = join(folder, 'trace.safetensors');
  expect(loupe('trace', '--prompt', 'The', '--model', infinite, '--out', out).status).toBe(0);
});
