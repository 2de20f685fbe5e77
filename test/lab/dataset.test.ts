// A sweep's data set in a notebook: SQL over what stands, as rows and as Arrow, and closed again.

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { dataset, open, prompts } from '../../lab/index.js';
import { OptionError } from '../../engine/errors.js';
import { command } from '../fixtures/command.js';
import { freshFolder } from '../fixtures/folder.js';

const folder = freshFolder();
const at = (name: string) => join(folder, name);

test('SQL over a sweep: the rows of runs, joined with their ledger', async () => {
  writeFileSync(at('p.jsonl'), '"The capital of France is"\n"Once"\n"It\'s a dark and"\n');
  const keep = { tap: ['layers.3.resid', 'layers.5.resid'], loss: true };
  writeFileSync(
    at('plan.json'),
    JSON.stringify({ prompts: 'p.jsonl', plan: ['exact', 'fast'], shard: 2, keep, out: "it's" }),
  );
  expect((await command('sweep', at('plan.json'))).status).toBe(0);
  const data = await dataset(at("it's"));
  expect(data.tables).toEqual(['activations', 'ledger']);
  expect(String(data)).toMatch(/it's: 6 runs, \d+ tokens, \d+ rows .* in activations, ledger\.\n/);
  using model = await open('atlas', { quiet: true, another: true });
  const expected: number[][] = [];
  for await (const run of model.runs(prompts(at('p.jsonl')), { tap: 'layers.5.resid' })) {
    const { data, shape } = run.at('layers.5.resid');
    for (let token = 0; token < shape[0]; token++)
      expected.push([...data.subarray(token * shape[1], (token + 1) * shape[1])]);
  }
  const sql = "select values from activations where stage = 'layers.5.resid' and plan = 'exact' order by prompt, token";
  expect((await data.query(sql)).map(({ values }) => values)).toEqual(expected);
  const table = await data.toArrow(sql);
  expect(table.numRows).toBe(expected.length);
  expect([...table.getChild('values')!.get(1)]).toEqual(expected[1]);
  const joined = await data.query(
    'select l.configuration, l.prompt, l.tokens, count(*) as n, any_value(l.perplexity) as p from ledger l join activations a using (configuration, prompt) group by all order by all',
  );
  for (const { tokens, n, p } of joined) expect([n, typeof p]).toEqual([2 * (tokens as number), 'number']);
  expect(
    (await data.toArrow('select prompt, quantise, perplexity, count(*) c from ledger group by all order by all'))
      .toArray()[0]
      .toJSON(),
  ).toMatchObject({ prompt: 0, quantise: null, c: 1n });
  expect((await data.toArrow('select prompt from ledger where prompt > 99')).numRows).toBe(0);
  await expect(data.query('select nothing from ledger')).rejects.toThrow(/^DuckDB: Binder Error/);
  await expect(data.query(7 as never)).rejects.toBeInstanceOf(OptionError);
  await expect(data.toArrow('select now() as t')).rejects.toThrow(/Column 't' is TIMESTAMP .*Cast it/);
  data[Symbol.dispose]();
  data[Symbol.dispose]();
  await expect(data.query('select 1')).rejects.toThrow(/was closed\. Open it again/);
  await expect(dataset(folder)).rejects.toThrow(/has no _manifest\.json of a sweep/);
  // What was left out of the manifest is not read, though its file lies there.
  const manifest = JSON.parse(readFileSync(join(at("it's"), '_manifest.json'), 'utf8'));
  writeFileSync(
    join(at("it's"), '_manifest.json'),
    JSON.stringify({ ...manifest, shards: manifest.shards.slice(1), missing: ['x'] }),
  );
  using less = await dataset(at("it's"));
  expect(await less.query('select count(*) n from ledger')).toEqual([{ n: 4 }]);
  expect(String(less)).toMatch(/1 of 4 shards are missing/);
});
