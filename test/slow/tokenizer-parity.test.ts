// Gemma 3's own vocabulary out of its two files against the two references, on 200,000 strings (golden/tokenizer_cases.py), and the
// model's own chat template on 50 conversations (golden/chat_cases.py).

import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { chatTemplate } from '../../engine/tokenizer/chat-template.js';
import { openTokenizerFile } from '../../engine/tokenizer/open.js';
import { checkTokens } from '../../lab/parity/tokens.js';
import { realCases, realChats, realModel, realTokenizer, realTokenizerConfig } from './real-model.js';

const gguf = await openTokenizerFile(realModel());
const json = await openTokenizerFile(realTokenizer());

test.each([
  ['the GGUF’s vocabulary', 'sentencepiece', gguf],
  ['tokenizer.json', 'tokenizers', json],
] as const)(
  '%s: every string gives the ids of %s, and comes back as it has it',
  async (_, reference, tokenizer) => {
    const found = await checkTokens(tokenizer, realCases(), reference);
    console.log(`${reference}: ${found.strings} strings, ${found.tokens} tokens, ${found.tokensPerSecond} tokens/s`);
    expect(found).toMatchObject({ encoding: 0, decoding: 0, examples: [] });
    expect(found.strings).toBeGreaterThanOrEqual(200_000);
  },
  600_000,
);

test('both files are one vocabulary: they differ only where the references do, in texts that spell ▁ themselves', () => {
  let differing = 0;
  let strings = 0;
  for (const line of readFileSync(realCases(), 'utf8').trimEnd().split('\n')) {
    const { text } = JSON.parse(line) as { text: string | null };
    if (text === null || text.length > 10_000) continue;
    strings += 1;
    if (gguf.encode(text, { special: true }).join() === json.encode(text, { special: true }).join()) continue;
    differing += 1;
    expect(text).toMatch(/\u2581/);
  }
  expect(differing).toBeLessThan(strings / 100);
  const pieces = (tokenizer: typeof gguf) => Array.from({ length: gguf.size }, (_, id) => tokenizer.piece(id));
  expect(pieces(gguf)).toEqual(pieces(json));
}, 600_000);

test('a megabyte of one letter, of spaces and of a character without a piece', () => {
  for (const letter of ['a', ' ', '\n', '<', 'の', '\u{1f9ff}', '\ue000']) {
    const text = letter.repeat(1_000_000 / letter.length);
    for (const tokenizer of [gguf, json]) expect(tokenizer.decode(tokenizer.encode(text))).toBe(text);
  }
}, 120_000);

test('the model’s own chat template on 50 conversations: transformers’ text and ids, one bos', () => {
  const template = chatTemplate(JSON.parse(readFileSync(realTokenizerConfig(), 'utf8')).chat_template);
  const lines = readFileSync(realChats(), 'utf8').trimEnd().split('\n');
  for (const line of lines) {
    const { messages, answer, text, ids } = JSON.parse(line);
    if (text === null) {
      expect(() => template.render(messages, answer)).toThrow(/must alternate/);
      continue;
    }
    expect(template.render(messages, answer)).toBe(text);
    expect(chatTemplate(null).render(messages, answer)).toBe(text);
    for (const tokenizer of [gguf, json]) expect(tokenizer.encode(text, { special: true, bos: true })).toEqual(ids);
    expect(ids.indexOf(2)).toBe(0);
  }
  expect(lines).toHaveLength(50);
});
