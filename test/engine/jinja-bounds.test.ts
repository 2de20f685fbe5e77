// Where the bounds of a template lie, by a clock that is told what time it is (endless-templates.test.ts has the templates that meet them by themselves), and what is
// said of what cannot be read.

import { afterEach, expect, test, vi } from 'vitest';
import { compile } from '../../engine/tokenizer/jinja.js';

afterEach(() => void vi.restoreAllMocks());

/** What a template writes, or its error, when the clock stands at each of these times in turn, and then at the last. */
function written(source: string, variables: object = {}, ...times: number[]): string {
  if (times.length > 0) {
    let at = 0;
    vi.spyOn(performance, 'now').mockImplementation(() => times[Math.min(at++, times.length - 1)]);
  }
  try {
    return compile(source).render({ messages: [], ...variables });
  } catch (error) {
    return `! ${(error as Error).message}`;
  } finally {
    vi.restoreAllMocks();
  }
}

const MANY = '{% for i in range(60000) %}{% if i %}{% endif %}{% endfor %}x'; // a few hundred thousand steps
const FEW = '{% for i in range(9000) %}{% if i %}{% endif %}{% endfor %}x';

test('time counts from the beginning of a writing, once there are many steps', () => {
  expect(written(MANY, {}, 5000)).toBe('x');
  expect(written(MANY, {}, 5000, 5700)).toBe('x');
  expect(written(MANY, {}, 5000, 5701)).toMatch(/^! .*700 ms are over/);
  expect(written(FEW, {}, 5000, 99_000)).toBe('x'); // a busy machine is no reason
});

test('the clock is not asked at every step', () => {
  const now = vi.spyOn(performance, 'now').mockReturnValue(5000);
  compile(MANY).render({ messages: [] });
  expect(now.mock.calls.length).toBeGreaterThan(500);
  expect(now.mock.calls.length).toBeLessThan(20_000);
});

test('what is written ends at four million characters, exactly', () => {
  const piece = 'x'.repeat(1 << 16);
  const times = (n: number, more = '') =>
    written(`{% for i in range(${n}) %}{{ piece }}{% endfor %}${more}`, { piece });
  expect(times(64)).toHaveLength(1 << 22);
  expect(times(65)).toMatch(/^! .*more than 4194304 characters/);
});

test('what a loop has written before it is left early stays', () => {
  const leave =
    '{% for i in [1, 2, 3] %}<{{ i }}{% if i == 2 %}{% for j in [1] %}({{ j }}){% endfor %}{% break %}{% endif %}>{% endfor %}';
  expect(written(leave)).toBe('<1><2(1)');
  expect(written(leave.replace('break', 'continue'))).toBe('<1><2(1)<3>');
  expect(written('{% for i in [1] %}{% if i %}a{% if i %}b{% break %}{% endif %}{% endif %}{% endfor %}c')).toBe('abc');
  expect(written('{% for i in [1] %}{% break %}a{% endfor %}c')).toBe('c');
  expect(written('{% for i in [] %}{% else %}{% endfor %}c')).toBe('c');
  expect(written('{% for i in [1] %}{% for j in [] %}{% else %}a{% break %}{% endfor %}b{% endfor %}c')).toBe('ac');
});

test('what stands where a number, a macro or a loop cannot be is told', () => {
  for (const [source, message] of [
    ['{{ 1xif }}', "'1xif' is no number."],
    ['{{ 1ifx }}', "'1ifx' is no number."],
    [`{{ 1${'a'.repeat(60)} }}`, `'1${'a'.repeat(39)}' is no number.`],
    ['{% call range(3) %}x{% endcall %}', 'a block is given to a function, and only a macro takes one'],
    ['{% for x in [1] %}{% for y in loop %}{% endfor %}{% endfor %}', 'it goes over a loop that it is in'],
    ["{% macro f(a) %}{% endmacro %}{{ f(a=1, **{'a': 2}) }}", "macro 'f' takes a once"],
    ['{% macro f(a) %}{% endmacro %}{{ f(1, 2) }}', "macro 'f' takes not more than 1 values"],
    [
      '{% macro f() %}{% endmacro %}{% call f() %}x{% endcall %}',
      "macro 'f' asks for no caller, and is called with a block",
    ],
    [
      '{% macro f() %}{{ caller(1) }}{% endmacro %}{% call f() %}x{% endcall %}',
      'the block of a call takes not more than 0 values',
    ],
    ['{% macro f() %}{{ caller.name }}{% endmacro %}{% call f() %}x{% endcall %}', 'Unknown attribute: name of caller'],
    ['{% for x in 5 %}{% endfor %}', 'it goes over a number'],
  ])
    expect([source, written(source)]).toEqual([source, expect.stringContaining(message)]);
});
