// What was asked for stays as it was asked for, whatever becomes of the lists and objects it was asked with.

import { runInNewContext } from 'node:vm';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { open } from '../../lab/session/open.js';
import { frozen, owned } from '../../lab/values/owned.js';
import type { Session } from '../../lab/session/session.js';

let model: Session;
beforeAll(async () => {
  model = await open('atlas', { quiet: true });
});
afterAll(() => model[Symbol.dispose]());

test('a conversation keeps its own turns: those given, set, restored and said', async () => {
  const parts = [{ type: 'text', text: 'The capital of' }];
  const given = [
    { role: 'user', content: parts, tool_calls: [{ name: 'f' }] },
    { role: 'assistant', content: 'France' },
  ];
  const before = structuredClone(given);
  const change = () => {
    parts[0].text = 'Peru';
    given[0].role = 'assistant';
    given[0].tool_calls![0].name = 'g';
    given.push({ role: 'user', content: 'more' } as never);
  };
  const template =
    '{% for m in messages %}{{ m.role }}: {{ m.content if m.content is string else m.content[0].text }} {{ "calls" if m.tool_calls }}\n{% endfor %}';
  using talk = model.chat({ messages: given, template });
  change();
  expect(talk.messages).toEqual(before);
  const again = structuredClone(before);
  talk.messages = again;
  again[1].content = 'Spain';
  expect(talk.messages).toEqual(before);
  const third = structuredClone(before);
  talk.restore(third, 'Be brief.');
  third.pop();
  expect(talk.messages).toEqual(before);

  talk.reset();
  for await (const _ of talk.say('Hello', { maxTokens: 2 }));
  const said = structuredClone(talk.messages);
  expect(said).toHaveLength(2);
  // What cannot be changed says so, in a module.
  const turns = talk.messages as { role: string; content: string }[];
  expect(() => (turns[0].content = 'Bye')).toThrow(TypeError);
  expect(() => (turns[1].content = 'Bye')).toThrow(TypeError);
  expect(() => turns.push(turns[0])).toThrow(TypeError);
  expect(talk.messages).toEqual(said);
  for await (const _ of talk.say('More', { maxTokens: 2 }));
  expect(talk.messages.slice(0, 2)).toEqual(said);
});

test('a generation that is begun later begins as it was asked for', async () => {
  const made = async (tokens: AsyncIterable<{ id: number; at(stage: string): { shape: number[] } }>) => {
    const out: unknown[] = [];
    for await (const token of tokens) out.push([token.id, token.at('layers.0.resid').shape]);
    return out;
  };
  const request = () => ({
    maxTokens: 3,
    tap: ['layers.0.resid'],
    slice: { channel: [0, 4] as [number, number] },
    stopIds: [5],
  });
  const right = await made(model.generate([2, 300, 17], request()));
  for (const ids of [[2, 300, 17], Int32Array.of(2, 300, 17)]) {
    const options = request();
    const tokens = model.generate(ids as number[], options);
    ids[1] = 400;
    options.tap[0] = 'embed';
    options.slice.channel[1] = 9;
    options.stopIds[0] = 0;
    expect(await made(tokens)).toEqual(right);
  }
});

test('copies go all the way down, keep circles, and leave alone what is no data', () => {
  const date = new Date(0);
  const call = () => 1;
  const value = { list: [1, [2, null]], date, call, own: Object.create(null), '': undefined } as Record<
    string,
    unknown
  >;
  value.self = value;
  Object.defineProperty(value, '__proto__', { value: { role: 'x' }, enumerable: true });
  const copy = owned(value);
  expect(copy).toEqual(value);
  expect(copy).not.toBe(value);
  expect([copy.date === date, copy.call === call, copy.self === copy, copy.list === value.list]).toEqual([
    true,
    true,
    true,
    false,
  ]);
  expect(Object.getPrototypeOf(copy)).toBe(Object.prototype);
  expect(Object.hasOwn(copy, '__proto__')).toBe(true);
  const elsewhere = runInNewContext('({ a: [{ b: 1 }] })');
  expect(owned(elsewhere)).toEqual({ a: [{ b: 1 }] });
  expect(owned(elsewhere).a[0]).not.toBe(elsewhere.a[0]);
  const still = frozen({ a: [{ b: 1 }] });
  expect([still, still.a, still.a[0]].every(Object.isFrozen)).toBe(true);
  const deep: unknown[] = [];
  let at = deep;
  for (let i = 0; i < 100_000; i++) at.push((at = []));
  expect(() => owned(deep)).not.toThrow();
});
