// A key that comes twice in an object of JSON, whose first value JSON.parse drops without a word: found where it is one, and nowhere else.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { keyTwice } from '../../engine/json.js';
import { load } from '../../lab/chat/file.js';
import { freshFolder } from '../fixtures/folder.js';

test.each([
  ['{"prompt": "a", "prompt": "b"}', 'prompt'],
  ['{"a": 1, "b": {"c": 1, "d": [{"e": 0, "e": 0}]}}', 'e'],
  ['[{"a": {"a": 1}, "b": "a", "a": 2}]', 'a'],
  ['{"\\u0061": 1, "a": 2}', 'a'],
  ['{"": 1, "" : 2}', ''],
  ['{"__proto__": 1, "__proto__": 2}', '__proto__'],
  ['{"a\\"b": 1, "a\\"b": 2}', 'a"b'],
  ['{"a" \n:\t1,"b":"x","a":2}', 'a'],
  ['{"a": 1, "A": 2}', null],
  ['{"a": {"a": {"a": []}}}', null],
  ['[{"a": 1}, {"a": 2}]', null],
  ['{"a": "x: \\"a\\": 1, {", "b": "a", "c": ["a", "a"]}', null],
  ['{"a\\\\": 1, "a": "\\\\"}', null],
  ['"a"', null],
  ['[1, "a", "a"]', null],
  ['{}', null],
])('%s: %j', (text, key) => {
  expect(() => JSON.parse(text)).not.toThrow();
  expect(keyTwice(text)).toBe(key);
});

test('a saved chat with a key twice is refused by its name', () => {
  const path = join(freshFolder(), 'chat.json');
  const settings = '{"temperature": 0, "top_k": 0, "top_p": 1, "seed": 0, "max_tokens": 8}';
  const chat = (turn: string) => `{"loupe_conversation": 1, "messages": [${turn}], "settings": ${settings}}`;
  writeFileSync(path, chat('{"role": "user", "content": "Hi", "content": "Ho"}'));
  expect(() => load(path)).toThrow(/is no conversation of Loupe: it has the key 'content' twice in one place\./);
  writeFileSync(path, chat('{"role": "user", "content": "Hi"}'));
  expect(load(path).messages).toHaveLength(1);
});
