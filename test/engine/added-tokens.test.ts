// Fine-tunes' vocabularies in folders, against transformers' AutoTokenizer (golden/added_tokens.json, made by golden/added_token_cases.py).

import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { packageRoot } from '../../engine/files.js';
import { openTokenizer } from '../../engine/tokenizer/open.js';
import type { Tokenizer } from '../../engine/tokenizer/tokenizer.js';
import { vocabularyIn } from '../../engine/weights/text-files.js';
import { freshFolder } from '../fixtures/folder.js';

interface Json {
  readonly post_processor?: object;
  readonly added_tokens: readonly { readonly id: number; readonly content: string; readonly special: boolean }[];
  readonly model: { readonly vocab: Record<string, number>; readonly merges: readonly [string, string][] };
}
interface Change {
  readonly added?: readonly Json['added_tokens'][number][];
  readonly rename?: Record<string, string>;
  readonly remove?: readonly string[];
  readonly special?: readonly string[];
}
interface Case {
  readonly name: string;
  readonly files: Readonly<Record<string, unknown>> & { readonly model?: boolean; readonly json?: Change };
  readonly rows: number;
  readonly strings: readonly { readonly text: string; readonly ids: number[]; readonly back: string }[];
}
const { base, cases } = JSON.parse(readFileSync(join(packageRoot(), 'golden/added_tokens.json'), 'utf8')) as {
  base: Json;
  cases: Case[];
};
/** As Gemma's have it; in that of atlas transformers has written that nothing goes in front. */
const BOS_IN_FRONT = {
  type: 'TemplateProcessing',
  single: [{ SpecialToken: { id: '<bos>', type_id: 0 } }, { Sequence: { id: 'A', type_id: 0 } }],
  special_tokens: { '<bos>': { id: '<bos>', ids: [2], tokens: ['<bos>'] } },
};
const folder = freshFolder();

/** atlas' tokenizer.json with tokens added, and pieces renamed or left out. */
function changed({ added = [], rename = {}, remove = [], special = [] }: Change): Json {
  const vocab = Object.entries(base.model.vocab)
    .filter(([piece]) => !remove.includes(piece))
    .map(([piece, id]) => [rename[piece] ?? piece, id] as const);
  const gone = [...remove, ...Object.keys(rename)];
  return {
    ...base,
    post_processor: BOS_IN_FRONT,
    added_tokens: [
      ...base.added_tokens.map(one => ({ ...one, special: one.special || special.includes(one.content) })),
      ...added,
    ],
    model: {
      ...base.model,
      vocab: Object.fromEntries(vocab),
      merges: base.model.merges.filter(([a, b]) => ![a, b, a + b].some(piece => gone.includes(piece))),
    },
  };
}

let number = 0;
function written(files: Case['files']): string {
  const at = join(folder, String(number++));
  mkdirSync(at);
  for (const [name, content] of Object.entries(files)) {
    if (name === 'model')
      copyFileSync(join(packageRoot(), 'golden/atlas/tokenizer.model'), join(at, 'tokenizer.model'));
    else if (name === 'json') writeFileSync(join(at, 'tokenizer.json'), JSON.stringify(changed(content as Change)));
    else writeFileSync(join(at, name), typeof content === 'string' ? content : JSON.stringify(content));
  }
  return at;
}
const opened = (files: Case['files'], rows = 520): Promise<Tokenizer> =>
  openTokenizer(vocabularyIn(written(files), rows)!);

/** Beside a list of extra tokens transformers forgets the pieces of tokenizer.model that are never cut, the marks of turns among them. */
const CUTS_TURNS = ['extra tokens as objects', 'added_tokens.json, and extra ones in both small files'];

test.each(cases)('$name: every string as transformers has it, and back', async ({ name, files, rows, strings }) => {
  const one = await opened(files, rows);
  for (const { text, ids, back } of strings) {
    if (CUTS_TURNS.includes(name) && text.includes('<start_of_turn>')) {
      const [open, close] = ['<start_of_turn>', '<end_of_turn>'].map(mark => one.idOf(mark));
      const marks = one.encode(text, { special: true }).filter(id => id === open || id === close);
      expect(marks).toEqual([open, close, open]);
      continue;
    }
    expect({ text, ids: one.encode(text, { special: true }) }).toEqual({ text, ids });
    expect({ text, back: one.decode(ids) }).toEqual({ text, back });
  }
  expect(strings.length).toBeGreaterThan(30);
});

test('which of two files is read, and what is said of it', async () => {
  const token = (content: string, id: number) => ({ id, content, special: true });
  const think = [token('<THINK>', 512), token('</THINK>', 513)];
  const named = [
    ...(await opened({ model: true, json: { added: think } }, 513)).notices,
    ...(await opened({ model: true, json: { rename: { apit: '<|im_start|>' } } })).notices,
    ...(await opened({ model: true, 'added_tokens.json': { '<THINK>': 512 } })).notices,
    ...(await opened({ model: true, json: { added: [{ id: 279, content: 'apital', special: false }] } }, 512)).notices,
  ];
  expect(named).toEqual([
    "tokenizer.json has 2 tokens ('<THINK>', '</THINK>') that tokenizer.model beside it lacks; tokenizer.json is read. The model has no row for 1 of them.",
    "tokenizer.json and tokenizer.model beside it differ in 1 token ('apit' is '<|im_start|>'); tokenizer.json is read.",
    "Files beside tokenizer.model add 1 token to it: '<THINK>'.",
    "tokenizer.json never cuts 1 token ('apital'), and tokenizer.model beside it may; tokenizer.json is read.",
  ]);
  // Nothing to say where both give the same ids: the smaller is read.
  const same = await opened({ model: true, json: {} }, 512);
  expect([same.source, same.notices]).toEqual(['sentencepiece', []]);
  const beyond = await opened({ model: true, json: { added: think } }, 512);
  expect([beyond.source, beyond.notices]).toEqual(['sentencepiece', []]);
  // tokenizer.json of less, or of another model, or of none.
  const less = await opened({ model: true, json: { remove: ['▁capital'] } }, 512);
  expect([less.source, less.notices]).toEqual([
    'sentencepiece',
    [expect.stringMatching(/tokenizer.json lacks 1 token/)],
  ]);
  const vast = await opened(
    {
      model: true,
      json: { rename: {} },
      'tokenizer.json': { ...base, model: { ...base.model, vocab: { ...base.model.vocab, far: 9000 } } },
    },
    512,
  );
  expect([vast.source, vast.notices]).toEqual([
    'sentencepiece',
    [expect.stringMatching(/ids up to 9000 and the model 512 rows/)],
  ]);
  const broken = await opened({ model: true, 'tokenizer.json': '{"model"' });
  expect([broken.source, broken.notices]).toEqual([
    'sentencepiece',
    [expect.stringMatching(/tokenizer.json beside it, which cannot be/)],
  ]);
  await expect(opened({ 'tokenizer.json': '{"model"' })).rejects.toThrow(/is no tokenizer.json/);
});

test('an id that transformers would give and the model has no row for: the file’s own is taken', async () => {
  const added = [{ id: 278, content: '<|im_start|>', special: true }];
  const one = await opened({ json: { added } }, 512);
  expect(one.encode('<|im_start|>', { special: true })).toEqual([278]);
  const moved = await opened({ json: { added } }, 514);
  expect(moved.encode('<|im_start|>', { special: true })).toEqual([512]);
  expect(moved.notices).toEqual([
    expect.stringMatching(/other ids .* transformers' are taken: '<\|im_start\|>' is 512, not 278/),
  ]);
});

test('a hole in a vocabulary is an id without a piece', async () => {
  const one = await opened({ json: { remove: ['▁capital'] } });
  expect([one.piece(280), one.has(280), one.decode([280]), one.idOf('#280')]).toEqual(['#280', false, '', null]);
});

test('small files that say nonsense are refused by name', async () => {
  const files: [Case['files'], RegExp][] = [
    [{ 'added_tokens.json': { '<THINK>': 'x' } }, /added_tokens.json gives '<THINK>' the id "x"/],
    [{ 'added_tokens.json': 'nothing' }, /added_tokens.json is not JSON/],
    [{ 'tokenizer_config.json': { added_tokens_decoder: { 512: '<T>' } } }, /among its added tokens, where an object/],
    [{ 'tokenizer_config.json': { added_tokens_decoder: { x: { content: 'a' } } } }, /the added token 'a' the id NaN/],
    [
      { 'tokenizer_config.json': { added_tokens_decoder: { 512: { content: 'a\u202e', rstrip: 3 } } } },
      /'a\\u\{202e\}' rstrip = 3/,
    ],
  ];
  for (const [beside, message] of files) await expect(opened({ model: true, ...beside })).rejects.toThrow(message);
});
