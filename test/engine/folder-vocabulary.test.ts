// Of a folder's two vocabularies: which is read, what the small files add, and what is said of it.

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { TokenizerError } from '../../engine/errors.js';
import { packageRoot } from '../../engine/files.js';
import { vocabularyOfFolder } from '../../engine/tokenizer/folder-vocabulary.js';
import { freshFolder } from '../fixtures/folder.js';

const atlas = readFileSync(join(packageRoot(), 'golden/atlas/tokenizer.model'));
const { base } = JSON.parse(readFileSync(join(packageRoot(), 'golden/added_tokens.json'), 'utf8'));
const { vocab, merges } = base.model as { vocab: Record<string, number>; merges: [string, string][] };
const token = (content: string, id: number, flags: Record<string, boolean> = {}) => ({
  id,
  content,
  special: true,
  ...flags,
});

/** atlas' tokenizer.json with tokens added, and pieces named otherwise or left out. */
function json(added: readonly object[] = [], names: Readonly<Record<string, string | null>> = {}): string {
  const pieces = Object.entries(vocab).flatMap(([piece, id]) => {
    const name = piece in names ? names[piece] : piece;
    return name === null ? [] : [[name, id]];
  });
  const gone = Object.keys(names);
  const kept = merges.filter(([a, b]) => ![a, b, a + b].some(piece => gone.includes(piece)));
  return JSON.stringify({
    ...base,
    added_tokens: [...base.added_tokens, ...added],
    model: { ...base.model, vocab: Object.fromEntries(pieces), merges: kept },
  });
}

const home = freshFolder();
let number = 0;
async function found(
  { model, tokens }: { readonly model?: boolean; readonly tokens?: string },
  rows = 512,
  small: Readonly<Record<string, unknown>> = {},
) {
  const folder = join(home, String(number++));
  mkdirSync(folder);
  for (const [name, content] of Object.entries(small)) writeFileSync(join(folder, name), JSON.stringify(content));
  const files = {
    model: model ? join(folder, 'tokenizer.model') : null,
    json: tokens ? join(folder, 'tokenizer.json') : null,
  };
  const { vocabulary, path } = await vocabularyOfFolder({ folder, ...files, rows }, async from =>
    from === files.json ? Buffer.from(tokens!) : atlas,
  );
  return { ...vocabulary, read: path === files.json ? 'json' : path === files.model ? 'model' : path };
}
const both = (tokens: string, rows?: number, small?: Record<string, unknown>) =>
  found({ model: true, tokens }, rows, small);
const said = async (tokens: string, rows?: number, small?: Record<string, unknown>) => {
  const { read, notices } = await both(tokens, rows, small);
  return [read, ...(notices ?? [])];
};
const READS = 'tokenizer.json is read.';

test('tokenizer.json that knows more is read, and how much more is said', async () => {
  const names = ['<A>', '<B>', '<C>', '<D>'].map((name, i) => token(name, 512 + i));
  const lacks = (what: string) => `tokenizer.json has ${what} that tokenizer.model beside it lacks; ${READS}`;
  expect(await said(json(names.slice(0, 1)), 513)).toEqual(['json', lacks("1 token ('<A>')")]);
  expect(await said(json(names.slice(0, 3)), 515)).toEqual(['json', lacks("3 tokens ('<A>', '<B>', '<C>')")]);
  expect(await said(json(names), 516)).toEqual(['json', lacks("4 tokens ('<A>', '<B>', '<C>' …)")]);
  const rowless = (n: number) => ` The model has no row for ${n} of them.`;
  expect(await said(json(names), 514)).toEqual(['json', lacks("4 tokens ('<A>', '<B>', '<C>' …)") + rowless(2)]);
  expect(await said(json(names), 513)).toEqual(['json', lacks("4 tokens ('<A>', '<B>', '<C>' …)") + rowless(3)]);
  // Of no use to the model: the smaller file is read, and nothing to say.
  const { read, notices, pieces, kinds } = await both(json(names), 512);
  expect([read, notices, pieces.length, kinds.length]).toEqual(['model', [], 512, 512]);
  // Alone, with nothing beside.
  const alone = await found({ tokens: json(names) }, 516); // Gemma's <mask> has no row
  expect([alone.read, alone.pieces.length, alone.notices]).toEqual(['json', 516, []]);
});

test('pieces named otherwise, or lacking', async () => {
  const differ = (what: string) => `tokenizer.json and tokenizer.model beside it differ in ${what}; ${READS}`;
  expect(await said(json([], { apit: '<x>' }))).toEqual(['json', differ("1 token ('apit' is '<x>')")]);
  const four = { apit: '<x>', apital: '<y>', '▁capital': '<z>', '▁A': '<w>' };
  const list = Object.entries(four)
    .sort(([a], [b]) => vocab[a] - vocab[b])
    .map(([piece, name]) => `'${piece}' is '${name}'`);
  expect(await said(json([], four))).toEqual(['json', differ(`4 tokens (${list.slice(0, 3).join(', ')} …)`)]);
  // A name that is other says more than a token that is there besides.
  expect(await said(json([token('<A>', 512)], { apit: '<x>' }), 513)).toEqual([
    'json',
    differ("1 token ('apit' is '<x>')"),
  ]);
  expect(await said(json([], { apit: null }))).toEqual([
    'model',
    "tokenizer.json lacks 1 token ('apit') that tokenizer.model beside it has; tokenizer.model is read.",
  ]);
  expect((await said(json([], { apit: null, apital: null })))[1]).toMatch(/lacks 2 tokens \('apit', 'apital'\) that/);
});

test('tokens that tokenizer.json never cuts and tokenizer.model may', async () => {
  const never = (what: string) => `tokenizer.json never cuts ${what}, and tokenizer.model beside it may; ${READS}`;
  const plain = { special: false };
  expect(await said(json([token('apital', vocab.apital, plain)]))).toEqual(['json', never("1 token ('apital')")]);
  expect(await said(json([token('<0x41>', vocab['<0x41>'], plain)]))).toEqual(['json', never("1 token ('<0x41>')")]);
  for (const flag of ['lstrip', 'rstrip', 'single_word']) {
    expect(await said(json([token('<bos>', 2, { [flag]: true })]))).toEqual(['json', never("1 token ('<bos>')")]);
  }
  const many = ['apit', 'apital', '▁capital', '▁A'].map(piece => token(piece, vocab[piece], plain));
  expect((await said(json(many)))[1]).toMatch(/never cuts 4 tokens \('apit', 'apital', '▁capital' …\), and/);
  // What is never cut in either: nothing to say.
  expect(await said(json())).toEqual(['model']);
});

test('ids far beyond the model', async () => {
  const far = JSON.parse(json());
  far.model.vocab.far = 9000;
  expect(await said(JSON.stringify(far))).toEqual([
    'model',
    'tokenizer.json has ids up to 9000 and the model 512 rows, so tokenizer.model beside it is read.',
  ]);
  far.model.vocab = { ...vocab, far: 512 };
  expect((await said(JSON.stringify(far)))[1]).toMatch(/ids up to 512 and the model 512 rows/);
  expect((await said(JSON.stringify(far), 513))[0]).toBe('json');
  // Where neither fits, the one that knows more is read as ever.
  const [read, notice] = await said(JSON.stringify(far), 511);
  expect([read, notice]).toEqual(['model', undefined]);
  expect((await said(json([], { apit: '<x>' }), 500))[0]).toBe('json');
});

test('which marks stand for no text is tokenizer.json’s to say', async () => {
  const turns = JSON.parse(json());
  for (const one of turns.added_tokens) if (/turn/.test(one.content)) one.special = true;
  const { read, kinds, pieces } = await both(JSON.stringify(turns));
  const kind = (piece: string) => kinds[pieces.indexOf(piece)];
  expect(read).toBe('model');
  expect(['<start_of_turn>', '<end_of_turn>', '<bos>', '<unk>', '\n', 'apit', '<0x41>'].map(kind)).toEqual([
    'control',
    'control',
    'control',
    'unknown',
    'user',
    'normal',
    'byte',
  ]);
  const plain = await both(json());
  expect(plain.kinds[vocab['<start_of_turn>']]).toBe('user');
  expect((await found({ model: true })).kinds[vocab['<start_of_turn>']]).toBe('user');
});

test('what the small files add to tokenizer.model', async () => {
  const added = (ids: Record<string, number>) => found({ model: true }, 520, { 'added_tokens.json': ids });
  const sentence = (what: string) => [`Files beside tokenizer.model add ${what}.`];
  expect((await added({ '<A>': 512 })).notices).toEqual(sentence("1 token to it: '<A>'"));
  expect((await added({ '<A>': 512, '<B>': 513, '<C>': 514 })).notices).toEqual(
    sentence("3 tokens to it: '<A>', '<B>', '<C>'"),
  );
  const four = await added({ '<A>': 512, '<B>': 513, '<C>': 514, '<D>': 515 });
  expect(four.notices).toEqual(sentence("4 tokens to it: '<A>', '<B>', '<C>' …"));
  expect([four.read, four.pieces.slice(511), four.kinds.slice(512)]).toEqual([
    'model',
    [four.pieces[511], '<A>', '<B>', '<C>', '<D>', '<mask>'],
    ['user', 'user', 'user', 'user', 'control'],
  ]);
  expect([...four.foreign!]).toEqual([512, 513, 514, 515, 516]);
  // Scores of the model's own stay; a token has none.
  const { scores } = await found({ model: true });
  expect(scores[300]).not.toBe(0);
  expect(Array.from(four.scores).slice(0, 512)).toEqual(Array.from(scores));
  expect(Array.from(four.scores).slice(512)).toEqual([0, 0, 0, 0, 0]);
  // What the vocabulary says already adds nothing.
  const listed = (id: number, entry: object) =>
    found({ model: true }, 520, { 'tokenizer_config.json': { added_tokens_decoder: { [id]: entry } } });
  for (const [id, content] of [
    [2, '<bos>'],
    [3, '<unk>'],
    [4, '<start_of_turn>'],
  ] as const) {
    const same = await listed(id, { content, special: true });
    expect([same.notices, same.pieces.length, same.added]).toEqual([[], 512, null]);
  }
  // But a plain piece or a byte that is never cut does, and a token with other flags.
  for (const [id, entry] of [
    [vocab.apital, { content: 'apital' }],
    [vocab['<0x41>'], { content: '<0x41>' }],
    [2, { content: '<bos>', lstrip: true }],
    [2, { content: '<bos>', rstrip: true }],
    [2, { content: '<bos>', single_word: true }],
  ] as const) {
    expect((await listed(id, entry)).notices).toEqual(sentence(`1 token to it: '${entry.content}'`));
  }
  expect((await listed(9, { content: '<A>' })).notices).toEqual([
    ...sentence("1 token to it: '<A>'"),
    expect.stringMatching(/tokenizer.model gives 1 added token other ids .*: '<A>' is 512, not 9\.$/),
  ]);
  // Beside tokenizer.model that is read of the two, too.
  const two = await both(json(), 520, { 'added_tokens.json': { '<A>': 512 } });
  expect([two.read, two.pieces[512]]).toEqual(['json', '<A>']);
  const broken = await both('{', 520, { 'added_tokens.json': { '<A>': 512 } });
  expect([broken.read, broken.notices?.length, broken.notices?.[0], broken.pieces[512]]).toEqual([
    'model',
    2,
    expect.stringMatching(
      /^tokenizer.model is read and not tokenizer.json beside it, which cannot be: .*tokenizer.json/,
    ),
    '<A>',
  ]);
  await expect(found({ tokens: '{' })).rejects.toThrow(TokenizerError);
});

test('a file that cannot be had is no reason to read the other', async () => {
  const folder = join(home, 'none');
  mkdirSync(folder);
  const files = { folder, model: join(folder, 'tokenizer.model'), json: join(folder, 'tokenizer.json'), rows: 512 };
  const read = async (path: string) => {
    if (path === files.json) throw new RangeError('no memory');
    return atlas;
  };
  await expect(vocabularyOfFolder(files, read)).rejects.toThrow(new RangeError('no memory'));
});
