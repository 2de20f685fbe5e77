// What stands around a prompt and in front of a conversation, against transformers' AutoTokenizer (golden/bos.json, made by golden/bos_cases.py).

import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { TokenizerError } from '../../engine/errors.js';
import { packageRoot } from '../../engine/files.js';
import { endsNotices, endsOfKeys, endsOfProcessor, withEnds } from '../../engine/tokenizer/ends.js';
import { specialTokensOfGguf, vocabularyFromGguf } from '../../engine/tokenizer/gguf-vocabulary.js';
import { openTokenizer } from '../../engine/tokenizer/open.js';
import { PieceTokenizer } from '../../engine/tokenizer/piece-tokenizer.js';
import { vocabularyFromModel } from '../../engine/tokenizer/sentencepiece-model.js';
import { bosNotices, idsOf, ownBosNotices, templateFor } from '../../engine/tokenizer/template-ids.js';
import type { Tokenizer } from '../../engine/tokenizer/tokenizer.js';
import { specialTokensIn } from '../../engine/tokenizer/tokens-beside.js';
import type { ModelFiles } from '../../engine/weights/source.js';
import { vocabularyIn } from '../../engine/weights/text-files.js';
import { freshFolder } from '../fixtures/folder.js';

interface Case {
  readonly name: string;
  readonly files: Readonly<Record<string, unknown>> & { readonly model?: boolean; readonly json?: object };
  readonly keys: Readonly<Record<string, number | boolean | null>>;
  readonly ids: number[];
  readonly chat: Readonly<Record<string, number[]>>;
}
const read = (path: string) => JSON.parse(readFileSync(join(packageRoot(), path), 'utf8'));
const { prompt, templates, cases, gguf } = read('golden/bos.json') as {
  prompt: string;
  templates: Record<string, string>;
  cases: Case[];
  gguf: Case[];
};
const { base } = read('golden/added_tokens.json');
const atlas = join(packageRoot(), 'golden/atlas');
const BOS = 2;
const home = freshFolder();
let number = 0;

/** A folder with what a case says, and where it is. */
function written(files: Case['files']): string {
  const at = join(home, String(number++));
  mkdirSync(at);
  for (const [name, content] of Object.entries(files)) {
    if (name === 'model') copyFileSync(join(atlas, 'tokenizer.model'), join(at, 'tokenizer.model'));
    else if (name === 'json')
      writeFileSync(join(at, 'tokenizer.json'), JSON.stringify({ ...base, ...(content as object) }));
    else writeFileSync(join(at, name), JSON.stringify(content));
  }
  return at;
}
const opened = (at: string): Promise<Tokenizer> => openTokenizer(vocabularyIn(at, 512)!);
const fed = (tokenizer: Tokenizer, text = prompt) =>
  withEnds(tokenizer.encode(text, { special: true }), tokenizer.ends ?? { front: [tokenizer.bosId], back: [] });
const chats = (tokenizer: Tokenizer, special: Readonly<Record<string, string>>) =>
  Object.fromEntries(
    Object.entries(templates).map(([name, source]) => {
      const template = templateFor(source, tokenizer, special);
      return [name, idsOf(template, tokenizer, template.render([{ role: 'user', content: 'The capital' }]))];
    }),
  );

/** transformers 5.23 puts nothing in front where no file says anything; Gemma's makers all say bos, and it stays. */
const UNSAID = [
  'model',
  'model, eos',
  'model, keys in config.json',
  'json, none',
  'json, none and keys',
  'json, no processor, a class of its own',
  'both, none and keys',
  'no id of bos',
];
const ours = ({ name, ids }: Case) => (UNSAID.includes(name) ? [BOS, ...ids] : ids);

test.each(cases)('$name: a prompt and eight templates have transformers’ ids', async row => {
  const at = written(row.files);
  const one = await opened(at);
  expect(fed(one)).toEqual(ours(row));
  expect(chats(one, specialTokensIn(at))).toEqual(row.chat);
});

const model = vocabularyFromModel(readFileSync(join(atlas, 'tokenizer.model')), 'atlas');
const KINDS = ['', 'normal', 'unknown', 'control', 'user', 'unused', 'byte'];
const metadata = (keys: Case['keys']) =>
  new Map<string, unknown>(
    Object.entries({
      model: 'llama',
      tokens: model.pieces,
      scores: [...(model.scores as Float32Array)],
      token_type: model.kinds.map(kind => KINDS.indexOf(kind)),
      add_space_prefix: false,
      ...{ bos_token_id: 2, eos_token_id: 1, unknown_token_id: 3, ...keys },
    })
      .filter(([, value]) => value !== null)
      .map(([key, value]) => [`tokenizer.ggml.${key}`, value]),
  );

test.each(gguf)('a GGUF, $name: a prompt and eight templates have transformers’ ids', row => {
  const keys = metadata(row.keys);
  const one = new PieceTokenizer(vocabularyFromGguf(keys));
  expect(fed(one)).toEqual(ours(row));
  // Without an id of its own the bos and the eos are Gemma's here.
  if (!row.name.startsWith('no id')) expect(chats(one, specialTokensOfGguf(keys))).toEqual(row.chat);
});

test('what differs from Gemma’s is said, and what is passed over', async () => {
  const said = async (name: string) => {
    const { files } = cases.find(row => row.name === name)!;
    return (await opened(written(files))).notices;
  };
  const by = (from: string, front: string, behind: string, more = '') =>
    `By ${from} a prompt gets ${front} in front and ${behind} behind; Gemma's own get '<bos>' in front alone.${more}`;
  const on = ' A generation goes on from behind that.';
  const over = (key: string) =>
    `tokenizer_config.json says ${key}; tokenizer.json is there, and so it is passed over, as in transformers.`;
  const none =
    "tokenizer.json has no post_processor, and transformers puts nothing in front of a prompt then; Gemma's bos is put all the same.";
  const [keys, processor] = ['tokenizer_config.json', "tokenizer.json's post_processor"];
  for (const [name, notices] of [
    ['model', []],
    ['model, bos', []],
    ['model, no bos', [by(keys, 'nothing', 'nothing')]],
    ['model, eos', [by(keys, "'<bos>'", "'<eos>'", on)]],
    ['model, another bos', [by(keys, "'<end_of_turn>'", 'nothing')]],
    ['model, bos_token null', [by(keys, 'nothing', 'nothing')]],
    ['json, bos', []],
    ['json, no bos', [by(processor, 'nothing', 'nothing')]],
    ['json, two in front', [by(processor, "'<bos>' '<end_of_turn>'", "'<end_of_turn>' '<eos>'", on)]],
    ['json, none', [none]],
    ['json, none and no bos', [by(keys, 'nothing', 'nothing')]],
    ['json, none and keys', [over('add_eos_token: true'), none]],
    ['json, bos and no bos in the keys', [over('add_eos_token: true'), over('add_bos_token: false')]],
    ['both, bos', []],
    ['both, no bos', [by(processor, 'nothing', 'nothing')]],
    [
      'both, no bos and keys',
      [over('add_eos_token: true'), over('add_bos_token: true'), by(processor, 'nothing', 'nothing')],
    ],
  ] as const)
    expect([name, await said(name)]).toEqual([name, notices]);
  const keysOf = { add_bos_token: false, add_eos_token: true };
  expect(new PieceTokenizer(vocabularyFromGguf(metadata(keysOf))).notices).toEqual([
    by("the GGUF's tokenizer.ggml.add_bos_token and add_eos_token", 'nothing', "'<eos>'", on),
  ]);
  // As published, Gemma says bos in both files, and nothing is said of it.
  const published = { model: true, json: cases.find(({ name }) => name === 'json, bos')!.files.json };
  const tokenizer_config = {
    add_bos_token: true,
    add_eos_token: false,
    bos_token: '<bos>',
    eos_token: '<end_of_turn>',
  };
  const one = await opened(written({ ...published, 'tokenizer_config.json': tokenizer_config }));
  expect([one.notices, fed(one), one.source]).toEqual([[], [BOS, ...model6], 'sentencepiece']);
});
const model6 = [274, 280, 270, 371, 432, 272];

test('a tokenizer.json of another model says nothing of this one’s prompts', async () => {
  const more = Object.fromEntries(Array.from({ length: 8 }, (_, i) => [`piece${i}`, 512 + i]));
  const json = {
    post_processor: { type: 'BertProcessing', sep: ['a', 8], cls: ['b', 9] },
    model: { ...base.model, vocab: { ...base.model.vocab, ...more } },
  };
  const one = await opened(written({ model: true, json, 'tokenizer_config.json': { add_bos_token: false } }));
  expect(fed(one)).toEqual(model6);
  expect(one.notices[0]).toMatch(/^tokenizer.json has ids up to 519 and the model 512 rows/);
  const broken = { post_processor: { type: 'Nosuch' } };
  const other = await opened(written({ model: true, json: broken, 'tokenizer_config.json': { add_eos_token: true } }));
  expect(fed(other)).toEqual([BOS, ...model6, 1]);
  expect(other.notices[0]).toMatch(
    /^tokenizer.model is read and not tokenizer.json beside it, which cannot be: .*puts tokens/,
  );
});

test('a post_processor that is not understood is refused by name, and so is a key that is neither true nor false', async () => {
  const need = (holds: boolean, what: string) => {
    if (!holds) throw new TokenizerError(what);
  };
  const text = { Sequence: { id: 'A', type_id: 0 } };
  const bos = { SpecialToken: { id: '<bos>', type_id: 0 } };
  const names = { '<bos>': { id: '<bos>', ids: [2], tokens: ['<bos>'] } };
  const template = (single: unknown, special_tokens: unknown = names) => ({
    type: 'TemplateProcessing',
    single,
    special_tokens,
  });
  expect(endsOfProcessor(template([bos, text]), need)).toMatchObject({ front: [2], back: [] });
  expect(endsOfProcessor(template([bos, text], { '<bos>': { ids: [0] } }), need)).toMatchObject({ front: [0] });
  expect([endsOfProcessor(null, need), endsOfProcessor(undefined, need)]).toEqual([null, null]);
  const long = { type: 'Nosuch', more: 'x'.repeat(500) };
  expect(() => endsOfProcessor(long, need)).toThrow(
    new TokenizerError(`puts tokens around a text by ${JSON.stringify(long).slice(0, 80)}`),
  );
  // Without a word on what to add, another bos is none to add.
  const unsaid = { bos: null, eos: null, bosText: '<x>', eosText: '<y>' };
  expect(endsOfKeys(unsaid, () => 7)).toBe(null);
  expect(endsOfKeys({ ...unsaid, bos: true }, () => null)).toEqual({
    front: [],
    back: [],
    from: 'tokenizer_config.json',
  });
  const twice = endsNotices({ front: [2, 2], back: [], from: 'F' }, 2, id => `p${id}`);
  expect(twice).toEqual([
    "By F a prompt gets 'p2' 'p2' in front and nothing behind; Gemma's own get 'p2' in front alone.",
  ]);
  expect(endsNotices({ front: [2], back: [], from: 'F' }, 2, String)).toEqual([]);
  for (const odd of [
    { type: 'Nosuch' },
    5,
    'x',
    [],
    { type: 'Sequence' },
    { type: 'Sequence', processors: [null] },
    template(undefined),
    template('$A'),
    template([]),
    template([bos]),
    template([text, text]),
    template([text, { Sequence: { id: 'B', type_id: 0 } }]),
    template([bos, text], {}),
    template([bos, text], null),
    template([{ SpecialToken: { id: 'constructor' } }, text]),
    template([{ SpecialToken: { id: 5 } }, text]),
    template([bos, text], { '<bos>': { ids: [-1] } }),
    template([bos, text], { '<bos>': { ids: [1.5] } }),
    template([bos, text], { '<bos>': { ids: 2 } }),
    template([bos, text], { '<bos>': { ids: [2, -1] } }),
    template([{}, text], { undefined: { ids: [1] } }),
    template([{ SpecialToken: { id: 5 } }, text], { 5: { ids: [1] } }),
    template([bos, { Sequence: { id: 'B' } }]),
    { ...template([bos, text]), type: 'Other' },
    { type: 'BertProcessing', cls: ['a', 1] },
    { type: 'RobertaProcessing', cls: 1, sep: ['b', 2] },
    { type: 'Sequence', processors: [template([bos, text]), template([bos, text])] },
  ])
    expect(() => endsOfProcessor(odd, need)).toThrow(/post_processor|puts tokens around a text by/);
  for (const value of ['yes', 1, {}]) {
    const at = written({ model: true, 'tokenizer_config.json': { add_eos_token: value } });
    await expect(opened(at)).rejects.toThrow(
      `has add_eos_token = ${JSON.stringify(value)}, and true or false is expected. Mend the file.`,
    );
    const keys = metadata({ add_bos_token: value as number });
    expect(() => vocabularyFromGguf(keys)).toThrow(
      /'tokenizer.ggml.add_bos_token' is .*, and true or false is expected/,
    );
  }
});

test('an id of a GGUF that its vocabulary has not is refused by its key; what llama.cpp writes for none is none', () => {
  for (const [key, value] of [
    ['bos_token_id', 9999],
    ['bos_token_id', model.pieces.length],
    ['eos_token_id', 9999],
    ['unknown_token_id', 9999],
    ['bos_token_id', -2],
    ['bos_token_id', 1.5],
    ['bos_token_id', '2'],
  ] as const)
    expect(() => vocabularyFromGguf(metadata({ [key]: value as number }))).toThrow(
      new RegExp(`'tokenizer.ggml.${key}' is .*, and its vocabulary has ids from 0 to ${model.pieces.length - 1}`),
    );
  for (const none of [-1, 2 ** 32 - 1]) {
    const one = new PieceTokenizer(vocabularyFromGguf(metadata({ bos_token_id: none, add_bos_token: true })));
    expect(one.encode('The', { bos: true })).toEqual(one.encode('The'));
    expect(fed(one)).not.toContain(-1);
    const eos = new PieceTokenizer(vocabularyFromGguf(metadata({ eos_token_id: none, add_eos_token: true })));
    expect(fed(eos)).not.toContain(-1);
  }
});

// transformers 5.23's AutoTokenizer; of what nobody says Gemma's bos stays.
test.each<[Record<string, unknown>, Record<string, unknown>, string]>([
  [{}, { add_bos_token: false }, 'x'],
  [{}, { add_bos_token: true }, '<bos>x'],
  [{}, { add_bos_token: null }, 'x'],
  [{ add_bos_token: true }, { add_bos_token: false }, 'x'],
  [{ add_eos_token: true }, { add_bos_token: true }, '<bos>x'],
  [{ add_bos_token: false }, { add_bos_token: true, add_eos_token: true }, '<bos>x<eos>'],
  [{ add_bos_token: false }, {}, '<bos>x'],
])(
  'beside a tokenizer.json, %j in tokenizer_config.json and %j in special_tokens_map.json',
  async (config, map, around) => {
    const bos = { SpecialToken: { id: '<bos>', type_id: 0 } };
    const json = {
      post_processor: {
        type: 'TemplateProcessing',
        single: [bos, { Sequence: { id: 'A', type_id: 0 } }],
        pair: [],
        special_tokens: { '<bos>': { id: '<bos>', ids: [BOS], tokens: ['<bos>'] } },
      },
    };
    const at = written({ json, 'tokenizer_config.json': config, 'special_tokens_map.json': map });
    const one = await opened(at);
    const [front, back] = around.split('x');
    expect(fed(one, 'x')).toEqual([...(front ? [BOS] : []), ...one.encode('x'), ...(back ? [1] : [])]);
    const told = one.notices.filter(notice => /passed over, as in transformers/.test(notice));
    expect(told.length).toBe('add_bos_token' in config && Object.keys(map).length === 0 ? 1 : 0);
  },
);

// transformers 5.23 again: GemmaTokenizer has the tokens of the small file and those that it is made with, other classes tokenizer.json's besides.
const listed = { content: '<bos>', lstrip: false, rstrip: false, single_word: false, normalized: false, special: true };
test.each([
  ['PreTrainedTokenizerFast', true],
  ['TokenizersBackend', true],
  ['PythonBackend', true],
  ['PreTrainedTokenizer', true],
  ['GemmaTokenizer', false],
  [undefined, false],
])('tokenizer_class %s: tokens that added_tokens_decoder leaves out are kept: %s', async (name, kept) => {
  const config = { added_tokens_decoder: { 2: listed }, ...(name && { tokenizer_class: name }) };
  const at = written({ json: {}, 'tokenizer_config.json': config });
  const one = await opened(at);
  const isOne = (text: string) => one.encode(text, { special: true }).length === 1;
  expect([isOne('<bos>'), isOne('<pad>'), isOne('<start_of_turn>')]).toEqual([true, true, kept]);
  expect(specialTokensIn(at).bos_token).toBe(kept ? undefined : '<bos>');
});

test('what a text brings in front is not put there twice', () => {
  expect(withEnds([2, 7], { front: [2], back: [] })).toEqual([2, 7]);
  expect(withEnds([7, 2], { front: [2], back: [1] })).toEqual([2, 7, 2, 1]);
  expect(withEnds([2, 7], { front: [2, 5], back: [1] })).toEqual([2, 5, 2, 7, 1]);
  expect(withEnds([2, 5, 7, 1], { front: [2, 5], back: [1] })).toEqual([2, 5, 7, 1, 1]);
  expect(withEnds([], { front: [], back: [] })).toEqual([]);
});

test('a template without a bos in front is told, and Gemma’s own turns have theirs', async () => {
  const at = written({ model: true, 'tokenizer_config.json': { bos_token: null } });
  const one = await opened(at);
  const special = specialTokensIn(at);
  const told = (source: string | null, texts: Readonly<Record<string, string>> | null = special) =>
    bosNotices(templateFor(source, one, texts), one).length;
  expect(told('{{ bos_token }}{{ messages[0].content }}')).toBe(1);
  expect(told('{{ bos_token }}{{ messages[0].content }}', null)).toBe(0);
  expect(told('<bos>{{ messages[0].content }}')).toBe(0);
  expect(told(' <bos>{{ messages[0].content }}')).toBe(1);
  expect(told("{{ raise_exception('no') }}")).toBe(0);
  const own = templateFor(null, one, special);
  expect(idsOf(own, one, own.render([{ role: 'user', content: 'Hi' }])).filter(id => id === BOS)).toEqual([BOS]);
  expect(told(null)).toBe(0);
  expect(bosNotices(templateFor('{{ messages[0].content }}', one, special), one)).toEqual([
    "The chat template does not begin with '<bos>', as Gemma's do, and nothing is put in front of what it writes, as in transformers.",
  ]);
});

test('what a template may call bos and eos', () => {
  const pieces = ['<a>', '<b>', '<c>'];
  const of = (bosId: number, eosId: number) =>
    ({
      bosId,
      eosId,
      has(id: number) {
        if (id < 0) throw new TokenizerError('no token id');
        return id < pieces.length;
      },
      piece: (id: number) => pieces[id] ?? `#${id}`,
      idOf: (text: string) => (pieces.includes(text) ? pieces.indexOf(text) : null),
      encode: (text: string) => pieces.flatMap((piece, id) => (text.startsWith(piece) ? [id] : [])),
    }) as unknown as Tokenizer;
  const said = [{ role: 'user', content: 'x' }];
  const written = (tokenizer: Tokenizer, special: Readonly<Record<string, string>> | null) =>
    templateFor('{{ bos_token }}|{{ eos_token }}|{{ messages[0].content }}', tokenizer, special).render(said);
  expect(written(of(0, 1), null)).toBe('<a>|<b>|x');
  expect(written(of(-1, -1), null)).toBe('||x');
  expect(written(of(7, 3), null)).toBe('||x');
  expect(written(of(0, 1), { bos_token: '<none such>', eos_token: '<c>' })).toBe('<a>|<c>|x');
  expect(written(of(0, 1), { eos_token: '<b>' })).toBe('|<b>|x');
  expect(templateFor(null, of(0, 1), {}).render(said)).toMatch(/^<a><start_of_turn>user\nx<end_of_turn>/);
  const own = (source: string | null, tokenizer = of(0, 1)) =>
    ownBosNotices(
      { chatTemplate: source, chat: { specialTokens: { bos_token: '<a>' } } } as unknown as ModelFiles,
      tokenizer,
    );
  expect([own(null), own('{{ bos_token }}x'), own('{% nosuch %}')]).toEqual([[], [], []]);
  expect(own('{% if messages[0].content %}{{ bos_token }}{% endif %}x')).toEqual([]);
  expect(own('x')).toEqual([expect.stringMatching(/^The chat template does not begin with '<a>', /)]);
  expect(own('x', of(-1, -1))).toEqual([expect.stringMatching(/^The chat template does not begin with a bos, /)]);
});
