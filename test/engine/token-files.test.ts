// What small files of a folder or keys of a GGUF say that was passed over without a word. Right tokens and their order: transformers 5.23's AutoTokenizer on such folders.

import { cpSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { packageRoot } from '../../engine/files.js';
import { tokensBeside } from '../../engine/tokenizer/tokens-beside.js';
import { openTokenizer } from '../../engine/tokenizer/open.js';
import { openModelFiles } from '../../engine/weights/open.js';
import { chatTemplateOfGguf } from '../../engine/weights/text-files.js';
import { freshFolder } from '../fixtures/folder.js';

function folderWith(files: Record<string, object>): string {
  const folder = freshFolder();
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), JSON.stringify(content));
  return folder;
}

const X = ['<x>', '<y>'];
test.each<[string, Record<string, object>]>([
  ['an empty mapping', { 'tokenizer_config.json': { extra_special_tokens: {}, additional_special_tokens: X } }],
  ['an empty list', { 'tokenizer_config.json': { extra_special_tokens: [], additional_special_tokens: X } }],
  [
    'an empty list in the other file',
    {
      'tokenizer_config.json': { additional_special_tokens: X },
      'special_tokens_map.json': { additional_special_tokens: [] },
    },
  ],
  ['the old name alone', { 'tokenizer_config.json': { additional_special_tokens: X } }],
  ['the new name', { 'tokenizer_config.json': { extra_special_tokens: X, additional_special_tokens: ['<z>'] } }],
])('extra tokens are not lost to %s', (_, files) => {
  const contents = tokensBeside(folderWith(files), 1000)
    .all([])
    .map(({ content }) => content);
  expect(contents.slice(-2)).toEqual(X);
  expect(contents).not.toContain('<z>');
});

test.each([
  [{ tokenizer_class: 'LlamaTokenizer' }, /tokenizer_class 'LlamaTokenizer', by which transformers may give other ids/],
  [{ tokenizer_class: 'LlamaTokenizerFast' }, /'LlamaTokenizerFast'/],
  [{ split_special_tokens: true }, /split_special_tokens: true, .* here each is one token/],
  [{ tokenizer_class: 'GemmaTokenizer', split_special_tokens: false }, null],
  [{ tokenizer_class: 'GemmaTokenizerFast' }, null],
  [{ tokenizer_class: 'PreTrainedTokenizerFast' }, null],
])('%j is said', async (config, notice) => {
  const folder = freshFolder();
  cpSync(join(packageRoot(), 'golden/atlas'), folder, { recursive: true });
  writeFileSync(join(folder, 'tokenizer_config.json'), JSON.stringify(config));
  const files = await openModelFiles(folder);
  const { notices } = await openTokenizer(files.vocabulary!);
  await files.close();
  if (notice) expect(notices.join('\n')).toMatch(notice);
  else expect(notices).toEqual([]);
});

test('a chat template of a GGUF that is no text, or has a name alone, is no lack of one', () => {
  const of = (entries: Record<string, unknown>) => chatTemplateOfGguf(new Map(Object.entries(entries)));
  const key = 'tokenizer.chat_template';
  expect(of({})).toEqual({ template: null, from: null, problem: null });
  expect(of({ [key]: 'x', [`${key}.rag`]: 'y' })).toEqual({ template: 'x', from: key, problem: null });
  for (const odd of [7, ['x'], null, true])
    expect(of({ [key]: odd }).problem).toMatch(/is no text\. Give one with --chat-template/);
  const named = of({ 'tokenizer.chat_templates': ['rag'], [`${key}.rag`]: 'y' });
  expect(named.template).toBeNull();
  expect(named.problem).toMatch(
    /^The model has the chat templates 'rag' \(tokenizer\.chat_template\.…\) and none called default/,
  );
});

const flags = { lstrip: false, rstrip: false, single_word: false, normalized: false, special: true };
const object = (content: string, more: object = {}) => ({ __type: 'AddedToken', content, ...flags, ...more });
const entry = (content: string, more: object = {}) => ({ content, ...flags, ...more });
const BOS_HI = [2, 317, 464];
const TURN = [4, 462, 366, 285, 6, 5, 462, 506];
const STRIPPED = [2, 475, 464];
const SPOKEN = '<start_of_turn>x<end_of_turn>';

// transformers 5.23's AutoTokenizer beside a tokenizer.model alone: ids of two texts, and what is left of a text without special tokens.
test.each<[Record<string, unknown>, number[], number[], string]>([
  [{}, BOS_HI, TURN, SPOKEN],
  [{ bos_token: object('<bos>', { rstrip: true }) }, BOS_HI, TURN, SPOKEN],
  [{ bos_token: object('<bos>', { lstrip: true }) }, BOS_HI, TURN, SPOKEN],
  [{ added_tokens_decoder: { 2: entry('<bos>', { rstrip: true }) } }, STRIPPED, TURN, SPOKEN],
  [
    {
      bos_token: object('<bos>', { rstrip: true }),
      added_tokens_decoder: { 2: entry('<bos>', { rstrip: true }) },
    },
    STRIPPED,
    TURN,
    SPOKEN,
  ],
  [{ added_tokens_decoder: { 4: entry('<start_of_turn>'), 5: entry('<end_of_turn>') } }, BOS_HI, TURN, 'x'],
  [
    { added_tokens_decoder: { 4: entry('<start_of_turn>', { rstrip: true }) } },
    BOS_HI,
    [4, 366, 285, 6, 5, 462, 506],
    'x<end_of_turn>',
  ],
  [{ added_tokens_decoder: { 4: entry('<start_of_turn>', { special: false }) } }, BOS_HI, TURN, SPOKEN],
  [{ eos_token: '<end_of_turn>' }, BOS_HI, TURN, '<start_of_turn>x'],
  [{ pad_token: object('<end_of_turn>', { rstrip: true }) }, BOS_HI, TURN, '<start_of_turn>x'],
])('beside a tokenizer.model alone, %j', async (config, bos, turn, spoken) => {
  const folder = freshFolder();
  for (const name of ['config.json', 'model.safetensors', 'tokenizer.model'])
    cpSync(join(packageRoot(), 'golden/atlas', name), join(folder, name));
  writeFileSync(join(folder, 'tokenizer_config.json'), JSON.stringify(config));
  const files = await openModelFiles(folder);
  const one = await openTokenizer(files.vocabulary!);
  await files.close();
  expect(one.encode('<bos> hi', { special: true })).toEqual(bos);
  expect(one.encode('<start_of_turn> user\n<end_of_turn> x', { special: true })).toEqual(turn);
  expect(one.decode([4, 506, 5, 1, 2])).toBe(spoken);
  expect(one.notices.filter(notice => /add 1 token/.test(notice))).toEqual(
    /rstrip":true/.test(JSON.stringify(config.added_tokens_decoder ?? null)) ? [expect.any(String)] : [],
  );
});
