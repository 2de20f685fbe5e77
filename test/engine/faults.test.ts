// One fault is not the end: what the GPU refuses belongs to the call that made it, and a lost device is replaced.

import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { BudgetError, DeviceError } from '../../engine/errors.js';
import { sharedGpu } from '../../engine/shared-gpu.js';
import type { Chat } from '../../lab/chat/commands.js';
import { chatInTerminal, type TerminalOptions } from '../../lab/chat/terminal.js';
import { golden } from '../../lab/values/golden.js';
import { open } from '../../lab/session/open.js';
import type { Session } from '../../lab/session/session.js';

const PROMPT = 'The capital of France is';
let model: Session;
beforeEach(async () => {
  model = await open('atlas', { quiet: true });
});
afterEach(() => {
  model[Symbol.dispose]();
  expect(model.gpu.liveBytes).toBe(0);
});

/** The same adapter with smaller bindings. */
async function binding<T>(maxBinding: number, work: () => Promise<T>): Promise<T> {
  const gpu = await sharedGpu();
  const own = gpu.traits;
  gpu.traits = { ...own, maxBinding };
  try {
    return await work();
  } finally {
    gpu.traits = own;
  }
}

const bits = (data: Float32Array) => new Uint32Array(data.buffer, data.byteOffset, data.length);

test('a call that the GPU refuses fails alone, by name; the next one runs', async () => {
  const { gpu } = model;
  const before = (await model.run(PROMPT)).logits.values.data;
  const big = gpu.createBuffer('big', 4 * 1024, GPUBufferUsage.COPY_DST);
  await expect(gpu.read([{ buffer: big, bytes: 4 }])).rejects.toThrow(
    /^The GPU refused a readback: .*Only this call failed/s,
  );
  gpu.destroyBuffer(big);
  expect(bits((await model.run(PROMPT)).logits.values.data)).toEqual(bits(before));
});

test('an error that no call held is told once, and fails none that had no part in it', async () => {
  const { gpu } = model;
  const told = vi.spyOn(console, 'warn').mockImplementation(() => {});
  gpu.device.createBuffer({ size: 4, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.STORAGE });
  await gpu.device.queue.onSubmittedWorkDone();
  await new Promise(resolve => setTimeout(resolve, 20));
  for (let i = 0; i < 2; i++) expect((await model.run(PROMPT)).ids).toHaveLength(model.encode(PROMPT).length);
  expect(told.mock.calls).toEqual([[expect.stringMatching(/^The GPU reported an error that no call expected: /)]]);
  told.mockRestore();
  gpu.device.createBuffer({ size: 4, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.STORAGE });
  await expect(gpu.settle()).rejects.toThrow(DeviceError); // during a call it is the call's
});

test('a validation error in one of two runs at once reaches that one alone', async () => {
  const { gpu } = model;
  const bad = gpu.scoped('the bad one', () => gpu.device.createBuffer({ size: 4, usage: 0x1 | 0x80 }));
  const [refused, run] = await Promise.allSettled([bad, model.run(PROMPT)]);
  expect(refused.status).toBe('rejected');
  expect(run.status).toBe('fulfilled');
});

test('what no binding holds is refused before the GPU sees it, and stages are compared in pieces', async () => {
  const g = await golden('atlas/long');
  const whole = await model.diff(g);
  const most = 4 * Math.max(...[...g.stages.values()].map(({ shape }) => shape.reduce((a, b) => a * b)));
  const pieces = await binding(Math.ceil(most / 3 / 4) * 4, () => model.diff(g));
  expect(pieces.rows.map(({ stage, verdict }) => [stage, verdict])).toEqual(
    whole.rows.map(({ stage }) => [stage, 'ok']),
  );
  for (const row of pieces.rows) expect(row.local!.relL2, row.stage).toBeLessThan(5e-6);
  await expect(binding(1024, () => model.diff(g))).rejects.toThrow(BudgetError);
  await expect(binding(1024, () => model.run(PROMPT))).rejects.toThrow(/in one binding, and this adapter binds 1024/);
  expect((await model.diff(g)).pass).toBe(true);
});

test('activations over the budget are compared over several runs, with the same result', async () => {
  const g = await golden('atlas/short');
  const bytes = 4 * Math.max(...[...g.stages.values()].map(({ shape }) => shape.reduce((a, b) => a * b)));
  const [whole, some] = [await model.diff(g, { alone: false }), await model.diff(g, { alone: false, budget: bytes })];
  expect(some.rows).toEqual(whole.rows);
  await expect(model.diff(g, { alone: false, budget: bytes - 4 })).rejects.toThrow(BudgetError);
});

test('a lost device is replaced by the next open; reopen brings back weights, edits and the conversation', async () => {
  const conversation = model.chat({ system: 'Be brief.' });
  for await (const token of conversation.say('The capital of France is', { maxTokens: 3 })) void token;
  await model.edit('mul', wgsl => `${wgsl}\n`);
  const [before, messages] = [(await model.run(PROMPT)).logits.values.data, conversation.messages];
  const source = model.model.kernels.source('mul');
  const running = model.generate(PROMPT, { maxTokens: 100, ignoreEos: true });
  await running.next();
  const lost = model.gpu;

  lost.device.destroy();
  await lost.device.lost;
  await expect(model.run(PROMPT)).rejects.toThrow(/The GPU device was closed.*await model\.reopen\(\)/);
  await expect(running.next()).rejects.toThrow(DeviceError);

  await Promise.all([model.reopen(), model.reopen()]);
  expect(model.gpu).not.toBe(lost);
  expect(lost.liveBytes).toBe(0);
  expect(model.model.kernels.edited).toEqual(['mul']);
  expect(model.model.kernels.source('mul')).toBe(source);
  expect(bits((await model.run(PROMPT)).logits.values.data)).toEqual(bits(before));
  expect(conversation.messages).toEqual(messages);
  for await (const token of conversation.say('And of Spain?', { maxTokens: 3 })) void token;
  expect(conversation.messages).toHaveLength(4);
  expect(conversation.stats!.reused).toBe(0); // the cache went with the device

  model.gpu.device.destroy();
  await model.gpu.device.lost;
  const another = await open('atlas', { quiet: true });
  expect(bits((await another.run(PROMPT)).logits.values.data)).toEqual(bits(before));
  model = another;
});

test('a chat in the terminal goes on after its device is lost', async () => {
  const conversation = model.chat();
  const settings = { temperature: 0, top_k: 0, top_p: 1, seed: 1, max_tokens: 3 };
  const [input, output] = [new PassThrough(), new PassThrough()];
  let said = '';
  output.on('data', chunk => (said += chunk));
  const until = async (text: string) => {
    while (!said.includes(text)) await new Promise(resolve => setTimeout(resolve, 5));
    said = said.slice(said.indexOf(text) + text.length);
  };
  const options = { input, output, history: null, colour: false } as unknown as TerminalOptions;
  const chatting = chatInTerminal({ conversation, settings, tap: null } as Chat, options);
  model.gpu.device.destroy();
  await model.gpu.device.lost;
  input.write('Hello\r');
  await until('The GPU device was closed');
  await until('(the model was loaded again; say it once more)');
  input.write('Hello\r');
  while (conversation.messages.length < 2) await new Promise(resolve => setTimeout(resolve, 5));
  input.end('\u0004');
  await chatting;
  expect(conversation.messages.map(({ role }) => role)).toEqual(['user', 'assistant']);
});

test('a session that was closed is not brought back by reopen', async () => {
  const old = model;
  model = await open('atlas', { quiet: true });
  await expect(old.reopen()).rejects.toThrow(/was closed/);
});
