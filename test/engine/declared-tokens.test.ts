// Which ids added tokens get, what is refused of them, and the texts that templates may name.

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ConfigError, TokenizerError } from '../../engine/errors.js';
import { type DeclaredToken, declared, named, placed, putInto } from '../../engine/tokenizer/declared-tokens.js';
import { specialTokensIn, tokensBeside } from '../../engine/tokenizer/tokens-beside.js';
import type { PieceKind } from '../../engine/tokenizer/vocabulary.js';
import { freshFolder } from '../fixtures/folder.js';

const FLAGS = { special: false, lstrip: false, rstrip: false, singleWord: false, normalized: false };
const token = (content: string, id: number | null, flags: Partial<DeclaredToken> = {}): DeclaredToken => ({
  ...FLAGS,
  content,
  id,
  ...flags,
});

test('an entry of a list, with the flags that AddedToken has by default', () => {
  expect(declared({ id: 5, content: 'a' }, 10, 'f')).toEqual({ ...FLAGS, id: 5, content: 'a', normalized: true });
  expect(declared({ id: 5, content: 'a', special: true }, 10, 'f')).toEqual({
    ...FLAGS,
    id: 5,
    content: 'a',
    special: true,
  });
  const flags = { special: true, single_word: true, lstrip: true, rstrip: true, normalized: true };
  expect(declared({ id: 5, content: 'a', ...flags }, 10, 'f')).toEqual({
    id: 5,
    content: 'a',
    special: true,
    singleWord: true,
    lstrip: true,
    rstrip: true,
    normalized: true,
  });
  expect(declared({ content: 'a', normalized: false }, 10, 'f', 7)).toMatchObject({ id: 7, normalized: false });
  expect(declared({ id: 5, content: 'a' }, 10, 'f', 7).id).toBe(7); // where it stands says more
  expect(named('a')).toEqual({ ...FLAGS, id: null, content: 'a', special: true });
});

test('entries that are none are refused, by file and token', () => {
  const most = 10 + 65536;
  expect(declared({ id: most, content: 'a' }, 10, 'f').id).toBe(most);
  expect(declared({ id: 0, content: 'a' }, 10, 'f').id).toBe(0);
  const form = "among its added tokens, where an object with a text under 'content' is expected. Fetch it again.";
  const refused: [unknown, string][] = [
    ['<T>', `f has "<T>" ${form}`],
    [null, `f has null ${form}`],
    [undefined, `f has undefined ${form}`],
    [{ id: 5 }, `f has {"id":5} ${form}`],
    [{ id: 5, content: '' }, `f has {"id":5,"content":""} ${form}`],
    [{ id: 5, content: 7 }, `f has {"id":5,"content":7} ${form}`],
    [{ id: 5, other: 'x'.repeat(90) }, `f has {"id":5,"other":"${'x'.repeat(63)} ${form}`],
    [{ content: 'a' }, "f gives the added token 'a' the id undefined. Fetch it again."],
    [{ content: 'a', id: '5' }, "f gives the added token 'a' the id 5. Fetch it again."],
    [{ content: 'a', id: 1.5 }, "f gives the added token 'a' the id 1.5. Fetch it again."],
    [{ content: 'a', id: -1 }, "f gives the added token 'a' the id -1. Fetch it again."],
    [{ content: 'a', id: most + 1 }, `f gives the added token 'a' the id ${most + 1}. Fetch it again.`],
    [
      { content: 'a', id: 5, special: 1 },
      "f gives the added token 'a' special = 1, and true or false is expected. Mend the file.",
    ],
    [
      { content: 'a', id: 5, single_word: 'no' },
      'f gives the added token \'a\' single_word = "no", and true or false is expected. Mend the file.',
    ],
    [
      { content: 'a', id: 5, normalized: null },
      "f gives the added token 'a' normalized = null, and true or false is expected. Mend the file.",
    ],
  ];
  for (const [value, message] of refused) {
    let error: unknown;
    try {
      declared(value, 10, 'f');
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(TokenizerError);
    expect((error as Error).message).toBe(message);
  }
});

/** Ids by content, and what is said. */
function ids(tokens: readonly DeclaredToken[], pieces: readonly (string | undefined)[], rows?: number) {
  const { added, foreign, notices } = placed(tokens, pieces, 'f', rows);
  return { ids: Object.fromEntries(added.map(({ content, id }) => [content, id])), foreign: [...foreign], notices };
}
const moved = (what: string, n = 1) =>
  `f gives ${n} added token${n === 1 ? '' : 's'} other ids than the vocabulary leaves free, and transformers' are taken: ${what}.`;

// What `tokenizers` gives: Tokenizer(BPE(vocab)).add_tokens(...), and token_to_id.
test('a token that is a piece keeps its id, and others get the next that are free', () => {
  const pieces = ['a', 'b', 'c'];
  expect(ids([token('b', 1), token('x', 3), token('y', 4)], pieces)).toEqual({
    ids: { b: 1, x: 3, y: 4 },
    foreign: [3, 4],
    notices: [],
  });
  expect(ids([token('x', null), token('y', null)], pieces)).toEqual({
    ids: { x: 3, y: 4 },
    foreign: [3, 4],
    notices: [],
  });
  expect(ids([token('x', 7)], pieces)).toEqual({ ids: { x: 3 }, foreign: [3], notices: [moved("'x' is 3, not 7")] });
  expect(ids([token('b', 2)], pieces).notices).toEqual([moved("'b' is 1, not 2")]);
  expect(ids([token('p', 1), token('q', 1), token('r', 1)], pieces).notices).toEqual([
    moved("'p' is 3, not 1, 'q' is 4, not 1, 'r' is 5, not 1", 3),
  ]);
  expect(ids([token('p', 1), token('q', 1), token('r', 1), token('s', 1)], pieces).notices).toEqual([
    moved("'p' is 3, not 1, 'q' is 4, not 1, 'r' is 5, not 1 …", 4),
  ]);
  // An id beyond the pieces, as holes bring about: free is what comes after it.
  expect(ids([token('d', 5), token('x', 6)], ['a', 'b', 'c', '', undefined, 'd'])).toEqual({
    ids: { d: 5, x: 6 },
    foreign: [6],
    notices: [],
  });
  // Holes are not counted, so that a free id may be another piece's.
  expect(ids([token('x', null)], ['a', '', 'c', undefined, 'd']).ids).toEqual({ x: 3 });
  expect(ids([], pieces)).toEqual({ ids: {}, foreign: [], notices: [] });
  expect(ids([token('x', null)], [undefined, '']).ids).toEqual({ x: 0 });
});

test('a token listed again has the later flags, and is special once and for all', () => {
  const twice = (one: Partial<DeclaredToken>, other: Partial<DeclaredToken>) =>
    placed([token('x', 3, one), token('x', 4, other)], ['a', 'b', 'c'], 'f').added;
  expect(twice({ special: true, lstrip: true }, { rstrip: true })).toEqual([
    { ...FLAGS, content: 'x', id: 3, special: true, rstrip: true },
  ]);
  expect(twice({}, { special: true })).toEqual([{ ...FLAGS, content: 'x', id: 3, special: true }]);
  expect(twice({}, {})).toEqual([{ ...FLAGS, content: 'x', id: 3 }]);
});

test('where the model has no row for the next id: the file’s own, or none for a default', () => {
  const pieces = ['a', 'b', 'c'];
  expect(ids([token('x', 1)], pieces, 3)).toEqual({ ids: { x: 1 }, foreign: [1], notices: [] });
  expect(ids([token('x', 3)], pieces, 3).ids).toEqual({ x: 3 }); // the file's has no row either
  expect(ids([token('x', 4)], pieces, 3)).toEqual({ ids: { x: 3 }, foreign: [3], notices: [moved("'x' is 3, not 4")] });
  expect(ids([token('x', null)], pieces, 3).ids).toEqual({ x: 3 });
  expect(ids([token('x', null, { assumed: true })], pieces, 3)).toEqual({ ids: {}, foreign: [], notices: [] });
  expect(ids([token('x', null, { assumed: true })], pieces, 4).ids).toEqual({ x: 3 });
  expect(ids([token('b', null, { assumed: true })], pieces, 3).ids).toEqual({ b: 1 });
  // One that is a piece without a row keeps its id, and is not what comes next after.
  expect(ids([token('c', 0)], pieces, 2)).toEqual({ ids: { c: 2 }, foreign: [], notices: [moved("'c' is 2, not 0")] });
  expect(ids([token('e', null), token('x', null)], ['a', 'b', '', '', '', 'e'], 4).ids).toEqual({ e: 5, x: 3 });
  expect(ids([token('e', null), token('x', null)], ['a', 'b', '', '', '', 'e'], 6).ids).toEqual({ e: 5, x: 6 });
  expect(ids([token('x', null), token('y', null)], pieces, 3).ids).toEqual({ x: 3, y: 4 });
  expect(ids([token('x', 1), token('y', null)], pieces, 3).ids).toEqual({ x: 1, y: 3 });
});

test('a piece that is there twice is refused', () => {
  expect(() => placed([], ['a', 'b', 'a'], 'f')).toThrow(
    new TokenizerError("f has the piece 'a' twice, with the ids 0 and 2. Fetch it again."),
  );
  expect(() => placed([], ['a', '', '', undefined, undefined], 'f')).not.toThrow();
});

test('tokens are written into the pieces, and a piece whose id one has stays', () => {
  const pieces = ['a', 'b', 'c', '<0x41>'];
  const kinds: PieceKind[] = ['normal', 'normal', 'unknown', 'byte'];
  const at = (content: string, id: number, special = false) => ({ ...FLAGS, content, id, special });
  putInto(pieces, kinds, [at('b', 1), at('x', 0), at('<0x41>', 3), at('y', 6, true), at('z', 7)], new Set([0, 6, 7]));
  expect(pieces).toEqual(['a', 'b', 'c', '<0x41>', '', '', 'y', 'z']);
  expect(kinds).toEqual(['normal', 'user', 'unknown', 'byte', 'unused', 'unused', 'control', 'user']);
  putInto(pieces, kinds, [at('<0x41>', 3, true), at('w', 4)], new Set([4]));
  expect([pieces[4], kinds[3], kinds[4]]).toEqual(['w', 'control', 'user']);
});

const home = freshFolder();
let number = 0;
/** A folder with these small files. */
function beside(files: Readonly<Record<string, unknown>>): string {
  const folder = join(home, String(number++));
  mkdirSync(folder);
  for (const [name, content] of Object.entries(files)) {
    writeFileSync(join(folder, name), typeof content === 'string' ? content : JSON.stringify(content));
  }
  return folder;
}
const GEMMA = { bos_token: '<bos>', eos_token: '<eos>', unk_token: '<unk>', pad_token: '<pad>', mask_token: '<mask>' };

test('what a template may name: Gemma’s tokens, and what the small files say', () => {
  expect(specialTokensIn(beside({}))).toEqual(GEMMA);
  const config = {
    bos_token: '<s>',
    eos_token: { content: '<end>', lstrip: false },
    pad_token: null,
    sep_token: '',
    image_token: '<img>',
    image_token_id: 5,
    cls_token: 7,
    unk_token: ['<u>'],
    token: 'x',
    tokens: 'x',
    additional_special_tokens: ['<a>'],
    extra_special_tokens: ['<b>'],
  };
  const { unk_token: _, pad_token: none, ...rest } = GEMMA; // null is none, as in transformers
  expect(none).toBe('<pad>');
  expect(specialTokensIn(beside({ 'tokenizer_config.json': config }))).toEqual({
    ...rest,
    bos_token: '<s>',
    eos_token: '<end>',
    image_token: '<img>',
  });
  const map = { 'special_tokens_map.json': { bos_token: '<m>', cls_token: '<c>' } };
  expect(specialTokensIn(beside({ ...map, 'tokenizer_config.json': { bos_token: '<s>' } }))).toEqual({
    ...GEMMA,
    bos_token: '<m>',
    cls_token: '<c>',
  });
  const listed = { bos_token: '<s>', added_tokens_decoder: { 5: { content: '<s>' } } };
  expect(specialTokensIn(beside({ ...map, 'tokenizer_config.json': listed }))).toEqual({ ...GEMMA, bos_token: '<s>' });
  // A class that is not Gemma's names nothing of itself, where it has a tokenizer.json to read.
  for (const tokenizer_class of ['PreTrainedTokenizerFast', 'TokenizersBackend']) {
    const small = { 'tokenizer_config.json': { tokenizer_class, eos_token: '</s>' } };
    expect(specialTokensIn(beside({ ...small, 'tokenizer.json': {} }))).toEqual({ eos_token: '</s>' });
    expect(specialTokensIn(beside(small))).toEqual({ ...GEMMA, eos_token: '</s>' });
  }
  // A file that is none says so when the vocabulary is opened.
  expect(specialTokensIn(beside({ 'tokenizer_config.json': '{' }))).toEqual(GEMMA);
  expect(() => tokensBeside(beside({ 'tokenizer_config.json': '{' }), 9)).toThrow(ConfigError);
});

/** Tokens in the order in which they are added: content, id, and flags that are set. */
const all = (files: Readonly<Record<string, unknown>>, listed: readonly DeclaredToken[] = []) =>
  tokensBeside(beside(files), 9)
    .all(listed)
    .map(({ content, id, assumed, ...flags }) => {
      const set = Object.entries(flags).filter(([, value]) => value === true);
      return [content, id, ...set.map(([key]) => key), ...(assumed ? ['assumed'] : [])].join(' ');
    });
const ASSUMED = ['<bos>', '<eos>', '<unk>', '<pad>', '<mask>'].map(text => `${text}  special assumed`);

// As transformers' _from_pretrained puts them together for GemmaTokenizer.
test('tokens of the small files, in the order in which transformers adds them', () => {
  expect(all({})).toEqual(ASSUMED);
  expect(tokensBeside(beside({}), 9).rows).toBe(9);
  // By id, whatever the order of the file, and special where another file names it.
  const decoder = { 7: { content: 'b' }, 6: { content: 'a', lstrip: true }, 8: { content: '<eos>' } };
  const config = {
    added_tokens_decoder: decoder,
    image_token: 'b',
    extra_special_tokens: ['x', '', { content: 'a' }, 5],
  };
  const [bos, eos, ...rest] = ASSUMED;
  expect(all({ 'tokenizer_config.json': config }, [token('listed', 1)])).toEqual([
    'a 6 lstrip normalized',
    'b 7 special normalized',
    '<eos> 8 special normalized',
    bos,
    ...rest,
    'x  special',
  ]);
  // Without a list there, tokenizer.json's and added_tokens.json's.
  expect(all({ 'added_tokens.json': { z: 5, y: 3, w: 0 } }, [token('listed', 4), token('over', 5)])).toEqual([
    'w 0 normalized',
    'y 3 normalized',
    'listed 4',
    'over 5',
    ...ASSUMED,
  ]);
  // What else names one of added_tokens.json makes it special, and then as it stands.
  const legacy = { 'added_tokens.json': { a: 1, b: 2, c: 3, d: 4, e: 5 } };
  const names = { sep_token: 'a', additional_special_tokens: ['b'] };
  const map = { cls_token: { content: 'c' }, extra_special_tokens: ['d'], additional_special_tokens: ['e'] };
  expect(all({ ...legacy, 'tokenizer_config.json': names, 'special_tokens_map.json': map })).toEqual([
    'a 1 special',
    'b 2 special',
    'c 3 special',
    'd 4 special',
    'e 5 normalized',
    ...ASSUMED,
  ]);
  expect(
    all({ ...legacy, 'tokenizer_config.json': { extra_special_tokens: ['e'], additional_special_tokens: ['b'] } })[4],
  ).toBe('e 5 special');
  // Named ones in transformers' order, then others by name, then the lists.
  const many = {
    zz_token: 'zz',
    aa_token: { content: 'aa', rstrip: true, special: false },
    mask_token: 'm',
    cls_token: 'c',
    bos_token: { content: 'b', single_word: true },
    extra_special_tokens: ['e', { content: 'f', lstrip: true, normalized: true, special: false }, 'zz', 'e'],
    added_tokens_decoder: null,
  };
  expect(all({ 'tokenizer_config.json': many })).toEqual([
    'b  special singleWord normalized',
    '<eos>  special assumed',
    '<unk>  special assumed',
    '<pad>  special assumed',
    'c  special',
    'm  special',
    'zz  special',
    'aa  special rstrip normalized',
    'e  special',
    'f  lstrip normalized',
  ]);
  // Names in a mapping are names.
  expect(all({ 'tokenizer_config.json': { extra_special_tokens: { sep: 's', eos_token: 'E' } } })).toEqual([
    bos,
    'E  special',
    ...rest,
    's  special',
  ]);
  expect(eos).toBe('<eos>  special assumed');
});

test('added_tokens.json that says nonsense', () => {
  for (const [id, text] of [
    ['x', '"x"'],
    [1.5, '1.5'],
    [-1, '-1'],
    [1 << 24, '16777216'],
    [null, 'null'],
  ] as const) {
    const folder = beside({ 'added_tokens.json': { T: id } });
    expect(() => tokensBeside(folder, 9).all([])).toThrow(
      new TokenizerError(`${join(folder, 'added_tokens.json')} gives 'T' the id ${text}. Mend the file.`),
    );
  }
  expect(() => all({ 'added_tokens.json': { '': 5 } })).toThrow(/gives '' the id 5/);
  expect(all({ 'added_tokens.json': { T: (1 << 24) - 1, U: 0 } }).slice(0, 2)).toEqual([
    'U 0 normalized',
    'T 16777215 normalized',
  ]);
});
