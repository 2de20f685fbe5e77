// Vocabularies given beside a model, and what a model's makers ask of generation.

import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { TokenizerError } from '../../engine/errors.js';
import { packageRoot } from '../../engine/files.js';
import { openTokenizerFile } from '../../engine/tokenizer/open.js';
import type { Tokenizer } from '../../engine/tokenizer/tokenizer.js';
import { openModelFiles } from '../../engine/weights/open.js';
import type { ModelFiles } from '../../engine/weights/source.js';
import { open } from '../../lab/session/open.js';
import { checkVocabulary } from '../../lab/session/vocabulary-fit.js';
import { freshFolder } from '../fixtures/folder.js';
import { writeGguf } from '../fixtures/gguf.js';
import { TINY_METADATA, tinyTensors } from '../fixtures/tiny-gguf.js';

const atlas = join(packageRoot(), 'golden', 'atlas');
const own = await openTokenizerFile(join(atlas, 'tokenizer.model'));
const files = (rows: number, vocabulary: object | null = null) =>
  ({ config: { vocab: rows }, vocabulary }) as unknown as ModelFiles;
const sized = (size: number) => ({ size }) as Tokenizer;

test('a vocabulary of another size is another model’s', async () => {
  const refused = (size: number, rows: number, vocabulary: object | null = null) =>
    checkVocabulary(sized(size), 'v.json', files(rows, vocabulary)).catch(error => error);
  expect(await refused(262_144, 512)).toEqual(
    new TokenizerError(
      'v.json has 262144 pieces, and the model has rows for 512: it is the vocabulary of another model. Give the one that it was trained with.',
    ),
  );
  expect(String(await refused(262_144, 512, {}))).toMatch(/model\. Open the model without it: it has its own\.$/);
  expect(await refused(1537, 512)).toBeInstanceOf(TokenizerError);
  expect(await refused(255, 512)).toBeInstanceOf(TokenizerError);
  // Gemma 3's has a piece for pictures beyond the rows of its text models; rows are padded.
  for (const [size, rows] of [
    [262_145, 262_144],
    [1536, 512],
    [256, 512],
    [256_000, 256_128],
  ])
    expect(await refused(size, rows)).toEqual([]);
});

test('one with other pieces than the model’s own is said', async () => {
  const vocabulary = { kind: 'sentencepiece', path: join(atlas, 'tokenizer.model') };
  expect(await checkVocabulary(own, 'v.model', files(512, vocabulary))).toEqual([]);
  const other = { size: own.size, piece: (id: number) => (id < 500 ? own.piece(id) : '') } as unknown as Tokenizer;
  const [notice] = await checkVocabulary(other, 'v.model', files(512, vocabulary));
  expect(notice).toBe(
    "v.model has other pieces than the model's own vocabulary for 12 of 512 ids. Open the model without it: it has its own.",
  );
});

test('open refuses it before the weights are loaded', async () => {
  const path = join(freshFolder(), 'tokenizer.json');
  const bytes = Array.from({ length: 256 }, (_, i) => `<0x${i.toString(16).toUpperCase().padStart(2, '0')}>`);
  const pieces = ['<unk>', '<bos>', '<eos>', '▁', ...bytes, ...Array.from({ length: 3744 }, (_, i) => `piece${i}`)];
  const special = (id: number) => ({ id, content: pieces[id], special: true, normalized: false });
  const vocab = Object.fromEntries(pieces.map((piece, id) => [piece, id]));
  writeFileSync(
    path,
    JSON.stringify({
      version: '1.0',
      added_tokens: [0, 1, 2].map(special),
      normalizer: { type: 'Replace', pattern: { String: ' ' }, content: '▁' },
      pre_tokenizer: null,
      model: { type: 'BPE', unk_token: '<unk>', byte_fallback: true, fuse_unk: true, vocab, merges: [] },
    }),
  );
  await expect(open('atlas', { tokenizer: path, quiet: true })).rejects.toThrow(
    /has 4004 pieces, and the model has rows for 512/,
  );
});

test('what generation_config.json asks for and Loupe does not do is among the notices of the files', async () => {
  const folder = freshFolder();
  for (const name of ['model.safetensors', 'tokenizer.model']) copyFileSync(join(atlas, name), join(folder, name));
  const config = JSON.parse(readFileSync(join(atlas, 'config.json'), 'utf8'));
  const noticed = async (more: object, generation: object | null) => {
    writeFileSync(join(folder, 'config.json'), JSON.stringify({ ...config, ...more }));
    if (generation) writeFileSync(join(folder, 'generation_config.json'), JSON.stringify(generation));
    const opened = await openModelFiles(folder);
    await opened.close();
    return opened.notices.join('\n');
  };
  expect(await noticed({ suppress_tokens: [340] }, null)).toMatch(/^config\.json asks for suppress_tokens = \[340\]/);
  expect(await noticed({ suppress_tokens: [340] }, { temperature: 1 })).toBe('');
  expect(await noticed({}, { num_beams: 3 })).toMatch(/^generation_config\.json asks for num_beams = 3, which Loupe/);
});

test('what there is to say of how files were read is among the notices of the session too', async () => {
  const path = join(freshFolder(), 'tiny.gguf');
  writeGguf(path, { ...TINY_METADATA, 'gemma3.vocab_size': 500 }, tinyTensors());
  using opened = await open(path, { quiet: true });
  expect(opened.notices).toContain(
    `The file says vocab_size 500, and its embedding has ${opened.config.vocab} rows: these are what counts.`,
  );
});
