// atlas with a shader that is wrong: the diff against transformers names the stage, and each rule of attention and of the norms matters.

import { afterAll, beforeAll, expect, test } from 'vitest';
import { golden } from '../../lab/values/golden.js';
import { open } from '../../lab/session/open.js';
import type { Session } from '../../lab/session/session.js';

let model: Session;
beforeAll(async () => {
  model = await open('atlas', { quiet: true });
});
afterAll(() => model[Symbol.dispose]());

test('a broken shader is named as the source, and the rest as what it did to them', async () => {
  const g = await golden('atlas/short');
  await model.edit('gelu_tanh', wgsl => wgsl.replaceAll('0.044715', '0.05'));
  const broken = await model.diff(g);
  expect(broken.first?.stage).toBe('layers.0.mlp.act');
  expect(broken.first?.verdict).toBe('source');
  expect(broken.at('layers.0.mlp.mul')?.verdict).toBe('carrier');
  expect(broken.at('layers.0.mlp.gate')?.verdict).toBe('ok');
  await model.edit('gelu_tanh', null);
  expect((await model.diff(g)).pass).toBe(true);
});

test('the window, both RoPE bases and the mask each matter: without one of them a stage fails', async () => {
  const g = await golden('atlas/long');
  const breaks: [string, string, string, string][] = [
    ['scores', 's + WINDOW <= position', 's + WINDOW < position', 'layers.0.attn.scores'],
    ['rope', 'chunk.start + t', 'chunk.start + t + 1u', 'layers.0.attn.q_rope'],
    ['rms_norm', '/ f32(N) + EPS', '/ f32(N + 1u) + EPS', 'layers.0.input_norm'],
    ['softmax', 'x[row + s] - top', 'x[row + s] * 0.99 - top', 'layers.0.attn.pattern'],
  ];
  for (const [shader, from, to, stage] of breaks) {
    expect(model.model.kernels.source(shader)).toContain(from);
    await model.edit(shader, wgsl => wgsl.replace(from, to));
    expect((await model.diff(g)).first?.stage ?? 'none', shader).toBe(stage);
    await model.edit(shader, null);
  }
});
