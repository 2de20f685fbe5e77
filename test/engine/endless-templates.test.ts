// Templates that would go on for ever, by steps, by output or by depth. They take seconds: a busy machine is given its time.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { TokenizerError } from '../../engine/errors.js';
import { packageRoot } from '../../engine/files.js';
import { type ChatMessage, chatTemplate } from '../../engine/tokenizer/chat-template.js';

const folds = readFileSync(join(packageRoot(), 'golden/chat_odd.jsonl'), 'utf8')
  .split('\n')
  .map(line => (line ? JSON.parse(line) : {}))
  .find(({ template, source }) => template === 'folds' && source).source as string;

const written = (source: string, messages: readonly ChatMessage[]): string | TokenizerError => {
  try {
    return chatTemplate(source).render(messages);
  } catch (error) {
    expect(error).toBeInstanceOf(TokenizerError);
    return error as TokenizerError;
  }
};

test('a template that does not end is ended within a second, by steps, by output or by depth', () => {
  const loop = (inner: string, n = 1000) => `{% for i${inner.length} in range(${n}) %}${inner}{% endfor %}`;
  const endless: [string, RegExp][] = [
    ['{% for i in range(10**9) %}x{% endfor %}', /a range of 1000000000 numbers, where Jinja allows 100000/],
    [loop(loop(loop('x'))), /more than \d+ (steps|characters)|700 ms/],
    [loop(loop('', 100_000), 100_000), /more than \d+ steps|700 ms/],
    [
      `{% set ns = namespace(s='ab') %}${loop('{% set ns.s = ns.s + ns.s %}')}{{ ns.s }}`,
      /more than 4194304 characters/,
    ],
    [
      `{% set ns = namespace(s='ab') %}${loop('{% set ns.s = ns.s ~ ns.s %}')}{{ ns.s }}`,
      /more than 4194304 characters/,
    ],
    [
      `{% set ns = namespace(s='ab') %}${loop("{% set ns.s = ns.s | replace('b', ns.s) %}")}`,
      /more than 4194304 characters/,
    ],
    [
      `{% set ns = namespace(s='ab') %}${loop("{% set ns.s = ns.s.replace('b', ns.s) %}")}`,
      /more than 4194304 characters/,
    ],
    [`{% set ns = namespace(s=[1]) %}${loop('{% set ns.s = ns.s + ns.s %}')}`, /more than \d+ steps|700 ms/],
    [
      `{% set ns = namespace(s=[1]) %}${loop('{% set ns.s = [ns.s, ns.s] %}', 60)}{{ ns.s | tojson }}`,
      /more than \d+ steps|700 ms/,
    ],
    [
      `{% set ns = namespace(a=[1], b=[1]) %}${loop('{% set ns.a = [ns.a, ns.a] %}{% set ns.b = [ns.b, ns.b] %}', 60)}{{ ns.a == ns.b }}`,
      /more than \d+ steps|700 ms/,
    ],
    [
      `{% set ns = namespace(s=['x' * 1000000]) %}${loop('{% set ns.s = ns.s + ns.s %}', 9)}{{ ns.s | join }}`,
      /more than 4194304 characters/,
    ],
    [`{% set s = 'a ' * 2000000 %}${loop('{% set x = s.split() %}', 100_000)}`, /more than \d+ steps|700 ms/],
    [`{% set s = 'a ' * 2000000 %}${loop('{% set x = s | list %}', 100_000)}`, /more than \d+ steps|700 ms/],
    ["{{ ('<' * 4000000) | e | length }}", /more than 4194304 characters/],
    ["{{ ('ab' * 2000000) | reverse | length }}", /more than \d+ steps/],
    ["{{ ('ab' * 2000000) | unique | join }}", /more than \d+ steps|700 ms/],
    // A block costs what it has variables.
    [
      `{% for i in range(90000) %}{% if no %}${Array.from({ length: 5000 }, (_, i) => `{% set v${i} = i %}`).join('')}{% endif %}{% endfor %}`,
      /more than \d+ steps|700 ms/,
    ],
    // What goes through a list or a text is counted by its length.
    ...['l[1:]', 'l[::2]', 'l.copy()', 'l == l[:]', 'l | last == l[:] | last', 'e[-1]', 'e[1:]', 's[::-1]'].map(
      (work): [string, RegExp] => [
        `{% set l = range(99000) | list %}{% set e = '👍' * 50000 %}{% set s = 'a' * 100000 %}${loop(`{{ '' if ${work} }}`, 9000)}`,
        /more than \d+ steps|700 ms/,
      ],
    ),
    ['{{ ([1] * 2000000) | length }}', /more than \d+ steps/],
    [`{% set s = 'a' * 100000 %}${loop("{% set x = s.find('b', 1) %}", 100_000)}`, /more than \d+ steps|700 ms/],
    [
      `{% set s = 'a' * 100000 %}${loop("{% set x = s | map('upper') | join %}", 100_000)}`,
      /more than \d+ steps|700 ms/,
    ],
    [`{% set s = 'a ' * 2000000 %}${loop('{% set x = s | title %}', 100_000)}`, /more than \d+ steps|700 ms/],
    ["{{ 'x' * 10**9 }}", /more than 4194304 characters/],
    ["{{ 'x' | indent(10**9) }}", /more than 4194304 characters/],
    ['{{ [1] | tojson(indent=10**9) }}', /more than 4194304 characters/],
    ['{% macro f(n) %}{{ f(n + 1) }}{% endmacro %}{{ f(0) }}', /it calls itself too deep/],
    ['{% macro f(n) %}{{ f(n) }}{{ f(n) }}{% endmacro %}{{ f(0) }}', /it calls itself too deep/],
    [
      '{% macro f(n) %}{% if n > 0 %}{{ f(n - 1) }}{{ f(n - 1) }}{% endif %}{% endmacro %}{{ f(60) }}',
      /more than \d+ steps|700 ms/,
    ],
    [
      `{% set s = 'x' * 4000000 %}${loop("{% if 'ab' in s | upper %}{% endif %}", 100_000)}`,
      /more than \d+ steps|700 ms/,
    ],
  ];
  for (const [source, message] of endless) {
    const began = performance.now();
    const ours = written(source, [{ role: 'user', content: 'Hi' }]);
    expect({ source, message: (ours as Error).message }).toEqual({ source, message: expect.stringMatching(message) });
    expect((ours as Error).message).toMatch(/does not come to an end: .*Give another template/);
    expect({ source, quick: performance.now() - began < 10_000 }).toEqual({ source, quick: true });
  }
  // And one that is only long is written.
  const turns = Array.from({ length: 3000 }, (_, i) => ({
    role: i % 2 ? 'assistant' : 'user',
    content: 'word '.repeat(200),
  }));
  expect(String(written(folds, turns)).length).toBeGreaterThan(3_000_000);
});
