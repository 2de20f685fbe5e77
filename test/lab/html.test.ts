// What escapes: text on its way to a page, a plotly title, a terminal, JSON. The payloads in whole displays are in hostile-names.test.ts.

import { expect, test } from 'vitest';
import { printable, printableJson, visible } from '../../engine/printable.js';
import {
  eitherText,
  escapeHtml,
  Html,
  html,
  label,
  pictureAddress,
  withoutMathematics,
} from '../../lab/values/html.js';

/** Every code unit that steers a terminal or turns a line, written down once more and in another way: as a list. */
const steers = (unit: number): boolean =>
  (unit < 0x20 && unit !== 9 && unit !== 10) ||
  (unit >= 0x7f && unit <= 0x9f) ||
  [0x61c, 0x200e, 0x200f, 0x202a, 0x202b, 0x202c, 0x202d, 0x202e, 0x2066, 0x2067, 0x2068, 0x2069].includes(unit) ||
  [0xfff9, 0xfffa, 0xfffb].includes(unit) ||
  (unit >= 0xd800 && unit <= 0xdfff);

test('printable: each of 65,536 code units alone is a sign where it steers, and itself where not', () => {
  const wrong: number[] = [];
  for (let unit = 0; unit < 0x10000; unit++) {
    const character = String.fromCharCode(unit);
    const sign = unit < 0x20 ? String.fromCharCode(0x2400 + unit) : unit === 0x7f ? '␡' : '\ufffd';
    if (printable(character) !== (steers(unit) ? sign : character)) wrong.push(unit);
  }
  expect(wrong).toEqual([]);
});

test.each([
  ['a\r\nb\nc', 'a\nb\nc'],
  ['a\rb', 'a␍b'],
  ['\u001b]52;c;eA==\u0007', '␛]52;c;eA==␇'],
  ['👍', '👍'],
  ['\ud83d👍\udc4d', '\ufffd👍\ufffd'],
  ['\udc4d\ud83d', '\ufffd\ufffd'],
])('printable: %j is %j', (text, shown) => {
  expect(printable(text)).toBe(shown);
});

test.each([
  ['a\nb\r\nc', 'a↵b↵c'],
  ['a\u2028b\u2029c', 'a↵b↵c'],
  ['\ta\t', '⇥a⇥'],
  [' a b ', '␣a b␣'],
  ['  a', '␣ a'],
  [' ', '␣'],
  ['\u00ada\u200bb\u2060c\ufeff', '·a·b·c·'],
  ['\u0000\u001b\u007f\u009f', '····'],
  ['\r', '·'],
  ['\u202ea\u2066\ud800', '\ufffda\ufffd\ufffd'],
  ['é👍', 'é👍'],
  ['', ''],
])('visible: %j is %j', (text, shown) => {
  expect(visible(text)).toBe(shown);
});

test('printableJson is JSON of the same value, with nothing raw in it that steers', () => {
  const value = { 'a\u202e': ['\u009b31m', '\u007f', '\ud800', 'é👍', 1.5, -0, null, true], b: 'x' };
  expect(printableJson(value)).toBe('{"a\\u202e":["\\u009b31m","\\u007f","\\ud800","é👍",1.5,0,null,true],"b":"x"}');
  expect(JSON.parse(printableJson(value))).toEqual({
    ...value,
    'a\u202e': ['\u009b31m', '\u007f', '\ud800', 'é👍', 1.5, 0, null, true],
  });
  expect(printableJson([Number.NaN, Number.POSITIVE_INFINITY, 'NaN'])).toBe('["NaN","Infinity","NaN"]');
  expect(printableJson({ a: 1 }, 2)).toBe('{\n  "a": 1\n}');
});

test.each([
  [`<b a="x" c='y'>&amp;</b>`, '&lt;b a=&quot;x&quot; c=&#39;y&#39;&gt;&amp;amp;&lt;/b&gt;'],
  ['plain', 'plain'],
  ['<\u001b>', '&lt;␛&gt;'],
])('escapeHtml: %j is %j', (text, shown) => {
  expect(escapeHtml(text)).toBe(shown);
});

test('html escapes what is put into it, unless html made that', () => {
  const inner = html`<i>${'<x>'}</i>`;
  expect(inner).toBeInstanceOf(Html);
  expect(html`<p title="${'"'}">${3}${inner}</p>`.text).toBe('<p title="&quot;">3<i>&lt;x&gt;</i></p>');
  expect(html`${[inner, html`<hr>`]}|${[]}`.text).toBe('<i>&lt;x&gt;</i><hr>|');
  expect(html`nothing`.text).toBe('nothing');
  expect(String(inner)).toBe('<i>&lt;x&gt;</i>');
});

test.each([
  ['<b>$x$ %{y} 50% ', '&lt;b&gt;&#36;x&#36; &#37;{y} 50%␣'],
  ['%{a}%{b}', '&#37;{a}&#37;{b}'],
  ['\n', '↵'],
])('label: %j is %j for plotly', (text, shown) => {
  expect(label(text)).toBe(shown);
});

test('two texts that stand at one place: one where they are equal, else both with their white space shown', () => {
  expect(eitherText(' a', ' a')).toBe(' a');
  expect(eitherText(' a', ' b ')).toBe('␣a/␣b␣');
});

test('a page without mathematics is what it was, in an element that MathJax leaves alone', () => {
  expect(withoutMathematics('<p>$1$</p>')).toBe('<div class="mathjax_ignore tex2jax_ignore"><p>$1$</p></div>');
});

test('a drawing as an address: the same drawing, and no quotation mark or sign that ends it', () => {
  const address = (svg: string) => pictureAddress(svg).text;
  const svg = '<svg a="1" b="x, y/z:w = 50 %"><text>#</text></svg>';
  expect(address(svg)).toBe(
    "data:image/svg+xml,%3Csvg a='1' b='x, y/z:w = 50 %25'%3E%3Ctext%3E%23%3C/text%3E%3C/svg%3E",
  );
  // Where it has single ones its double ones stay.
  const both = `<svg a="it's"/>`;
  expect(address(both)).toBe("data:image/svg+xml,%3Csvg a=%22it's%22/%3E");
  expect(decodeURIComponent(address(both).slice(19))).toBe(both);
});
