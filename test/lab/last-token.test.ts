// The last token of a text that ends within a character brings what is left of it, whatever ends the text: there is no token beside those of the model. Texts
// are what sentencepiece and a TextStreamer of transformers give for the same ids.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { save } from '../../lab/chat/file.js';
import { open } from '../../lab/session/open.js';
import type { Token } from '../../lab/session/request.js';
import { freshFolder } from '../fixtures/folder.js';

const EURO = [233, 137, 179]; // bytes of €, which atlas writes again and again once it has begun
const session = await open('atlas', { quiet: true });
const short = await open('atlas', { quiet: true, another: true, context: 10 });
afterAll(() => {
  session[Symbol.dispose]();
  short[Symbol.dispose]();
});

const euros = (n: number) => Array.from({ length: n }, (_, i) => EURO[i % 3]);

async function tokensOf(tokens: AsyncIterable<Token>): Promise<Pick<Token, 'id' | 'text' | 'stop' | 'last'>[]> {
  const all: Token[] = [];
  for await (const token of tokens) all.push(token);
  return all.map(({ id, text, stop, last }) => ({ id, text, stop, last }));
}

const CASES: [string, object, number[], string[], boolean][] = [
  ['one byte of three', { maxTokens: 4 }, euros(4), ['', '', '€', '\ufffd'], false],
  ['two bytes of three', { maxTokens: 5 }, euros(5), ['', '', '€', '', '\ufffd\ufffd'], false],
  ['a whole character', { maxTokens: 6 }, euros(6), ['', '', '€', '', '', '€'], false],
  ['the only token', { maxTokens: 1 }, euros(1), ['\ufffd'], false],
  ['an end within a character', { maxTokens: 6, stopIds: [137] }, euros(2), ['', '\ufffd'], true],
  ['an end at once', { maxTokens: 6, stopIds: [233] }, euros(1), [''], true],
];

test.each(CASES)('%s, alone and together, by either plan, tapped and drawn', async (_, options, ids, texts, stop) => {
  const expected = ids.map((id, i) => {
    const last = i === ids.length - 1;
    return { id, text: texts[i], stop: stop && last, last };
  });
  for (const more of [{}, { plan: 'exact' }, { tap: 'final_norm' }, { temperature: 1, topK: 1 }] as const) {
    expect(await tokensOf(session.generate('€', { ...options, ...more })), JSON.stringify(more)).toEqual(expected);
  }
  const seen: Pick<Token, 'id' | 'text' | 'stop' | 'last'>[] = [];
  const batch = session.generate(['Once', '€'], options);
  for await (const { sequence, id, text, stop, last } of batch) if (sequence === 1) seen.push({ id, text, stop, last });
  expect(seen).toEqual(expected);
  expect(batch.soFar[1]).toEqual({ ids, text: texts.join(''), stop });
});

test('a full context ends within a character too', async () => {
  const { length } = short.encode('€');
  const made = await tokensOf(short.generate('€', { maxTokens: 100 }));
  expect(made.map(({ id }) => id)).toEqual(euros(11 - length)); // the last has no place in the context, and is told
  expect(made.map(({ last }) => last).indexOf(true)).toBe(made.length - 1);
  const text = made.map(one => one.text).join('');
  expect(text).toBe(session.tokenizer!.decode(euros(11 - length)));
  expect(text).toMatch(/€\ufffd+$/);
  expect((await short.generate(['€'], { maxTokens: 100 }))[0].text).toBe(text);
});

test('an answer of a chat: its tokens are the model’s, their texts what is saved, and what a stop text held back comes with the last', async () => {
  for (const stop of [[], ['€\ufffd!'], ['\ufffd\ufffd\ufffd']]) {
    for (const maxTokens of [3, 4, 5]) {
      using chat = session.chat({ template: "<bos>{{ messages[0]['content'] }}", stop });
      const made = await tokensOf(chat.say('€', { maxTokens, tap: 'final_norm' }));
      const ids = euros(maxTokens);
      expect(made.map(({ id }) => id)).toEqual(ids);
      expect(made.map(({ last }) => last)).toEqual(made.map((_, i) => i === maxTokens - 1));
      expect(made.every(token => !token.stop)).toBe(true);
      const answer = session.tokenizer!.decode(ids);
      expect(answer.endsWith('\ufffd')).toBe(maxTokens > 3);
      expect(made.map(({ text }) => text).join('')).toBe(answer);
      expect(chat.messages.at(-1)!.content).toBe(answer);
      expect(chat.stats!.made).toBe(maxTokens);
      const file = join(freshFolder(), 'chat.json');
      const settings = { temperature: 0, top_k: 0, top_p: 1, seed: 0, max_tokens: 8 };
      save(file, { model: 'atlas', system: '', messages: chat.messages, settings });
      expect(JSON.parse(readFileSync(file, 'utf8')).messages[1].content).toBe(answer);
    }
  }
});

test('a token that an end made has activations like any other', async () => {
  for await (const token of session.generate('€', { maxTokens: 4, tap: 'final_norm' })) {
    expect(token.at('final_norm').token(-1).data).toHaveLength(session.config.hidden);
  }
});
