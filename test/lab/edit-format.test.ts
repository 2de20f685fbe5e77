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
        await model.edit(name, wgsl => wgsl.replace(/(fn high\(.*\{ return )(.*); \}/, '$1-0.5 * ($2); }'));
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
      .findIndex(text => text.startsWith('fn high(')) + 1;
  await expect(model.edit(name, wgsl => wgsl.replace(/(fn high\(.*\{ return )/, '$1nothing + '))).rejects.toThrow(
    new RegExp(`^formats/q8_0\\.wgsl:${line}:\\d+: unresolved value 'nothing'`),
  );
});
