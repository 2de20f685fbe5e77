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
