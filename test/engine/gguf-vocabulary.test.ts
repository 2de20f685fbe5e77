// What a GGUF's metadata leaves open: marks typed as any text, a space in front that is not spoken of.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { packageRoot } from '../../engine/files.js';
import { vocabularyFromGguf } from '../../engine/tokenizer/gguf-vocabulary.js';
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
