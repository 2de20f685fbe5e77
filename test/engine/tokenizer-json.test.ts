// tokenizer.json: what is read of it, what is refused and how.

import { expect, test } from 'vitest';
import { TokenizerError } from '../../engine/errors.js';
import { PieceTokenizer } from '../../engine/tokenizer/piece-tokenizer.js';
import { vocabularyFromJson } from '../../engine/tokenizer/tokenizer-json.js';
import { vocabularies } from '../fixtures/vocabularies.js';

const piece = (id: number, content: string) => ({ id, content, special: true, normalized: false });
const BYTES = Array.from({ length: 256 }, (_, i) => `<0x${i.toString(16).toUpperCase().padStart(2, '0')}>`);
const WORDS = ['<unk>', '<s>', '</s>', '▁', 'a', 'b', 'ab', '▁ab', '"', '\\', '"\\', '\n', '▁a', 'abb'].concat(
  ...['<0xc4>', 'vocab', 'merges', 'c'],
);
const numbered = (pieces: readonly string[]) => Object.fromEntries(pieces.map((one, id) => [one, id]));
const VOCAB = numbered([...WORDS, ...BYTES]);
const MERGES = ['a b', '▁ ab', '" \\', '▁ a', 'ab b'].map(pair => pair.split(' '));
const PREPEND = { type: 'Prepend', prepend: '▁' };
const REPLACE = { type: 'Replace', pattern: { String: ' ' }, content: '▁' };
const SPLIT = { type: 'Split', pattern: { String: ' ' }, behavior: 'MergedWithPrevious', invert: false };
const SPACES = { type: 'Replace', pattern: { String: '▁' }, content: ' ' };
const [BYTEWISE, FUSE] = [{ type: 'ByteFallback' }, { type: 'Fuse' }];
const strip = (start = 1, stop = 0) => ({ type: 'Strip', content: ' ', start, stop });
const decoder = (...decoders: unknown[]) => ({ type: 'Sequence', decoders });
const CTC = { type: 'CTC', pad_token: '<pad>', word_delimiter_token: '|', cleanup: true };
const METASPACE = { type: 'Metaspace', replacement: '▁', prepend_scheme: 'never', split: false };

/** A small file, and what is changed in it and in its model. */
const file = (change: object = {}, model: object = {}) => ({
  version: '1.0',
  added_tokens: [piece(0, '<unk>'), piece(1, '<s>'), piece(2, '</s>')],
  normalizer: REPLACE,
  pre_tokenizer: null,
  decoder: decoder(SPACES, BYTEWISE, FUSE),
  ...change,
  model: {
    type: 'BPE',
    unk_token: '<unk>',
    byte_fallback: true,
    fuse_unk: true,
    vocab: VOCAB,
    merges: MERGES,
    ...model,
  },
});
const read = (content: unknown) =>
  vocabularyFromJson(new TextEncoder().encode(typeof content === 'string' ? content : JSON.stringify(content)), 'T');
const encoder = (content: unknown) => {
  const tokenizer = new PieceTokenizer(read(content), 'T');
  return (text: string) => tokenizer.encode(text, { special: true });
};

/** Of tokenizers 0.23. */
const GEMMA: [string, number[]][] = [
  ['ab ab', [6, 7]],
  ['abb', [13]],
  ['a"\\b', [4, 10, 5]],
  ['\n', [11]],
  ['é', [213, 187]],
  [' ab', [7]],
  ['ab</s> ab', [6, 2, 7]],
  ['', []],
];
const text = JSON.stringify(file());
const escaped = (c: string) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`;
test.each<[string, unknown, [string, number[]][]]>([
  [
    'as Gemma has it',
    file(),
    [
      ...GEMMA,
      ['vocab', [136, 129, 17, 6]],
      ['<0xc4>', [78, 66, 138, 17, 70, 80]],
      ['<0x61>', [78, 66, 138, 72, 67, 80]],
      ['👍z', [258, 177, 163, 159, 140]],
    ],
  ],
  [
    'with white space everywhere',
    JSON.stringify(file(), null, '\t ').replaceAll('\n', '\r\n').replaceAll(':', ' \n\t\r:'),
    GEMMA,
  ],
  [
    'with escapes in its pieces',
    text.replace(/(?<=")▁?(ab?b?|b)(?=")/g, word => word.replace(/[ab▁]/g, escaped)),
    GEMMA,
  ],
  [
    'with a piece that begins with a byte order mark and has an escape behind it',
    JSON.stringify(
      file(
        {},
        {
          vocab: { ...VOCAB, '\ufeff': 300, '\ufeffa': 301, '\ufeffab': 302 },
          merges: [
            ['\ufeff', 'a'],
            ['\ufeffa', 'b'],
          ],
        },
      ),
    ).replaceAll('\ufeffa"', '\ufeff\\u0061"'),
    [
      ['\ufeffab', [302]],
      ['a\ufeffab\ufeff', [4, 302, 300]],
    ],
  ],
  ['with merges of the older form', file({}, { merges: MERGES.map(pair => pair.join(' ')) }), GEMMA],
  [
    'with merges before the vocabulary',
    { ...file(), model: Object.fromEntries(Object.entries(file().model).reverse()) },
    GEMMA,
  ],
  [
    'with a space in front',
    file({ normalizer: { type: 'Sequence', normalizers: [PREPEND, REPLACE] } }),
    [
      ['ab ab', [7, 7]],
      ['abb', [7, 5]],
      ['é', [3, 213, 187]],
      [' ab', [3, 7]],
      ['ab</s> ab', [7, 2, 3, 7]],
      ['', []],
    ],
  ],
  ['with Metaspace', file({ normalizer: null, pre_tokenizer: METASPACE }), GEMMA],
  ['that cuts at spaces where none are', file({ pre_tokenizer: SPLIT }), GEMMA],
  [
    'with steps in a sequence',
    file({ normalizer: null, pre_tokenizer: { type: 'Sequence', pretokenizers: [METASPACE, SPLIT] } }),
    GEMMA,
  ],
  ['that says nothing of cutting', file({ pre_tokenizer: undefined }), GEMMA],
  ['that has a piece twice with the same id', text.replace('"vocab":{', '"vocab":{"a":4,'), GEMMA],
  [
    'with merges of the first piece and of the last',
    file(
      { added_tokens: [] },
      {
        vocab: numbered(['a', '<unk>', 'ab', 'abc', ...BYTES, 'c', 'b']),
        merges: [
          ['a', 'b'],
          ['ab', 'c'],
        ],
      },
    ),
    [
      ['abc', [3]],
      ['abb', [2, 261]],
      ['aba', [2, 0]],
    ],
  ],
  ['whose model says no kind', file({}, { type: undefined }), GEMMA],
  [
    'with empty words for what is not done',
    file({}, { dropout: 0, continuing_subword_prefix: '', end_of_word_suffix: null, ignore_merges: false }),
    GEMMA,
  ],
  [
    'without bytes',
    file({}, { vocab: numbered(WORDS) }),
    [
      ['zz', [0]],
      ['é', [0]],
      ['zaéz', [0, 4, 0]],
      ['z</s>z', [0, 2, 0]],
    ],
  ],
  [
    'that lists a merge twice: the later place counts',
    file({}, { merges: [...MERGES, ['a', 'b']] }),
    [
      ['ab ab', [6, 12, 5]],
      ['abb', [13]],
    ],
  ],
  ['with ids that are left out', file({}, { vocab: { ...VOCAB, d: 300 } }), [['abd', [6, 300]]]],
  ['without an unknown token', file({ added_tokens: [] }, { unk_token: null }), [['abz', [6, 140]]]],
  [
    'with many merges',
    file({}, { merges: [...Array.from({ length: 33_000 }, () => ['a', 'b']), ['ab', 'b'], ['▁', 'a']] }),
    [
      ['abb', [13]],
      [' a', [12]],
    ],
  ],
])('a tokenizer.json %s', (_, content, cases) => {
  const encode = encoder(content);
  for (const [given, ids] of cases) expect({ given, ids: encode(given) }).toEqual({ given, ids });
});

test('merges are those of the file, in its order, in a vocabulary of thousands', () => {
  const words = Array.from({ length: 3000 }, (_, i) => `${(i * 7919).toString(36)}é`);
  const pairs = words.map((word, i) => [word, words[(i * 13) % 3000]]);
  const { algorithm } = read(file({}, { vocab: numbered([...WORDS, ...BYTES, ...words]), merges: pairs }));
  expect(algorithm.kind).toBe('merges');
  const { left, right } = (algorithm as { merges: { left: Int32Array; right: Int32Array } }).merges;
  const first = WORDS.length + 256;
  expect(Array.from(left)).toEqual(words.map((_, i) => first + i));
  expect(Array.from(right)).toEqual(words.map((_, i) => first + ((i * 13) % 3000)));
});

/** What is thrown when it is read. */
const faultOf = (content: unknown): unknown => {
  try {
    read(content);
  } catch (error) {
    return error;
  }
  return 'nothing';
};

test('what a tokenizer.json says of its tokens', () => {
  const one = read(
    file({ normalizer: { type: 'Sequence', normalizers: [PREPEND, REPLACE] } }, { vocab: { ...VOCAB, d: 300 } }),
  );
  expect([one.source, one.bosId, one.eosId, one.unkId, one.unkSurface, one.byteFallback]).toEqual([
    'tokenizer.json',
    1,
    2,
    0,
    '<unk>',
    true,
  ]);
  expect(one.pieces).toHaveLength(301);
  expect([one.pieces[299], one.kinds[299], one.pieces[300], one.kinds[300]]).toEqual(['', 'unused', 'd', 'normal']);
  expect([0, 1, 4, 14, 18, 273].map(id => one.kinds[id])).toEqual([
    'control',
    'control',
    'normal',
    'normal',
    'byte',
    'byte',
  ]);
  expect(one.normalisation).toEqual({
    charsmap: null,
    dummyPrefix: true,
    collapseSpaces: false,
    escapeSpaces: true,
    spaceAsSuffix: false,
  });
  expect(Array.from(one.scores)).toEqual(Array.from({ length: 301 }, () => 0));
  expect([one.added!.map(({ content }) => content), one.foreign, one.notices]).toEqual([
    ['<unk>', '<s>', '</s>'],
    new Set(),
    [],
  ]);
  const unlisted = read(file({ added_tokens: undefined }));
  expect([unlisted.kinds[0], unlisted.kinds[1], unlisted.normalisation.dummyPrefix]).toEqual([
    'unknown',
    'normal',
    false,
  ]);
  // Gemma's names before Llama's; and where there are neither, the ids that SentencePiece gives them.
  const gemma = read(file({}, { vocab: { ...VOCAB, '<bos>': 274, '<eos>': 275 } }));
  expect([gemma.bosId, gemma.eosId]).toEqual([274, 275]);
  const { '<s>': _, '</s>': __, '<unk>': ___, ...rest } = VOCAB;
  const neither = read(file({ added_tokens: [] }, { vocab: rest, unk_token: undefined }));
  expect([neither.bosId, neither.eosId, neither.unkId, neither.unkSurface]).toEqual([2, 1, 3, '']);
});

test.each<[string, unknown, string]>([
  ['no model', { a: 1 }, "T is no tokenizer.json: it is not JSON with a 'model' in it. Fetch it again."],
  ['a list', '[]', "T is no tokenizer.json: it is not JSON with a 'model' in it. Fetch it again."],
  ['null', 'null', "T is no tokenizer.json: it is not JSON with a 'model' in it. Fetch it again."],
  ['a number', '7', "T is no tokenizer.json: it is not JSON with a 'model' in it. Fetch it again."],
  [
    'half of a file',
    '{"model":',
    'T is no tokenizer.json: it is not JSON (Unexpected end of JSON input). Fetch it again.',
  ],
  ['no vocabulary', file({}, { vocab: undefined }), "T has no vocabulary under 'model'. Fetch it again."],
  ['no merges', file({}, { merges: undefined }), "T has no merges under 'model'. Fetch it again."],
  [
    'no kind and no merges',
    file({}, { type: undefined, merges: undefined }),
    'T is of the kind undefined, which no Gemma tokenizer does. Give the tokenizer.json or tokenizer.model that came with the model.',
  ],
  ['another kind', file({}, { type: 'Unigram' }), 'T is of the kind Unigram, which no'],
  ['a model that is no object', { model: 3 }, 'T is of the kind undefined, which no'],
  [
    'a prefix for what continues a word',
    file({}, { continuing_subword_prefix: '##' }),
    'T has continuing_subword_prefix = "##", which no',
  ],
  [
    'a suffix for what ends a word',
    file({}, { end_of_word_suffix: '</w>' }),
    'T has end_of_word_suffix = "</w>", which no',
  ],
  ['words that no merge makes', file({}, { ignore_merges: true }), 'T ignores its merges, which no'],
  [
    'some bytes',
    file({}, { vocab: numbered([...WORDS, ...BYTES.slice(1)]) }),
    'T has 255 of the 256 bytes to fall back on, which no',
  ],
  [
    'bytes in small letters',
    file(
      {},
      { vocab: numbered([...WORDS, ...BYTES.map(byte => byte.toLowerCase().replace('<0x', '<0X'))]), fuse_unk: false },
    ),
    'T has no bytes to fall back on, which no',
  ],
  [
    'no bytes, and an unknown token for each character',
    file({}, { vocab: numbered(WORDS), fuse_unk: false }),
    'T has no bytes to fall back on, which no',
  ],
  [
    'no bytes and no unknown token',
    file({}, { vocab: numbered(WORDS), unk_token: null }),
    'T has no bytes to fall back on, which no',
  ],
  [
    'bytes that may not be fallen back on',
    file({}, { byte_fallback: false }),
    'T has no bytes to fall back on, which no',
  ],
  ['spaces that stay', file({ normalizer: null }), 'T leaves spaces as they are, which no Gemma tokenizer does.'],
  [
    'a cut at spaces that stay',
    file({ normalizer: null, pre_tokenizer: SPLIT }),
    'T cuts text by {"type":"Split","pattern":{"String":" "},"behavior":"MergedWithPrevious","invert, which no',
  ],
  [
    'a cut elsewhere',
    file({ pre_tokenizer: { ...SPLIT, pattern: { String: 'b' } } }),
    'T cuts text by {"type":"Split"',
  ],
  ['a cut by a pattern', file({ pre_tokenizer: { ...SPLIT, pattern: null } }), 'T cuts text by {"type":"Split"'],
  [
    'another cut at spaces',
    file({ pre_tokenizer: { ...SPLIT, type: 'Punctuation' } }),
    'T cuts text by {"type":"Punctuation"',
  ],
  // Not what Prepend does: nothing before a space, and by `first` nothing behind an added token.
  [
    'Metaspace with a space in front',
    file({ normalizer: null, pre_tokenizer: { ...METASPACE, prepend_scheme: 'always' } }),
    'T cuts text by {"type":"Metaspace","replacement":"▁","prepend_scheme":"always","split":false}, which no',
  ],
  [
    'Metaspace with a space at the first',
    file({ pre_tokenizer: { ...METASPACE, prepend_scheme: 'first' } }),
    'T cuts text by {"type":"Metaspace"',
  ],
  [
    'Metaspace as it is by default',
    file({ pre_tokenizer: { ...METASPACE, prepend_scheme: undefined } }),
    'T cuts text by {"type":"Metaspace"',
  ],
  ['Metaspace that cuts', file({ pre_tokenizer: { ...METASPACE, split: true } }), 'T cuts text by {"type":"Metaspace"'],
  [
    'what is not called Metaspace',
    file({ pre_tokenizer: { ...METASPACE, type: 'Other' } }),
    'T cuts text by {"type":"Other"',
  ],
  [
    'what is not called Prepend',
    file({ normalizer: { type: 'Sequence', normalizers: [{ ...PREPEND, type: 'Append' }, REPLACE] } }),
    'T normalises text by {"type":"Append","prepend":"▁"}, which no',
  ],
  [
    'a long step',
    file({ normalizer: { type: 'NFC', x: 'x'.repeat(100) } }),
    `T normalises text by {"type":"NFC","x":"${'x'.repeat(61)}, which no`,
  ],
  [
    'Metaspace with another sign',
    file({ pre_tokenizer: { ...METASPACE, replacement: '_' } }),
    'T cuts text by {"type":"Metaspace"',
  ],
  [
    'another sign for spaces',
    file({ normalizer: { ...REPLACE, content: '_' } }),
    'T normalises text by {"type":"Replace","pattern":{"String":" "},"content":"_"}, which no',
  ],
  [
    'another sign replaced',
    file({ normalizer: { ...REPLACE, pattern: { String: 'a' } } }),
    'T normalises text by {"type":"Replace"',
  ],
  [
    'a pattern replaced',
    file({ normalizer: { ...REPLACE, pattern: { Regex: ' ' } } }),
    'T normalises text by {"type":"Replace"',
  ],
  [
    'something else called alike',
    file({ normalizer: { ...REPLACE, type: 'Strip' } }),
    'T normalises text by {"type":"Strip"',
  ],
  [
    'another sign in front',
    file({ normalizer: { type: 'Sequence', normalizers: [{ ...PREPEND, prepend: '_' }, REPLACE] } }),
    'T normalises text by {"type":"Prepend","prepend":"_"}, which no',
  ],
  [
    'a sign in front at the end',
    file({ normalizer: { type: 'Sequence', normalizers: [REPLACE, PREPEND] } }),
    'T normalises text by {"type":"Prepend","prepend":"▁"}, which no',
  ],
  [
    'a sequence that is no list',
    file({ normalizer: { type: 'Sequence', normalizers: REPLACE } }),
    'T leaves spaces as they are',
  ],
  [
    'a step that is no object',
    file({ normalizer: { type: 'Sequence', normalizers: [3] } }),
    'T normalises text by {}, which no',
  ],
])('a tokenizer.json with %s is refused', (_, content, message) => {
  const fault = faultOf(content);
  expect(fault).toBeInstanceOf(TokenizerError);
  expect((fault as Error).message).toContain(message);
});

const VOCABULARY = 'in its vocabulary, where a piece and its id are expected. Fetch it again.';
const model = (part: string) => `{"model":{${part}}}`;
test.each<[string, string]>([
  ['"vocab":{"a":1.5}', `T has '"a":1.5}}}' ${VOCABULARY}`],
  ['"vocab":{"a":-1}', `T has '"a":-1}}}' ${VOCABULARY}`],
  ['"vocab":{"a":}', `T has '"a":}}}' ${VOCABULARY}`],
  ['"vocab":{"a":"1"}', `T has '"a":"1"}}}' ${VOCABULARY}`],
  ['"vocab":{"a" 1}', `T has '"a" 1}}}' ${VOCABULARY}`],
  ['"vocab":{"a":1 "b":2}', `T has '"a":1 "b":2}}}' ${VOCABULARY}`],
  ['"vocab":{"a":1,b:2}', `T has 'b:2}}}' ${VOCABULARY}`],
  ['"vocab":{"a":1;"b":2}', `T has '"a":1;"b":2}}}' ${VOCABULARY}`],
  ['"vocab":{"a":1/}', `T has '"a":1/}}}' ${VOCABULARY}`],
  ['"vocab":{"a":1:}', `T has '"a":1:}}}' ${VOCABULARY}`],
  ['"vocab":{"\\x":1}', `T has '"\\x":1}}}' ${VOCABULARY}`],
  ['"vocab":{"a":1\n,"\u202e', `T has '"\\u{202e}}}' ${VOCABULARY}`],
  ['"vocab":{"a":0,\n"b":x\n}', `T has '"b":x' ${VOCABULARY}`],
  [`"vocab":{"${'a'.repeat(60)}":x}`, `T has '"${'a'.repeat(39)}' ${VOCABULARY}`],
  ['"vocab":{"a":99999999999999999999}', `T has '"a":99999999999999999999}}}' ${VOCABULARY}`],
  ['"vocab":{"a":1048576}', "T gives the piece 'a' the id 1048576, and ids up to 1048575 are read. Fetch it again."],
  [
    '"vocab":{"a":65552}',
    'T has the id 65552 in a vocabulary of 1 pieces, and ids up to 65551 are read. Fetch it again.',
  ],
  ['"vocab":{"a":1,"b":1}', "T gives the id 1 to two pieces, 'a' and 'b'. Fetch it again."],
])('a model of %s is refused', (part, message) => {
  expect(() => read(model(part))).toThrow(new TokenizerError(message));
});

const decoded = (one: unknown) => {
  const tokenizer = new PieceTokenizer(read(file({ decoder: one })), 'T');
  return [tokenizer.decode([3, 4, 3, 3, 5, 3]), tokenizer.notices];
};
// Of tokenizers 0.23.
test.each<[string, unknown, string]>([
  ['as Gemma has it', decoder(SPACES, BYTEWISE, FUSE), ' a  b '],
  ['bytes first', decoder(BYTEWISE, SPACES, FUSE), ' a  b '],
  ['without Fuse', decoder(SPACES, BYTEWISE), ' a  b '],
  ['as Llama has it', decoder(SPACES, BYTEWISE, FUSE, strip()), 'a  b '],
])('ids become text %s', (_, one, text) => {
  expect(decoded(one)).toEqual([text, []]);
});

// Of tokenizers 0.23.
test.each<[string, unknown, readonly string[], string]>([
  ['as Gemma has it', decoder(SPACES, BYTEWISE, FUSE), ['E2', '96', '81', 'a'], '▁a'],
  ['as Gemma has it', decoder(SPACES, BYTEWISE, FUSE), ['20', 'a'], ' a'],
  ['bytes first', decoder(BYTEWISE, SPACES, FUSE), ['E2', '96', '81', '▁'], '  '],
  ['bytes first', decoder(BYTEWISE, SPACES, FUSE), ['a', 'E2', '96', '81', 'a'], 'a a'],
  ['as Llama has it', decoder(SPACES, BYTEWISE, FUSE, strip()), ['20', 'a'], 'a'],
  ['as Llama has it', decoder(SPACES, BYTEWISE, FUSE, strip()), ['20', '20'], ' '],
  ['as Llama has it', decoder(SPACES, BYTEWISE, FUSE, strip()), ['FF', '▁', 'a'], '\ufffd a'],
  ['as Llama has it', decoder(SPACES, BYTEWISE, FUSE, strip()), ['E2', '96', '81', 'a'], '▁a'],
  ['bytes first, stripped', decoder(BYTEWISE, SPACES, FUSE, strip()), ['E2', '96', '81', 'E2', '96', '81', 'a'], ' a'],
])('bytes become text %s', (_, one, pieces, text) => {
  const tokenizer = new PieceTokenizer(read(file({ decoder: one })), 'T');
  const ids = pieces.map(piece => tokenizer.idOf(piece.length === 2 ? `<0x${piece}>` : piece)!);
  expect(tokenizer.decode(ids)).toBe(text);
});

test.each<[unknown, string]>([
  [null, 'does not say how ids become text'],
  [undefined, 'does not say how ids become text'],
  [decoder(), 'does not say how ids become text'],
  [FUSE, 'turns ids into text by Fuse alone'],
  [decoder(SPACES, FUSE), 'turns ids into text by Replace, Fuse'],
  [decoder(SPACES, BYTEWISE, strip()), 'turns ids into text by Replace, ByteFallback, Strip'],
  [decoder(SPACES, BYTEWISE, FUSE, strip(1, 1)), 'turns ids into text by Replace, ByteFallback, Fuse, Strip'],
  [decoder(SPACES, BYTEWISE, FUSE, strip(2)), 'turns ids into text by Replace, ByteFallback, Fuse, Strip'],
  [decoder(strip(), SPACES, BYTEWISE, FUSE), 'turns ids into text by Strip, Replace, ByteFallback, Fuse'],
  [decoder({ ...SPACES, content: '_' }, BYTEWISE, FUSE), 'turns ids into text by Replace, ByteFallback, Fuse'],
  ...[{ String: '_' }, { Regex: '▁' }].map((pattern): [unknown, string] => [
    decoder({ ...SPACES, pattern }, BYTEWISE, FUSE),
    'turns ids into text by Replace, ByteFallback, Fuse',
  ]),
  [decoder(CTC, BYTEWISE, FUSE), 'turns ids into text by CTC, ByteFallback, Fuse'],
  [decoder(SPACES, BYTEWISE, METASPACE), 'turns ids into text by Replace, ByteFallback, Metaspace'],
  [
    decoder(SPACES, BYTEWISE, FUSE, { ...strip(), content: 'x' }),
    'turns ids into text by Replace, ByteFallback, Fuse, Strip',
  ],
  [decoder(SPACES, BYTEWISE, FUSE, CTC), 'turns ids into text by Replace, ByteFallback, Fuse, CTC'],
  [{ type: 'Metaspace', replacement: '▁' }, 'turns ids into text by Metaspace alone'],
])('a decoder that is not done is told: %j', (one, what) => {
  const [text, notices] = decoded(one);
  expect([text, notices]).toEqual([
    ' a  b ',
    [expect.stringMatching(new RegExp(`^T ${what}( as they are set there)? \\(decoder\\)\\. Loupe does`))],
  ]);
});

const BYTE_LEVEL = { type: 'ByteLevel', add_prefix_space: true, trim_offsets: false };
const WORDPIECE = { type: 'WordPiece', prefix: '##', cleanup: true };
const SUFFIX = { type: 'BPEDecoder', suffix: '</w>' };
const SPACED = { type: 'Metaspace', replacement: '▁' };
// Of tokenizers 0.23: what it reads, and what it does not.
test.each<[object, readonly object[], readonly object[]]>([
  [SUFFIX, [{ suffix: '' }], [{ suffix: undefined }, { suffix: null }, { suffix: 1 }]],
  [
    BYTE_LEVEL,
    [{ use_regex: true }, { more: 1 }],
    [
      { add_prefix_space: undefined },
      { add_prefix_space: null },
      { trim_offsets: undefined },
      { trim_offsets: 1 },
      { use_regex: null },
      { use_regex: 1 },
    ],
  ],
  [
    CTC,
    [{ pad_token: '' }, { word_delimiter_token: '' }, { cleanup: false }],
    [
      ...['pad_token', 'word_delimiter_token', 'cleanup'].flatMap(key => [{ [key]: undefined }, { [key]: 1 }]),
      { cleanup: 'true' },
    ],
  ],
  [
    SPACED,
    [
      { replacement: '👍' },
      { prepend_scheme: 'first' },
      { prepend_scheme: 'always', add_prefix_space: true },
      { prepend_scheme: 'never', add_prefix_space: false },
      { add_prefix_space: null },
      { split: null },
      { split: false },
      { str_rep: '▁' },
    ],
    [
      { replacement: undefined },
      { replacement: '' },
      { replacement: '▁▁' },
      { replacement: 1 },
      { prepend_scheme: null },
      { prepend_scheme: 'First' },
      { prepend_scheme: 'always', add_prefix_space: false },
      { add_prefix_space: false },
      { add_prefix_space: 1 },
      { split: 1 },
    ],
  ],
  [
    SPACES,
    [{ pattern: { String: '' } }, { pattern: { Regex: 'a' } }, { content: '' }],
    [
      ...['▁', null, undefined, 7, [], {}, { Foo: 'a' }, { String: 1 }, { Regex: null }].map(pattern => ({ pattern })),
      { pattern: { String: 'a', Regex: 'a' } },
      { content: undefined },
      { content: 1 },
    ],
  ],
  [
    strip(),
    [{ start: 0 }, { stop: 2 }, { content: '👍' }],
    [
      ...['', '  ', undefined, null, 1].map(content => ({ content })),
      ...['start', 'stop'].flatMap(key => [undefined, null, -1, 1.5, '1'].map(value => ({ [key]: value }))),
    ],
  ],
  [WORDPIECE, [{ prefix: '' }], [{ prefix: undefined }, { prefix: 1 }, { cleanup: undefined }, { cleanup: 'no' }]],
])('a step of a decoder says what tokenizers asks of it: %j', (step, read_, refused_) => {
  for (const change of [{}, ...read_]) {
    expect(() => read(file({ decoder: decoder({ ...step, ...change }, FUSE) })), JSON.stringify(change)).not.toThrow();
  }
  for (const change of refused_) {
    const wrong = { ...step, ...change };
    expect(() => read(file({ decoder: decoder(FUSE, wrong) })), JSON.stringify(change)).toThrow(
      `T decodes by ${JSON.stringify(wrong).slice(0, 80)}, which no Gemma`,
    );
  }
});

test('one that is not done puts bytes together behind spaces, as Gemma’s does', () => {
  const tokenizer = new PieceTokenizer(read(file({ decoder: FUSE })), 'T');
  const ids = ['<0xE2>', '<0x96>', '<0x81>', 'a'].map(piece => tokenizer.idOf(piece)!);
  expect(tokenizer.decode(ids)).toBe('▁a');
});

test.each<[object, string]>([
  [{ version: '2.0' }, 'T is of version "2.0", which no Gemma'],
  [{ version: 1 }, 'T is of version 1, which no Gemma'],
  [{ foo: 1 }, "T has a part called 'foo', which no Gemma"],
  [{ decoder: { type: 'Foo' } }, 'T decodes by {"type":"Foo"}, which no Gemma'],
  [{ decoder: decoder(SPACES, 7) }, 'T decodes by {}, which no Gemma'],
])('what tokenizers refuses is refused: %j', (change, message) => {
  expect(() => read(file(change))).toThrow(message);
});

test('a vocabulary that stops is refused', () => {
  expect(() => read('{"model":{"vocab":{"a":1,')).toThrow(`T has '{"a":1,' ${VOCABULARY}`);
  expect(() => read('{"model":{"vocab":{"a')).toThrow(`T has '"a' ${VOCABULARY}`);
});

test('the last id that may be: sixteen a piece, and 2¹⁶ more', () => {
  expect(read(file({}, { vocab: { ...VOCAB, d: 275 * 16 + 65_535 } })).pieces).toHaveLength(275 * 16 + 65_536);
  expect(() => read(file({}, { vocab: { ...VOCAB, d: 275 * 16 + 65_536 } }))).toThrow(
    'T has the id 69936 in a vocabulary of 275 pieces, and ids up to 69935 are read.',
  );
});

const EXPECTED = 'among its merges, where two pieces of its vocabulary are expected. Fetch it again.';
test.each<[string, string, string]>([
  ['one piece', '[["a"]]', '["a"]]'],
  ['three', '[["a","b","ab"]]', '["a","b","ab"]]'],
  ['four', '[["a","b"],["a","b","ab","b"]]', '["a","b","ab","b"]]'],
  ['none', '[[]]', '[]]'],
  ['one word', '["ab"]', 'ab"]'],
  ['three words', '["a b ab"]', 'ab"]'],
  ['four words', '["a b","a b ab b"]', 'b"]'],
  ['two spaces', '["a  b"]', 'b"]'],
  ['nothing', '[["","a"]]', ''],
  ['lists within lists', '[[["a","b"]]]', '["a","b"]]]'],
  ['null', '[["a","b"],null]', 'null]'],
  ['a number', '[["a","b"],7]', '7]'],
  ['an object', '[{"a":"b"}]', '{"a":"b"}]'],
  ['no piece', '[["a","b"],["a","z"]]', 'z'],
  ['half an escape', '[["a","\\u00"]]', '\\u00'],
  ['a piece with an escape that is none', '[["a","\\u007a"]]', '\\u007a'],
  ['the start of a piece', '[["<un","a"]]', '<un'],
])('merges of %s are refused', (_, merges, shown) => {
  const whole = JSON.stringify(file({}, { merges: 'here' })).replace('"here"', `${merges}\n`);
  expect(() => read(whole)).toThrow(new TokenizerError(`T has '${shown}' ${EXPECTED}`));
});

test('merges that stop are refused', () => {
  expect(() => read('{"merges":[["a","b"]')).toThrow(`T has '[["a","b"]' ${EXPECTED}`);
  expect(() => read('{"merges":[["a')).toThrow(`T has '[["a' ${EXPECTED}`);
});

test('tokenizer.json: what Loupe does not do is refused by name, and broken ones in a sentence', () => {
  const text = Buffer.from(
    vocabularies.find(one => one.name === "tokenizer.json as Gemma's")!.data,
    'base64',
  ).toString();
  const file = JSON.parse(text);
  const refused = (changed: unknown) => () =>
    vocabularyFromJson(new TextEncoder().encode(typeof changed === 'string' ? changed : JSON.stringify(changed)), 'T');
  const model = (change: object) => refused({ ...file, model: { ...file.model, ...change } });
  expect(model({ type: 'WordPiece' })).toThrow(/T is of the kind WordPiece, which no Gemma tokenizer does/);
  expect(model({ byte_fallback: false })).toThrow(/no bytes to fall back on/);
  expect(model({ dropout: 0.1 })).toThrow(/dropout = 0.1/);
  expect(model({ merges: [['a']] })).toThrow(/among its merges/);
  expect(model({ merges: [['a', 'no such piece']] })).toThrow(/has 'no such piece.*among its merges/);
  expect(model({ merges: ['ab'] })).toThrow(/among its merges/);
  expect(model({ vocab: { a: 'x' } })).toThrow(/in its vocabulary, where a piece and its id are expected/);
  expect(model({ vocab: { a: 2 ** 40 } })).toThrow(/the id 1099511627776, and ids up to 1048575 are read/);
  expect(model({ vocab: { a: 5, b: 5 }, merges: [] })).toThrow(/gives the id 5 to two pieces, 'a' and 'b'/);
  expect(refused(text.replace(/"vocab": *\{/, '"vocab": {"qu": 3000, '))).toThrow(
    /has the piece 'qu' twice, with the ids \d+ and 3000/,
  );
  expect(refused({ ...file, normalizer: { type: 'NFC' } })).toThrow(/normalises text by {"type":"NFC"}/);
  expect(refused({ ...file, pre_tokenizer: { type: 'ByteLevel' } })).toThrow(/cuts text by/);
  expect(refused({ ...file, added_tokens: [{ id: -1, content: 'x' }] })).toThrow(/the added token 'x' the id -1/);
  expect(refused({ ...file, added_tokens: [{ id: 5, content: 'x', lstrip: 'yes' }] })).toThrow(
    /lstrip = "yes", and true or/,
  );
  expect(refused({ ...file, added_tokens: [{ id: 5 }] })).toThrow(
    /among its added tokens, where an object with a text/,
  );
  for (const broken of ['', '{}', '[]', 'null', '{"model":3}', text.slice(0, text.length / 2)]) {
    expect(refused(broken)).toThrow(/^T /);
  }
});
