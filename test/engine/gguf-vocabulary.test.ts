// What a GGUF's metadata leaves open: marks typed as any text, a space in front that is not spoken of.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { packageRoot } from '../../engine/files.js';
import { placeOf, specialTokensOfGguf, vocabularyFromGguf } from '../../engine/tokenizer/gguf-vocabulary.js';
import { PieceTokenizer } from '../../engine/tokenizer/piece-tokenizer.js';
import { vocabularyFromModel } from '../../engine/tokenizer/sentencepiece-model.js';

const atlas = vocabularyFromModel(
  new Uint8Array(readFileSync(join(packageRoot(), 'golden/atlas/tokenizer.model'))),
  'm',
);
const TYPES = ['', 'normal', 'unknown', 'control', 'user', 'unused', 'byte'];
const TURNS = '<start_of_turn>user\nhi<end_of_turn>\n';
// transformers' ids of TURNS, and of the same in ChatML where two pieces are called so.
const IDS = [4, 366, 285, 6, 475, 464, 5, 6];

/** atlas' vocabulary as a GGUF has it. @param type of the two marks @param rename other names of pieces */
function metadata(type: number, rename: Record<string, string> = {}, more: Record<string, unknown> = {}) {
  const marks = ['<start_of_turn>', '<end_of_turn>', ...Object.keys(rename)];
  return new Map<string, unknown>(
    Object.entries({
      'general.architecture': 'gemma3',
      'tokenizer.ggml.model': 'llama',
      'tokenizer.ggml.tokens': atlas.pieces.map(piece => rename[piece] ?? piece),
      'tokenizer.ggml.scores': [...Array.from(atlas.scores)],
      'tokenizer.ggml.token_type': atlas.pieces.map((piece, id) =>
        marks.includes(piece) ? type : TYPES.indexOf(atlas.kinds[id]),
      ),
      'tokenizer.ggml.add_space_prefix': false,
      ...{ 'tokenizer.ggml.bos_token_id': 2, 'tokenizer.ggml.eos_token_id': 1, 'tokenizer.ggml.unknown_token_id': 3 },
      ...more,
    }),
  );
}
const tokenizer = (...args: Parameters<typeof metadata>) => new PieceTokenizer(vocabularyFromGguf(metadata(...args)));

test.each([1, 3, 4])('turn marks of type %i are marks: one id each, and no text', type => {
  const one = tokenizer(type);
  expect(one.encode(TURNS, { special: true })).toEqual(IDS);
  expect(one.decode(IDS)).toBe('user\nhi\n');
  expect([one.isControl(4), one.isControl(5)]).toEqual([true, true]);
});

test.each([1, 3, 4])('so are those of the model’s template, when they have type %i', type => {
  const rename = { '<start_of_turn>': '<|im_start|>', '<end_of_turn>': '<|im_end|>' };
  const template =
    "{% for m in messages %}{{ '<|im_start|>' + m.role + '\n' + m.content + '<|im_end|>\n' }}{% endfor %}";
  const one = tokenizer(type, rename, { 'tokenizer.chat_template': template });
  expect(one.encode('<|im_start|>user\nhi<|im_end|>\n', { special: true })).toEqual(IDS);
  expect(one.decode(IDS)).toBe('user\nhi\n');
});

test('where nothing says whether a space goes in front, the model’s kind does, and it is said', () => {
  const silent = metadata(3);
  silent.delete('tokenizer.ggml.add_space_prefix');
  const one = new PieceTokenizer(vocabularyFromGguf(silent));
  const told = tokenizer(3);
  expect(one.encode('The capital of France')).toEqual(told.encode('The capital of France'));
  expect(one.decode(one.encode(' two'))).toBe(' two');
  expect([one.notices, told.notices]).toEqual([[expect.stringMatching(/add_space_prefix.*With Gemma none is/)], []]);
  const llama = new PieceTokenizer(vocabularyFromGguf(new Map([...silent, ['general.architecture', 'llama']])));
  expect(llama.encode('The')).toEqual(told.encode(' The'));
  expect(llama.notices).toEqual([expect.stringMatching(/one is, so one is put/)]);
  const yes = new PieceTokenizer(vocabularyFromGguf(metadata(3, {}, { 'tokenizer.ggml.add_space_prefix': true })));
  expect(yes.encode('The')).toEqual(told.encode(' The'));
});

test('ids that are not said are those of the pieces of their names, or as Gemma’s, and it is said', () => {
  const silent = metadata(3);
  for (const key of ['bos', 'eos', 'unknown']) silent.delete(`tokenizer.ggml.${key}_token_id`);
  const { bosId, eosId, unkId, notices } = vocabularyFromGguf(silent);
  expect([bosId, eosId, unkId]).toEqual([2, 1, 3]);
  expect(notices).toEqual([
    "The GGUF does not say tokenizer.ggml.bos_token_id: 2 ('<bos>') is taken.",
    "The GGUF does not say tokenizer.ggml.eos_token_id: 1 ('<eos>') is taken.",
    "The GGUF does not say tokenizer.ggml.unknown_token_id: 3 ('<unk>') is taken.",
  ]);
  const tokens = ['<unk>', '<eos>', 'a', 'b', '<bos>'];
  const vocabulary = { 'tokenizer.ggml.scores': [0, 0, 0, 0, 0], 'tokenizer.ggml.token_type': [2, 3, 1, 1, 3] };
  const turned = vocabularyFromGguf(few({ 'tokenizer.ggml.tokens': tokens, ...vocabulary }));
  expect([turned.bosId, turned.eosId, turned.unkId]).toEqual([4, 1, 0]);
  const last = ['<unk>', 'a', 'b', '<bos>', '<eos>'];
  const around = { 'tokenizer.ggml.add_bos_token': true };
  const other = vocabularyFromGguf(few({ 'tokenizer.ggml.tokens': last, ...vocabulary, ...around }));
  expect([other.bosId, other.eosId, other.ends?.front]).toEqual([3, 4, [3]]);
  expect(other.notices?.length).toBe(3); // each once, though the ends ask for them too
  expect(placeOf(new Map([['tokenizer.ggml.tokens', 'no list']]), '<bos>')).toBeNull();
});

test('an id that is not said, of which there is no piece, is said to be that; what stands for none is none', () => {
  const two = {
    'tokenizer.ggml.tokens': ['<pad>', '<unk>'],
    'tokenizer.ggml.scores': [0, 0],
    'tokenizer.ggml.token_type': [3, 2],
  };
  const { bosId, notices } = vocabularyFromGguf(few(two));
  expect([bosId, notices?.[0]]).toEqual([
    2,
    'The GGUF does not say tokenizer.ggml.bos_token_id: 2 (of which it has no piece) is taken.',
  ]);
  for (const none of [-1, 2 ** 32 - 1]) {
    const { ends, ...ids } = vocabularyFromGguf(
      few({
        'tokenizer.ggml.bos_token_id': none,
        'tokenizer.ggml.eos_token_id': none,
        'tokenizer.ggml.add_bos_token': true,
      }),
    );
    expect([ids.bosId, ids.eosId, ends]).toEqual([-1, -1, expect.objectContaining({ front: [], back: [] })]);
  }
  const around = { 'tokenizer.ggml.add_bos_token': true, 'tokenizer.ggml.add_eos_token': true };
  const both = { 'tokenizer.ggml.bos_token_id': 0, 'tokenizer.ggml.eos_token_id': 2 };
  expect(vocabularyFromGguf(few({ ...around, ...both })).ends).toMatchObject({ front: [0], back: [2] });
  expect(vocabularyFromGguf(few({ ...around, ...both, 'tokenizer.ggml.eos_token_id': undefined })).ends).toMatchObject({
    front: [0],
  });
  for (const odd of [3, 0.5, -2, Number.NaN, '1', true])
    expect(() => vocabularyFromGguf(few({ 'tokenizer.ggml.eos_token_id': odd }))).toThrow(
      /'tokenizer\.ggml\.eos_token_id' is .*, and its vocabulary has ids from 0 to 2\. Convert it again, or give a vocabulary with --tokenizer\.$/,
    );
});

/** A vocabulary of few pieces. */
function few(more: Record<string, unknown> = {}) {
  return new Map<string, unknown>(
    Object.entries({
      'general.architecture': 'gemma3',
      'tokenizer.ggml.model': 'llama',
      'tokenizer.ggml.tokens': ['<pad>', '<unk>', 'a  b'],
      'tokenizer.ggml.scores': [0, 0, -2.5],
      'tokenizer.ggml.token_type': [3, 2, 4],
      'tokenizer.ggml.add_space_prefix': false,
      ...more,
    }),
  );
}

test('pieces, scores, kinds and rules are the metadata’s', () => {
  const { source, pieces, scores, kinds, unkId, bosId, eosId, byteFallback, unkSurface, normalisation, algorithm } =
    vocabularyFromGguf(few());
  expect([source, pieces, Array.from(scores)]).toEqual(['gguf', ['<pad>', '<unk>', 'a▁▁b'], [0, 0, -2.5]]);
  expect([kinds, bosId, eosId, unkId, byteFallback]).toEqual([['control', 'unknown', 'user'], 2, 1, 1, false]);
  expect([unkSurface, normalisation.collapseSpaces, algorithm.kind]).toEqual([' \u2047 ', false, 'bpe']);
  const other = vocabularyFromGguf(
    few({
      'tokenizer.ggml.bos_token_id': 0,
      'tokenizer.ggml.eos_token_id': 2,
      'tokenizer.ggml.unknown_token_id': 2,
      'tokenizer.ggml.remove_extra_whitespaces': true,
      'tokenizer.ggml.token_type': [1, 6, 0],
    }),
  );
  expect([other.bosId, other.eosId, other.unkId]).toEqual([0, 2, 2]);
  expect([other.kinds, other.byteFallback]).toEqual([['normal', 'byte', 'normal'], true]);
  expect(other.normalisation.collapseSpaces).toBe(true);
  expect(vocabularyFromGguf(few({ 'tokenizer.ggml.token_type': [1, 1, 1] })).unkId).toBe(0);
});

test('spaces are ▁ in the pieces of the user alone, as converters write them', () => {
  const tokens = ['a b', 'c d', 'e f'];
  const { pieces } = vocabularyFromGguf(
    few({ 'tokenizer.ggml.tokens': tokens, 'tokenizer.ggml.token_type': [1, 4, 3] }),
  );
  expect(pieces).toEqual(['a b', 'c▁d', 'e▁f']);
});

const REFUSED: readonly (readonly [Record<string, unknown>, string])[] = [
  [{ 'tokenizer.ggml.model': 'gpt2' }, "The GGUF's vocabulary is of the kind 'gpt2', and Gemma's is 'llama'. Give one"],
  [
    { 'tokenizer.ggml.model': undefined },
    'The GGUF does not say of what kind its vocabulary is (tokenizer.ggml.model), and',
  ],
  [
    { 'tokenizer.ggml.tokens': [1, 2, 3] },
    "The GGUF's 'tokenizer.ggml.tokens' has 1 at place 0, and a text is expected.",
  ],
  [
    { 'tokenizer.ggml.tokens': ['a', 'b', null] },
    "'tokenizer.ggml.tokens' has null at place 2, and a text is expected.",
  ],
  [
    { 'tokenizer.ggml.tokens': ['a', 'b', 'a'] },
    '\'tokenizer.ggml.tokens\' has "a" at place 0, and a piece that is not at place 2 too is expected.',
  ],
  [{ 'tokenizer.ggml.scores': ['0', 0, 0] }, '\'tokenizer.ggml.scores\' has "0" at place 0, and a number is expected.'],
  [{ 'tokenizer.ggml.token_type': ['3', 2, 1] }, '\'tokenizer.ggml.token_type\' has "3" at place 0, and a type from'],
  [{ 'tokenizer.ggml.tokens': [] }, "The GGUF has no list 'tokenizer.ggml.tokens'. Give a vocabulary with"],
  [{ 'tokenizer.ggml.scores': 'abc' }, "The GGUF has no list 'tokenizer.ggml.scores'."],
  [{ 'tokenizer.ggml.scores': [0, 0] }, 'The GGUF lists 3 tokens but 2 scores and 3 types. Convert it again.'],
  [{ 'tokenizer.ggml.token_type': [3, 2, 1, 1] }, 'The GGUF lists 3 tokens but 3 scores and 4 types.'],
  [
    { 'tokenizer.ggml.tokens': Array(2 ** 20 + 1).fill('a') },
    "The GGUF's 'tokenizer.ggml.tokens' has 1048577 entries, and at most 1048576 are read.",
  ],
];
// By what is said: one of them has a million pieces, which no name of a test should have.
test.each(REFUSED.map(([more, message]) => [message, more] as const))('refused: %s', (message, more) => {
  expect(() => vocabularyFromGguf(few(more))).toThrow(message);
});

test.each([
  ['gemma', false],
  ['gemma2', false],
  [undefined, false],
  ['not-gemma', true],
])('a silent GGUF of the architecture %s puts a space in front: %s', (architecture, space) => {
  const silent = few();
  silent.delete('tokenizer.ggml.add_space_prefix');
  if (architecture === undefined) silent.delete('general.architecture');
  else silent.set('general.architecture', architecture);
  expect(vocabularyFromGguf(silent).normalisation.dummyPrefix).toBe(space);
});

const kindOf = (piece: string, type: number, template?: unknown) =>
  vocabularyFromGguf(
    few({
      'tokenizer.ggml.tokens': ['<pad>', '<unk>', piece],
      'tokenizer.ggml.token_type': [3, 2, type],
      'tokenizer.chat_template': template,
    }),
  ).kinds[2];

test.each([
  ['<unused0>', 'user'],
  ['<unused12>', 'user'],
  ['<mask>', 'user'],
  ['<2mass>', 'user'],
  ['[@BOS@]', 'user'],
  ['[multimodal]', 'user'],
  ['<unused>', 'control'],
  ['<unusedx>', 'control'],
  ['x<mask>', 'control'],
  ['<mask>x', 'control'],
  ['<bos>', 'control'],
])('a control piece %s is a %s one', (piece, kind) => {
  expect(kindOf(piece, 3)).toBe(kind);
  expect(kindOf(piece, 1)).toBe('normal');
});

test.each([
  ['<start_of_turn>', '', 'control'],
  ['<end_of_turn>', 7, 'control'],
  ['<|im_start|>', "{{ '<|im_start|>' }}", 'control'],
  ['<|im_start|>', '', 'normal'],
  ['<start_of_image>', '<start_of_image>', 'control'],
  ['<think>', '<think>', 'normal'],
  ['<|half>', '<|half>', 'normal'],
  ['<half|>', '<half|>', 'normal'],
  ['<x|>>', '<x|>', 'normal'],
  ['<_of_turn_>', '<_of_turn_>', 'normal'],
  ['<x_of_turns>', '<x_of_turns>', 'normal'],
  ['<|a b|>', '<|a b|>', 'normal'],
])('a piece %s is, with the template %.20j, %s', (piece, template, kind) => {
  expect(kindOf(piece, 1, template)).toBe(kind);
});

test('a mark behind a million signs of a template is not looked for', () => {
  expect(kindOf('<|far|>', 1, `${' '.repeat(2 ** 20)}<|far|>`)).toBe('normal');
});

test('texts of special tokens, which templates may name', () => {
  expect(specialTokensOfGguf(new Map())).toEqual({ bos_token: '<bos>', eos_token: '<eos>' });
  const ids = { bos: 0, eos: 1, unknown: 2, padding: 3 };
  const named = (list: unknown, of: Record<string, unknown> = ids) =>
    specialTokensOfGguf(
      new Map<string, unknown>([
        ['tokenizer.ggml.tokens', list],
        ...Object.entries(of).map(([key, id]) => [`tokenizer.ggml.${key}_token_id`, id] as const),
      ]),
    );
  expect(named(['B', 'E', 'U', 'P'])).toEqual({ bos_token: 'B', eos_token: 'E', unk_token: 'U', pad_token: 'P' });
  expect(named(['B', 'E'], { ...ids, bos: '1' })).toEqual({ bos_token: '<bos>', eos_token: 'E' });
  expect(named('BEUP')).toEqual({ bos_token: '<bos>', eos_token: '<eos>' });
});

// llama.cpp refuses a key of another type than it reads, and its converter writes types from 0 to 6.
test.each<[Record<string, unknown>, string]>([
  [
    { 'tokenizer.ggml.add_space_prefix': 'true' },
    `'tokenizer.ggml.add_space_prefix' is "true", and true or false is expected`,
  ],
  [{ 'tokenizer.ggml.add_space_prefix': 0 }, `'tokenizer.ggml.add_space_prefix' is 0, and true or false is expected`],
  [
    { 'tokenizer.ggml.remove_extra_whitespaces': 'true' },
    `'tokenizer.ggml.remove_extra_whitespaces' is "true", and true or false is expected`,
  ],
  [
    { 'tokenizer.ggml.token_type': [...Array(511).fill(1), 7] },
    `'tokenizer.ggml.token_type' has 7 at place 511, and a type from 0 to 6 is expected`,
  ],
  [
    { 'tokenizer.ggml.token_type': [1, 1.5, ...Array(510).fill(1)] },
    `'tokenizer.ggml.token_type' has 1.5 at place 1, and a type from 0 to 6 is expected`,
  ],
  [
    { 'tokenizer.ggml.scores': [0, Number.NaN, ...Array(510).fill(0)] },
    `'tokenizer.ggml.scores' has null at place 1, and a number is expected`,
  ],
  [
    { 'tokenizer.ggml.scores': ['x', ...Array(511).fill(0)] },
    `'tokenizer.ggml.scores' has "x" at place 0, and a number is expected`,
  ],
])('what the keys say is of their type: %j', (keys, what) => {
  expect(() => vocabularyFromGguf(metadata(3, {}, keys))).toThrow(`The GGUF's ${what}. Convert it again.`);
});

test('a token of which nothing is said is any text', () => {
  const types = atlas.kinds.map((kind, id) => (id === 300 ? 0 : TYPES.indexOf(kind)));
  expect(vocabularyFromGguf(metadata(3, {}, { 'tokenizer.ggml.token_type': types })).kinds[300]).toBe('normal');
});
