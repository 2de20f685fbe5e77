// The file of a format is edited as a shader is: a model that lies in it follows.

import { expect, test } from 'vitest';
import { open } from '../../lab/session/open.js';

test('the shader of the format it lies in is edited while text is made: from the next token on, by either plan; a mistake is told in that file', async () => {
  using model = await open('atlas', { quiet: true, quantise: 'q8_0' });
  const name = 'formats/q8_0';
  const made = async (plan: 'exact' | 'fast', after: number | null) => {
    const all: { id: number; edited: readonly string[] }[] = [];
    for await (const { id, edited } of model.generate('The capital of', { maxTokens: 9, ignoreEos: true, plan })) {
      all.push({ id, edited });
      if (all.length === after)
        await model.edit(name, wgsl => wgsl.replace(/(fn raw_high\(.*\{ return )(.*); \}/, '$1-0.5 * ($2); }'));
    }
    await model.edit(name, null).catch(() => {}); // where there is none
    return { ids: all.map(({ id }) => id), edited: all.map(({ edited }) => edited.join()) };
  };
  const plain = await made('fast', null);
  const edited = await made('fast', 3);
  expect(edited.ids.slice(0, 3)).toEqual(plain.ids.slice(0, 3));
  expect(edited.ids.slice(3)).not.toEqual(plain.ids.slice(3));
  expect(edited.edited).toEqual(['', '', '', name, '', '', '', '', '']);
  expect(await made('exact', 3)).toEqual(edited);
  expect(await made('fast', null)).toEqual(plain);
  const line =
    model
      .shader(name)
      .split('\n')
      .findIndex(text => text.startsWith('fn raw_high(')) + 1;
  await expect(model.edit(name, wgsl => wgsl.replace(/(fn raw_high\(.*\{ return )/, '$1nothing + '))).rejects.toThrow(
    new RegExp(`^formats/q8_0\\.wgsl:${line}:\\d+: unresolved value 'nothing'`),
  );
});

test('every function of a format is in force in either plan, and what its numbers are worth is', async () => {
  using model = await open('atlas', { quiet: true, quantise: 'q8_0' });
  const ids = async (plan: 'exact' | 'fast') => {
    const out: number[] = [];
    for await (const { id } of model.generate('The capital of', { maxTokens: 9, ignoreEos: true, plan })) out.push(id);
    return out;
  };
  const plain = await ids('exact');
  for (const [name, from, to] of [
    ['formats/q8_0', 'return s.d; }', 'return s.d.yx; }'],
    ['formats/q8_0', 'return vec4f(1); }', 'return vec4f(1, 1, 1, 2); }'],
    [
      'formats/q8_0',
      'fn raw_low(s: Block, j: u32) -> vec4f { return ',
      'fn raw_low(s: Block, j: u32) -> vec4f { return -',
    ],
    ['weights/scaled', 'return raw_low(s, j)', 'return -raw_low(s, j)'],
  ]) {
    await model.edit(name, wgsl => wgsl.replace(from, to));
    const made = await ids('fast');
    expect(made, `${name}: ${to}`).not.toEqual(plain);
    expect(await ids('exact'), `${name}: ${to}`).toEqual(made);
    await model.edit(name, null);
  }
  expect(await ids('fast')).toEqual(plain);
});
