// Bytes that are no UTF-8, and the byte order mark.

import { describe, expect, test } from 'vitest';
import { OptionError } from '../../engine/errors.js';
import { checkUtf8, lineOf, textOf } from '../../engine/utf8.js';

const fault = (what: string) => new OptionError(what);
const bytes = (text: string) => Buffer.from(text, 'latin1');

// Which of them are text was asked of Python's bytes.decode('utf-8').
test.each([
  ['nothing', '', ''],
  ['letters', 'abc', 'abc'],
  ['two, three and four bytes', '\xc3\xbc\xe2\x82\xac\xf0\x9f\x98\x80', 'ü€😀'],
  ['a mark in front', '\xef\xbb\xbfabc', 'abc'],
  ['a mark alone', '\xef\xbb\xbf', ''],
  ['two marks in front: the second is a character', '\xef\xbb\xbf\xef\xbb\xbfa', '\ufeffa'],
  ['a mark within', 'a\xef\xbb\xbf\n\xef\xbb\xbfb', 'a\ufeff\n\ufeffb'],
  ['the character that stands for what cannot be read', 'a\xef\xbf\xbd', 'a\ufffd'],
  ['zeros and line ends', '\0\r\n\x7f\n\n', '\0\r\n\x7f\n\n'],
])('%s is text', (_, given, text) => {
  expect(textOf(bytes(given), fault)).toBe(text);
  expect(() => checkUtf8(bytes(given), fault)).not.toThrow();
});

describe.each([
  ['Latin-1', 'caf\xe9 au lait'],
  ['a byte that goes on nothing', 'a\x80'],
  ['half a character', '\xe2\x82'],
  ['a character in more bytes than it needs', '\xc0\xaf'],
  ['half of a pair', '\xed\xa0\x80'],
  ['beyond the last character', '\xf4\x90\x80\x80'],
  ['bytes that begin nothing', '\xfe\xff'],
])('%s', (_, given) => {
  test.each([
    ['', 1],
    ['\n', 2],
    ['one\r\ntwo\n\n', 4],
    ['\xef\xbb\xbfone\n', 2],
    ['x\n'.repeat(999), 1000],
  ])('behind %j is refused with the line', (before, line) => {
    const sentence = new RegExp(
      `^its line ${line} is not UTF-8( \\(it begins as UTF-16 does\\))?, and what stood there would be another text; save it in UTF-8$`,
    );
    for (const after of ['', '\n', '\nmore', '\n\xff\n']) {
      expect(() => textOf(bytes(before + given + after), fault)).toThrow(OptionError);
      expect(() => textOf(bytes(before + given + after), fault)).toThrow(sentence);
      expect(() => checkUtf8(bytes(before + given + after), fault)).toThrow(sentence);
    }
    expect(() => lineOf(bytes(given), line, fault)).toThrow(sentence);
  });
});

test('UTF-16 is called what it is, where it begins a file', () => {
  const wide = /^its line 1 is not UTF-8 \(it begins as UTF-16 does\), and/;
  const little = Buffer.from('\ufeffThe\nnext', 'utf16le');
  expect(() => textOf(little, fault)).toThrow(wide);
  expect(() => textOf(Buffer.from(little).swap16(), fault)).toThrow(wide);
  expect(() => textOf(Buffer.concat([bytes('a\n'), little]), fault)).toThrow(/^its line 2 is not UTF-8, and/);
  expect(() => textOf(bytes('\xff'), fault)).toThrow(/^its line 1 is not UTF-8, and/);
});

test('a line: a mark in front is left out of the first alone', () => {
  expect(lineOf(bytes('\xef\xbb\xbfa'), 1, fault)).toBe('a');
  expect(lineOf(bytes('\xef\xbb\xbfa'), 2, fault)).toBe('\ufeffa');
});
