// A GGUF file whose chat template is none: what info and open say of it, and that a chat, in a terminal and in a cell, answers nothing until one is given.

import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { TokenizerError } from '../../engine/errors.js';
import { packageRoot } from '../../engine/files.js';
import { open } from '../../lab/session/open.js';
import { command } from '../fixtures/command.js';
import { freshFolder } from '../fixtures/folder.js';
import { writeGguf } from '../fixtures/gguf.js';
import { TINY_METADATA, tinyTensors } from '../fixtures/tiny-gguf.js';

const KEY = 'tokenizer.chat_template';
const folder = freshFolder();
const tokenizer = join(packageRoot(), 'golden/atlas/tokenizer.model');
const good = join(folder, 'good.jinja');
writeFileSync(good, '{{ bos_token }}{% for m in messages %}{{ m.content }}{% endfor %}');

const loupe = (...args: string[]) =>
  spawnSync(process.execPath, [join(packageRoot(), 'dist/lab/cli/loupe.js'), ...args], { encoding: 'utf8', input: '' });

test.each([
  [
    'a text that is none',
    { [KEY]: 'V1' },
    /the model’s own template \(tokenizer\.chat_template\)/,
    /leaves out Turn 1 \(user\), so the model would not hear it\. Give another template/,
  ],
  [
    'no text',
    { [KEY]: 7 },
    /The GGUF has a tokenizer\.chat_template that is no text\. Give one with/,
    /The GGUF has a tokenizer\.chat_template that is no text\. Give one with --chat-template FILE, or chat\(\{ template \}\)\./,
  ],
  [
    'a list of texts',
    { [KEY]: ['a', 'b'] },
    /The GGUF has a tokenizer\.chat_template that is no text/,
    /that is no text\. Give one with --chat-template FILE/,
  ],
  [
    'one by name alone',
    { [`${KEY}.tool_use`]: '{{ messages }}' },
    /The model has the chat templates 'tool_use' \(tokenizer\.chat_template\.…\) and none called default/,
    /and none called default, so none is taken\. Give one with --chat-template FILE/,
  ],
  [
    'an empty one',
    { [KEY]: '' },
    /the model’s own template \(tokenizer\.chat_template\)/,
    /chat template writes nothing|leaves out Turn 1/,
  ],
  [
    'one that is no Jinja',
    { [KEY]: '{% for %}' },
    /the model’s own template \(tokenizer\.chat_template\)/,
    /chat template is no Jinja that can be read/,
  ],
])('a chat template that is %s', async (name, metadata, info, refusal) => {
  const path = join(folder, `${name.replaceAll(' ', '-')}.gguf`);
  writeGguf(path, { ...TINY_METADATA, ...metadata }, tinyTensors());
  const told = await command('info', '-m', path);
  expect(told.status).toBe(0);
  expect(told.stdout.replace(/\s+/g, ' ')).toMatch(info);

  const { status, stdout, stderr } = loupe('chat', '-m', path, '--tokenizer', tokenizer, 'hello');
  expect({ status, stdout }).toEqual({ status: 2, stdout: '' });
  expect(stderr).toMatch(refusal);
  expect(stderr).not.toMatch(/\n\s+at /);
  const other = ['--chat-template', good, '--max-tokens', '2', '--temperature', '0'];
  const answered = loupe('chat', '-m', path, '--tokenizer', tokenizer, ...other, 'hello');
  expect(answered.stderr).not.toMatch(refusal);
  expect(answered.status).toBe(0);

  using model = await open(path, { quiet: true, tokenizer });
  const begun = async () => {
    using chat = model.chat();
    for await (const _ of chat.say('hello', { maxTokens: 1 }));
  };
  await expect(begun()).rejects.toThrow(refusal);
  await expect(begun()).rejects.toThrow(TokenizerError);
  expect(model.gpu.liveBytes).toBeGreaterThan(0); // the session goes on
  expect((await model.run('hello')).logits.values.data.length).toBeGreaterThan(0);
});
