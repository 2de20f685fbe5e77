// A plan is looked at, copied and written as any value is: what a stage reads is told by name and axes, and not with all that is before it.

import { inspect } from 'node:util';
import { expect, test } from 'vitest';
import { planOf } from '../../engine/gemma.js';
import { configFromJson } from '../../engine/weights/detect.js';

const plan = planOf(configFromJson({ model_type: 'gemma3_text' }, 'config.json'));

test('printed whole, a plan of 26 layers has as many characters as it has stages, times a few hundred', () => {
  // What console.dir(plan, { depth: null }) writes, which asks no object how it wants to be seen.
  const text = inspect(plan.stages, { depth: null, customInspect: false, maxArrayLength: null });
  expect(plan.stages.length).toBeGreaterThan(500);
  expect(text.length).toBeLessThan(1000 * plan.stages.length);
  expect(text).toContain("name: 'layers.25.resid'");
});

test('a stage is copied with what it reads, and as JSON has the names of that', () => {
  const stage = plan.stage('layers.3.attn.scores');
  expect(structuredClone(stage)).toEqual(stage);
  const read = ['layers.3.attn.q_rope', 'layers.3.attn.k_cache'];
  expect(stage.inputs.map(({ name }) => name)).toEqual(read);
  expect(stage.inputs.map(input => Object.keys(input))).toEqual([
    ['name', 'axes'],
    ['name', 'axes', 'state'], // a cache's bytes are other ones
  ]);
  expect(JSON.parse(JSON.stringify(stage)).inputs).toEqual(read);
});
