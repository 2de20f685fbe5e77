// A text ends at every end that a GGUF has, by whatever key or name: the token that this model picks first is made one of them.

import { join } from 'node:path';
import { expect, test } from 'vitest';
import { open } from '../../lab/session/open.js';
import { freshFolder } from '../fixtures/folder.js';
import { writeGguf } from '../fixtures/gguf.js';
import { TINY_METADATA, tinyTensors } from '../fixtures/tiny-gguf.js';

const folder = freshFolder();
const PROMPT = [2, 5, 9];
const OTHER = 3;

async function made(name: string, metadata: Parameters<typeof writeGguf>[1]): Promise<number[]> {
  const path = writeGguf(join(folder, `${name}.gguf`), { ...TINY_METADATA, ...metadata }, tinyTensors());
  using model = await open(path, { quiet: true });
  const ids: number[] = [];
  for await (const { id } of model.generate(PROMPT, { maxTokens: 4 })) ids.push(id);
  return ids;
}
const whole = await made('none', { 'tokenizer.ggml.eos_token_id': OTHER });
const [PICKED] = whole;
/** A vocabulary of which the ends alone have names that mean something. */
const pieces = (named: Record<number, string>) => ({
  'tokenizer.ggml.model': 'llama',
  'tokenizer.ggml.scores': Float32Array.from({ length: 1000 }, (_, id) => -id),
  'tokenizer.ggml.token_type': Int32Array.from({ length: 1000 }, (_, id) => (id === 0 ? 2 : 1)),
  'tokenizer.ggml.tokens': Array.from({ length: 1000 }, (_, id) => named[id] ?? `piece${id}`),
});

test('without it the text goes on', () => {
  expect(whole).toHaveLength(4);
  expect(whole.slice(1)).not.toContain(OTHER);
});

test.each<[string, Parameters<typeof writeGguf>[1]]>([
  ['eos_token_id', { 'tokenizer.ggml.eos_token_id': PICKED }],
  [
    'eos_token_ids',
    { 'tokenizer.ggml.eos_token_id': OTHER, 'tokenizer.ggml.eos_token_ids': Int32Array.of(OTHER, PICKED) },
  ],
  ['eot_token_id', { 'tokenizer.ggml.eos_token_id': OTHER, 'tokenizer.ggml.eot_token_id': PICKED }],
  ['end_of_turn', { ...pieces({ [PICKED]: '<end_of_turn>' }), 'tokenizer.ggml.eos_token_id': OTHER }],
  [
    'eos beside end_of_turn',
    { ...pieces({ [PICKED]: '<eos>', [OTHER]: '<end_of_turn>' }), 'tokenizer.ggml.eos_token_id': OTHER },
  ],
])('%s', async (name, metadata) => {
  expect(await made(name, metadata)).toEqual([PICKED]);
});
