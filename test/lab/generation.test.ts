// A generation that nobody goes on with holds no GPU memory; one that somebody goes on with after all makes the same tokens.

import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { Interrupted } from '../../engine/errors.js';
import { restGenerations } from '../../lab/session/generation.js';
import { open } from '../../lab/session/open.js';
import { fireInterrupt, setCellSignal } from '../../lab/host/interrupt.js';
import type { Session } from '../../lab/session/session.js';

const options = { maxTokens: 12, ignoreEos: true };
let model: Session;
let before: number;
beforeAll(async () => {
  model = await open('atlas', { quiet: true });
  for await (const _ of model.generate('Once', options)); // pipelines and what is shared
  before = model.gpu.liveBytes;
});
afterAll(() => model[Symbol.dispose]());

const held = () => model.gpu.liveBytes - before;
const settled = () => new Promise(done => setTimeout(done, 20));
async function ids(tokens: AsyncIterable<{ id: number }>): Promise<number[]> {
  const out: number[] = [];
  for await (const { id } of tokens) out.push(id);
  return out;
}

test('gives its memory back at its end, at a break and at a return', async () => {
  for await (const _ of model.generate('Once', options)) {
    expect(held()).toBeGreaterThan(500_000);
    break;
  }
  expect(held()).toBe(0);
  await ids(model.generate('Once', options));
  expect(held()).toBe(0);
  const g = model.generate('Once', options);
  await g.next();
  await g.return();
  expect(held()).toBe(0);
  expect(await g.next()).toEqual({ done: true, value: undefined });
});

test('rests between two tokens, and goes on with the same tokens', async () => {
  const whole = await ids(model.generate('The capital of France is', options));
  const sampled = { ...options, temperature: 1, seed: 7 };
  const drawn = await ids(model.generate('Once', sampled));
  const [g, h] = [model.generate('The capital of France is', options), model.generate('Once', sampled)];
  const [first, second] = [[], []] as number[][];
  for (let i = 0; i < 4; i++) {
    first.push((await g.next()).value!.id);
    second.push((await h.next()).value!.id);
  }
  expect(held()).toBeGreaterThan(0);
  expect(restGenerations()).toBe(2);
  // A token that is on its way is read before its four bytes are given back.
  await vi.waitFor(() => expect(held()).toBe(0), 10_000);
  expect([...first, ...(await ids(g))]).toEqual(whole);
  expect([...second, ...(await ids(h))]).toEqual(drawn);
  expect(held()).toBe(0);
  expect(restGenerations()).toBe(0);
});

test('rests to the same bits: what is tapped afterwards is what it was', async () => {
  const tap = 'layers.2.resid';
  const taken = async (rested: boolean) => {
    const out: Float32Array[] = [];
    for await (const token of model.generate('Once upon a time', { ...options, tap })) {
      out.push(token.at(tap).data);
      if (rested) restGenerations();
    }
    return out;
  };
  expect(await taken(true)).toEqual(await taken(false));
});

test('of many that are left between two tokens, four hold memory', async () => {
  const many = Array.from({ length: 9 }, () => model.generate('Once', options));
  await many[0].next();
  const one = held();
  for (const g of many.slice(1)) await g.next();
  expect(held()).toBeLessThanOrEqual(5 * one);
  const all = await Promise.all(many.map(ids));
  expect(new Set(all.map(String)).size).toBe(1);
  expect(held()).toBe(0);
});

test('one that is collected gives its memory back', async () => {
  setFlagsFromString('--expose-gc');
  const gc = runInNewContext('gc') as () => void;
  await (async () => {
    const g = model.generate('Once', options);
    await g.next();
    expect(held()).toBeGreaterThan(0);
  })();
  for (let i = 0; i < 50 && held() > 0; i++) {
    await settled();
    gc();
  }
  expect(held()).toBe(0);
});

test('one that is stopped between two tokens gives its memory back, and says so', async () => {
  const g = model.generate('Once', options);
  await g.next();
  fireInterrupt();
  await settled();
  expect(held()).toBe(0);
  await expect(g.next()).rejects.toThrow(Interrupted);
  const own = new AbortController();
  const h = model.generate('Once', { ...options, signal: own.signal });
  await h.next();
  own.abort(new Interrupted());
  await expect(h.next()).rejects.toThrow(Interrupted);
  expect(held()).toBe(0);
});

test('a cell that is stopped takes what it began along, and nothing of another cell', async () => {
  const [one, two] = [new AbortController(), new AbortController()];
  let cell = one;
  setCellSignal(() => cell.signal);
  try {
    const [g, background] = [model.generate('Once', options), model.generate('Once', { ...options, maxTokens: 40 })];
    await g.next();
    cell = two;
    const rest = ids(background);
    one.abort(new Interrupted());
    await expect(g.next()).rejects.toThrow(Interrupted);
    expect(await rest).toHaveLength(40);
    await settled();
    expect(held()).toBe(0);
  } finally {
    setCellSignal(() => undefined);
  }
});

test('a conversation is not changed while its model is answering', async () => {
  using chat = model.chat();
  for await (const _ of chat.say('Hello', options));
  const before = chat.messages;
  const changes: [string, () => void][] = [
    ['messages', () => void (chat.messages = [])],
    ['restore', () => chat.restore([{ role: 'user', content: 'A' }], '')],
    ['reset', () => chat.reset()],
    ['system', () => void (chat.system = 'changed')],
  ];
  for (const [name, change] of changes) {
    const answering = async () => {
      for await (const _ of chat.say('x', { ...options, maxTokens: 4 })) change();
    };
    await expect(answering(), name).rejects.toThrow('The model is still answering. Wait for it, or stop it.');
    // The turn is there, with what there was of its answer.
    expect(
      chat.messages.map(({ role }) => role),
      name,
    ).toEqual(['user', 'assistant', 'user', 'assistant']);
    chat.messages = before;
  }
  expect(chat.system).toBe('');
  chat.reset();
  expect(chat.messages).toEqual([]);
});

test('a conversation whose answer was dropped can be asked again', async () => {
  setFlagsFromString('--expose-gc');
  const gc = runInNewContext('gc') as () => void;
  using chat = model.chat();
  await (async () => {
    await chat.say('Hello', options).next();
  })();
  await expect(chat.say('Hello', options).next()).rejects.toThrow(/still answering/);
  let answered = false;
  for (let i = 0; i < 50 && !answered; i++) {
    await settled();
    gc();
    answered = await ids(chat.say('Hello', options)).then(
      found => found.length > 0,
      () => false,
    );
  }
  expect(answered).toBe(true);
});

test('a session that is closed takes its generations along', async () => {
  const other = await open('atlas', { quiet: true, another: true });
  const g = other.generate('Once', options);
  await g.next();
  other[Symbol.dispose]();
  await settled();
  expect(held()).toBe(0);
  await expect(g.next()).rejects.toThrow(/closed/);
});

test('a hundred generations in one cell warn of nothing', async () => {
  const warned: unknown[] = [];
  const listen = (warning: Error) => warned.push(warning);
  process.on('warning', listen);
  const cell = new AbortController();
  setCellSignal(() => cell.signal);
  const many = Array.from({ length: 100 }, () => model.generate('Once', { maxTokens: 2 }));
  for (const g of many) await g.next();
  for (const g of many) await g.return();
  setCellSignal(() => undefined);
  await settled();
  process.off('warning', listen);
  expect(warned).toEqual([]);
  expect(held()).toBe(0);
});

test('an edit is in force from the next token on, whether anybody looks or not; so is taking it back', async () => {
  const flip = (wgsl: string) => wgsl.replace('a * turn.x - b', '-a * turn.x - b');
  const made = async (tap?: string, plan?: 'exact') => {
    const tokens: [id: number, edited: readonly string[]][] = [];
    for await (const { id, edited } of model.generate('The capital of France is', { ...options, tap, plan })) {
      tokens.push([id, edited]);
      if (tokens.length === 3) await model.edit('rope', flip);
      if (tokens.length === 7) await model.edit('rope', null);
    }
    return tokens;
  };
  const plain = await made();
  expect(plain.flatMap(([, edited], i) => (edited.length > 0 ? [[i, ...edited]] : []))).toEqual([
    [3, 'rope'],
    [7, 'rope'],
  ]);
  expect(await made('layers.5.resid')).toEqual(plain);
  expect(await made('layers.5.resid', 'exact')).toEqual(await made(undefined, 'exact'));
  expect(held()).toBe(0);
});

test('a budget is held against the largest token of a generation, and not against its prompt alone, before anything is made', async () => {
  const tap = 'layers.*.attn.pattern';
  const made = async (options: object) => {
    const sizes: number[] = [];
    for await (const token of model.generate([2, 300], { maxTokens: 60, ignoreEos: true, tap, ...options })) {
      const names = model.plan.stages.map(({ name }) => name).filter(name => /attn\.pattern$/.test(name));
      sizes.push(names.reduce((n, name) => n + 4 * token.at(name).data.length, 0));
    }
    return sizes;
  };
  const most = Math.max(...(await made({})));
  expect(Math.max(...(await made({ budget: most })))).toBe(most);
  await expect(made({ budget: most - 1 })).rejects.toThrow(/would bring back .* and the budget is/);
  // A slice behind the prompt brings nothing of the prompt, and something later.
  await expect(made({ slice: { query: [8, 12] }, budget: 100 })).rejects.toThrow(/the budget is 100 B/);
});
