// A sweep's data set in a notebook: SQL over what stands, as rows and as Arrow, and closed again.

import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { expect, test } from 'vitest';
import { dataset, open, prompts, sweep } from '../../lab/index.js';
import { DISPLAY } from '../../lab/values/shown.js';
import { OptionError } from '../../engine/errors.js';
import { viewOf } from '../../lab/sweep/dataset.js';
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
  await expect(data.query('select 1 a; select 2 b')).rejects.toThrow(
    'A query is one statement, and these are 2. Ask one after the other.',
  );
  expect(await data.query("select ';' a;")).toEqual([{ a: ';' }]);
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
  const { 'text/html': card } = less[DISPLAY]();
  expect(card).toContain('sweep it&#39;s: 4 runs');
  expect(card).toContain('1 of 4 shards are missing');
  expect(card).toContain('configurations: 0 exact; 1 fast');
  expect(less.columns.get('ledger')).toContain('perplexity');
  // Of very many files, too, those that stand are read and no others.
  const standing = manifest.shards
    .slice(1)
    .flatMap(({ files }: { files: { path: string }[] }) => files.map(f => f.path));
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  for (const table of ['ledger', 'activations']) {
    const own = standing.filter((file: string) => file.startsWith(`${table}/`));
    const [few, many] = await Promise.all(
      [own.length, 0].map(async most => {
        const view = viewOf(at("it's"), table, own, most);
        return (await connection.runAndReadAll(`select * from (${view}) order by all`)).getRowsJson();
      }),
    );
    expect(few.length).toBeGreaterThan(0);
    expect(many).toEqual(few);
  }
  connection.closeSync();
  instance.closeSync();
  // A file that is gone would be rows that are not there, in silence.
  const [file] = manifest.shards[1].files.filter(({ path }: { path: string }) => path.startsWith('ledger/'));
  renameSync(join(at("it's"), file.path), at('away.parquet'));
  await expect(dataset(at("it's"))).rejects.toThrow(new RegExp(`lacks 1 of its 9 files, such as ${file.path}`));
  renameSync(at('away.parquet'), join(at("it's"), file.path));
});

test('a sweep from a cell: the worst runs with their prompts, as the tables have them; a second call runs nothing', async () => {
  const texts = ['The capital of France is', 'Once', '<b>The capital</b> of Ghana\nis', 'The people of Ghana speak'];
  writeFileSync(at('w.jsonl'), texts.map(text => JSON.stringify(text)).join('\n'));
  const keep = { against: ['layers.*.resid', 'logits'] };
  const plan = { prompts: 'w.jsonl', quantise: [null, 'q8_0'], shard: 2, keep, out: 'worst' };
  writeFileSync(at('w.json'), JSON.stringify(plan));
  using data = await sweep(at('w.json'));
  expect(data.configurations).toEqual(['as stored', 'q8_0']);
  const { runs } = await data.worst(3);
  const ledger = await data.query(
    'select prompt, worst, margin from ledger where configuration = 1 order by margin limit 3',
  );
  expect(runs.map(({ prompt, stage, margin }) => ({ prompt, worst: stage, margin }))).toEqual(ledger);
  for (const { prompt, stages, stage, margin, name, text } of runs) {
    expect([name, text, stages.length]).toEqual(['q8_0', texts[prompt], 7]);
    expect(stages.at(-1)!.stage).toBe('logits');
    expect(stages.find(one => one.stage === stage)!.margin).toBe(margin);
    expect(margin).toBe(Math.min(...stages.map(one => one.margin)));
  }
  const { 'text/html': page } = (await data.worst())[DISPLAY]();
  expect(page).toContain('&lt;b&gt;The capital&lt;/b&gt; of Ghana');
  expect(page!.match(/<details>/g)).toHaveLength(4);
  expect(await data.prompt(3)).toBe(texts[3]);
  await expect(data.prompt(4)).rejects.toThrow(/has no prompt 4 that can be read/);
  await expect(data.worst(0)).rejects.toThrow('worst of a sweep takes how many runs, a whole number from 1, not 0.');
  const before = readFileSync(join(at('worst'), '_manifest.json'), 'utf8');
  using again = await sweep(at('w.json'));
  expect([again.shards, again.missing]).toEqual([4, 0]);
  expect(readFileSync(join(at('worst'), '_manifest.json'), 'utf8')).toBe(before);
  rmSync(at('w.jsonl'));
  expect((await data.worst(1)).runs[0].text).toBeNull();
  await expect(sweep(at('w.json'))).rejects.toThrow(/w\.jsonl cannot be read: there is no such file/);
  await expect(sweep(at('w.json'), { workers: 0 })).rejects.toThrow(
    'workers of sweep is a whole number from 1, not 0.',
  );
  using plain = await dataset(at("it's"));
  await expect(plain.worst()).rejects.toThrow(/has no margins, for its plan held no stage against/);
});
