// Token ids as others have them: PyTorch in 64 bits, Arrow in an array of numbers. What a list gives, they give.

import { Field, Int32, Int64, List, Uint16, Utf8, vectorFromArray } from 'apache-arrow';
import { afterAll, describe, expect, test } from 'vitest';
import { OptionError, PromptError, TokenizerError } from '../../engine/errors.js';
import { compareModels } from '../../lab/probe/model-comparison.js';
import { open } from '../../lab/session/open.js';

const model = await open('atlas', { quiet: true });
afterAll(() => model[Symbol.dispose]());
const tokenizer = model.tokenizer!;
const TEXT = 'The capital of France is';
const IDS = model.encode(TEXT);
const forms: readonly (readonly [string, (ids: readonly number[]) => unknown])[] = [
  ['a list', ids => [...ids]],
  ['32 bits', ids => Int32Array.from(ids)],
  ['16 bits', ids => Uint16Array.from(ids)],
  ['floats', ids => Float32Array.from(ids)],
  ['64 bits', ids => BigInt64Array.from(ids.map(BigInt))],
  ['64 bits without a sign', ids => BigUint64Array.from(ids.map(BigInt))],
  ['a list of 64 bits', ids => ids.map(BigInt)],
  ['a column of Arrow', ids => vectorFromArray([...ids], new Int32())],
  ['a column of Arrow in 64 bits', ids => vectorFromArray(ids.map(BigInt), new Int64())],
  ['a row of lists', ids => vectorFromArray([[...ids]], new List(new Field('id', new Uint16()))).get(0)],
];

describe.each(forms)('ids of %s', (_, given) => {
  const ids = given(IDS) as number[];
  test('are text, labels and pieces', () => {
    expect(model.decode(ids)).toBe(TEXT);
    expect(tokenizer.decode(ids)).toBe(TEXT);
    expect(model.labels(ids)).toEqual(['<bos>', 'The', ' capital', ' of', ' F', 'rance', ' is']);
    expect(model.encode(ids)).toEqual(IDS);
    const stream = tokenizer.stream();
    const parts = [];
    for (const id of ids) parts.push(stream.push(id));
    expect(parts.join('') + stream.end()).toBe(TEXT);
    const [head] = ids;
    expect([tokenizer.piece(head), tokenizer.isControl(head), tokenizer.has(head)]).toEqual(['<bos>', true, true]);
  });

  test('are read, continued, ended by and compared by', async () => {
    const [run, again] = [await model.run(ids), await model.run(IDS)];
    expect([run.ids, run.tokens]).toEqual([IDS, again.tokens]);
    expect(run.logits.values.data).toEqual(again.logits.values.data);
    const until = async (stopIds: readonly number[]) => {
      const made = [];
      for await (const { id, stop } of model.generate(ids, { maxTokens: 4, stopIds })) made.push({ id, stop });
      return made;
    };
    const free = await until([]);
    const stops = given([free[1].id]) as number[];
    expect(await until(stops)).toEqual([free[0], { id: free[1].id, stop: true }]);
    const several = await model.generate([ids, TEXT], { maxTokens: 4, stopIds: stops });
    expect(several.map(({ ids, stop }) => [ids, stop])).toEqual(Array(2).fill([[free[0].id, free[1].id], true]));
    expect((await compareModels(model, model, ids, { window: 16 })).tokens).toBe(IDS.length - 1);
  });
});

const NO_LIST: readonly [unknown, string][] = [
  [new Set(IDS), 'a Set'],
  [IDS.values(), 'an object'],
  ['ab', "'ab'"],
  [null, 'null'],
  [7, '7'],
  [{ length: 1, 0: 2 }, 'an object'],
  [new DataView(new ArrayBuffer(8)), 'a DataView'],
];
test.each(NO_LIST)('%s is no list of ids', async (given, found) => {
  const ids = given as number[];
  const told = (what: string) => `${what} a list of token ids, not ${found}. Give it as such, e.g. [2, 274].`;
  expect(() => model.decode(ids)).toThrow(new OptionError(told('decode() takes')));
  expect(() => model.labels(ids)).toThrow(new OptionError(told('labels() takes')));
  if (typeof given !== 'string') expect(() => model.encode(ids)).toThrow(new PromptError(told('A prompt is text or')));
  expect(() => tokenizer.decode(ids)).toThrow(
    new TokenizerError(`Only a list of token ids can be decoded, not ${found}. Give one, as [2].`),
  );
  if (given === null) return; // as if it had not been given
  await expect(model.generate('Once', { stopIds: ids }).next()).rejects.toThrow(
    'stopIds must be a list of token ids, whole numbers.',
  );
});

test.each<[unknown, string, string]>([
  [1.5, '1.5', '1.5'],
  [Number.NaN, 'NaN', 'NaN'],
  [-1, '-1', '-1'],
  ['274', "'274'", "'274'"],
  [null, 'null', 'null'],
  [undefined, 'undefined', 'undefined'],
  [[274], '[274]', 'An object'],
  [2n ** 60n, '1152921504606846976n', '1152921504606846976'],
])('%s is no id', (id, found, alone) => {
  const ids = [2, id] as number[];
  const message = `Token ids are whole numbers from 0, and at place 1 is ${found}. Give such numbers.`;
  expect(() => model.decode(ids)).toThrow(new OptionError(message));
  expect(() => model.labels(ids)).toThrow(new OptionError(message));
  expect(() => model.encode(ids)).toThrow(new PromptError(message));
  const none = new TokenizerError(`${alone} is no token id; these are whole numbers from 0 to 511.`);
  expect(() => tokenizer.decode(ids)).toThrow(none);
  for (const of of ['has', 'piece', 'isControl'] as const) expect(() => tokenizer[of](id as number)).toThrow(none);
  expect(() => tokenizer.stream().push(id as number)).toThrow(none);
});

test('of a column with a text or nothing in it, the place is said', () => {
  const column = (values: unknown[], type: Utf8 | Int32) =>
    vectorFromArray(values as never[], type) as unknown as number[];
  expect(() => model.decode(column(['a'], new Utf8()))).toThrow("at place 0 is 'a'");
  expect(() => model.decode(column([2, null], new Int32()))).toThrow('at place 1 is null');
});
