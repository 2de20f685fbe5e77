// The edges of each part of a template as Jinja in transformers has them (golden/jinja_edges.jsonl, made by golden/jinja_edges.py), and what
// Loupe says of those that it refuses.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { packageRoot } from '../../engine/files.js';
import { compile, type Refusal } from '../../engine/tokenizer/jinja.js';

const read = (path: string) => readFileSync(join(packageRoot(), path), 'utf8');
const [{ variables }, ...rows] = read('golden/jinja_edges.jsonl')
  .trim()
  .split('\n')
  .map(line => JSON.parse(line));
/** What is refused, why, and whether it is the template's fault; null where it cannot even be read. A few of these Python writes. */
const REFUSED = new Map(
  (JSON.parse(read('test/fixtures/jinja-refusals.json')) as [string, string, boolean | null][]).map(
    ([source, message, faulty]) => [source, { message, faulty }],
  ),
);

const written = (source: string): string | { message: string; faulty: boolean | null } => {
  try {
    return compile(source).render(structuredClone(variables));
  } catch (error) {
    const { message, faulty = null } = error as Refusal;
    return { message, faulty };
  }
};

const GROUP = 15; // few enough for a change to be asked of the templates that it concerns
const groups = rows.flatMap(({ part }, i) => (i % GROUP === 0 ? [[part, i] as const] : []));

test.each(groups)('%s: what stands at %i and behind it', (_, from) => {
  for (const { source, text } of rows.slice(from, from + GROUP) as { source: string; text: string | null }[])
    expect({ source, ours: written(source) }).toEqual({ source, ours: REFUSED.get(source) ?? text });
});

test('what is refused is told, once', () => {
  const sources = new Set(rows.map(({ source }) => source));
  expect([...REFUSED.keys()].filter(source => !sources.has(source))).toEqual([]);
  // Filters, directives and methods that there are none of here, numbers beyond 2**53, marked texts, tuples of one.
  expect(rows.filter(({ source, text }) => text !== null && REFUSED.has(source)).length).toBeLessThan(120);
});
