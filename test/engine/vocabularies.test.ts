// Vocabularies of every kind against their references, fast enough to be asked about every mutant.

import { expect, test } from 'vitest';
import { opened, vocabularies } from '../fixtures/vocabularies.js';

test.each(vocabularies)('$name: every string as $reference has it, and back', listed => {
  const one = opened(listed);
  const special = listed.reference === 'tokenizers';
  for (const { text, ids, back } of listed.cases) {
    expect({ text, ids: one.encode(text, { special }) }).toEqual({ text, ids });
    expect({ text, back: one.decode(ids) }).toEqual({ text, back });
  }
  expect(listed.cases.length).toBeGreaterThan(100);
});

test('control pieces in a text are text, or themselves when asked for; bos comes once', () => {
  const [model, , json] = ["bpe as Gemma's", '', "tokenizer.json as Gemma's"].map(name => {
    const listed = vocabularies.find(one => one.name === name);
    return listed && opened(listed);
  });
  for (const one of [model!, json!]) {
    const { bosId, eosId } = one;
    expect(one.encode('<s>a</s>', { special: true, bos: true })).toEqual([bosId, ...one.encode('a'), eosId]);
    expect(one.encode('<s>a')).not.toContain(bosId);
    expect(one.decode(one.encode('<s>a'))).toBe('<s>a');
    expect(one.encode('', { bos: true })).toEqual([bosId]);
    expect(one.isControl(bosId)).toBe(true);
    expect(one.idOf('<s>')).toBe(bosId);
    expect(one.idOf('no such piece')).toBeNull();
  }
});
