// Small parts of the messages' side, without a kernel: what is JSON on the wire, how deep it is, patterns of a history search, and forms.

import { describe, expect, test } from 'vitest';
import { depthOf, formsOf, within } from '../../lab/host/forms.js';
import { bundleOf } from '../../lab/host/show.js';
import { failureOf } from '../../lab/kernel/failure.js';
import { glob } from '../../lab/kernel/history.js';
import { type Header, jsonText, type Request, sentAt, Wire } from '../../lab/kernel/wire.js';

const OUTSIDE = { problems: [], cells: new Map() };

test.each([
  ['\ud800', '\ufffd'],
  ['a\udc00b', 'a\ufffdb'],
  ['😀', '😀'],
  ['\\ud800', '\\ud800'],
  ['\\\\ud800 \\\ud800', '\\\\ud800 \\\ufffd'],
  ['\ud83d\ud83d\ude00', '\ufffd😀'],
])('half a character of %j is replaced on the wire, and nothing else', (text, sent) => {
  expect(JSON.parse(jsonText({ text, [text]: 1 }))).toEqual({ text: sent, [sent]: 1 });
});

test('buffers behind a message are not signed, as Jupyter signs them; what stands before them is', () => {
  const [sender, kernel] = [new Wire('key'), new Wire('key')];
  const frames = () => sender.frames('execute_request', '{"code":"1"}', null);
  expect(kernel.parse([...frames(), Buffer.from('abc'), Buffer.alloc(0)]).content).toEqual({ code: '1' });
  const changed = [...frames(), Buffer.from('abc')];
  changed[changed.length - 2] = Buffer.from('{"code":"2"}');
  expect(() => kernel.parse(changed)).toThrow(/a message with a wrong signature/);
});

test.each([
  ['1', 0],
  ['"[[["', 0],
  ['"\\"[[["', 0],
  ['{"a":[{}]}', 3],
  ['[[],[[]]]', 3],
  ['[[[', 3],
])('how deep %s is', (json, depth) => expect(depthOf(Buffer.from(json))).toBe(depth));

test.each([
  ['2026-01-02T03:04:05.678901Z', '2026-01-02T03:04:05.678902Z'],
  ['2026-01-02T03:04:05Z', '2026-01-02T03:04:05.000001Z'], // Python leaves out a fraction of 0
  ['2026-01-02T03:04:05.1Z', '2026-01-02T03:04:05.100001+00:00'],
  ['2026-01-02T03:04:05.999Z', '2026-01-02T03:04:06Z'],
  ['2026-01-02T03:04:05.678999Z', '2026-01-02T04:04:05.679+01:00'],
])('%s is before %s, although a Date knows no more than milliseconds', (before, after) => {
  const [first, second] = [before, after].map(date => sentAt({ date } as Header));
  expect(first).toBeLessThan(second);
  expect(sentAt({ date: after } as Header)).toBe(second);
});

test.each<unknown>([undefined, null, {}, { toString: 1 }, '', 'soon'])(
  '%j is no date, and neither before nor after another',
  date => {
    expect(sentAt({ date } as unknown as Header)).toBeNaN();
  },
);

describe('a pattern of a history search', () => {
  const texts = ['', 'a', 'b', 'ab', 'ba', 'aa', 'aba', 'abba', 'a*b', 'a?b', 'a\nb', 'aab.b'];
  const patterns = [
    '',
    '*',
    '**',
    '?',
    '??',
    'a',
    'a*',
    '*a',
    '*a*',
    'a*a',
    '*b?',
    '?*?',
    'a*b*a',
    '*?a',
    '.',
    'a.b',
    '*b*b*',
    '?b*a?',
    'a**b',
  ];
  // The regular expressions that were used before are right, where they end.
  const slow = (pattern: string, text: string) =>
    new RegExp(
      `^${pattern
        .split(/([*?])/)
        .map(part => (part === '*' ? '[^]*' : part === '?' ? '[^]' : part.replace(/[\\^$.|+()[\]{}]/g, '\\$&')))
        .join('')}$`,
    ).test(text);

  test('finds what a regular expression finds', () => {
    for (const pattern of patterns) {
      for (const text of texts)
        expect([pattern, text, glob(pattern)(text)]).toEqual([pattern, text, slow(pattern, text)]);
    }
  });

  test('ends, with forty stars', () => {
    const text = 'a'.repeat(20_000);
    expect(glob(`${'*a'.repeat(40)}*!`)(text)).toBe(false);
    expect(glob(`${'*a?'.repeat(40)}*!`)(text)).toBe(false);
    expect(glob(`${'*a'.repeat(40)}*`)(text)).toBe(true);
  });
});

describe('forms', () => {
  const made = (bundle: unknown) => {
    const notes: string[] = [];
    const forms = formsOf(bundle, notes);
    return { forms, notes };
  };

  test('are text, base64 and plain JSON', () => {
    const { forms, notes } = made({
      'text/plain': ['two\n', 'lines'],
      'text/html': Buffer.from('<b>é</b>'),
      'text/markdown': 5,
      'image/png': new Uint8Array([1, 2, 3]).subarray(1),
      'image/jpeg': new Uint8Array([1, 2]).buffer,
      'image/svg+xml': new TextEncoder().encode('<svg/>'),
      'application/json': { at: new Date(0), floats: new Float32Array([0.5, Number.NaN]) },
      'application/vnd.plotly.v1+json': '{"data":[]}',
      'text/latex': undefined,
    });
    expect(notes).toEqual([]);
    expect(forms).toEqual({
      'text/plain': 'two\nlines',
      'text/html': '<b>é</b>',
      'text/markdown': '5',
      'image/png': 'AgM=',
      'image/jpeg': 'AQI=',
      'image/svg+xml': '<svg/>',
      'application/json': { at: '1970-01-01T00:00:00.000Z', floats: [0.5, null] },
      'application/vnd.plotly.v1+json': { data: [] },
    });
  });

  test.each<[string, unknown, string]>([
    ['image/svg+xml', 5, 'there is no <svg> in it'],
    ['image/svg+xml', '<b/>', 'there is no <svg> in it'],
    ['image/png', new Float32Array(2), 'it is a Float32Array, and bytes are a Uint8Array'],
    ['application/vnd.plotly.v1+json', 'not json', 'it is no JSON of an object'],
    ['application/vnd.plotly.v1+json', 5, 'it is no JSON of an object'],
    [
      'application/vnd.plotly.v1+json',
      { data: 'x', layout: {} },
      'a figure has a list called data, and an object called layout',
    ],
    [
      'application/vnd.plotly.v1+json',
      { data: [], layout: 5 },
      'a figure has a list called data, and an object called layout',
    ],
    ['application/vnd.vega.v5+json', '7', 'it is no JSON of an object'],
  ])('that a front end would not take are told: %s of %j', (mime, value, why) => {
    const { forms, notes } = made({ [mime]: value, 'text/plain': 'a' });
    expect([forms, notes]).toEqual([{ 'text/plain': 'a' }, [`A value's '${mime}' cannot be shown: ${why}.`]]);
  });

  test('numbers are JSON where JSON is', () => {
    expect(made({ 'application/json': new Float32Array([0.5, 2]) }).forms).toEqual({ 'application/json': [0.5, 2] });
    expect(made({ 'application/json': 'a text' }).forms).toEqual({ 'application/json': 'a text' });
  });

  test('that cannot be sent are told, and the others are sent', () => {
    const { forms, notes } = made({
      'text/html': '<b/>',
      'image/png': {},
      'application/json': { big: 1n },
      'a b': 'x',
    });
    expect(forms).toEqual({ 'text/html': '<b/>' });
    expect(notes).toEqual([
      "A value's 'image/png' cannot be shown: it is an object, where bytes or base64 are needed.",
      "A value's 'application/json' cannot be shown: TypeError: Do not know how to serialize a BigInt.",
      "'a b' of a value's display is no mime type.",
    ]);
  });

  test('are kept while they fit, the smaller ones first, in the order they had', () => {
    const notes: string[] = [];
    const page = 'h'.repeat(1_500_000);
    expect(within({ 'text/html': page, 'text/latex': page, 'text/plain': 'p' }, notes)).toEqual({
      'text/html': page,
      'text/plain': 'p',
    });
    expect(notes).toEqual([
      "A value's 'text/latex', 1.5 MB, was left out: a page cannot show so much. Write it to a file instead.",
    ]);
  });

  test('of an asynchronous display, where nothing can wait, are its text', () => {
    const value = { a: 1, [Symbol.for('Jupyter.display')]: async () => ({ 'text/html': '<b/>' }) };
    expect(Object.keys(bundleOf(value))).toEqual(['text/plain']);
  });
});

test('a text that is cut is cut between characters', () => {
  const { evalue } = failureOf(`x${'😀'.repeat(60_000)}`, OUTSIDE);
  expect(evalue).toMatch(/😀…\n\(The rest of the error, 20\.0 kB, was left out/u);
});

test.each([
  ['too deep', Buffer.from('{"a":'.repeat(20_000)), 'nested more than 200 deep'],
  ['too large', Buffer.alloc(17_000_000, ' '), 'a message of 17.0 MB, where 16.8 MB are the most'],
  ['no JSON', Buffer.from('{'), 'that is no JSON'],
])('content that is %s is refused with what it answers', (_, content, why) => {
  const parent = { identities: [Buffer.from('front')], header: { username: 'u', msg_id: '1' }, content: {} };
  const wire = new Wire('k');
  const frames = wire.frames('execute_request', content.toString(), parent as unknown as Request);
  const error = (() => {
    try {
      wire.parse(frames);
    } catch (error) {
      return error as Error & { request: Request };
    }
  })();
  expect(error?.message).toContain(why);
  expect(error?.request.header.msg_type).toBe('execute_request');
});
