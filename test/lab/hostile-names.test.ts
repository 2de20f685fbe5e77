// Text for people, out of files: whatever names hold, neither a page nor a terminal gets a character that steers. Pictures: hostile-pictures.test.ts.

import { expect, test } from 'vitest';
import { LoupeError, ModelFileError } from '../../engine/errors.js';
import { printable, printableJson, visible } from '../../engine/printable.js';
import { html, label } from '../../lab/values/html.js';
import { ALL, HOSTILE, STEERING } from '../fixtures/hostile.js';

test('an error quotes a name without what steers a terminal', () => {
  for (const name of HOSTILE) {
    expect(new ModelFileError(`There is no '${name}'.`).message).not.toMatch(STEERING);
  }
  expect(new LoupeError('two\n\tlines').message).toBe('two\n\tlines');
  expect(new LoupeError('an \u001b[31m').message).toBe('an ␛[31m');
});

test('text for people: what steers becomes a sign, and what does not stays', () => {
  expect(printable('a\tb\nc\r\nd\r')).toBe('a\tb\nc\nd␍');
  expect(printable('\u001b]0;title\u0007 \u007f \u009b \u202e \u2066 \ud83d!')).toBe(
    '␛]0;title␇ ␡ \ufffd \ufffd \ufffd \ufffd!',
  );
  const innocent = 'naïve 日本語 עברית العربية 👩‍🔬 🏳️‍🌈 ▁x \u00a0 नमस्ते';
  expect([printable(innocent), visible(innocent)]).toEqual([innocent, innocent]);
  expect(visible(' a\n\tb\u200b ')).toBe('␣a↵⇥b·␣');
  expect(label('$x$ <b> %{y} 50 % "q"')).toBe('&#36;x&#36; &lt;b&gt; &#37;{y} 50 % &quot;q&quot;');
  expect(html`<i>${'\u202e<'}</i>`.text).toBe('<i>\ufffd&lt;</i>');
});

test('JSON holds the same values, and nothing that steers', () => {
  const value = { [ALL]: HOSTILE.slice(0, -2), n: [1, null, true] };
  const text = printableJson(value, 1);
  expect(text).not.toMatch(STEERING);
  expect(JSON.parse(text)).toEqual(value);
  expect(printableJson([Number.NaN, 1, Number.POSITIVE_INFINITY])).toBe('["NaN",1,"Infinity"]');
});
