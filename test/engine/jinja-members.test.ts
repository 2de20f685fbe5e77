// What macros, loops, namespaces and ranges say of themselves, as Jinja in transformers has it (golden/jinja_members.jsonl, made by
// golden/jinja_members.py), or refused by name.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { packageRoot } from '../../engine/files.js';
import { compile } from '../../engine/tokenizer/jinja.js';

interface Row {
  readonly source: string;
  readonly text: string | null;
}
const rows = readFileSync(join(packageRoot(), 'golden/jinja_members.jsonl'), 'utf8')
  .trim()
  .split('\n')
  .map(line => JSON.parse(line) as Row);
const written = (source: string): string => {
  try {
    return compile(source).render({ messages: [] });
  } catch (error) {
    return `! ${(error as Error).message}`;
  }
};

/** Python writes these, and here they are refused: what no prompt holds, and what is not known. */
const REFUSED = [
  /^! it writes a (list|function|loop|namespace) where a text belongs$/,
  /^! it asks for (length|list) of a loop$/,
  /^! it looks for a text in a loop$/,
  /^! it goes over a loop that it is in$/,
  /^! Unknown attribute: (start|stop|step) of a range$/,
  /^! Unknown attribute: name of caller$/,
];

test.each(['macro', 'loop', 'namespace', 'range', 'of all kinds'])('%s', kind => {
  const kindOf = (source: string) =>
    ['macro', 'loop', 'namespace', 'range'].find(one => source.includes(one)) ?? 'of all kinds';
  const own = rows.filter(({ source }) => kindOf(source) === kind);
  let refused = 0;
  for (const { source, text } of own) {
    const ours = written(source);
    if (text === null) expect([source, ours]).toEqual([source, expect.stringMatching(/^! /)]);
    else if (REFUSED.some(sentence => sentence.test(ours))) refused += 1;
    else expect([source, ours]).toEqual([source, text]);
  }
  expect(own.length).toBeGreaterThan(5);
  expect(refused).toBeLessThan(7);
});

test('what a macro says of itself is written', () => {
  const macro = "{% macro r(x, y='a') %}{{ kwargs }}{% endmacro %}";
  expect(written(`${macro}{{ r.name }} {{ r.arguments | join(',') }} {{ r.catch_kwargs }} {{ r.catch_varargs }}`)).toBe(
    'r x,y True False',
  );
  expect(written(`${macro}{% set caller = r %}{{ caller.name }}{{ r.name }}`)).toBe('rr');
  expect(written(`${macro}{{ r.caller }} {{ r.explicit_caller }} {{ r.nosuch is defined }}`)).toBe('False False False');
});
