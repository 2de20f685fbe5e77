// Two runs in one title: what tells them apart stands there, not one name twice.

import { afterAll, beforeAll, expect, test } from 'vitest';
import { open, type Session } from '../../lab/index.js';
import { apart } from '../../lab/values/apart.js';

let model: Session;
beforeAll(async () => {
  model = await open('atlas', { quiet: true });
}, 120_000);
afterAll(() => model[Symbol.dispose]());

const PROMPT = 'The capital of France is';
const tap = 'layers.5.resid';
test('a difference, a sum and what is cut from them name what tells the runs apart', async () => {
  const run = await model.run(PROMPT, { tap });
  const of = async (prompt: string, options = {}) =>
    run.at(tap).minus((await model.run(prompt, { tap, ...options })).at(tap)).name;
  expect(await of('The capital of Italy is')).toBe(
    'layers.5.resid (‘…capital of France is’) - layers.5.resid (‘…capital of Italy is’)',
  );
  expect(await of(PROMPT, { plan: 'fast' })).toBe('layers.5.resid (exact plan) - layers.5.resid (fast plan)');
  const patch = { stage: 'layers.3.attn.mix', values: 0, slice: { head: 2 } };
  expect(await of(PROMPT, { patch })).toBe(
    'layers.5.resid (no patch) - layers.5.resid (patched layers.3.attn.mix[head 2] = 0)',
  );
  expect(await of(PROMPT, { chunks: [3, 4] })).toBe('layers.5.resid (no chunks) - layers.5.resid (chunks 3+4)');
  expect(await of(PROMPT)).toBe('layers.5.resid (first run) - layers.5.resid (second run)');
  expect(run.at(tap).minus(run.at(tap)).name).toBe('layers.5.resid - layers.5.resid');
  expect(run.at(tap).minus(run.at(tap).mean('token')).name).toBe('layers.5.resid - layers.5.resid.mean(token)');
  const other = await model.run(PROMPT, { tap, plan: 'fast' });
  expect(run.at(tap).token(3).norm().over(other.at(tap).token(3).norm()).name).toBe(
    'layers.5.resid[token 3].norm(channel) (exact plan) / layers.5.resid[token 3].norm(channel) (fast plan)',
  );
});

test('what is computed in several steps is called as it was computed', async () => {
  const run = await model.run(PROMPT, { tap: [tap, 'embed'] });
  const [a, b] = [run.at(tap), run.at('embed')];
  const of = (one: { name: string }) => one.name.replaceAll(tap, 'a').replaceAll('embed', 'b');
  expect(of(a.times(2).plus(1).over(3))).toBe('(a * 2 + 1) / 3');
  expect(of(a.minus(b).norm())).toBe('(a - b).norm(channel)');
  expect(of(a.minus(b).token(3))).toBe('(a - b)[token 3]');
  expect(of(a.minus(b.plus(a)))).toBe('a - (b + a)');
  expect(of(a.times(2).over(a.norm('channel')))).toBe('a * 2 / a.norm(channel)');
  expect(of(a.minus(b).minus(1))).toBe('a - b - 1');
  const other = await model.run(PROMPT, { tap, plan: 'fast' });
  const apart = a.minus(other.at(tap));
  expect(of(apart.norm())).toBe('(a (exact plan) - a (fast plan)).norm(channel)');
});

test('so does beside(), in the legend', async () => {
  const run = await model.run(PROMPT);
  const patch = { stage: 'layers.3.attn.mix', values: 0, slice: { head: 2 } };
  const beside = run.beside(await model.run(PROMPT, { patch }));
  expect(beside.runs).toEqual(['no patch', 'patched layers.3.attn.mix[head 2] = 0']);
  const bundle = beside[Symbol.for('Jupyter.display') as never] as () => Record<string, unknown>;
  const { data } = bundle.call(beside)['application/vnd.plotly.v1+json'] as { data: { name: string }[] };
  expect(data.map(({ name }) => name)).toEqual([
    '1: The capital of France is · no patch',
    '2: …France is · patched layers.3.attn.mix[head 2] = 0',
  ]);
});

test('an edit that one run has', async () => {
  const run = await model.run(PROMPT, { tap });
  await model.edit('rope', wgsl => `${wgsl} `);
  const edited = await model.run(PROMPT, { tap });
  await model.edit('rope', null);
  expect(run.at(tap).minus(edited.at(tap)).name).toBe('layers.5.resid (no edit) - layers.5.resid (rope edited)');
});

test('both begin where prompts differ', () => {
  const of = (prompt: string) => ({ prompt, how: {} });
  expect(apart(of('a cat'), of('a dog'))).toEqual(['‘a cat’', '‘a dog’']);
  expect(apart(of('x'.repeat(40)), of(`${'x'.repeat(40)} and more`))).toEqual([
    `‘…${'x'.repeat(12)}’`,
    `‘…${'x'.repeat(12)} and more’`,
  ]);
});
