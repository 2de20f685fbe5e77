// Nothing is written onto a file that is being read: the model's own, its tokenizer, a golden; by whatever name they are called.

import {
  copyFileSync,
  cpSync,
  linkSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { expect, test } from 'vitest';
import { packageRoot } from '../../engine/files.js';
import { openTokenizerFile } from '../../engine/tokenizer/open.js';
import { openModelFiles } from '../../engine/weights/open.js';
import { load, save } from '../../lab/chat/file.js';
import { report } from '../../lab/display/report.js';
import { golden } from '../../lab/values/golden.js';
import { checkTarget, writeWhole } from '../../lab/values/write-file.js';
import { command } from '../fixtures/command.js';
import { freshFolder } from '../fixtures/folder.js';
import { writeTinyParts } from '../fixtures/tiny-gguf.js';
import { writeTiny } from '../fixtures/tiny-model.js';

const atlas = join(packageRoot(), 'golden/atlas');
const REFUSED = /cannot be written: it is .*a file that is being read here as a model, a tokenizer or a golden\. /;
const refused = (path: string) => expect(() => writeWhole(path, ['other']), path).toThrow(REFUSED);

test('the files of a folder, read or not, and no others', async () => {
  const folder = await writeTiny(join(freshFolder(), 'tiny'));
  const others = [
    'tokenizer_config.json',
    'generation_config.json',
    'model-00001-of-00002.safetensors',
    'model.safetensors.index.json',
  ];
  for (const name of others) writeFileSync(join(folder, name), '{}');
  for (const name of ['tokenizer.model', 'notes.json', 'run.safetensors']) writeFileSync(join(folder, name), 'x');
  mkdirSync(join(folder, 'additional_chat_templates'));
  writeFileSync(join(folder, 'additional_chat_templates/default.jinja'), '{{ bos_token }}');
  await (await openModelFiles(folder)).close();
  for (const name of [
    'config.json',
    'model.safetensors',
    'tokenizer.model',
    'additional_chat_templates/default.jinja',
    ...others,
  ]) {
    refused(join(folder, name));
  }
  writeWhole(join(folder, 'notes.json'), ['a']);
  writeWhole(join(folder, 'run.safetensors'), ['a']); // a trace of before
  writeWhole(join(folder, 'new.safetensors'), ['a']);
  expect(readFileSync(join(folder, 'config.json'), 'utf8')).not.toBe('other');
});

test('the same file by another name: a link, a hard link, a linked folder, a detour, a descriptor', async () => {
  const folder = freshFolder();
  const model = await writeTiny(join(folder, 'tiny'));
  await (await openModelFiles(join(model, 'model.safetensors'))).close();
  const file = join(model, 'model.safetensors');
  symlinkSync(file, join(folder, 'link.safetensors'));
  symlinkSync('link.safetensors', join(folder, 'second.safetensors'));
  linkSync(file, join(folder, 'hard.safetensors'));
  symlinkSync('tiny', join(folder, 'also'));
  refused(join(folder, 'link.safetensors'));
  refused(join(folder, 'second.safetensors'));
  refused(join(folder, 'hard.safetensors'));
  refused(join(folder, 'also/model.safetensors'));
  refused(relative(process.cwd(), file));
  refused(`${folder}/./tiny/../tiny/model.safetensors`);
  refused(`/dev/fd/${openSync(file, 'a')}`);
  expect(() => checkTarget(join(folder, 'hard.safetensors'))).toThrow(`it is ${file}, a file that is being read`);
});

test('a model that is read through a link, as in the cache of Hugging Face', async () => {
  const folder = freshFolder();
  const model = await writeTiny(join(folder, 'snapshot'));
  mkdirSync(join(folder, 'blobs'));
  renameSync(join(model, 'model.safetensors'), join(folder, 'blobs/5ac8'));
  symlinkSync('../blobs/5ac8', join(model, 'model.safetensors'));
  await (await openModelFiles(model)).close();
  refused(join(folder, 'blobs/5ac8'));
});

test('every part of a split .gguf, whichever was given', async () => {
  const parts = writeTinyParts(join(freshFolder(), 'tiny'), 3);
  await (await openModelFiles(parts[1])).close();
  for (const part of parts) refused(part);
});

test('a tokenizer of elsewhere, and a golden', async () => {
  const folder = freshFolder();
  for (const name of ['tokenizer.model', 'capital.safetensors']) copyFileSync(join(atlas, name), join(folder, name));
  writeWhole(join(folder, 'free.model'), ['']);
  await openTokenizerFile(join(folder, 'tokenizer.model'));
  await golden(join(folder, 'capital.safetensors'));
  refused(join(folder, 'tokenizer.model'));
  refused(join(folder, 'capital.safetensors'));
  expect(() => report(join(folder, 'capital.safetensors'), 1)).toThrow(REFUSED);
});

test('a conversation is saved over itself, and over no file of a model', async () => {
  const folder = await writeTiny(join(freshFolder(), 'tiny'));
  await (await openModelFiles(folder)).close();
  const settings = { temperature: 1, top_k: 0, top_p: 1, seed: 0, max_tokens: 0 };
  const saved = { model: 'tiny', system: '', messages: [], settings };
  save(join(folder, 'talk.json'), saved);
  save(join(folder, 'talk.json'), load(join(folder, 'talk.json')));
  expect(() => save(join(folder, 'config.json'), saved)).toThrow(REFUSED);
});

test('loupe trace onto the model it reads leaves the model as it was', async () => {
  const folder = join(freshFolder(), 'copy');
  mkdirSync(folder);
  for (const name of ['config.json', 'model.safetensors', 'tokenizer.model'])
    cpSync(join(atlas, name), join(folder, name));
  const before = readFileSync(join(folder, 'model.safetensors'));
  linkSync(join(folder, 'model.safetensors'), join(dirname(folder), 'run.safetensors'));
  for (const out of [join(folder, 'model.safetensors'), join(dirname(folder), 'run.safetensors')]) {
    const args = ['trace', '-m', folder, '--ids', '2,300', '--tap', 'embed', '-o', out];
    const { status, stderr } = await command(...args);
    expect([status, stderr]).toEqual([2, expect.stringMatching(REFUSED)]);
  }
  expect(readFileSync(join(folder, 'model.safetensors')).equals(before)).toBe(true);
  expect(
    readdirSync(folder)
      .map(name => basename(name))
      .sort(),
  ).toEqual(['config.json', 'model.safetensors', 'tokenizer.model']);
});
