// A model with more rows than its vocabulary has pieces, which picks one of the rows that have none. transformers 5.23 makes id 540 eight
// times after this prompt, and decodes it to nothing.

import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { openSafetensors } from '../../engine/weights/safetensors.js';
import { DISPLAY } from '../../lab/values/shown.js';
import { open } from '../../lab/session/open.js';
import { command } from '../fixtures/command.js';
import { freshFolder } from '../fixtures/folder.js';
import { PICKED, writePaddedAtlas } from '../fixtures/padded-atlas.js';

const folder = await writePaddedAtlas(join(freshFolder(), 'padded'));
const session = await open(folder, { quiet: true });
afterAll(() => session[Symbol.dispose]());
const PROMPT = 'The capital of France is';

test('text is made of what has a piece; labels say #id', async () => {
  const made = [];
  for await (const { id, text } of session.generate(PROMPT, { maxTokens: 8 })) made.push({ id, text });
  expect(made).toEqual(Array(8).fill({ id: PICKED, text: '' }));
  expect(session.decode([348, PICKED, 430])).toBe(' Paris');
  expect(session.labels([348, PICKED, 575])).toEqual([' P', '#540', '#575']);
  expect(session.tokenizer!.piece(PICKED)).toBe('#540');
  expect([session.tokenizer!.isControl(PICKED), session.tokenizer!.has(PICKED)]).toEqual([false, false]);
  const stream = session.tokenizer!.stream();
  expect([348, PICKED, 348].map(id => stream.push(id))).toEqual([' P', '', ' P']);
});

test('runs, lenses, surprisal, patching and conversations go on', async () => {
  const ids = [...session.encode(PROMPT), PICKED, PICKED];
  const run = await session.run(ids, { tap: ['layers.*.resid', 'layers.5.attn.pattern', 'logits'], logits: 'all' });
  expect(run.logits.top(3).rows[0]).toMatchObject({ id: PICKED, text: '#540' });
  expect(run.tokens.slice(-2)).toEqual(['#540', '#540']);
  const lens = await run.lens();
  expect(lens.cells.at(-1)!.at(-1)).toMatchObject({ id: PICKED, text: '#540' });
  expect(run.surprisal().tokens.map(({ text }) => text)).toContain('#540');
  for (const shown of [run.logits.top(), lens, run.surprisal(), run.attention(5), run.beside(run)]) {
    expect(shown[DISPLAY]()['text/plain']).not.toBe('');
  }
  const patching = await session.patching({
    clean: PROMPT,
    corrupt: [...session.encode(PROMPT).slice(0, -1), PICKED],
    stages: 'layers.5.resid',
    answer: PICKED,
    wrong: 1,
  });
  expect(patching.tokens.at(-1)).toBe('␣is/#540');
  using talk = session.chat();
  let answer = '';
  let tokens = 0;
  for await (const { text } of talk.say(PROMPT, { maxTokens: 4 })) {
    answer += text;
    tokens += 1;
  }
  expect([answer.includes('#'), tokens]).toEqual([false, 4]);
});

test('the commands too', async () => {
  const loupe = async (...args: string[]) => {
    const { status, stdout, stderr } = await command(...args);
    expect({ status, stderr: stderr.match(/loupe: .*/)?.[0] }).toEqual({ status: 0, stderr: undefined });
    return stdout;
  };
  const made = JSON.parse(
    await loupe('generate', '-m', folder, '--ids', `2,274,280,270,371,272,${PICKED}`, '-n', '2', '--json'),
  );
  expect(made).toMatchObject({ ids: [PICKED, PICKED], text: '' });
  expect(await loupe('tokenize', '-m', folder, '--decode', `348,${PICKED}`)).toBe(' P\n');
  const out = join(folder, 'run.safetensors');
  await loupe('trace', '-m', folder, '--ids', `2,274,${PICKED}`, '--tap', 'layers.0.resid', '-o', out);
  const traced = await openSafetensors(out);
  expect(JSON.parse(traced.metadata.get('pieces')!).at(-1)).toBe(`#${PICKED}`);
  await traced.close();
});
