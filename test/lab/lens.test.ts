// The lens says how near a layer is to the model's own answer: of this run, whatever was tapped, patched, sliced or capped; and its logits
// exist a few tokens at a time.

import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { BudgetError } from '../../engine/errors.js';
import { setNotebook } from '../../lab/host/notebook.js';
import { DISPLAY } from '../../lab/values/shown.js';
import { open } from '../../lab/session/open.js';
import type { LensCell } from '../../lab/probe/lens.js';
import type { Run } from '../../lab/session/run.js';
import type { Session } from '../../lab/session/session.js';
import { visible } from '../../engine/printable.js';
import { freshFolder } from '../fixtures/folder.js';
import { writeTiny } from '../fixtures/tiny-model.js';

const PROMPT = 'The capital of France is';

let model: Session;
let before: number;
beforeAll(async () => {
  model = await open('atlas', { quiet: true });
  before = model.gpu.liveBytes;
});
afterAll(() => {
  expect(model.gpu.liveBytes).toBe(before);
  model[Symbol.dispose]();
});

/** Of each token: what the run itself says, by its logits. */
function said(run: Run): number[] {
  const [rows] = run.at('logits').dims;
  return Array.from(
    { length: rows.size },
    (_, i) =>
      run
        .at('logits')
        .token(rows.from + i)
        .top(1)[0].index,
  );
}

const close = (a: readonly (readonly LensCell[])[], b: readonly (readonly LensCell[])[]) => {
  expect(a.map(row => row.map(c => [c.stage, c.token, c.id, c.finalRank]))).toEqual(
    b.map(row => row.map(c => [c.stage, c.token, c.id, c.finalRank])),
  );
  a.flat().forEach((cell, i) => {
    expect(cell.probability).toBeCloseTo(b.flat()[i].probability, 5);
    expect(cell.finalProbability).toBeCloseTo(b.flat()[i].finalProbability, 5);
  });
};

test('an edit that was taken back is none; one in force is refused', async () => {
  const run = await model.run(PROMPT, { tap: 'layers.*.resid' });
  const before = (await run.lens()).cells;
  await model.edit('rope', wgsl => wgsl.replace('a * turn.x - b', 'a * turn.x + b'));
  await expect(run.lens()).rejects.toThrow(/A shader was edited after this run/);
  await model.edit('rope', null);
  close((await run.lens()).cells, before);
});

test('what takes long on a slow adapter says how far it is', async () => {
  const run = await model.run(PROMPT, { tap: 'layers.*.resid' });
  const shown: string[] = [];
  setNotebook({
    display: ({ data }) => void shown.push(String(data['text/plain'])),
    vanish() {},
    clear() {},
    ask: async () => '',
  });
  let now = 0;
  vi.spyOn(performance, 'now').mockImplementation(() => (now += 1000)); // each look at the clock a second later
  try {
    await run.lens();
  } finally {
    vi.restoreAllMocks();
    setNotebook(undefined as never);
  }
  const cells = run.ids.length * model.config.layers;
  expect(shown).toContain(
    `Looking through the lens  ${'█'.repeat(12)}${'░'.repeat(12)} 50 %  ${cells / 2} of ${cells} cells`,
  );
  expect(shown).toHaveLength(cells);
});

describe('the final answer', () => {
  let full: readonly (readonly LensCell[])[];
  let answers: number[];
  beforeAll(async () => {
    const run = await model.run(PROMPT, { tap: ['layers.*.resid', 'logits'], logits: 'all' });
    full = (await run.lens()).cells;
    answers = said(run);
  });

  test('is the model’s own when only early layers are selected, or were tapped', async () => {
    // The early layers do say something else, so that their own answer would show.
    expect(full[1].map(({ id }) => id)).not.toEqual(answers);
    expect(full[1].some(({ finalRank }) => finalRank > 1)).toBe(true);
    const all = await model.run(PROMPT, { tap: 'layers.*.resid' });
    close((await all.lens('layers.{0,1}.resid')).cells, full.slice(0, 2));
    const early = await model.run(PROMPT, { tap: 'layers.{0,1}.resid' });
    close((await early.lens('layers.{0,1}.resid')).cells, full.slice(0, 2));
    const chunked = await model.run(PROMPT, { tap: 'layers.1.resid', chunks: [3, 3, 1] });
    close((await chunked.lens('layers.1.resid')).cells, [full[1]]);
    const withLogits = await model.run(PROMPT, { tap: ['layers.1.resid', 'logits'], logits: 'all' });
    close((await withLogits.lens('layers.1.resid')).cells, [full[1]]);
  });

  test('of a slice of tokens is at their positions', async () => {
    const some = await model.run(PROMPT, { tap: 'layers.1.resid', slice: { token: [3, 5] } });
    const lens = await some.lens('layers.1.resid');
    close(lens.cells, [full[1].slice(3, 5)]);
    const bundle = lens[DISPLAY]();
    expect(bundle['application/vnd.plotly.v1+json']!.data[0].x).toEqual(
      [3, 4].map(t => expect.stringMatching(new RegExp(`^${t} `))),
    );
    expect(bundle['text/plain']).toMatch(/after 3 .*after 4 /);
  });

  test('of a patched run is the patched run’s', async () => {
    const clean = await model.run('The capital of Italy is', { tap: 'layers.3.resid' });
    const patches = [
      { stage: 'layers.3.resid', values: clean.at('layers.3.resid') },
      { stage: 'final_norm', values: 0, slice: { token: [2, 3] as const } },
      { stage: 'logits', values: 50, slice: { token: [1, 2] as const, vocab: [77, 78] as const } },
    ];
    for (const patch of [patches.slice(0, 1), patches.slice(0, 2), patches]) {
      const options = { patch, logits: 'all' } as const;
      const answer = said(await model.run(PROMPT, { ...options, tap: 'logits' }));
      const { cells } = await (await model.run(PROMPT, { ...options, tap: 'layers.0.resid' })).lens('layers.0.resid');
      // Where the rank of the answer is 1, the layer says it itself.
      cells[0].forEach((cell, token) => {
        if (cell.finalRank === 1) expect(cell.id).toBe(answer[token]);
        else expect(cell.id).not.toBe(answer[token]);
      });
    }
  });

  test('after a shader was edited is that of the run, or refused', async () => {
    const known = await model.run(PROMPT, { tap: ['layers.1.resid', 'logits'], logits: 'all' });
    const unknown = await model.run(PROMPT, { tap: 'layers.1.resid' });
    await model.edit('rope', wgsl => wgsl.replace('a * turn.x - b', 'a * turn.x + b'));
    try {
      close((await known.lens('layers.1.resid')).cells, [full[1]]);
      await expect(unknown.lens('layers.1.resid')).rejects.toThrow(/A shader was edited after this run \(rope\)/);
    } finally {
      await model.edit('rope', null);
    }
    // The shaders in force are those of the run again.
    close((await unknown.lens('layers.1.resid')).cells, [full[1]]);
  });

  test('in pieces of any size is the same, and what no piece holds is refused before anything runs', async () => {
    const run = await model.run(PROMPT, { tap: 'layers.*.resid' });
    const row = 4 * model.config.vocab;
    for (const rows of [1, 2, 3, 100]) close((await run.lens(undefined, { budget: rows * row })).cells, full);
    const written = model.gpu.liveBytes;
    await expect(run.lens(undefined, { budget: row - 1 })).rejects.toThrow(
      /makes 2048 bytes of logits for a token, and the budget is 2047\. Raise it/,
    );
    await expect(run.lens(undefined, { budget: row - 1 })).rejects.toThrow(BudgetError);
    expect(model.gpu.liveBytes).toBe(written);
    const small = await model.run(PROMPT, { tap: 'layers.1.resid', budget: 7 * 128 * 4 });
    await expect(small.lens('layers.1.resid')).resolves.toBeDefined();
  });
});

test('stages of one layer have a row each', async () => {
  const run = await model.run(PROMPT, { tap: ['layers.0.resid_mid', 'layers.*.resid', 'embed'] });
  const { y } = (await run.lens(['embed', 'layers.0.resid_mid', 'layers.0.resid']))[DISPLAY]()[
    'application/vnd.plotly.v1+json'
  ]!.data[0] as { y: string[] };
  expect(y).toEqual(['embed', '0.resid_mid', '0.resid']);
});

test('of Gemma 2, whose logits are capped, the last layer says what the model says, with its probability', async () => {
  const folder = await writeTiny(freshFolder(), {
    config: {
      model_type: 'gemma2',
      architectures: ['Gemma2ForCausalLM'],
      rope_local_base_freq: undefined,
      final_logit_softcapping: 2.5,
      attn_logit_softcapping: 50,
    },
    tensors: shapes => {
      for (const name of [...shapes.keys()]) if (/self_attn\.[qk]_norm/.test(name)) shapes.delete(name);
    },
  });
  using tiny = await open(folder, { quiet: true });
  const ids = [2, 5, 700, 31, 9, 400];
  const run = await tiny.run(ids, { tap: ['layers.*.resid', 'logits'], logits: 'all' });
  const logits = run.at('logits');
  expect(logits.stats().maxAbs).toBeLessThan(2.5);
  expect(logits.stats().maxAbs).toBeGreaterThan(1);
  const { cells } = await (await tiny.run(ids, { tap: 'layers.*.resid' })).lens();
  cells[1].forEach((cell, token) => {
    const row = logits.token(token).data;
    const best = row.indexOf(Math.max(...row));
    const sum = row.reduce((n, logit) => n + Math.exp(logit - row[best]), 0);
    expect([cell.id, cell.finalRank]).toEqual([best, 1]);
    expect(cell.probability).toBeCloseTo(1 / sum, 6);
    expect(cell.finalProbability).toBeCloseTo(1 / sum, 6);
  });
  await expect(run.lens('blocks.*.hook_resid_post')).resolves.toMatchObject({ cells: { length: 2 } });
});

describe('top', () => {
  test('the five likeliest of each layer and token, with their probabilities: of the last layer, the model’s own', async () => {
    const run = await model.run(PROMPT, { tap: ['layers.*.resid', 'logits'], logits: 'all' });
    const lens = await run.lens({ top: 5 });
    const one = await run.lens();
    close(lens.cells, one.cells);
    expect(one.cells.flat().every(({ top }) => top.length === 1)).toBe(true);
    const last = lens.cells.at(-1)!;
    for (const [token, cell] of last.entries()) {
      const logits = run.at('logits').token(token);
      const max = Math.max(...logits.data);
      const sum = logits.data.reduce((n, logit) => n + Math.exp(logit - max), 0);
      const expected = logits.top(5);
      expect(cell.top.map(({ id }) => id)).toEqual(expected.map(({ index }) => index));
      expect(cell.top.map(({ text }) => text)).toEqual(model.labels(expected.map(({ index }) => index)));
      cell.top.forEach(({ probability, logit }, i) => {
        expect(logit).toBeCloseTo(expected[i].value, 4);
        expect(probability).toBeCloseTo(Math.exp(expected[i].value - max) / sum, 5);
      });
      expect([cell.finalId, cell.finalText]).toEqual([expected[0].index, model.labels([expected[0].index])[0]]);
    }
    for (const { top } of lens.cells.flat())
      expect([...top].sort((a, b) => b.probability - a.probability)).toEqual(top);
  });

  test('as a table and as Arrow: a row a layer and token, and a row for each of the likeliest', async () => {
    const run = await model.run(PROMPT, { tap: 'layers.*.resid', slice: { token: [4, 7] } });
    const lens = await run.lens({ top: 3 });
    const rows = lens.toArrow().toArray();
    expect(rows).toHaveLength(6 * 3 * 3);
    const cell = lens.cells[1][2];
    expect(rows[(1 * 3 + 2) * 3 + 1].toJSON()).toEqual({
      stage: 'layers.1.resid',
      token: 6,
      token_text: ' is',
      rank: 2,
      id: cell.top[1].id,
      text: cell.top[1].text,
      logit: cell.top[1].logit,
      probability: cell.top[1].probability,
      final_id: cell.finalId,
      final_text: cell.finalText,
      final_probability: cell.finalProbability,
      final_rank: cell.finalRank,
    });
    const { 'text/html': page, 'text/plain': text } = lens.table()[DISPLAY]();
    expect(page!.match(/<tr/g)).toHaveLength(1 + 6 * 3);
    expect(page).toMatch(/<th[^>]*>the 3 likeliest<\/th>/);
    for (const part of ['6 ␣is', visible(cell.finalText)]) expect(text).toContain(part);
    expect(text).toMatch(
      /^Logit lens: .*, and the model’s answer\n +after token +layer +the 3 likeliest +answer +rank/,
    );
    const { 'application/vnd.plotly.v1+json': figure } = lens[DISPLAY]();
    expect(JSON.stringify(figure)).toContain('%{customdata[3]}');
    expect(JSON.stringify((await run.lens())[DISPLAY]())).not.toContain('%{customdata[3]}');
  });

  test('how many is checked, and so are the other options', async () => {
    const run = await model.run(PROMPT, { tap: 'layers.*.resid' });
    await expect(run.lens({ top: 0 })).rejects.toThrow(/top of lens\(\) gives 1 to 512 entries, not 0/);
    await expect(run.lens('layers.2.resid', { top: 513 })).rejects.toThrow(/not 513/);
    await expect(run.lens({ tops: 1 } as never)).rejects.toThrow(/lens has no option 'tops'/);
    expect((await run.lens(['layers.2.resid'], { top: 2 })).cells).toHaveLength(1);
  });
});
