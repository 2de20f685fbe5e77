// Several prompts continued together: each becomes what it would alone, and none holds up or costs another.

import { cpSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { BudgetError, Interrupted, NumberError, OptionError, PromptError } from '../../engine/errors.js';
import { packageRoot } from '../../engine/files.js';
import type { BatchRunOptions, BatchToken } from '../../lab/session/batch.js';
import { restGenerations } from '../../lab/session/generation.js';
import { open } from '../../lab/session/open.js';
import type { Session } from '../../lab/session/session.js';
import { prompts as promptFile } from '../../lab/values/prompt-file.js';
import { command } from '../fixtures/command.js';
import { freshFolder } from '../fixtures/folder.js';

let atlas: Session;
let before: number;
beforeAll(async () => {
  atlas = await open('atlas', { quiet: true });
  before = atlas.gpu.liveBytes;
});
afterAll(() => atlas[Symbol.dispose]());

const held = () => atlas.gpu.liveBytes - before;
const PROMPTS = [
  'The capital of France is',
  'Once',
  [2, 300, 301],
  'The capital of Italy is',
  'Two plus two is',
  'Once',
];

async function alone(prompt: string | readonly number[], options: object) {
  const made = { ids: [] as number[], text: '', stop: false };
  for await (const { id, text, stop } of atlas.generate(prompt, options)) {
    Object.assign(made, { stop }).ids.push(id);
    made.text += text;
  }
  return made;
}

async function refusal(prompts: readonly (string | readonly number[])[], options: object = {}): Promise<Error> {
  try {
    await atlas.generate(prompts, options);
  } catch (error) {
    expect(held()).toBe(0);
    return error as Error;
  }
  throw new Error('It was not refused.');
}

const ways: [string, BatchRunOptions][] = [
  ['by the fast plan', { maxTokens: 20 }],
  ['by the exact plan', { maxTokens: 12, plan: 'exact' }],
  ['two at once, each until its end', { maxTokens: 30, atOnce: 2 }],
  ['past the end', { maxTokens: 16, ignoreEos: true, atOnce: 4 }],
  ['up to an id', { maxTokens: 16, stopIds: [300, 264] }],
];
test.each(ways)('each becomes what it would alone: %s', async (_, options) => {
  const all = await atlas.generate(PROMPTS, options);
  const { atOnce, ...own } = options;
  for (const [i, prompt] of PROMPTS.entries()) expect(all[i], `${i}`).toEqual(await alone(prompt, own));
  expect(held()).toBe(0);
});

test.each(['exact', 'fast'] as const)(
  'drawn, each has a seed of its own, and draws as it would alone (%s)',
  async plan => {
    const options = { maxTokens: 12, temperature: 1.3, topP: 0.95, ignoreEos: true, plan };
    const counted = await atlas.generate(PROMPTS, { ...options, seed: 7 });
    const listed = await atlas.generate(PROMPTS, { ...options, seed: [3, 1, 4, 1, 5, 9] });
    for (const [i, prompt] of PROMPTS.entries()) {
      expect(counted[i]).toEqual(await alone(prompt, { ...options, seed: 7 + i }));
      expect(listed[i]).toEqual(await alone(prompt, { ...options, seed: [3, 1, 4, 1, 5, 9][i] }));
    }
    expect(counted[1]).not.toEqual(counted[5]); // the same prompt
  },
);

test.each([{ topK: 5 }, { topK: 40, topP: 0.9 }, { topP: 0.9 }])(
  'the largest logits of each come back, and of nobody all: %j',
  async few => {
    const options = { maxTokens: 8, temperature: 1.1, ignoreEos: true, ...few };
    const { traffic } = atlas.gpu;
    const { read } = traffic;
    const all = await atlas.generate(PROMPTS, { ...options, seed: 7 });
    const bytes = traffic.read - read;
    for (const [i, prompt] of PROMPTS.entries()) {
      expect(all[i]).toEqual(await alone(prompt, { ...options, seed: 7 + i }));
    }
    // What the search says beside the pairs are 66 words; the vocabulary has 512 logits.
    const tops = PROMPTS.length * 8 * 4 * (66 + 2 * (few.topK ?? 256));
    if (few.topK) expect(bytes).toBe(tops);
    else expect((bytes - tops) % (4 * 512)).toBe(0); // all logits of a row where the largest are not enough
  },
);

test('as they come, tokens say whose they are, and which is the last', async () => {
  const generation = atlas.generate(PROMPTS, { maxTokens: 6 });
  const texts = PROMPTS.map(() => '');
  const over = new Set<number>();
  let most = 0;
  for await (const { sequence, text, last } of generation) {
    expect(over.has(sequence)).toBe(false);
    texts[sequence] += text;
    most = Math.max(most, texts.filter(Boolean).length);
    if (last) over.add(sequence);
  }
  expect(most).toBe(PROMPTS.length); // together, and not one after the other
  expect(over.size).toBe(PROMPTS.length);
  expect(generation.soFar.map(({ text }) => text)).toEqual(texts);
  expect((await generation).map(({ text }) => text)).toEqual(texts);
  expect(await atlas.generate(['Once'], { maxTokens: 6 })).toEqual([await alone('Once', { maxTokens: 6 })]);
  expect(await atlas.generate(['Once'], { maxTokens: 0 })).toEqual([{ ids: [], text: '', stop: false }]);
});

test('many go through few places: the memory is that of the places', async () => {
  const prompts = Array.from({ length: 300 }, (_, i) => [2, 4 + i, 5]);
  let most = 0;
  const made = prompts.map(() => 0);
  for await (const { sequence } of atlas.generate(prompts, { maxTokens: 2, ignoreEos: true, atOnce: 16 })) {
    made[sequence] += 1;
    most = Math.max(most, held());
  }
  expect(made.every(n => n === 2)).toBe(true);
  await atlas.generate(prompts.slice(0, 16), { maxTokens: 2, ignoreEos: true });
  const few = atlas.generate(prompts.slice(0, 16), { maxTokens: 2, ignoreEos: true });
  await few.next();
  expect(held()).toBe(most);
  await few.return();
  expect(held()).toBe(0);
});

test('a beginning that all share is read once, also by those who come later', async () => {
  const start = Array.from({ length: 100 }, (_, i) => 4 + ((i * 7) % 500)); // longer than a sliding layer's ring
  const prompts = Array.from({ length: 7 }, (_, i) => [2, ...start, 10 + i, 20 + i]);
  const all = await atlas.generate(prompts, { maxTokens: 5, ignoreEos: true, atOnce: 3, plan: 'exact' });
  for (const [i, prompt] of prompts.entries()) {
    expect(all[i]).toEqual(await alone(prompt, { maxTokens: 5, ignoreEos: true, plan: 'exact' }));
  }
});

test('gives its memory back at a break and at a stop, and rests between two tokens', async () => {
  const options = { maxTokens: 8, ignoreEos: true, plan: 'exact' } as const;
  const whole = await atlas.generate(PROMPTS, options);
  for await (const _ of atlas.generate(PROMPTS, options)) {
    expect(held()).toBeGreaterThan(0);
    break;
  }
  expect(held()).toBe(0);
  const resting = atlas.generate(PROMPTS, options);
  for (let i = 0; i < 15; i++) await resting.next();
  expect(restGenerations()).toBe(1);
  expect(held()).toBe(0);
  expect(await resting).toEqual(whole);
  const stop = new AbortController();
  const stopped = atlas.generate(PROMPTS, { ...options, signal: stop.signal });
  await stopped.next();
  stop.abort(new Interrupted());
  await expect(stopped.next()).rejects.toThrow(Interrupted);
  expect(stopped.soFar.some(({ ids }) => ids.length > 0)).toBe(true); // what there was stays
  expect(held()).toBe(0);
});

test('an edit on the way is in force for all, and told with the next token of each', async () => {
  const tokens: BatchToken[] = [];
  for await (const token of atlas.generate(['Once', 'The'], { maxTokens: 6, ignoreEos: true })) {
    tokens.push(token);
    if (tokens.length === 4) await atlas.edit('rope', wgsl => wgsl.replace('a * turn.x - b', 'a * turn.x + b'));
  }
  await atlas.edit('rope', null);
  expect(tokens.filter(({ edited }) => edited.includes('rope')).map(({ sequence }) => sequence)).toEqual([0, 1]);
  await expect(atlas.edit('sequences/many', wgsl => wgsl.replace('rows[at].y', 'rows[at].nothing'))).rejects.toThrow(
    /sequences\/many\.wgsl:/,
  );
});

test('an edit while it rests is told: all is read again, by other shaders', async () => {
  const tokens: BatchToken[] = [];
  for await (const token of atlas.generate(['Once', 'The'], { maxTokens: 4, ignoreEos: true })) {
    tokens.push(token);
    if (tokens.length !== 4) continue;
    expect(restGenerations()).toBe(1);
    await atlas.edit('rope', wgsl => wgsl.replace('a * turn.x - b', 'a * turn.x + b'));
  }
  await atlas.edit('rope', null);
  expect(tokens.filter(({ edited }) => edited.includes('rope')).map(({ sequence }) => sequence)).toEqual([0, 1]);
});

test('logits that are no numbers are told with the prompt and the stage', async () => {
  const broken = (wgsl: string) =>
    wgsl.replace('= SCALE * values;', '= SCALE * values * select(1.0, sqrt(-f32(id)), id == 333u);');
  await atlas.edit('embed', broken);
  const error = await refusal(['Once', [2, 333], 'The'], { maxTokens: 3 });
  const file = join(freshFolder(), 'p.jsonl');
  writeFileSync(file, '"Once"\n[2,333]\n');
  const ofFile = atlas.generate(promptFile(file), { maxTokens: 3 });
  await expect(ofFile).rejects.toThrow(/^[^ ]*p\.jsonl:2: The logits hold values that are no numbers/);
  await atlas.edit('embed', null);
  expect(error).toBeInstanceOf(NumberError);
  expect(error.message).toMatch(/^prompts\[1\]: The logits hold values that are no numbers .*'embed', at token 1/);
});

test('what is wrong is told before anything runs, with the place of the prompt', async () => {
  const cases: [readonly (string | readonly number[])[], object, new (...a: never[]) => Error, RegExp][] = [
    [['Once', '', 'The'], {}, PromptError, /^prompts\[1\]: The prompt is empty; give some text\.$/],
    [['Once', []], {}, PromptError, /^prompts\[1\]: The prompt is empty; give at least one token\.$/],
    [['Once', [2, 512]], {}, PromptError, /^prompts\[1\]: Token id 512 at place 1 is not in the vocabulary/],
    [
      ['Once', Array(1100).fill(5)],
      {},
      PromptError,
      /^prompts\[1\]: It has 1100 tokens, and this session reads 1024, one of/,
    ],
    [['Once'], { tap: 'logits' }, OptionError, /^The option tap is for a single prompt/],
    [['Once'], { atOnce: 0 }, OptionError, /^atOnce is a whole number of prompts from 1, not 0\.$/],
    [['Once', 'The'], { seed: [1] }, OptionError, /^seed has 1 numbers for 2 prompts/],
    [['Once', 'The'], { seed: [1, 'x'] }, OptionError, /^seed must be whole numbers, and at place 1 is 'x'\.$/],
    [['Once'], { seeds: 3 }, OptionError, /^generate has no option 'seeds'\. The nearest is 'seed'\./],
    [['Once'], { maxTokens: -1 }, OptionError, /^maxTokens must be a whole number from 0, not -1\.$/],
  ];
  for (const [prompts, options, kind, message] of cases) {
    const error = await refusal(prompts, options);
    expect(error.message).toMatch(message);
    expect(error).toBeInstanceOf(kind);
  }
  await expect(atlas.write(['Once', 'The'] as never)).rejects.toThrow('write() continues one prompt.');
  // @ts-expect-error there is one prompt
  expect(() => atlas.generate('Once', { atOnce: 3 })).not.toThrow();
});

test('what does not fit at once is refused with how many would, and by default so many run', async () => {
  const prompts = Array.from({ length: 40 }, (_, i) => [2, 5 + i]);
  const options = { maxTokens: 1000, ignoreEos: true };
  const { budgetBytes } = atlas.gpu;
  try {
    atlas.gpu.budgetBytes = atlas.gpu.liveBytes + 8e6;
    const error = await refusal(prompts, { ...options, atOnce: 40 });
    expect(error).toBeInstanceOf(BudgetError);
    const would = Number(
      /^40 sequences of up to 1024 tokens do not fit the GPU memory at once; (\d+) would\./.exec(error.message)?.[1],
    );
    expect(would).toBeGreaterThan(2);
    expect(would).toBeLessThan(40);
    for await (const _ of atlas.generate(prompts, { ...options, atOnce: would })) break;
    const one = await refusal(prompts, { ...options, atOnce: would + 1 });
    expect(one.message).toContain(`${would} would`);
    for await (const _ of atlas.generate(prompts, options)) break;
    expect(held()).toBe(0);
  } finally {
    atlas.gpu.budgetBytes = budgetBytes;
  }
});

test('the command reads a file of prompts, and tells what became of them in its order', async () => {
  const folder = freshFolder();
  // A model of its own: what is opened again gives way.
  const copy = join(folder, 'atlas');
  cpSync(join(packageRoot(), 'golden/atlas'), copy, { recursive: true });
  const loupe = (...args: string[]) => command('generate', '-m', copy, '-n', '6', ...args);
  const file = (name: string, text: string) => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };
  const lines = file('p.jsonl', '"Once"\n{"prompt": "The capital of Italy is"}\n[2, 300]\n');
  const { stdout, status } = await loupe('--prompts', lines, '--json', '--at-once', '2');
  expect(status).toBe(0);
  const told = stdout
    .trim()
    .split('\n')
    .map(line => JSON.parse(line));
  expect(told.map(({ prompt }) => prompt)).toEqual(['Once', 'The capital of Italy is', [2, 300]]);
  for (const { prompt, ids, text, stop } of told)
    expect({ ids, text, stop }).toEqual(await alone(prompt, { maxTokens: 6 }));
  // A column of its own, of lines and of Parquet; from a cell, the same file.
  const named = file('n.ndjson', '{"id": 1, "text": "Once"}\n{"id": 2, "text": [2, 300]}\n');
  const parquet = join(folder, 'n.parquet');
  const columnData = [{ name: 'text', data: ['Once', 'The'], type: 'STRING' as const }];
  writeFileSync(parquet, Buffer.from(parquetWriteBuffer({ columnData })));
  for (const [path, given] of [
    [named, ['Once', [2, 300]]],
    [parquet, ['Once', 'The']],
  ] as const) {
    const found = await loupe('--prompts', path, '--column', 'text', '--json');
    const lines = found.stdout.trim().split('\n');
    expect(lines.map(line => JSON.parse(line).prompt)).toEqual(given);
    const made = await atlas.generate(promptFile(path, { column: 'text' }), { maxTokens: 6 });
    expect(made).toEqual(lines.map(line => (({ ids, text, stop }) => ({ ids, text, stop }))(JSON.parse(line))));
  }
  expect((await loupe('--prompts', parquet)).stderr).toMatch(
    /n\.parquet has no column 'prompt'; there is text\. Say which/,
  );
  const text = await loupe('--prompts', file('p.txt', 'Once\r\nThe\n'));
  const [once, the] = await atlas.generate(['Once', 'The'], { maxTokens: 6 });
  expect(text.stdout).toBe(`Once${once.text}\n\nThe${the.text}\n`);
  const wrong: [string[], RegExp][] = [
    [['--prompts', file('a.txt', 'Once\n\nThe\n')], /a\.txt:2: The line is empty/],
    [['--prompts', file('b.txt', '')], /b\.txt has no prompts/],
    [
      ['--prompts', file('twice.jsonl', '"Once"\n{"prompt": "a", "prompt": "b"}\n')],
      /twice\.jsonl:2: The line has the key 'prompt' twice, and one of them would not be read/,
    ],
    [
      ['--prompts', file('c.jsonl', '"Once"\n{"text": 1}\n')],
      /c\.jsonl:2: The line has no key 'prompt'; there is text\. Say/,
    ],
    [
      ['--prompts', file('e.jsonl', '{"prompt": "Once", "max_tokens": 2}\n')],
      /e\.jsonl:1: 'max_tokens' is no key of a line/,
    ],
    [['--prompts', file('f.jsonl', '{"prompt": 1}\n')], /f\.jsonl:1: 'prompt' is a text or a list of ids, not 1\./],
    [['--prompts', file('d.jsonl', '{"prompt": ""}\n')], /d\.jsonl:1: The prompt is empty/],
    [['--prompts', lines, '-p', 'Once'], /There is --prompts, and --prompt too/],
    [['--prompts', join(folder, 'none')], /none cannot be read: /],
    [['-p', 'Once', '--at-once', '2'], /--at-once is how many of --prompts/],
    [['-p', 'Once', '--column', 'text'], /--column is of --prompts, and there is one prompt/],
    [['--prompts', file('big.jsonl', '"Once"\n[2,512]\n')], /: [^ ]*big\.jsonl:2: Token id 512 at place 1/],
    [
      ['--prompts', file('long.txt', `Once\n${'The capital of France is. '.repeat(900)}\n`)],
      /: [^ ]*long\.txt:2: It has \d+ tokens, and this session reads/,
    ],
    [['--prompts', file('x.csv', 'prompt\nOnce\n')], /x\.csv ends in '\.csv', and prompts are read of/],
  ];
  for (const [args, message] of wrong) {
    const { status, stderr } = await loupe(...args);
    expect(stderr).toMatch(message);
    expect(status).toBe(2);
  }
});
