// Files of the lab that are not what they say: goldens, Arrow tables, saved chats. Each is refused by an error of ours, in words.

import { readFileSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as after } from 'node:timers/promises';
import { tableFromArrays, tableFromIPC, tableToIPC } from 'apache-arrow';
import { describe, expect, test } from 'vitest';
import { GoldenError, OptionError } from '../../engine/errors.js';
import { writeSafetensors } from '../../engine/weights/safetensors-write.js';
import { Activation, fromArrow } from '../../lab/values/activation.js';
import { toArrow } from '../../lab/values/arrow.js';
import { load, save } from '../../lab/chat/file.js';
import { golden } from '../../lab/values/golden.js';
import { freshFolder } from '../fixtures/folder.js';

const folder = freshFolder();
const deep = '['.repeat(20_000) + ']'.repeat(20_000);

describe('a golden', () => {
  const sound = { loupe_golden: '1', ids: '[2,5]', chunks: '[2]', pieces: '["a","b"]' };
  const made = async (metadata: Record<string, string>) => {
    const path = join(folder, 'golden.safetensors');
    await writeSafetensors(path, [{ name: 'embed', shape: [2, 1], data: Float32Array.of(1, 2) }], metadata);
    return golden(path);
  };
  test('that is sound is opened', async () => {
    expect((await made(sound)).pieces).toEqual(['a', 'b']);
  });
  test.each([
    ['without its mark', { ids: '[2,5]', chunks: '[2]' }, /is no golden: its metadata has no 'loupe_golden'/],
    [
      'of a version to come',
      { ...sound, loupe_golden: '99' },
      /says loupe_golden '99', and this Loupe reads version 1 of them\. Make it again with golden\/make_golden\.py/,
    ],
    ['of no version', { ...sound, loupe_golden: '' }, /says loupe_golden '', and this Loupe reads version 1/],
    [
      'that is a trace to come',
      { ids: '[2,5]', chunks: '[2]', loupe_trace: '2' },
      /says loupe_trace '2', and this Loupe reads version 1 of them\. Make it again with loupe trace/,
    ],
    [
      'with logits of neither kind',
      { ...sound, logits: 'nope' },
      /says logits 'nope', and 'all' or 'last' is expected/,
    ],
    ['with an empty chunk', { ...sound, chunks: '[0,2]' }, /has chunks of 0,2, and none of them is empty/],
    ['with pieces that are no JSON', { ...sound, pieces: 'a' }, /no list of texts 'pieces'/],
    ['with a piece that is a number', { ...sound, pieces: '["a",1]' }, /no list of texts 'pieces'/],
    ['with pieces that are an object', { ...sound, pieces: '{"join":1}' }, /no list of texts 'pieces'/],
    ['with a piece too few', { ...sound, pieces: '["a"]' }, /has 1 pieces for 2 ids/],
    ['with ids nested deep', { ...sound, ids: deep }, /no list of numbers 'ids'/],
    ['with a negative id', { ...sound, ids: '[2,-5]' }, /no list of numbers 'ids'/],
    ['with half an id', { ...sound, ids: '[2,0.5]' }, /no list of numbers 'ids'/],
    ['with chunks that do not add up', { ...sound, chunks: '[1]' }, /has 2 ids in chunks of 1, which do not add up/],
    ['without ids', { loupe_golden: '1', chunks: '[2]' }, /no list of numbers 'ids'/],
  ])('%s is refused', async (_, metadata, message) => {
    const found = await made(metadata as Record<string, string>).catch(error => error);
    expect(found).toBeInstanceOf(GoldenError);
    expect(found.message).toMatch(message);
  });
  test('that was changed, replaced or taken away after it was opened is not compared', async () => {
    const path = join(folder, 'live.safetensors');
    const values = (n: number) => [{ name: 'embed', shape: [2, 1], data: Float32Array.of(n, 2) }];
    const write = (n: number, as = path) => writeSafetensors(as, values(n), sound);
    const left = async (change: () => unknown) => {
      await write(1);
      const opened = await golden(path);
      expect([...(await opened.read('embed'))]).toEqual([1, 2]);
      expect([...(await opened.read('embed'))]).toEqual([1, 2]);
      await after(50); // clocks of file systems go in steps of some milliseconds
      await change();
      return expect(opened.read('embed'));
    };
    const gone = `${path} is not what it was when it was opened. Open it again: golden('${path}').`;
    await (await left(() => write(3))).rejects.toThrow(new GoldenError(gone));
    await (
      await left(async () => {
        await write(3, `${path}.new`);
        renameSync(`${path}.new`, path);
      })
    ).rejects.toThrow(gone);
    // In place, of the same length, with its old time.
    await (
      await left(() => {
        const { atime, mtime } = statSync(path);
        const bytes = readFileSync(path);
        bytes.writeFloatLE(3, bytes.length - 8);
        writeFileSync(path, bytes);
        utimesSync(path, atime, mtime);
      })
    ).rejects.toThrow(gone);
    await (await left(() => writeFileSync(path, 'x'))).rejects.toThrow(gone);
    await (await left(() => rmSync(path))).rejects.toThrow(gone);
  });
  test('whose name is no text is refused', async () => {
    for (const name of [5, null, undefined, {}, ['a']])
      await expect(golden(name as never)).rejects.toThrow(GoldenError);
  });
});

describe('an Arrow table', () => {
  const activation = new Activation(
    'x',
    [
      { name: 'token', size: 2 },
      { name: 'dim', size: 3 },
    ],
    new Float32Array(6),
  );
  /** The table with another note of what it is. */
  const noted = (note: unknown) => {
    const table = tableFromIPC(tableToIPC(toArrow(activation)));
    table.schema.metadata.set('loupe', typeof note === 'string' ? note : JSON.stringify(note));
    return table;
  };
  const dims = [
    { name: 'token', size: 2 },
    { name: 'dim', size: 3 },
  ];
  test('that is sound comes back', () => {
    expect(fromArrow(noted({ name: 'x', dims })).shape).toEqual([2, 3]);
  });
  test.each([
    ['whose note is no JSON', 'a', /names no activation/],
    ['whose note is null', 'null', /names no activation/],
    ['whose note is nested deep', deep, /names no activation/],
    ['whose name is a number', { name: 1, dims }, /names no activation/],
    ['without dimensions', { name: 'x' }, /names no activation/],
    ['with a dimension that is null', { name: 'x', dims: [null] }, /a dimension without a name, a size or a text/],
    ['with a negative size', { name: 'x', dims: [{ name: 'dim', size: -6 }] }, /a dimension without/],
    ['with a size that is a text', { name: 'x', dims: [{ name: 'dim', size: '6' }] }, /a dimension without/],
    ['with labels that are none', { name: 'x', dims: [{ name: 'dim', size: 6, labels: [1] }] }, /a dimension without/],
    ['of another shape', { name: 'x', dims: [{ name: 'dim', size: 7 }] }, /it has 6 values for the shape \[7\]/],
  ])('%s is refused', (_, note, message) => {
    expect(() => fromArrow(noted(note))).toThrow(message);
    expect(() => fromArrow(noted(note))).toThrow(GoldenError);
  });
  test('with other columns, or that is none, is refused', () => {
    const other = tableFromArrays({ values: Int32Array.of(1, 2) });
    expect(() => fromArrow(other)).toThrow(/it has no metadata 'loupe'/);
    other.schema.metadata.set('loupe', JSON.stringify({ name: 'x', dims }));
    expect(() => fromArrow(other)).toThrow(/no column 'values' of lists of 32-bit floats/);
    const without = tableFromArrays({ a: Int32Array.of(1) });
    without.schema.metadata.set('loupe', JSON.stringify({ name: 'x', dims }));
    expect(() => fromArrow(without)).toThrow(/no column 'values'/);
    for (const value of [null, undefined, 7, {}, { schema: {} }])
      expect(() => fromArrow(value as never)).toThrow(GoldenError);
  });
});

describe('a saved chat', () => {
  const settings = { temperature: 0.8, top_k: 64, top_p: 0.95, seed: 1, max_tokens: 0 };
  const path = join(folder, 'chat.json');
  const messages = [
    { role: 'user', content: 'hi' },
    { role: 'assistant', content: 'ho' },
  ] as const;
  const sound = { loupe_conversation: 1, model: 'm', system: '', messages, settings };
  test('that is sound comes back', () => {
    save(path, { model: 'm', system: 's', messages, settings });
    expect(load(path)).toEqual({ model: 'm', system: 's', messages, settings });
  });
  test.each([
    ['a number', 7, /does not say 'loupe_conversation': 1/],
    ['null', null, /does not say/],
    ['a model that is an object', { ...sound, model: { toString: 1 } }, /its model and system are no texts/],
    ['a system text that is a list', { ...sound, system: [] }, /its model and system are no texts/],
    ['messages that are a text', { ...sound, messages: 'hi' }, /its messages are no list/],
    ['a turn that is null', { ...sound, messages: [null] }, /Turn 1 of the conversation is no message/],
    [
      'a turn without text',
      { ...sound, messages: [{ role: 'user', content: {} }] },
      /Turn 1 \(user\) of the conversation has \{\} for its content/,
    ],
    ['the assistant first', { ...sound, messages: [messages[1]] }, /turn 1 is the assistant's, and the user begins/],
    ['no settings', { ...sound, settings: null }, /its setting 'temperature' is missing/],
    ['settings that are a text', { ...sound, settings: 'hot' }, /its setting 'temperature' is missing/],
    ['a key that is misspelt', { ...sound, sytem: 'Be kind.' }, /nothing is read of its key 'sytem'\. Give a file/],
    [
      'a setting that there is none of',
      { ...sound, settings: { ...settings, min_p: 0.1 } },
      /there is no setting 'min_p', of temperature, top_k, top_p, seed, max_tokens/,
    ],
    [
      'a setting that is a list',
      { ...sound, settings: { ...settings, seed: [1] } },
      /its setting 'seed' is \[1\], and a number is expected/,
    ],
    [
      'a setting that is a text',
      { ...sound, settings: { ...settings, top_p: '0.5' } },
      /its setting 'top_p' is '0\.5', and a number/,
    ],
    [
      'half of a character',
      { ...sound, messages: [{ role: 'user', content: 'a \ud83d b' }] },
      /has half of a surrogate pair \(\\ud83d alone\) in its text/,
    ],
  ])('%s is refused', (_, value, message) => {
    writeFileSync(path, JSON.stringify(value));
    expect(() => load(path)).toThrow(message);
    expect(() => load(path)).toThrow(OptionError);
  });
  test('that is nested deep is refused', () => {
    writeFileSync(path, `{"loupe_conversation":1,"messages":${deep}}`);
    expect(() => load(path)).toThrow(/it is not JSON \(it has more than 100 brackets within each other\)/);
  });
});
