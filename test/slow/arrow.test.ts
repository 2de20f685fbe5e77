// What the lab writes, in the tools that read it: an activation, a diff's rows and a trace as Arrow and Parquet, in pyarrow, pandas,
// Polars and DuckDB. In the environment of front-ends.test.ts.

import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { tableToIPC } from 'apache-arrow';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { packageRoot } from '../../engine/files.js';
import { golden } from '../../lab/values/golden.js';
import { open } from '../../lab/session/open.js';
import type { Session } from '../../lab/session/session.js';
import { freshFolder } from '../fixtures/folder.js';

const root = packageRoot();
const folder = freshFolder();
let model: Session;

beforeAll(async () => {
  model = await open('atlas', { quiet: true });
});
afterAll(() => model[Symbol.dispose]());

const SCRIPT = `
import json, sys
import duckdb, pandas, polars, pyarrow.feather, pyarrow.ipc, pyarrow.parquet
out = {}
pattern = pyarrow.ipc.open_file("pattern.arrow").read_all()
frame = pandas.read_feather("pattern.arrow")
lazy = polars.read_ipc("pattern.arrow")
db = duckdb.sql("select head, query_text, list_sum(values::float[]) as s from pattern order by head, query")
out["shapes"] = [pattern.num_rows, len(frame), lazy.height, len(db.fetchall())]
out["text"] = [pattern.column("query_text")[6].as_py(), frame.query_text[6], lazy["query_text"][6], db.fetchall()[0][1]]
out["sums"] = [round(sum(pattern.column("values")[20].as_py()), 5), round(float(frame["values"][20].sum()), 5), round(lazy["values"][20].sum(), 5), round(db.fetchall()[20][2], 5)]
out["values"] = [pattern.column("values")[6].as_py()[2], float(frame["values"][6][2]), lazy["values"][6][2]]
diff = pyarrow.ipc.open_file("diff.arrow").read_all()
out["diff"] = [diff.num_rows, duckdb.sql("select stage from diff order by in_the_run desc limit 1").fetchall()[0][0], pandas.read_feather("diff.arrow").verdict.unique().tolist(), polars.read_ipc("diff.arrow")["pass"].all()]
for name in ["trace.arrow", "trace.parquet"]:
    table = (pyarrow.ipc.open_file(name).read_all() if name.endswith("arrow") else pyarrow.parquet.read_table(name))
    out[name] = [table.num_rows, sorted(set(table.column("stage").to_pylist()))]
parquet = duckdb.sql("select count(*), count(distinct stage) from 'trace.parquet'").fetchall()[0]
out["parquet"] = [list(parquet), pandas.read_parquet("trace.parquet").stage.nunique(), polars.read_parquet("trace.parquet")["stage"].n_unique()]
json.dump(out, sys.stdout)
`;

test('pyarrow, pandas, Polars and DuckDB read activations, diffs and traces', async () => {
  const run = await model.run('The capital of France is', { tap: 'layers.5.attn.pattern' });
  const pattern = run.at('layers.5.attn.pattern');
  writeFileSync(join(folder, 'pattern.arrow'), tableToIPC(pattern.toArrow(), 'file'));
  const diff = await model.diff(await golden('atlas/short'));
  writeFileSync(join(folder, 'diff.arrow'), tableToIPC(diff.toArrow(), 'file'));
  for (const form of ['arrow', 'parquet']) {
    const { status, stderr } = spawnSync(
      process.execPath,
      [
        join(root, 'dist/lab/cli/loupe.js'),
        ...['trace', '--prompt', 'The capital of', '--tap', 'layers.*.resid', '--out', join(folder, `trace.${form}`)],
      ],
      { encoding: 'utf8' },
    );
    expect(stderr).not.toMatch(/loupe:/);
    expect(status).toBe(0);
  }
  const python = join(root, '.loupe', 'check', 'bin', 'python');
  const { stdout, stderr } = spawnSync(python, ['-c', SCRIPT], { cwd: folder, encoding: 'utf8' });
  expect(stderr).toBe('');
  const read = JSON.parse(stdout) as Record<string, unknown>;
  expect(read.shapes).toEqual([28, 28, 28, 28]);
  expect(read.text).toEqual([' is', ' is', ' is', '<bos>']);
  expect(read.sums).toEqual([1, 1, 1, 1]);
  const value = pattern.get(0, 6, 2);
  expect(read.values).toEqual([value, value, value]);
  const worst = [...diff.rows].sort((a, b) => b.accumulated.relL2 - a.accumulated.relL2)[0].stage;
  expect(read.diff).toEqual([135, worst, ['ok'], true]);
  const stages = [0, 1, 2, 3, 4, 5].map(i => `layers.${i}.resid`);
  expect(read['trace.arrow']).toEqual([6 * 4, stages]);
  expect(read['trace.parquet']).toEqual([6 * 4 * 128, stages]);
  expect(read.parquet).toEqual([[6 * 4 * 128, 6], 6, 6]);
}, 120_000);

const MANY = `
import json, sys
import duckdb, pandas, polars, pyarrow.parquet, pyarrow.ipc
frames = [pandas.read_parquet("many.parquet"), polars.read_parquet("many.parquet").to_pandas(), duckdb.sql("from 'many.parquet'").df(), pandas.read_feather("many.arrow"), polars.read_ipc("many.arrow").to_pandas()]
meta = [{k.decode(): v.decode() for k, v in schema.metadata.items() if k != b"pandas"} for schema in [pyarrow.parquet.read_schema("many.parquet"), pyarrow.ipc.open_file("many.arrow").schema]]
rows = [[[int(r.prompt), int(r.token), int(r.id), r.text, r.stage, r.dims, [int(n) for n in r["shape"]], r["values"].reshape(r["shape"]).astype(float).sum().item()] for _, r in f.iterrows()] for f in frames]
json.dump({"equal": [r == rows[0] for r in rows], "rows": rows[0], "types": [str(frames[0]["values"][0].dtype), str(polars.read_parquet("many.parquet")["values"].dtype)], "meta": meta}, sys.stdout)
`;

test('a data set of many prompts is read by pandas, Polars and DuckDB in a line each', async () => {
  const texts = ['The capital of France is', 'Once', 'The capital of Italy is'];
  const options = { tap: ['layers.0.attn.pattern', 'layers.5.resid'] };
  const expected: unknown[] = [];
  for await (const { ids, tokens, activations } of model.runs(texts, options)) {
    const prompt = texts.findIndex(text => tokens.join('').endsWith(text));
    for (const [stage, whole] of activations) {
      ids.forEach((id, token) => {
        const part = stage.endsWith('pattern') ? whole.slice({ query: token }) : whole.slice({ token });
        const dims = stage.endsWith('pattern') ? `head=4,key=${ids.length}` : 'channel=128';
        const sum = part.data.reduce((a, b) => a + b, 0);
        expected.push([prompt, token, id, tokens[token], stage, dims, [...part.shape], expect.closeTo(sum, 6)]);
      });
    }
  }
  await model.runs(texts, options).save(join(folder, 'many.parquet'));
  await model.runs(texts, options).save(join(folder, 'many.arrow'));
  const python = join(root, '.loupe', 'check', 'bin', 'python');
  const { stdout, stderr } = spawnSync(python, ['-c', MANY], { cwd: folder, encoding: 'utf8' });
  expect(stderr).toBe('');
  const read = JSON.parse(stdout) as { equal: boolean[]; rows: unknown[]; types: string[]; meta: object[] };
  expect(read.equal).toEqual([true, true, true, true, true]);
  expect(read.rows).toEqual(expected);
  expect(read.types).toEqual(['float32', 'List(Float32)']);
  for (const meta of read.meta) expect(meta).toMatchObject({ loupe_runs: '1', model: 'atlas', plan: 'exact' });
}, 120_000);

const SWEPT = `
import glob, json, os, sys
os.environ["HF_HUB_OFFLINE"] = "1"
import datasets, duckdb, pandas, polars, pyarrow.parquet
datasets.disable_progress_bars()
out = {}
for name in ["single", "half"]:
    one = f"{name}/activations/model=atlas/stage=layers.5.resid"
    arrow = pyarrow.parquet.read_table(one)
    frame = pandas.read_parquet(one)
    lazy = polars.scan_parquet(f"{name}/activations/**/*.parquet", hive_partitioning=True).filter(polars.col("stage") == "layers.5.resid").collect()
    rows = duckdb.sql(f"select prompt, token, text, values from read_parquet('{name}/activations/**/*.parquet', hive_partitioning = true) where stage = 'layers.5.resid'").fetchall()
    held = datasets.load_dataset("parquet", data_files=one + "/*.parquet", split="train", cache_dir="cache")
    lists = [arrow.select(["prompt", "token", "text", "values"]).to_pylist(), frame.to_dict("records"), lazy.to_dicts(), [dict(zip(["prompt", "token", "text", "values"], row)) for row in rows], list(held)]
    plain = [sorted([int(r["prompt"]), int(r["token"]), r["text"], [float(v) for v in r["values"]]] for r in rows) for rows in lists]
    out[name] = {"equal": [p == plain[0] for p in plain], "rows": plain[0], "types": [str(arrow.schema.field("values").type), str(frame["values"][0].dtype), str(lazy["values"].dtype), str(held.features["values"])], "meta": {k.decode(): v.decode() for k, v in pyarrow.parquet.read_schema(glob.glob(one + "/*")[0]).metadata.items()}}
out["stages"] = sorted(duckdb.sql("select distinct model, stage from read_parquet('single/activations/**/*.parquet', hive_partitioning = true)").fetchall())
out["ledger"] = pandas.read_parquet("single/ledger")[["prompt", "tokens", "model"]].sort_values("prompt").values.tolist()
json.dump(out, sys.stdout)
`;

test('what a sweep wrote is read by pandas, Polars, DuckDB and datasets, as lists of a fixed size', async () => {
  const texts = ['The capital of France is', 'Once', 'The capital of Italy is'];
  writeFileSync(join(folder, 'p.jsonl'), texts.map(text => JSON.stringify(text)).join('\n'));
  for (const [out, values] of [
    ['single', 'f32'],
    ['half', 'f16'],
  ]) {
    const keep = { tap: ['layers.5.resid', 'layers.0.attn.q'], values };
    writeFileSync(join(folder, `${out}.json`), JSON.stringify({ prompts: 'p.jsonl', shard: 2, keep, out }));
    const loupe = join(root, 'dist/lab/cli/loupe.js');
    const { status } = spawnSync(process.execPath, [loupe, 'sweep', join(folder, `${out}.json`)]);
    expect(status).toBe(0);
  }
  const expected: unknown[] = [];
  let prompt = 0;
  for await (const run of model.runs(texts, { tap: 'layers.5.resid' })) {
    const { data } = run.at('layers.5.resid');
    for (const [token, text] of run.tokens.entries())
      expected.push([prompt, token, text, [...data.subarray(token * 128, token * 128 + 128)]]);
    prompt += 1;
  }
  const python = join(root, '.loupe', 'check', 'bin', 'python');
  const { stdout, stderr } = spawnSync(python, ['-c', SWEPT], { cwd: folder, encoding: 'utf8', maxBuffer: 1 << 26 });
  expect(stderr).toBe('');
  interface Read {
    readonly equal: boolean[];
    readonly rows: [number, number, string, number[]][];
    readonly types: string[];
    readonly meta: Record<string, string>;
  }
  const { single, half, stages, ledger } = JSON.parse(stdout) as Record<'single' | 'half', Read> &
    Record<'stages' | 'ledger', unknown>;
  expect(single.rows).toEqual(expected);
  for (const { equal } of [single, half]) expect(equal).toEqual([true, true, true, true, true]);
  for (const [i, [, , , values]] of half.rows.entries())
    for (const [j, value] of values.entries())
      expect(Math.abs(value - single.rows[i][3][j])).toBeLessThanOrEqual(2 ** -11 * Math.abs(single.rows[i][3][j]));
  const list = (type: string) => [expect.stringMatching(new RegExp(`^fixed_size_list<element: ${type}.*>\\[128\\]`))];
  const held = (type: string) => `List(Value('${type}'), length=128)`;
  expect(single.types).toEqual([...list('float'), 'float32', 'Array(Float32, shape=(128,))', held('float32')]);
  expect(half.types).toEqual([...list('halffloat'), 'float16', 'Array(Float16, shape=(128,))', held('float16')]);
  expect(single.meta).toMatchObject({ loupe_sweep: '1', model: 'atlas', stage: 'layers.5.resid', dims: 'channel' });
  expect(stages).toEqual([
    ['atlas', 'layers.0.attn.q'],
    ['atlas', 'layers.5.resid'],
  ]);
  expect(ledger).toEqual([
    [0, expected.filter(row => (row as number[])[0] === 0).length, 'atlas'],
    [1, expected.filter(row => (row as number[])[0] === 1).length, 'atlas'],
    [2, expected.filter(row => (row as number[])[0] === 2).length, 'atlas'],
  ]);
}, 120_000);
