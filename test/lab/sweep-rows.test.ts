// A sweep's rows are those of runs one by one, and its tables say what they say they do.

import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { compare } from '../../lab/diff/metrics.js';
import { ACCUMULATED_LIMIT } from '../../lab/diff/tolerance.js';
import { open } from '../../lab/session/open.js';
import type { Run } from '../../lab/session/run.js';
import type { Session } from '../../lab/session/session.js';
import { runSweep } from '../../lab/sweep/run.js';
import { lookThrough } from '../../lab/sweep/sweep.js';
import { Worker } from '../../lab/sweep/worker.js';
import { freshFolder } from '../fixtures/folder.js';
import { parquetMetadataOf, parquetRowsOf, type Row } from '../fixtures/parquet.js';
import '../../lab/index.js';

const folder = freshFolder();
const at = (...names: string[]) => join(folder, ...names);
let model: Session;
beforeAll(async () => {
  model = await open('atlas', { quiet: true });
});
afterAll(() => model[Symbol.dispose]());

const PROMPTS = ['The capital of France is', 'Once', [2, 300, 301], 'The capital of Italy is', 'It was a dark and'];
writeFileSync(at('p.jsonl'), PROMPTS.map(prompt => JSON.stringify(prompt)).join('\n'));

async function swept(name: string, plan: object) {
  writeFileSync(at(`${name}.json`), JSON.stringify({ prompts: 'p.jsonl', shard: 2, out: name, ...plan }));
  const sweep = await lookThrough(at(`${name}.json`));
  const made = await runSweep(sweep, {});
  expect(made.failed).toEqual([]);
  return sweep;
}

/** All rows of a folder of the data set, in the order of the prompts. */
async function rows(...path: string[]): Promise<Row[]> {
  const files = readdirSync(at(...path)).filter(file => file.endsWith('.parquet'));
  const all = (await Promise.all(files.map(file => parquetRowsOf(at(...path, file))))).flat();
  const place = (row: Row) => [row.configuration, row.prompt, row.token ?? 0] as number[];
  return all.sort(
    (a, b) =>
      place(a)
        .map((n, i) => n - place(b)[i])
        .find(n => n !== 0) ?? 0,
  );
}

/** Values of a token of a run, by the names of its dimensions and not by where they lie. */
function valuesAt(run: Run, stage: string, token: number): number[] {
  const { dims, data } = run.at(stage);
  const along = dims.findIndex(({ name }) => name === 'token' || name === 'query');
  return [...data].filter((_, i) => {
    const inner = dims.slice(along + 1).reduce((n, { size }) => n * size, 1);
    return (Math.floor(i / inner) % dims[along].size) + dims[along].from === token;
  });
}

test('every value of every token is the one that a run alone has, bit for bit', async () => {
  const tap = ['layers.5.resid', 'layers.0.attn.q', 'layers.2.attn.pattern'];
  const slice = { key: [0, 1], head: [1, 3] } as const;
  writeFileSync(
    at('two.jsonl'),
    PROMPTS.filter(prompt => prompt !== 'Once')
      .map(prompt => JSON.stringify(prompt))
      .join('\n'),
  );
  await swept('values', { prompts: 'two.jsonl', keep: { tap, slice } });
  const given = PROMPTS.filter(prompt => prompt !== 'Once');
  for (const stage of tap) {
    const found = await rows('values', 'activations', 'model=atlas', `stage=${stage}`);
    const expected: Row[] = [];
    for (const [prompt, text] of given.entries()) {
      const run = await model.run(text, { tap, slice });
      for (const [token, id] of run.ids.entries())
        expected.push({
          ...{ configuration: 0, quantise: undefined, plan: 'exact', adapter: model.gpu.kind, prompt, token, id },
          text: run.tokens[token],
          values: valuesAt(run, stage, token),
        });
    }
    expect(
      found.map(row => ({ ...row, quantise: row.quantise ?? undefined, values: [...(row.values as number[])] })),
    ).toEqual(expected);
  }
  const [file] = readdirSync(at('values', 'activations', 'model=atlas', 'stage=layers.5.resid'));
  const metadata = parquetMetadataOf(at('values', 'activations', 'model=atlas', 'stage=layers.5.resid', file));
  expect(metadata).toMatchObject({
    loupe_sweep: '1',
    fingerprint: model.model.fingerprint,
    stage: 'layers.5.resid',
    dims: 'channel',
    values: 'f32',
    slice: JSON.stringify(slice),
  });
  expect(metadata['ARROW:schema']).toMatch(/^[\w+/=]+$/);
});

test('losses, largest logits, summaries and margins are those that the lab has for a run', async () => {
  const stages = ['layers.3.resid', 'logits'];
  await swept('tables', {
    quantise: [null, 'q8_0'],
    keep: { tap: 'layers.3.resid', slice: { token: 0 }, loss: true, top: 3, summaries: stages, against: stages },
  });
  using small = await open('atlas', { quiet: true, another: true, quantise: 'q8_0' });
  const ledger = await rows('tables', 'ledger');
  expect(ledger.map(({ configuration, prompt }) => [configuration, prompt])).toEqual(
    [0, 1].flatMap(configuration => PROMPTS.map((_, prompt) => [configuration, prompt])),
  );
  const margins = await rows('tables', 'margins');
  const summaries = await rows('tables', 'summaries');
  const logits = await rows('tables', 'logits');
  for (const [prompt, text] of PROMPTS.entries()) {
    const [run, other] = [
      await model.run(text, { tap: stages, logits: 'all' }),
      await small.run(text, { tap: stages, logits: 'all' }),
    ];
    const of = (all: Row[], configuration: number) =>
      all.filter(row => row.prompt === prompt && row.configuration === configuration);
    const [row] = of(ledger, 0);
    const bits = run.surprisal().tokens.reduce((n, { surprisal }) => n + surprisal, 0) / (run.ids.length - 1);
    expect(row.bits).toBeCloseTo(bits, 9);
    expect(row).toMatchObject({ tokens: run.ids.length, next: run.logits.top(1).rows[0].id, model: 'atlas' });
    const last = of(logits, 0).at(-1)!;
    const top = run.logits.top(3).rows;
    expect([[...(last.ids as number[])], [...(last.logits as number[])]]).toEqual([
      top.map(({ id }) => id),
      top.map(({ logit }) => logit),
    ]);
    expect(of(logits, 0)).toHaveLength(run.ids.length);
    const { mean, l2, maxAbs } = run.at('layers.3.resid').stats();
    expect(of(summaries, 0).find(({ stage }) => stage === 'layers.3.resid')).toMatchObject({
      mean,
      l2,
      max_abs: maxAbs,
    });
    expect(of(margins, 0)).toEqual([]);
    const held = stages.map(stage => {
      const { relL2 } = compare(other.at(stage).data, run.at(stage).data, run.at(stage).shape);
      return { stage, rel_l2: relL2, margin: ACCUMULATED_LIMIT / relL2 };
    });
    for (const expected of held)
      expect(of(margins, 1).find(({ stage }) => stage === expected.stage)).toMatchObject(expected);
    const worst = held.reduce((a, b) => (b.margin < a.margin ? b : a));
    expect(of(ledger, 1)[0]).toMatchObject({ worst: worst.stage, margin: worst.margin, quantise: 'q8_0' });
  }
  const kept = await rows('tables', 'activations', 'model=atlas', 'stage=layers.3.resid');
  expect(kept.map(({ token }) => token)).toEqual(Array(10).fill(0));
  const first = await model.run(PROMPTS[0], { tap: 'layers.3.resid' });
  expect([...(kept[0].values as number[])]).toEqual(valuesAt(first, 'layers.3.resid', 0));
});

test('f16 is the nearest half, and what it does not reach is refused with its stage, token and prompt', async () => {
  await swept('halves', { keep: { tap: 'layers.5.resid', values: 'f16' } });
  const found = await rows('halves', 'activations', 'model=atlas', 'stage=layers.5.resid');
  const run = await model.run(PROMPTS[0], { tap: 'layers.5.resid' });
  for (const token of run.ids.keys()) {
    const values = valuesAt(run, 'layers.5.resid', token);
    for (const [i, half] of [...(found[token].values as number[])].entries())
      expect(Math.abs(half - values[i])).toBeLessThanOrEqual(2 ** (Math.floor(Math.log2(Math.abs(values[i]))) - 11));
  }
  const path = at('masked.json');
  const scores = { tap: 'layers.1.attn.scores', slice: { key: [0, 2] }, values: 'f16' };
  writeFileSync(path, JSON.stringify({ model: 'atlas', prompts: 'p.jsonl', keep: scores, out: 'masked' }));
  const sweep = await lookThrough(path);
  await using worker = new Worker(sweep);
  expect(await worker.run(sweep.shards[0].shard)).toMatchObject({
    error: expect.stringMatching(/^'layers\.1\.attn\.scores' is -3\.403e\+38 at token 0 of prompt 0, and f16 ends/),
  });
  const { halves } = await import('../../lab/sweep/rows.js');
  const data = Float32Array.of(1, 65519, 2, -70000);
  expect([...halves({ from: 3, rows: 1, width: 3, data: data.subarray(0, 3) }, 'x', 0)]).toEqual([
    0x3c00, 0x7bff, 0x4000,
  ]);
  expect(() => halves({ from: 3, rows: 2, width: 2, data }, 'x', 17)).toThrow(
    /'x' is -7\.000e\+4 at token 4 of prompt 17, and f16 ends at ±65504\. Keep it as \{ "values": "f32" \}/,
  );
});
