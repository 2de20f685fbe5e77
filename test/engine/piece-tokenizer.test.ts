// A tokenizer of a vocabulary by hand: what is taken out of a text, what becomes bytes, what is put together again. What right is, was asked of
// sentencepiece 0.2 and tokenizers 0.23.

import { expect, test } from 'vitest';
import { OptionError, TokenizerError } from '../../engine/errors.js';
import { PieceTokenizer } from '../../engine/tokenizer/piece-tokenizer.js';
import { vocabularyFromJson } from '../../engine/tokenizer/tokenizer-json.js';
import { type PieceKind, PLAIN, type Vocabulary } from '../../engine/tokenizer/vocabulary.js';

const BYTES = Array.from({ length: 256 }, (_, i) => `<0x${i.toString(16).toUpperCase().padStart(2, '0')}>`);
type Piece = readonly [piece: string, score: number, kind?: PieceKind];
const vocabulary = (listed: readonly Piece[], change: Partial<Vocabulary> = {}): Vocabulary => ({
  source: 'sentencepiece',
  pieces: listed.map(([piece]) => piece),
  scores: listed.map(([, score]) => score),
  kinds: listed.map(([, , kind]) => kind ?? 'normal'),
  bosId: 1,
  eosId: 2,
  unkId: 0,
  algorithm: { kind: 'bpe' },
  normalisation: PLAIN,
  byteFallback: true,
  added: null,
  unkSurface: '[?]',
  ...change,
});
const bytes = (): Piece[] => BYTES.map(byte => [byte, 0, 'byte'] as const);

const DECODED: Piece[] = [
  ['<unk>', 0, 'unknown'],
  ['<s>', 0, 'control'],
  ['▁', -1],
  ['▁a', -1],
  ['▁▁a', -1],
  ['a', -1],
  ['b▁', -1],
  ['▁u', 0, 'user'],
  ['z', -1, 'unused'],
  ...bytes(),
];
const [SMALL_A, C3, A9, E2] = [9 + 0x41, 9 + 0xc3, 9 + 0xa9, 9 + 0xe2];
const [KEPT, COLLAPSED, PREFIXED] = [0, 1, 2];
/** Ids, and their text where spaces are kept as they are, where they are collapsed, and where one is put in front. */
test.each<[number[], [string, string, string]]>([
  [
    [3, 3],
    [' a a', 'a a', 'a a'],
  ],
  [
    [2, 3],
    ['  a', 'a', ' a'],
  ],
  [
    [2, 2, 3],
    ['   a', 'a', '  a'],
  ],
  [[4], ['  a', ' a', ' a']],
  [
    [4, 3],
    ['  a a', ' a a', ' a a'],
  ],
  [
    [SMALL_A, 3],
    ['A a', 'A a', 'A a'],
  ],
  [
    [C3, A9, 3],
    ['é a', 'é a', 'é a'],
  ],
  [
    [0, 3],
    ['[?] a', '[?] a', '[?] a'],
  ],
  [
    [1, 3],
    [' a', 'a', 'a'],
  ],
  [
    [1, 2, 3],
    ['  a', 'a', ' a'],
  ],
  [
    [5, 3],
    ['a a', 'a a', 'a a'],
  ],
  [
    [6, 3],
    ['b  a', 'b  a', 'b  a'],
  ],
  [
    [7, 3],
    [' u a', 'u a', 'u a'],
  ],
  [[8], ['z', 'z', 'z']],
  [[2], [' ', '', '']],
  [
    [2, 2],
    ['  ', '', ' '],
  ],
  [[], ['', '', '']],
  [
    [E2, 3],
    ['\ufffd a', '\ufffd a', '\ufffd a'],
  ],
  [
    [0, 0],
    ['[?][?]', '[?][?]', '[?][?]'],
  ],
  [
    [3, 0, 3],
    [' a[?] a', 'a[?] a', 'a[?] a'],
  ],
  [
    [1, 1, 4, 1, 3],
    ['  a a', ' a a', ' a a'],
  ],
])('the ids %j are the texts %j', (ids, texts) => {
  const rules = [{}, { collapseSpaces: true }, { dummyPrefix: true }, { collapseSpaces: true, dummyPrefix: true }];
  const tokenizers = rules.map(
    rule => new PieceTokenizer(vocabulary(DECODED, { normalisation: { ...PLAIN, ...rule } })),
  );
  // With both, as where they are collapsed.
  const want = [texts[KEPT], texts[COLLAPSED], texts[PREFIXED], texts[COLLAPSED]];
  expect(tokenizers.map(one => one.decode(ids))).toEqual(want);
  const streams = tokenizers.map(one => one.stream());
  expect(streams.map(stream => ids.map(id => stream.push(id)).join('') + stream.end())).toEqual(want);
});

test('characters without a piece are their UTF-8 bytes, whatever they are', () => {
  const tokenizer = new PieceTokenizer(vocabulary([['<unk>', 0, 'unknown'], ['a', -1], ...bytes()]));
  for (const text of ['\0', '\x7f', '\x80', 'é', '\u07ff', '\u0800', '▁', '\uffff', '\u{10000}', '👍', '\u{10ffff}']) {
    const want = [...Buffer.from(text)].map(byte => byte + 2);
    expect({ text, ids: tokenizer.encode(`a${text}a`) }).toEqual({ text, ids: [1, ...want, 1] });
    expect(tokenizer.decode(tokenizer.encode(text))).toBe(text);
  }
});

test('where there are no bytes, a run of characters without a piece is one unknown token', () => {
  const pieces: Piece[] = [
    ['a', -1],
    ['<unk>', 0, 'unknown'],
    ['▁', -1],
  ];
  for (const byteFallback of [false, true]) {
    const tokenizer = new PieceTokenizer(vocabulary(pieces, { byteFallback, unkId: 1 }));
    expect(tokenizer.encode('xyaaé👍x a z')).toEqual([1, 0, 0, 1, 2, 0, 2, 1]);
  }
  const some = vocabulary([...pieces, ...bytes().filter(([byte]) => byte !== '<0xA9>')], { unkId: 1 });
  expect(new PieceTokenizer(some).encode('Ãé')).toEqual([3 + 0xc2, 3 + 0x83, 1]);
});

test('pieces are found by their texts, also where a character alone is no piece, and never by being the longest', () => {
  const rare = new PieceTokenizer(
    vocabulary(
      [
        ['<unk>', 0, 'unknown'],
        ['a', -9],
        ['ab', -1],
        ['👍a', -2],
        ['c👍', -1],
      ],
      { byteFallback: false },
    ),
  );
  const found = ['ab', 'aab', '👍a', '👍ab', 'c👍', 'abc👍'].map(text => rare.encode(text));
  expect(found).toEqual([[2], [1, 2], [3], [0, 2], [4], [2, 4]]);
  const named = ['a', 'b', 'c'].map(letter => [letter, -9] as const);
  const common = new PieceTokenizer(
    vocabulary([['<unk>', 0, 'unknown'], ['ab', -2], ['bc', -1], ...named, ['<c>', 0, 'control']]),
  );
  expect(['abc', 'abcab'].map(text => common.encode(text, { special: true }))).toEqual([
    [3, 2],
    [3, 2, 1],
  ]);
});

test('text becomes normal and user pieces, and unused ones on the way; not what stands for something else', () => {
  const named = ['<', 'c', '>', 'u', 'n', 'k'].map(letter => [letter, -9] as const);
  const tokenizer = new PieceTokenizer(
    vocabulary([
      ['<unk>', 0, 'unknown'],
      ['<c>', 0, 'control'],
      ['c>', -1],
      ['un', -1],
      ['k>', -2],
      ['unk>', -3],
      ...named,
      ...bytes(),
    ]),
  );
  expect(tokenizer.encode('<c>')).toEqual([6, 2]);
  expect(tokenizer.encode('<unk>')).toEqual([6, 5]);
  expect(tokenizer.encode('<unk>', { special: true })).toEqual([0]); // as transformers has it
  expect(tokenizer.encode('c<c><c>', { special: true })).toEqual([7, 1, 1]);
  expect(tokenizer.encode('<0x41>')).toEqual([6, 12 + 0x30, 12 + 0x78, 12 + 0x34, 12 + 0x31, 8]);
  expect(['<unk>', '<c>', '<0x00>', 'c>', 'c<'].map(piece => tokenizer.idOf(piece))).toEqual([0, 1, 12, 2, null]);
  expect([0, 1, 2, 12, 999].map(id => tokenizer.isControl(id))).toEqual([false, true, false, false, false]);
});

const ADDED_FILE = {
  added_tokens: [
    { id: 0, content: '<unk>', special: true, normalized: false },
    { id: 1, content: '<s>', special: true, normalized: false },
    { id: 2, content: '</s>', special: true, normalized: false },
    { id: 267, content: '★', special: true, normalized: false },
    { id: 268, content: 'a b', special: false, normalized: true },
    { id: 269, content: '<T>', special: false, normalized: false },
    { id: 270, content: 'b ', special: true, normalized: true },
  ],
  normalizer: { type: 'Replace', pattern: { String: ' ' }, content: '▁' },
  model: {
    type: 'BPE',
    unk_token: '<unk>',
    byte_fallback: true,
    vocab: Object.fromEntries(
      ['<unk>', '<s>', '</s>', '<', 's', '>', 's>', '▁', 'a', '▁a', 'b', ...BYTES].map((piece, id) => [piece, id]),
    ),
    merges: [
      ['s', '>'],
      ['<', 's>'],
      ['▁', 'a'],
    ],
  },
};
const ofJson = (file: object) =>
  new PieceTokenizer(vocabularyFromJson(new TextEncoder().encode(JSON.stringify(file)), 'T'), 'T');

/** Ids with special tokens found, and (`encode_special_tokens` of tokenizers) with these as text; then their texts. */
test.each<[string, number[], string, number[], string]>([
  ['<s>', [1], '', [1], ''], // which a merge makes too
  ['a<s> a', [8, 1, 9], 'a a', [8, 1, 9], 'a a'],
  ['★', [267], '', [237, 163, 144], '★'],
  ['a★', [8, 267], 'a', [8, 237, 163, 144], 'a★'],
  ['a b', [268], 'a b', [268], 'a b'],
  ['aa bb', [8, 268, 10], 'aa bb', [8, 268, 10], 'aa bb'],
  ['<T>', [269], '<T>', [269], '<T>'],
  ['a<T>', [8, 269], 'a<T>', [8, 269], 'a<T>'],
  ['b b', [270, 10], 'b b', [10, 7, 10], 'b b'],
  ['<unk>', [0], '', [3, 128, 121, 118, 5], '<unk>'],
  ['</s>', [2], '', [3, 58, 6], '</s>'],
  ['b a', [270, 8], 'b a', [10, 9], 'b a'],
  ['é★', [206, 180, 267], 'é', [206, 180, 237, 163, 144], 'é★'],
])('added tokens in %j', (text, special, back, plain, plainBack) => {
  const tokenizer = ofJson(ADDED_FILE);
  expect([tokenizer.encode(text, { special: true }), tokenizer.decode(special)]).toEqual([special, back]);
  expect([tokenizer.encode(text), tokenizer.decode(plain)]).toEqual([plain, plainBack]);
});

test('what added tokens are called', () => {
  const tokenizer = ofJson(ADDED_FILE);
  expect(['★', 'a b', '<T>', 'b ', 'b', '<s>', 's>'].map(piece => tokenizer.idOf(piece))).toEqual([
    267, 268, 269, 270, 10, 1, 6,
  ]);
  expect([267, 268, 269, 270].map(id => tokenizer.piece(id))).toEqual(['★', 'a▁b', '<T>', 'b▁']);
  expect([267, 268, 269, 270, 1].map(id => tokenizer.isControl(id))).toEqual([true, false, false, false, true]);
});

test('a merge that makes no piece is refused when it is needed', () => {
  const { model } = ADDED_FILE;
  const tokenizer = ofJson({ ...ADDED_FILE, model: { ...model, merges: [['a', '<']] } });
  expect(tokenizer.encode('ab')).toEqual([8, 10]);
  expect(() => tokenizer.encode('a<')).toThrow(
    new TokenizerError("T makes 'a<' by a merge, and has no such piece. Fetch it again."),
  );
});

test('a fault names the file, or the vocabulary where none is named', () => {
  const broken = vocabulary([['<unk>', 0, 'unknown']], { normalisation: { ...PLAIN, charsmap: new Uint8Array(3) } });
  expect(() => new PieceTokenizer(broken)).toThrow(/^The vocabulary has a table of character replacements/);
  expect(() => new PieceTokenizer(broken, 'F')).toThrow(/^F has a table of character replacements/);
});

test('bos comes once, and in front', () => {
  const tokenizer = ofJson(ADDED_FILE);
  const encode = (text: string, options: object) => tokenizer.encode(text, options);
  expect(encode('a', {})).toEqual([8]);
  expect(encode('a', { bos: true })).toEqual([1, 8]);
  expect(encode('', { bos: true })).toEqual([1]);
  expect(encode('<s>a', { bos: true, special: true })).toEqual([1, 8]);
  expect(encode('a<s>', { bos: true, special: true })).toEqual([1, 8, 1]);
});

test('a tokenizer says what it is, and ids and texts that are none are refused', () => {
  const pieces: Piece[] = [['<unk>', 0, 'unknown'], ['', 0, 'unused'], ['a', -1], ...bytes()];
  const tokenizer = new PieceTokenizer(vocabulary(pieces, { eosId: 7, notices: ['Something.'], source: 'gguf' }));
  const { size, bosId, eosId, unkId, source, notices } = tokenizer;
  expect([size, bosId, eosId, unkId, source, notices]).toEqual([259, 1, 7, 0, 'gguf', ['Something.']]);
  expect(new PieceTokenizer(vocabulary(pieces)).notices).toEqual([]);
  expect([0, 1, 2, 258, 259].map(id => tokenizer.has(id))).toEqual([true, false, true, true, false]);
  expect([0, 1, 2, 3, 259].map(id => tokenizer.piece(id))).toEqual(['<unk>', '#1', 'a', '<0x00>', '#259']);
  expect(tokenizer.decode([1, 2, 259, 2])).toBe('aa');
  expect(tokenizer.idOf('')).toBeNull();
  for (const id of [-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY]) {
    const message = new TokenizerError(`${id} is no token id; these are whole numbers from 0 to 258.`);
    expect(() => tokenizer.has(id)).toThrow(message);
    expect(() => tokenizer.piece(id)).toThrow(message);
    expect(() => tokenizer.isControl(id)).toThrow(message);
    expect(() => tokenizer.decode([id])).toThrow(message);
  }
  for (const [given, told] of [
    [null, 'null'],
    [undefined, 'undefined'],
    [7, '7'],
    [['a'], 'a list'],
  ] as const) {
    expect(() => tokenizer.encode(given as unknown as string)).toThrow(
      new TokenizerError(`Only a text can be encoded, not ${told}. Give a string.`),
    );
  }
  for (const [given, message] of [
    [{ special: 'no' }, "special of encode is true or false, not 'no'."],
    [{ bos: 1 }, 'bos of encode is true or false, not 1.'],
    [{ bos: null }, 'bos of encode is true or false, not null.'],
    [{ specal: true }, "encode has no option 'specal'. There are bos, special."],
    [true, 'The options of encode are an object, such as { bos: true }, not a boolean.'],
    [null, 'The options of encode are an object, such as { bos: true }, not null.'],
  ] as const)
    expect(() => tokenizer.encode('a', given as never)).toThrow(new OptionError(message));
  expect(tokenizer.encode('a', { bos: undefined })).toEqual(tokenizer.encode('a'));
});
