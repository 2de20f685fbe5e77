// Small templates as Jinja in transformers writes them, and dates as Python does (golden/jinja.jsonl, made by golden/jinja_cases.py).

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { packageRoot } from '../../engine/files.js';
import { compile, Refusal } from '../../engine/tokenizer/jinja.js';
import { floatText, numberIn, split, strip } from '../../engine/tokenizer/python-text.js';
import { strftime } from '../../engine/tokenizer/python-time.js';

const lines = readFileSync(join(packageRoot(), 'golden/jinja.jsonl'), 'utf8')
  .trim()
  .split('\n')
  .map(line => JSON.parse(line));
const { variables } = lines[0] as { variables: Record<string, unknown> };
const dates = lines.filter(line => line.date) as { date: number[]; texts: Record<string, string> }[];
const cases = lines.filter(line => line.source) as { source: string; text: string | null }[];

/** Python writes these, and Loupe refuses them: filters and methods that the library lacks, and lists where a text belongs. */
const LACKING = new Set(
  JSON.parse(readFileSync(join(packageRoot(), 'test/fixtures/jinja-lacking.json'), 'utf8')) as string[],
);
/** Python refuses this: it takes ~ before +. */
const WRITTEN = new Map([['{{ 1 + 2 ~ 3 }}', '33']]);

const written = (source: string, more: Record<string, unknown> = {}): string | Error => {
  try {
    return compile(source).render({ ...structuredClone(variables), ...more });
  } catch (error) {
    return error as Error;
  }
};

const GROUP = 25; // few enough for a change to be asked of the templates that it concerns
const groups = Array.from({ length: Math.ceil(cases.length / GROUP) }, (_, i) => i * GROUP);

test.each(groups)('templates from number %i on as transformers writes them, or refused as there', from => {
  for (const { source, text } of cases.slice(from, from + GROUP)) {
    const ours = written(source);
    const right = LACKING.has(source) ? null : (WRITTEN.get(source) ?? text);
    expect({ source, text: typeof ours === 'string' ? ours : null }).toEqual({ source, text: right });
    if (typeof ours !== 'string')
      expect({ source, said: ours.message }).toEqual({ source, said: expect.stringMatching(/\w/) });
  }
});

test('no template is refused that is not told, and none is told that is not', () => {
  expect(cases.filter(({ text }) => text !== null).length).toBeGreaterThan(900);
  expect(cases.filter(({ source, text }) => LACKING.has(source) && text !== null)).toHaveLength(LACKING.size);
});

test('dates as Python writes them', () => {
  for (const { date, texts } of dates) {
    const [year, month, day, hour, minute, second, micro] = date;
    const at = new Date(year, month - 1, day, hour, minute, second, micro / 1000);
    for (const [format, text] of Object.entries(texts)) {
      expect({ date, format, text: strftime(at, format) }).toEqual({ date, format, text });
    }
  }
  for (const format of ['%Q', '%', 'a%-'])
    expect(() => strftime(new Date(0), format)).toThrow(/^strftime_now has no directive %/);
  expect(written("{{ strftime_now('%%') }}")).toBe('%');
  expect(written("{{ strftime_now('%Y') }}")).toBe(String(new Date().getFullYear()));
});

test('what is refused, why, and whose fault it is', () => {
  const turn = '{% set m = messages[1] %}';
  const said: [string, string, boolean][] = [
    // Of the conversation.
    ["{{ raise_exception('Bad role') }}", 'Bad role', false],
    ['{{ raise_exception(5) }}', '5', false],
    ["{{ raise_exception('Unknown role') }}", 'Unknown role', false],
    ["{{ 'a' + 1 }}", 'it adds a text and a number', false],
    ["{{ 1.5 + 'a' }}", 'it adds a number and a text', false],
    ["{{ 'a' + nil }}", 'it adds a text and None', false],
    ["{{ 'a' + nothing }}", 'it adds a text and what is undefined', false],
    ["{{ 'a' + [1] }}", 'it adds a text and a list', false],
    ["{{ 'a' + (1, 2) }}", 'it adds a text and a list', false],
    ["{{ 'a' + map }}", 'it adds a text and a mapping', false],
    ["{{ 'a' + yes }}", 'it adds a text and True or False', false],
    ["{{ 'a' in 5 }}", 'it looks for a text in a number', false],
    ["{{ namespace(a=1) in 'a' }}", 'it looks for a namespace in a text', false],
    ["{{ raise_exception in 'a' }}", 'it looks for a function in a text', false],
    ['{{ 5 | indent }}', 'it indents a number', false],
    ['{{ nil | length }}', 'it asks for length of None', false],
    ['{{ 5 | join }}', 'it asks for join of a number', false],
    ['{{ [[1], [1]] | unique | list }}', 'it asks for unique ones of a list', false],
    ['{{ [{}] | unique | list }}', 'it asks for unique ones of a mapping', false],
    ['{{ nothing | tojson }}', 'it writes what is undefined as JSON', false],
    ['{{ namespace(a=1) | tojson }}', 'it writes a namespace as JSON', false],
    ['{{ [1] }}', 'it writes a list where a text belongs', false],
    ['{{ (1, 2) }}', 'it writes a list where a text belongs', false],
    ['{{ map }}', 'it writes a mapping where a text belongs', false],
    ['{{ namespace() }}', 'it writes a namespace where a text belongs', false],
    ['{{ raise_exception }}', 'it writes a function where a text belongs', false],
    ['{{ nothing.more }}', "'nothing' is undefined", false],
    ['{{ nothing.more() }}', "'nothing' is undefined", false],
    ['{{ nothing[0] }}', "'nothing' is undefined", false],
    ['{{ map.nothing.more }}', "'nothing' is undefined", false],
    ["{{ map['nothing'].more }}", 'a value is undefined', false],
    ["{{ map['nothing'].more() }}", 'a value is undefined', false],
    ['{{ [nothing][0].x }}', 'a value is undefined', false],
    // Of the template.
    ['{{ raise_exception() }}', 'raise_exception takes a text', true],
    ["{{ 'a' | trim(5) }}", 'trim takes a text', true],
    ["{{ 'a'.strip(5) }}", 'strip takes a text', true],
    ["{{ 'a'.rstrip(5) }}", 'rstrip takes a text', true],
    ["{{ 'a' | replace('b') }}", 'replace takes a value for new', true],
    ["{{ 'a'.replace() }}", 'replace takes two values at least', true],
    ["{{ many | join(d=',', d='.') }}", 'join takes d once', true],
    ["{{ many | join(',', nosuch='role') }}", 'join takes no nosuch', true],
    ["{{ 'a' | upper(1) }}", 'upper takes nothing, and not more', true],
    ["{{ 'a'.upper(1) }}", 'upper takes nothing, and not more', true],
    ["{{ 'a'.find(sub='a') }}", 'find takes no sub', true],
    ["{{ 'a' is odd(1) }}", 'odd takes nothing, and not more', true],
    ["{{ 'a' is eq }}", 'eq takes one value at least', true],
    ["{{ 'a' is sameas 'a' }}", 'sameas takes True, False or None, and not a text', true],
    ["{{ many | map('nosuch') | list }}", 'Unknown filter: nosuch', true],
    ["{{ many | select('nosuch') | list }}", 'Unknown test: nosuch', true],
    ["{{ 'a'.nosuch() }}", 'Unknown method: nosuch of a text', true],
    ["{{ many.append('d') }}", 'Unknown method: append of a list', true],
    ["{{ {'pop': 5}.pop }}", 'Unknown method: pop of a mapping', true],
    ["{{ '%x' % 3 }}", 'Unknown directive %x', true],
    ['{{ joiner is defined }}', 'Unknown function: joiner', true],
    ['{{ 9007199254740992 }}', 'it has a whole number beyond 2**53, which is not kept whole', false],
    ['{{ 2 ** 53 }}', 'it has a whole number beyond 2**53, which is not kept whole', false],
    ['{{ value + 1 }}', 'it has a whole number beyond 2**53, which is not kept whole', false],
    ["{{ 'a' < 1 }}", 'it compares a text and a number', false],
    ['{{ [1, nil] | sort }}', 'it compares None and a number', false],
    ["{{ ('a' | safe) + '<' }}", 'it joins a text that is marked as safe to one that would be escaped', false],
    ["{{ '<' + ('a' | e) }}", 'it joins a text that is marked as safe to one that would be escaped', false],
    ["{{ many | map('upper') | length }}", 'it asks for length of a generator', false],
    ['{{ many | reverse | tojson }}', 'it writes a generator as JSON', false],
    ["{{ '%s %s' % 'a' }}", 'it has too few values for the places in a text', false],
    ["{{ '%s' % ('a', 'b') }}", 'it has too many values for the places in a text', false],
    ["{{ {'items': 5}.items }}", 'it writes a function where a text belongs', false],
    ["{{ 'a'.split('') }}", 'split takes a text that is not empty', true],
    ["{{ 'a'.split(5) }}", 'split takes a text', true],
    ["{{ 'a'.split(' ', 'x') }}", 'split takes a whole number of cuts', true],
    ["{{ 'ff' | int(0, 16, 1) }}", 'int takes two values, and not more', true],
    ["{{ '1' | float(0, 1) }}", 'float takes one value, and not more', true],
    ['{{ [1] | tojson(nosuch=1) }}', 'tojson takes no nosuch', true],
    ['{{ [1] | tojson(no, nil, nil, no, no) }}', 'tojson takes four values, and not more', true],
    ["{{ [1] | tojson(indent='x') }}", 'tojson takes a whole number for indent, not a text', true],
    ['{{ [1] | tojson(separators=5) }}', 'tojson takes two texts for separators', true],
    ["{{ [1] | tojson(separators=[',', 5]) }}", 'tojson takes two texts for separators', true],
    ["{{ [1] | tojson(separators=[',', ':', ';']) }}", 'tojson takes two texts for separators', true],
    ['{{ range() }}', 'range takes one to three whole numbers', true],
    ['{{ range(1, 2, 3, 4) | join }}', 'range takes one to three whole numbers', true],
    ['{{ range(0, 1, 0) }}', 'range has a step of zero', true],
    ['{{ 1 / 0 }}', 'it divides by zero', true],
    ['{{ 1.5 % 0 }}', 'it divides by zero', true],
    ["{{ 'abc'[::0] }}", 'it slices with a step of zero', true],
    ['{{ nosuch() }}', 'Cannot call something that is not a function: got UndefinedValue', true],
    ["{{ 'a' | nosuch }}", 'Unknown filter: nosuch', true],
    ['{{ nil | nosuch }}', 'Unknown filter: nosuch', true],
    ["{{ 'a' is nosuch }}", 'Unknown test: nosuch', true],
    ['{% for x in 5 %}{% endfor %}', 'it goes over a number', false],
  ];
  for (const [source, message, faulty] of said) {
    const ours = written(source, { value: Number.MAX_SAFE_INTEGER }) as Refusal;
    expect({ source, message: ours.message, faulty: ours.faulty }).toEqual({ source, message, faulty });
    expect(ours).toBeInstanceOf(Refusal);
    expect([ours.index, ours.endless]).toEqual([null, false]);
    expect((written(turn + source, { value: Number.MAX_SAFE_INTEGER }) as Refusal).index).toBe(1);
  }
});

test('the message that was read last is named', () => {
  const index = (source: string) => (written(source) as Refusal).index;
  expect(index('{% for m in messages %}{% if loop.last %}{{ m.role + 1 }}{% endif %}{% endfor %}')).toBe(2);
  expect(index('{% for m in messages %}{{ m.nothing.more }}{% endfor %}')).toBe(0);
  expect(index('{{ messages[-1].role + 1 }}')).toBe(2);
  expect(index('{{ map.k + 1 }}')).toBe(null);
  expect(index('{{ messages[1].role }}{{ map.k + 1 }}')).toBe(1);
});

test('what is no Jinja', () => {
  for (const [source, message] of [
    ['{% if yes %}', 'a block has no end.'],
    ['{% for m in messages %}{{ m }}', 'a block has no end.'],
    ['{% macro f() %}', 'a block has no end.'],
    ['{% nosuch %}', 'Unknown statement type: nosuch'],
    ['{% raw %}{{ a }}', 'a raw block has no end.'],
    ['{# more', 'a comment has no end.'],
    ["{{ 'a }}", 'a text has no end.'],
    ['{{ a', 'a tag has no end.'],
    ['{{ (a] }}', "']' closes what is not open."],
    ['{% with a %}{% endwith %}', 'with takes names and their values.'],
    ['{{ 1 is odd is even }}', 'two tests stand one behind the other.'],
    ['{{ }}', 'Unexpected token: CloseExpression'],
    ['x'.repeat((1 << 19) + 1), 'it has 524289 characters, and at most 524288 are read.'],
    [' '.repeat(15_000), 'it is mostly blank.'],
    [`${' '.repeat(11_000)}x${' '.repeat(11_000)}`, 'it is mostly blank.'],
  ]) {
    const ours = written(source) as Error;
    expect({ source: source.slice(0, 40), message: ours.message }).toEqual({ source: source.slice(0, 40), message });
    expect(ours).not.toBeInstanceOf(Refusal);
  }
  const long = 'x'.repeat(1 << 19);
  expect(written(long)).toBe(long);
  expect(written(`a${' '.repeat(11_000)}b`)).toHaveLength(11_002);
  expect(written(`a${'\n'.repeat(255)}`.repeat(40))).toHaveLength(256 * 40 - 1);
  expect(written('a\r\nb\rc\n\r\nd')).toBe('a\nb\nc\n\nd');
});

test('texts, lists and JSON that are too long, and where too long begins', () => {
  const most = 1 << 22;
  const long = 'a text of more than 4194304 characters';
  const s = 'x'.repeat(most / 2);
  const spent = 'more than 2000000 steps'; // or the time they have, on a machine that is busy
  const over: [string, string][] = [
    ['{{ s + s + n }}', 'it adds a text and a number'],
    ["{{ s + s + 'x' }}", long],
    ["{{ s ~ s ~ 'x' }}", long],
    ['{{ s * 3 }}', long],
    ['{{ 3 * s }}', long],
    ["{{ 'ab' | replace('b', s ~ s) }}", long],
    ["{{ 'abb' | replace('b', s) }}", long],
    ["{{ 'ab'.replace('', s) }}", long],
    ["{{ [s, s, 'x'] | join }}", long],
    ["{{ [s, s] | join('x') }}", long],
    ['{{ [s, s] | tojson }}', long],
    ['{{ {s: s} | tojson }}', long],
    ['{{ [[1]] | tojson(indent=4000000) }}', long],
    ["{{ 'a\\nb' | indent(1400000) }}", long],
    ["{{ 'a' | indent(width=2100000) }}", long],
    ['{{ ss | upper }}', long],
    ['{{ range(100001) | length }}', 'a range of 100001 numbers, where Jinja allows 100000'],
    ["{{ s }}{{ s }}{{ 'x' }}", 'more than 4194304 characters'],
    ["{{ 'a' | center(4194305) }}", long],
    ["{{ 'a'.ljust(-4194305) }}", long],
    ['{{ s | reverse }}', spent],
    ['{% for i in range(20) %}{{ s | length }}{% endfor %}', spent],
    ['{% for i in range(20) %}{{ s.upper() | first }}{% endfor %}', spent],
    ['{{ ([1] * 2000001) | length }}', spent],
    ['{% set a = [1] * 100000 %}{% for i in range(50) %}{% set b = a + a %}{% endfor %}', spent],
    ['{% macro f(n) %}{{ f(n + 1) }}{% endmacro %}{{ f(0) }}', 'it calls itself too deep'],
  ];
  for (const [source, message] of over) {
    const ours = written(source, { s, ss: 'ß'.repeat(most / 2 + 1) }) as Refusal;
    const said = ours.message === '700 ms are over' && message === spent ? spent : ours.message;
    expect({ source, message: said ?? 'written' }).toEqual({ source, message });
    expect([ours.endless, ours.faulty]).toEqual([message !== over[0][1], false]);
  }
  for (const [source, length] of [
    ['{{ s + s }}', most],
    ['{{ s ~ s }}', most],
    ['{{ s * 2 }}', most],
    ['{{ s }}{{ s }}', most],
    ["{{ ('a' ~ s[1:]) | replace('a', s) }}", most - 1],
    ["{{ ('a' ~ s[1:]) | replace('a', s, 5) }}", most - 1],
    ["{{ 'a' | center(4194304) }}", most],
    ["{{ 'a' | indent(2097152) }}", 1],
    ['{{ [s, s] | join }}', most],
    ["{{ [s, s[2:]] | join('x') }}", most - 1],
    ['{{ s | tojson }}', most / 2 + 2],
    ["{{ 'a\\nb' | indent(1000000) }}", 1_000_003],
  ] as const) {
    expect({ source, length: (written(source, { s }) as string).length }).toEqual({ source, length });
  }
});

test('white space, pieces and numbers as Python has them', () => {
  // Python 3.12: [c for c in map(chr, range(0x110000)) if c.isspace()]
  const spaces =
    '\t\n\v\f\r\x1c\x1d\x1e\x1f \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000';
  let found = '';
  for (let unit = 0; unit < 0x10000; unit++)
    if (strip(String.fromCharCode(unit)) === '') found += String.fromCharCode(unit);
  expect(found).toBe(spaces);
  expect(strip(`${spaces}a ${spaces}`)).toBe('a');
  expect([strip(' a ', 'lstrip'), strip(' a ', 'rstrip')]).toEqual(['a ', ' a']);
  expect([
    strip('👍a👍', 'strip', '👍'),
    strip('👍a👎', 'strip', '👍'),
    strip('xyx', 'lstrip', 'x'),
    strip('xyx', 'rstrip', 'x'),
  ]).toEqual(['a', 'a👎', 'yx', 'xy']);
  expect([strip('xx', 'strip', 'x'), strip('a', 'strip', ''), strip('', 'strip', 'x')]).toEqual(['', 'a', '']);
  // Python: s.split(), s.split(None, 1), 'a,b,c'.split(',', n)
  expect(split(`${spaces}a${spaces}b `, null)).toEqual(['a', 'b']);
  expect(split(' a b  c ', null, 1)).toEqual(['a', 'b  c ']);
  expect([split('', null), split(' ', null), split(' a', null, 0)]).toEqual([[], [], ['a']]);
  expect([0, 1, 2, 3, -1].map(n => split('a,b,c', ',', n))).toEqual([
    ['a,b,c'],
    ['a', 'b,c'],
    ['a', 'b', 'c'],
    ['a', 'b', 'c'],
    ['a', 'b', 'c'],
  ]);
  // Python: repr(x)
  for (const [value, text] of [
    [0, '0.0'],
    [-0, '-0.0'],
    [1e16, '1e+16'],
    [9999999999999998, '9999999999999998.0'],
    [0.0001, '0.0001'],
    [0.00001, '1e-05'],
    [-1.5e-7, '-1.5e-07'],
    [1.7976931348623157e308, '1.7976931348623157e+308'],
    [5e-324, '5e-324'],
    [123456789.125, '123456789.125'],
    [Number.POSITIVE_INFINITY, 'inf'],
    [Number.NEGATIVE_INFINITY, '-inf'],
    [Number.NaN, 'nan'],
  ] as const)
    expect(floatText(value)).toBe(text);
  // Python: json.dumps(x)
  for (const [value, text] of [
    [Number.POSITIVE_INFINITY, 'Infinity'],
    [Number.NEGATIVE_INFINITY, '-Infinity'],
    [Number.NaN, 'NaN'],
    [1e-7, '1e-07'],
  ] as const)
    expect(written('{{ value | tojson }}', { value })).toBe(text);
  // Python: float(s), or None where that is refused
  for (const [text, value] of [
    ['5', 5],
    [' 5 ', 5],
    ['5a', null],
    ['a5', null],
    ['1_000.2_5', 1000.25],
    ['1_.5', null],
    ['1._5', null],
    ['._5', null],
    ['.5_', null],
    ['.25', 0.25],
    ['.', null],
    ['', null],
    ['1e5', 1e5],
    ['1E+5', 1e5],
    ['1e-15', 1e-15],
    ['1e', null],
    ['e5', null],
    ['+-5', null],
    ['-12', -12],
    ['12.', 12],
    ['12.75', 12.75],
  ] as const)
    expect({ text, value: numberIn(text) }).toEqual({ text, value });
});

test('what is not asked for is not evaluated, and what is called is found', () => {
  // Jinja in transformers writes the same of each.
  for (const [source, text] of [
    ['{{ no and nosuch() }}', 'False'],
    ['{{ yes or nosuch() }}', 'True'],
    ["{{ 'a' if yes else nosuch() }}", 'a'],
    ["{{ messages[0]['get']('role') }}", 'user'],
    ["{{ messages[0].get('role') }}{{ messages[0].get('role') }}", 'useruser'],
    ["{% macro f(a, b) %}{{ a }}{{ b }}{% endmacro %}{{ f(b='y', a='x') }}", 'xy'],
    ["{% for m in messages if m.role == 'user' %}{{ m.content }}{% endfor %}", 'HiSo'],
    ["{% set k = 'role' %}{% for m in messages[1:] %}{{ m[k] }}{% endfor %}", 'assistantuser'],
    ["{% filter replace('a', 'b') %}a{% filter upper %}a{% endfilter %}{% endfilter %}", 'bA'],
    [
      '{% for a in [1, 2] %}{% for b in [3, 4] %}{{ loop.index }}{{ a }}{{ b }} {% endfor %}{% endfor %}',
      '113 214 123 224 ',
    ],
    ['{% set s = 1 %}{% for a in [1, 2] %}{% set s = s + a %}{{ s }}{% endfor %}{{ s }}', '231'],
    ['{{ True }}{{ False }}{{ None }}{{ true }}{{ false }}{{ none }}', 'TrueFalseNoneTrueFalseNone'],
  ] as const)
    expect({ source, text: written(source) }).toEqual({ source, text });
});

test('depth: as deep as any template is, and no deeper', () => {
  const not = (times: number) => `{{ ${'not '.repeat(times)}yes }}`;
  expect(written(not(490))).toBe('True');
  expect((written(not(510)) as Refusal).message).toBe('it calls itself too deep');
  expect((written(not(510)) as Refusal).endless).toBe(true);
  // Depth is given back: two hundred lines are no deeper than one.
  expect(written(not(400).repeat(200))).toBe('True'.repeat(200));
  const steps = '{% macro f(n) %}{{ n }}{% if n > 0 %}{{ f(n - 1) }}{% endif %}{% endmacro %}{{ f(20) }}';
  expect(written(steps)).toBe(Array.from({ length: 21 }, (_, i) => 20 - i).join(''));
});
