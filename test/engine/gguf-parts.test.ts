// A model in one .gguf, and in the parts that gguf-split makes of it (NAME-00001-of-00002.gguf, with split.no, split.count and
// split.tensors.count within); which .gguf of a folder is the model.

import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ConfigError, ModelFileError } from '../../engine/errors.js';
import { contentsStamp } from '../../engine/files.js';
import { ggufIn, openGgufModel } from '../../engine/weights/gguf-model.js';
import { freshFolder } from '../fixtures/folder.js';
import { type TestTensor, writeGguf } from '../fixtures/gguf.js';
import { openHandles } from '../fixtures/handles.js';

type Metadata = Record<string, string | number | string[]>;

const METADATA: Metadata = {
  'general.architecture': 'gemma3',
  'gemma3.block_count': 1,
  'gemma3.context_length': 16,
  'gemma3.embedding_length': 4,
  'gemma3.feed_forward_length': 8,
  'gemma3.attention.head_count': 1,
  'gemma3.attention.key_length': 4,
  'gemma3.attention.sliding_window': 8,
  'gemma3.attention.layer_norm_rms_epsilon': 1e-6,
  'gemma3.rope.freq_base': 1e6,
};
const SHAPES: Record<string, number[]> = {
  ...{ 'token_embd.weight': [6, 4], 'output_norm.weight': [4] },
  ...{ 'blk.0.attn_norm.weight': [4], 'blk.0.post_attention_norm.weight': [4], 'blk.0.ffn_norm.weight': [4] },
  ...{ 'blk.0.post_ffw_norm.weight': [4], 'blk.0.attn_q.weight': [4, 4], 'blk.0.attn_k.weight': [4, 4] },
  ...{ 'blk.0.attn_v.weight': [4, 4], 'blk.0.attn_output.weight': [4, 4], 'blk.0.attn_q_norm.weight': [4] },
  ...{ 'blk.0.attn_k_norm.weight': [4], 'blk.0.ffn_gate.weight': [8, 4], 'blk.0.ffn_up.weight': [8, 4] },
  'blk.0.ffn_down.weight': [4, 8],
};
let next = 0;
const tensor = (name: string, shape: readonly number[]): TestTensor => ({
  ...{ name, shape, data: Float32Array.from({ length: shape.reduce((a, b) => a * b) }, () => next++) },
});
const TENSORS = Object.entries(SHAPES).map(([name, shape]) => tensor(name, shape));

const folder = freshFolder();
let made = 0;
function place(): string {
  const at = join(folder, String(made++));
  mkdirSync(at);
  return at;
}
const five = (n: number) => String(n).padStart(5, '0');
const whole = (metadata: Metadata = {}, tensors: readonly TestTensor[] = TENSORS) =>
  writeGguf(join(place(), 'm.gguf'), { ...METADATA, ...metadata }, tensors);

/** The model in `count` parts; some of them left out, or with other metadata. */
function parts(count: number, change: { without?: number[]; of?: Record<number, Metadata>; ending?: string } = {}) {
  const at = place();
  const each = Math.ceil(TENSORS.length / count);
  const paths = Array.from({ length: count }, (_, no) => {
    const split = { 'split.no': no, 'split.count': count, 'split.tensors.count': TENSORS.length, ...change.of?.[no] };
    return writeGguf(
      join(at, `m-${five(no + 1)}-of-${five(count)}${change.ending ?? '.gguf'}`),
      no === 0 ? { ...METADATA, ...split } : split,
      TENSORS.slice(no * each, (no + 1) * each),
    );
  });
  for (const no of change.without ?? []) rmSync(paths[no]);
  return { at, paths };
}

/** What is said of a file, and that none is left open. */
async function refused(path: string): Promise<string> {
  const before = openHandles();
  const found = (await openGgufModel(path).catch(error => error)) as Error;
  expect(found).toBeInstanceOf(ModelFileError);
  expect(openHandles()).toBe(before);
  return found.message.replaceAll(join(path, '..'), '·');
}

describe('in one file', () => {
  test('it is the weights by their names, and what the metadata says', async () => {
    const before = openHandles();
    const path = whole();
    const files = await openGgufModel(path);
    expect(files).toMatchObject({
      ...{ path, format: 'gguf', vocabulary: null, chatTemplate: null, notices: [] },
      chat: { templateFrom: null, templateProblem: null, specialTokens: {}, sampling: {}, notices: [] },
      leftOut: { tensors: 0, parts: [] },
    });
    expect(files.config).toMatchObject({ vocab: 6, hidden: 4, layers: 1, tiedHead: true });
    expect(files.weights.entries.size).toBe(15);
    expect(files.weights.entries.get('layers.0.attn.out')).toEqual({
      ...{ name: 'layers.0.attn.out', fileName: 'blk.0.attn_output.weight', shape: [4, 4], format: 'F32', bytes: 64 },
    });
    expect([...(await files.weights.readRows('embed', 1, 2))]).toEqual([4, 5, 6, 7, 8, 9, 10, 11]);
    await files.close();
    expect(openHandles()).toBe(before);
  });

  test('with a vocabulary, a template and a head', async () => {
    const tokens = { 'tokenizer.ggml.tokens': ['a', '<bos>'], 'tokenizer.ggml.bos_token_id': 1 };
    const files = await openGgufModel(
      whole({ ...tokens, 'tokenizer.chat_template': '{{ x }}' }, [...TENSORS, tensor('output.weight', [6, 4])]),
    );
    await files.close();
    expect(files.vocabulary).toMatchObject({ kind: 'gguf' });
    expect(
      (files.vocabulary as { metadata: ReadonlyMap<string, unknown> }).metadata.get('tokenizer.ggml.tokens'),
    ).toEqual(['a', '<bos>']);
    expect([files.chatTemplate, files.chat.templateFrom]).toEqual(['{{ x }}', 'tokenizer.chat_template']);
    expect(files.chat.specialTokens.bos_token).toBe('<bos>');
    expect([files.config.tiedHead, files.config.vocab, files.weights.entries.has('head')]).toEqual([false, 6, true]);
  });

  test('a template that is no text is none', async () => {
    const files = await openGgufModel(whole({ 'tokenizer.chat_template': 7 }));
    await files.close();
    expect([files.chatTemplate, files.chat.templateFrom]).toEqual([null, null]);
  });

  test('what belongs to pictures is left out; what belongs to nothing is refused, by the file it is in', async () => {
    const files = await openGgufModel(whole({}, [...TENSORS, tensor('v.blk.0.x', [4]), tensor('mm.y', [4])]));
    await files.close();
    expect(files.leftOut).toEqual({ tensors: 2, parts: ['v', 'mm'] });
    expect(await refused(whole({}, [...TENSORS, tensor('blk.0.attn_q.bias', [4])]))).toMatch(
      /^·\/m\.gguf has the tensor 'blk\.0\.attn_q\.bias', a bias/,
    );
    // A head for classes, which a Hugging Face folder would have beside the model.
    expect(await refused(whole({}, [...TENSORS, tensor('cls.weight', [4])]))).toMatch(
      /^·\/m\.gguf has the tensor 'cls\.weight', which a Gemma 3 has no place for/,
    );
  });

  test.each<[string, Metadata, RegExp]>([
    ['token_embd.weight', {}, /lacks the weight 'embed' \[1,4\]/],
    ['token_embd.weight', { 'tokenizer.ggml.tokens': [] }, /lacks the weight 'embed' \[1,4\]/],
    ['token_embd.weight', { 'tokenizer.ggml.tokens': ['a', 'b', 'c'] }, /lacks the weight 'embed' \[3,4\]/],
    ['blk.0.attn_q.weight', {}, /lacks the weight 'layers\.0\.attn\.q' \[4,4\]/],
  ])('without %s, %j', async (missing, metadata, message) => {
    expect(
      await refused(
        whole(
          metadata,
          TENSORS.filter(({ name }) => name !== missing),
        ),
      ),
    ).toMatch(message);
  });

  test('a configuration that is none is that, and the file is closed', async () => {
    const before = openHandles();
    await expect(openGgufModel(whole({ 'general.type': 'mmproj' }, []))).rejects.toThrow(ConfigError);
    expect(openHandles()).toBe(before);
  });
});

describe('in parts', () => {
  test.each([
    [2, 0, '.gguf'],
    [2, 1, '.GGUF'],
    [3, 1, ''],
    [15, 14, '.gguf'],
  ])('of %i, opened by part %i named …%s', async (count, given, ending) => {
    const before = openHandles();
    const { paths } = parts(count, { ending });
    const files = await openGgufModel(paths[given]);
    expect([files.path, files.notices]).toEqual([paths[given], [`Joined from ${count} parts.`]]);
    for (const [name, entry] of files.weights.entries) {
      const { data } = TENSORS.find(one => one.name === entry.fileName)!;
      expect([...(await files.weights.readRows(name, 0, entry.shape[0]))]).toEqual([...data]);
    }
    await files.close();
    expect(openHandles()).toBe(before);
  });

  test('split.no and split.count may be left out of the only one, and the sum of tensors of all', async () => {
    for (const split of [{ 'split.count': 1 }, { 'split.count': 0 }, { 'split.no': 0 }] as Metadata[]) {
      const files = await openGgufModel(whole(split));
      await files.close();
      expect(files.notices).toEqual([]);
    }
    const { paths } = parts(2, { of: { 0: { 'split.tensors.count': 'many' } } });
    await (await openGgufModel(paths[0])).close();
    // A number that is not there is that of the first.
    const at = join(place(), 'm-00001-of-00002.gguf');
    writeGguf(at, { ...METADATA, 'split.count': 2 }, TENSORS);
    expect(await refused(at)).toMatch(/^·\/m-00001-of-00002\.gguf is part 1 of 2; the other is/);
  });

  test.each([
    [2, [1], 0, 'is part 1 of 2; the other is m-00002-of-00002.gguf'],
    [2, [0], 1, 'is part 2 of 2; the other is m-00001-of-00002.gguf'],
    [3, [1], 0, 'is part 1 of 3; missing is m-00002-of-00003.gguf'],
    [3, [1, 2], 0, 'is part 1 of 3; missing are m-00002-of-00003.gguf, m-00003-of-00003.gguf'],
    [
      ...[5, [0, 1, 2, 3], 4],
      'is part 5 of 5; missing are m-00001-of-00005.gguf, m-00002-of-00005.gguf, m-00003-of-00005.gguf, m-00004-of-00005.gguf',
    ],
    [
      ...[7, [0, 1, 2, 3, 5], 4],
      'is part 5 of 7; missing are m-00001-of-00007.gguf, m-00002-of-00007.gguf, m-00003-of-00007.gguf, 2 more',
    ],
  ] as [number, number[], number, string][])('%i without %j, given %i', async (count, without, given, said) => {
    const { paths } = parts(count, { without });
    expect(await refused(paths[given])).toBe(
      `·/m-${five(given + 1)}-of-${five(count)}.gguf ${said}, and a model needs all of its parts in one folder. Fetch what is missing.`,
    );
  });

  test.each<[Record<number, Metadata>, string]>([
    [{ 1: { 'split.no': 0 } }, 'part 2 of 2, but says that it is part 1 of 2'],
    [{ 1: { 'split.count': 3 } }, 'part 2 of 2, but says that it is part 2 of 3'],
  ])('of which one is another: %j', async (of, said) => {
    expect(await refused(parts(2, { of }).paths[0])).toBe(
      `·/m-00002-of-00002.gguf should be ${said}. The parts must be of one model; fetch them again.`,
    );
  });
  test('of which one is no part at all', async () => {
    const { paths } = parts(2);
    writeGguf(paths[1], METADATA, TENSORS);
    expect(await refused(paths[0])).toMatch(
      /^·\/m-00002-of-00002\.gguf should be part 2 of 2, but says that it is part 1 of 1\./,
    );
    writeGguf(paths[0], { ...METADATA, 'split.no': 0, 'split.count': 2 }, TENSORS);
    writeGguf(paths[1], { 'split.no': 1, 'split.count': 2 }, TENSORS.slice(-1));
    expect(await refused(paths[1])).toBe(
      "·/m-00002-of-00002.gguf has the tensor 'blk.0.ffn_down.weight', which m-00001-of-00002.gguf has too. The parts must be of one model; fetch them again.",
    );
  });

  test('that have other tensors than were promised', async () => {
    expect(await refused(parts(2, { of: { 0: { 'split.tensors.count': 14 } } }).paths[0])).toBe(
      '·/m-00001-of-00002.gguf is one of 2 parts that should have 14 tensors and have 15. The parts must be of one model; fetch them again.',
    );
  });

  test.each<[Metadata, string]>([
    [{ 'split.no': 2, 'split.count': 2 }, 'part 3 of 2'],
    [{ 'split.no': -1, 'split.count': 2 }, 'part 0 of 2'],
    [{ 'split.no': 0.5, 'split.count': 2 }, 'part 1.5 of 2'],
    [{ 'split.no': 0, 'split.count': 10_001 }, 'part 1 of 10001'],
    [{ 'split.count': 'two' }, 'part 1 of NaN'],
  ])('with %j', async (split, said) => {
    expect(await refused(whole(split))).toBe(`·/m.gguf says that it is ${said}. Fetch it again.`);
  });

  test.each([
    'm.gguf',
    'm-00001-of-00002.gguf.gguf',
    'm-00001-of-00003.gguf',
    'm-00002-of-00002.gguf',
    'm-0001-of-0002.gguf',
    'm-000001-of-00002.gguf',
    'm-00001-of-00002.gguf2',
    '-00001-of-00002x.gguf',
  ])('called %s', async name => {
    const path = join(place(), name);
    writeGguf(path, { ...METADATA, 'split.count': 2 }, TENSORS);
    expect(await refused(path)).toBe(
      `·/${name} is part 1 of 2 of a model, and its name does not say so. ` +
        'Name the parts as gguf-split does, here NAME-00001-of-00002.gguf, in one folder.',
    );
  });
  test.each<[Metadata, string]>([
    [
      { 'gemma3.block_count': 5 },
      'says gemma3.block_count = 5, and m-00001-of-00002.gguf 1. The parts must be of one model',
    ],
    [{ 'gemma3.attention.scale': 2 }, 'says gemma3.attention.scale = 2, and m-00001-of-00002.gguf does not. The parts'],
    [{ 'gemma3.split.x': 2 }, 'says gemma3.split.x = 2, and m-00001-of-00002.gguf does not. The parts'],
    [{ 'gemma3.general.x': 2 }, 'says gemma3.general.x = 2, and m-00001-of-00002.gguf does not. The parts'],
    [{ 'general.type': 'adapter' }, 'says general.type = "adapter", and m-00001-of-00002.gguf does not. The parts'],
    [{ 'general.architecture': 'gemma2' }, 'says general.architecture = "gemma2", and m-00001-of-00002.gguf "gemma3".'],
  ])('of which a later one says something else of the model: %j', async (more, message) => {
    expect(await refused(parts(2, { of: { 1: more } }).paths[0])).toContain(`m-00002-of-00002.gguf ${message}`);
  });
  test('of which a later one says the same, or who made it', async () => {
    const made = { 'general.name': 'another', 'general.types': 'x', 'general.architectures': 'x' };
    const { paths } = parts(2, { of: { 1: { 'gemma3.block_count': 1, ...made } } });
    const files = await openGgufModel(paths[1]);
    expect(files.config.layers).toBe(1);
    // Which part a weight is in.
    expect(files.written).toBe(paths.map(contentsStamp).join('\n'));
    for (const [name, last] of [
      ['token_embd.weight', 'embed'],
      ['blk.0.ffn_down.weight', 'layers.0.mlp.down'],
    ]) {
      const { data } = TENSORS.find(one => one.name === name)!;
      const stored = await files.weights.readStored(last, 1, 2);
      const columns = SHAPES[name][1];
      expect([...new Float32Array(Uint8Array.from(stored).buffer)]).toEqual([
        ...(data as Float32Array).subarray(columns, 3 * columns),
      ]);
    }
    await files.close();
  });
  test('of which there may be ten thousand', async () => {
    const path = join(place(), 'm-00001-of-10000.gguf');
    writeGguf(path, { ...METADATA, 'split.count': 10_000 }, TENSORS);
    expect(await refused(path)).toMatch(/is part 1 of 10000; missing are .*, 9996 more, and/);
  });
});

describe('in a folder', () => {
  const of = (...names: string[]) => {
    const at = place();
    for (const name of names) writeFileSync(join(at, name), '');
    return ggufIn(at)?.slice(at.length + 1) ?? null;
  };
  test.each<[string[], string | null]>([
    [[], null],
    [['a.safetensors', 'gguf', 'x.gguf.part'], null],
    [['a.gguf', 'notes.txt'], 'a.gguf'],
    [['a.GGUF'], 'a.GGUF'],
    [['a.gguf', 'mmproj-a.gguf', 'a.imatrix.gguf', 'MMPROJ.gguf'], 'a.gguf'],
    [['mmproj-a.gguf'], 'mmproj-a.gguf'],
    [['a-00001-of-00003.gguf', 'a-00002-of-00003.gguf', 'a-00003-of-00003.gguf'], 'a-00001-of-00003.gguf'],
    [['a-00002-of-00003.gguf', 'a-00003-of-00003.gguf'], 'a-00002-of-00003.gguf'],
  ])('of %j it is %j', (names, model) => {
    expect(of(...names)).toBe(model);
  });
  test.each<[string[], RegExp]>([
    [['a.gguf', 'b.gguf'], /\d+ has 2 models: a\.gguf, b\.gguf\. Give the one you want\.$/],
    [['a-00001-of-00002.gguf', 'b-00001-of-00002.gguf'], /has 2 models: a-0/],
    [[...'abcd'].map(name => `${name}.gguf`), /has 4 models: a\.gguf, b\.gguf, c\.gguf, d\.gguf\. Give/],
    [[...'abcde'].map(name => `${name}.gguf`), /has 5 models: a\.gguf, b\.gguf, c\.gguf, d\.gguf …\. Give/],
  ])('%j are too many', (names, message) => {
    expect(() => of(...names)).toThrow(ModelFileError);
    expect(() => of(...names)).toThrow(message);
  });
});
