// What macros, loops and blocks see, what is no list and what generators leave, as Jinja in transformers has it (golden/jinja_scopes.jsonl, made
// by golden/jinja_scopes.py of golden/jinja_scopes.txt), or refused by name: never another text.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { packageRoot } from '../../engine/files.js';
import { compile } from '../../engine/tokenizer/jinja.js';

interface Row {
  readonly source: string;
  readonly text: string | null;
}
const [{ variables }, ...rows] = readFileSync(join(packageRoot(), 'golden/jinja_scopes.jsonl'), 'utf8')
  .trim()
  .split('\n')
  .map(line => JSON.parse(line));
const written = (source: string): string => {
  try {
    return compile(source).render(structuredClone(variables));
  } catch (error) {
    return `! ${(error as Error).message}`;
  }
};

/** Python writes these, and here they are refused: lists where a text belongs, keys that are no texts, what there is none of. */
const REFUSED = JSON.parse(
  readFileSync(join(packageRoot(), 'test/fixtures/jinja-scopes-refused.json'), 'utf8'),
) as Record<string, string>;

const GROUP = 20;
test.each(Array.from({ length: Math.ceil(rows.length / GROUP) }, (_, i) => i * GROUP))('from %i on', from => {
  for (const { source, text } of rows.slice(from, from + GROUP) as Row[]) {
    const right = text === null ? expect.stringMatching(/^! (?!Cannot read )\S.* \S/) : (REFUSED[source] ?? text);
    expect({ source, ours: written(source) }).toEqual({ source, ours: right });
  }
});

test('what is refused is told, and little is', () => {
  const sources = new Map((rows as Row[]).map(({ source, text }) => [source, text]));
  for (const source of Object.keys(REFUSED)) expect([source, sources.get(source) ?? null]).not.toEqual([source, null]);
  expect(Object.keys(REFUSED).length).toBeLessThan(rows.length / 8);
});

test('a line that ends within a text, and one that a backslash joins to the next', () => {
  for (const [source, text] of [
    ["{{ 'a\nb' }}", 'a\nb'],
    ["{{ 'a\\\nb' }}", 'ab'],
    ["{{ 'a\\\\\nb' }}", 'a\\\nb'],
    ["{{ '\\\r\nb' }}", 'b'],
  ])
    expect({ source, ours: written(source) }).toEqual({ source, ours: text });
});
