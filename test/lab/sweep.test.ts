// A sweep as a whole: what is wrong with a plan is told at once; a shard's name is of all that decides its rows; what stands is not made again, what is missing is; and a data set that is not
// what was written is found out.

import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import { expect, test } from 'vitest';
import { lookThrough } from '../../lab/sweep/sweep.js';
import { Worker } from '../../lab/sweep/worker.js';
import { packageRoot } from '../../engine/files.js';
import { command } from '../fixtures/command.js';
import { freshFolder } from '../fixtures/folder.js';
import { writeGguf } from '../fixtures/gguf.js';
import { TINY_METADATA, tinyTensors } from '../fixtures/tiny-gguf.js';

const folder = freshFolder();
const at = (...names: string[]) => join(folder, ...names);

const lines = (many: number, tokens = 4) =>
  Array.from({ length: many }, (_, i) =>
    JSON.stringify(Array.from({ length: tokens }, (_, t) => 4 + ((i * 31 + t * 7) % 500))),
  ).join('\n');
writeFileSync(at('p.jsonl'), lines(5));

const PLAN = { model: 'atlas', prompts: 'p.jsonl', shard: 2, keep: { tap: 'layers.5.resid' } };
function plan(name: string, more: object = {}): string {
  writeFileSync(at(`${name}.json`), JSON.stringify({ ...PLAN, out: name, ...more }));
  return at(`${name}.json`);
}
const refused = async (path: string) => {
  const { status, stderr, stdout } = await command('sweep', path, '--shards');
  expect([status, stdout]).toEqual([2, '']);
  return stderr;
};
const files = (name: string): string[] =>
  (readdirSync(at(name), { recursive: true }) as string[]).filter(file => file.endsWith('.parquet')).sort();
/** What a data set is, byte by byte. */
const contents = (name: string) => files(name).map(file => [file, readFileSync(at(name, file)).toString('base64')]);

test('all that is wrong with a plan is told before anything runs, and nothing is made', async () => {
  const told = await refused(
    plan('wrong', {
      model: ['atlas', 'nobody'],
      quantize: 'q8_0',
      plan: 'quick',
      activations: 'int8',
      context: 99_999,
      shard: 0,
      prompts: 'none.jsonl',
      keep: {
        tap: ['layers.9.resid', 'layers.0.attn.pattern'],
        slice: { heads: 1, channel: 1.5 },
        top: 1000,
        loss: 1,
        against: 'layers.0.resid',
      },
      out: at('p.jsonl', 'x'),
    }),
  );
  for (const problem of [
    /wrong\.json has 1\d problems\.\n/,
    /A plan has no key 'quantize'\. The nearest is 'quantise'/,
    /plan is one of "exact", "fast", and not 'quick'/,
    /shard is a whole number from 1, not 0/,
    /keep\.top is a whole number from 0 to 256, not 1000/,
    /keep\.loss is true or false, not 1/,
    /keep\.slice has no dimension 'heads'\. The nearest is 'head'/,
    /along 'channel', not 1\.5/,
    /context is 99999, and model 'atlas' was made for 1024 tokens/,
    /keep\.tap of model 'atlas': No stage matches 'layers\.9\.resid'/,
    /'layers\.0\.attn\.pattern' has a value for every key, as many as the prompt has tokens/,
    /model 'nobody': There is no model 'nobody'/,
    /activations 'int8' are a matter of the fast plan/,
    /The folder .*p\.jsonl.x cannot be written: .*p\.jsonl is a file, and no folder/,

    /none\.jsonl cannot be read: there is no such file/,
  ])
    expect(told).toMatch(problem);
  expect(await refused(at('no.json'))).toMatch(/The plan .*no\.json cannot be read: there is no such file/);
  writeFileSync(at('text.json'), '[1]');
  expect(await refused(at('text.json'))).toMatch(/is a JSON object, such as .*, not \[1\]/);
  writeFileSync(at('poisoned.jsonl'), '"fine"\n""\n{"prompt":1}\n[2, 9999]\n"fine too"\n');
  const rows = await refused(plan('poisoned', { prompts: 'poisoned.jsonl' }));
  expect(rows).toMatch(/poisoned\.jsonl:2: The prompt is empty/);
  expect(rows).toMatch(/poisoned\.jsonl:3: 'prompt' is a text or a list of ids, not 1/);
  expect(rows).toMatch(/poisoned\.jsonl:4: Token id 9999/);
  expect(
    await refused(
      plan('cut', { keep: { tap: 'layers.0.attn.pattern', slice: { key: [0, 4] } }, prompts: 'short.jsonl' }),
    ),
  ).toMatch(/short\.jsonl/);
  writeFileSync(at('short.jsonl'), '[2,3,4,5]\n[2,3]\n');
  expect(await refused(at('cut.json'))).toMatch(/short\.jsonl:2: 'layers\.0\.attn\.pattern' has 2 entries along 'key'/);
  expect(await refused(plan('onto', { out: 'text.json' }))).toMatch(
    /The folder .*text\.json cannot be written: .*text\.json is a file, and no folder \(ENOTDIR\)\. Give another "out"\.\n$/,
  );
  expect(existsSync(at('wrong'))).toBe(false);
  // Nor the folder that was tried, nor those above it; one that was there stays.
  await refused(plan('deep', { prompts: 'poisoned.jsonl', out: join('deep', 'er', 'out') }));
  expect(['poisoned', 'cut', 'deep'].filter(name => existsSync(at(name)))).toEqual([]);
  mkdirSync(at('there'));
  await refused(plan('there', { prompts: 'poisoned.jsonl' }));
  expect(existsSync(at('there'))).toBe(true);
});

test('models that cannot be held against each other are refused before anything runs', async () => {
  writeGguf(at('tiny.gguf'), TINY_METADATA, tinyTensors());
  const both = (against: string | string[], out: string) =>
    plan(out, { model: ['tiny.gguf', 'atlas'].map(name => (name === 'atlas' ? name : at(name))), keep: { against } });
  expect(await refused(both('layers.*.resid', 'apart'))).toMatch(
    /keep\.against of model 'atlas': 'layers\.2\.resid' is no stage of '.*tiny\.gguf'; 3 more of its stages are not there or not of one shape\. Stages are held against those of the first model: give such as are alike in both, or make it two sweeps\.\n$/,
  );
  expect(await refused(both(['logits'], 'apart'))).toMatch(
    /keep\.against of model 'atlas': 'logits' is \[token rows, vocab 512\], and \[token rows, vocab 1000\] in '.*tiny\.gguf'\. /,
  );
  expect((await lookThrough(both(['layers.0.resid'], 'alike'))).configurations).toHaveLength(2);
  // What is a text has other tokens for another vocabulary, or another <bos> as here.
  writeGguf(at('bos.gguf'), { ...TINY_METADATA, 'tokenizer.ggml.bos_token_id': 1 }, tinyTensors());
  writeFileSync(at('texts.jsonl'), '"Once"\n');
  const tokenizer = join(packageRoot(), 'golden/atlas/tokenizer.model');
  const keep = { against: 'layers.0.resid' };
  const texts = plan('tokens', { model: ['atlas', at('bos.gguf')], prompts: 'texts.jsonl', tokenizer, keep });
  expect(await refused(texts)).toMatch(
    /keep\.against: of the prompts 0 to 0 some have other tokens for model '.*bos\.gguf' than for 'atlas', .* Give ids of tokens, or leave keep\.against out\.\n$/,
  );
  // The example that docs/SWEEPS.md begins with is a plan that runs.
  const other = JSON.parse(
    readFileSync(join(packageRoot(), 'docs/SWEEPS.md'), 'utf8').split('```json\n')[1].split('```')[0],
  );
  writeFileSync(at('prompts.jsonl'), '{"prompt":"The capital of France is"}\n');
  const first = plan('first', other);
  expect((await lookThrough(first)).configurations).toHaveLength(4);
  const said = await command('sweep', first);
  expect([said.status, said.stderr]).toEqual([0, '']);
});

test('a slice that no prompt can have is told once, of the plan, and hides no prompt', async () => {
  writeFileSync(at('one-wrong.jsonl'), `${lines(30)}\n[9999]\n`);
  for (const [slice, why] of [
    [{ channel: 200 }, /'layers\.5\.resid' has 128 entries along 'channel', so 200 is outside\. Take 0 to 127\./],
    [{ channel: [10, 5] }, /so \[10, 5\] is empty/],
    [
      { token: [0, 0] },
      /of no prompt of 1 to 1024 tokens\. Of the longest, 'layers\.5\.resid' has 1024 entries along 'token', so \[0, 0\] is empty/,
    ],
    [{ token: 5000 }, /of no prompt of 1 to 1024 tokens.*so 5000 is outside/],
  ] as const) {
    const told = await refused(plan('slice', { prompts: 'one-wrong.jsonl', keep: { tap: 'layers.5.resid', slice } }));
    expect(told).toMatch(/ has 2 problems\.\n {2}keep\.slice of model 'atlas': /);
    expect(told).toMatch(why);
    expect(told).toMatch(/one-wrong\.jsonl:31: Token id 9999/);
  }
  // Which only short prompts can have, and which only long ones.
  const slice = (token: unknown) => plan('fits', { keep: { tap: 'layers.5.resid', slice: { token } } });
  expect((await lookThrough(slice([-3, 2]))).shards).toHaveLength(3);
  expect(await refused(slice(4))).toMatch(
    /p\.jsonl:1: 'layers\.5\.resid' has 4 entries along 'token', so 4 is outside/,
  );
});

test("a shard's name changes with all that decides its rows, and with nothing else", async () => {
  const ids = async (name: string, more: object) =>
    (await lookThrough(plan(name, more))).shards.map(({ shard }) => shard);
  const first = await ids('a', {});
  expect(new Set(first).size).toBe(3);
  expect(await ids('b', {})).toEqual(first);
  expect(await ids('a', { column: undefined, plan: ['exact'], adapter: null })).toEqual(first);
  for (const more of [
    { quantise: 'q8_0' },
    { plan: 'fast' },
    { adapter: 'auto' },
    { cache: 'f16' },
    { context: 64 },
    { keep: { tap: 'layers.4.resid' } },
    { keep: { ...PLAN.keep, values: 'f16' } },
    { keep: { ...PLAN.keep, loss: true } },
  ])
    expect(
      (await ids('a', more)).filter(id => first.includes(id)),
      JSON.stringify(more),
    ).toEqual([]);
  const grid = await lookThrough(plan('grid', { quantise: [null, 'q8_0'], plan: ['exact', 'fast'] }));
  expect(grid.configurations.map(({ configuration, quantise, plan }) => [configuration, quantise, plan])).toEqual([
    [0, null, 'exact'],
    [1, null, 'fast'],
    [2, 'q8_0', 'exact'],
    [3, 'q8_0', 'fast'],
  ]);
  expect(grid.shards.slice(0, 3).map(({ shard }) => shard)).toEqual(first);
  // Rows have the number of their configuration: where a plan's lists give it another, they are others.
  const turned = await lookThrough(plan('turned', { plan: ['fast', 'exact'] }));
  expect(turned.shards.map(({ shard }) => shard).filter(id => first.includes(id))).toEqual([]);
  const between = await lookThrough(plan('between', { quantise: [null, 'q4_0', 'q8_0'], plan: ['exact', 'fast'] }));
  const stand = new Set(grid.shards.map(({ shard }) => shard));
  expect(between.shards.filter(({ shard }) => stand.has(shard)).map(({ configuration }) => configuration)).toEqual([
    0, 0, 0, 1, 1, 1,
  ]);
  // One prompt is another: its shard is another, and the rest stay.
  writeFileSync(at('p2.jsonl'), lines(5).replace('[4,', '[5,'));
  const changed = await ids('c', { prompts: 'p2.jsonl' });
  expect(changed.map((id, i) => id === first[i])).toEqual([false, true, true]);
});

test('a file of prompts that cannot be read for a moment costs a worker that shard alone', async () => {
  writeFileSync(at('away.jsonl'), lines(6));
  const sweep = await lookThrough(plan('away', { prompts: 'away.jsonl' }));
  await using worker = new Worker(sweep);
  const [one, two, three] = sweep.shards.map(({ shard }) => shard);
  rmSync(at('away.jsonl'));
  expect(await worker.run(one)).toMatchObject({ shard: one, error: expect.stringContaining('away.jsonl') });
  writeFileSync(at('away.jsonl'), lines(6));
  for (const shard of [two, one, three]) expect(await worker.run(shard)).toMatchObject({ shard, tokens: 8 });
});

test('shards are listed until they stand, run by their names, and not made again', async () => {
  const path = plan('run');
  const listed = async () => {
    const { status, stdout } = await command('sweep', path, '--shards');
    expect(status).toBe(0);
    return stdout
      .split('\n')
      .filter(Boolean)
      .map(line => JSON.parse(line));
  };
  const shards = await listed();
  expect(
    shards.map(({ configuration, model, adapter, from, to, bytes }) => [
      configuration,
      model,
      adapter,
      from,
      to,
      bytes,
    ]),
  ).toEqual([
    [0, 'atlas', null, 0, 2, 2 * 4 * 128 * 4],
    [0, 'atlas', null, 2, 4, 2 * 4 * 128 * 4],
    [0, 'atlas', null, 4, 5, 4 * 128 * 4],
  ]);
  await using worker = new Worker(await lookThrough(path));
  const made = await worker.run(shards[1].shard);
  expect(made).toMatchObject({ shard: shards[1].shard, tokens: 8, rows: 8 + 2 });
  expect(await worker.run(shards[1].shard)).toEqual({ ...made, already: true });
  expect(await worker.run('nobody')).toEqual({
    shard: 'nobody',
    error: expect.stringMatching(/no shard 'nobody'/),
    retry: false,
  });
  expect((await listed()).map(({ shard }) => shard)).toEqual([shards[0].shard, shards[2].shard]);
  const unfinished = await command('sweep', path, '--finish');
  expect([unfinished.status, unfinished.stdout]).toEqual([
    1,
    expect.stringMatching(/1 of 3 shards stand, 2 are missing/),
  ]);
  const before = contents('run');
  const all = await command('sweep', path);
  expect([all.status, all.stderr]).toEqual([0, '']);
  expect(all.stdout).toMatch(/3 of 3 shards stand, 1 of which stood before; 15 rows/);
  expect(contents('run')).toEqual(expect.arrayContaining(before));
  expect((await command('sweep', path)).stdout).toMatch(/3 of 3 shards stand, 3 of which stood before; 0 rows/);
});

test('a dry run tells of what is missing, measured, and writes none of it', async () => {
  const path = plan('dry', { plan: ['exact', 'fast'], keep: { tap: ['layers.*.resid'] } });
  const { status, stdout } = await command('sweep', path, '--dry-run', '--json');
  expect(status).toBe(0);
  const [exact, fast] = JSON.parse(stdout);
  const values = 6 * 5 * 4 * 128 * 4;
  expect(exact).toMatchObject({ configuration: 0, shards: 3, runs: 5, tokens: 20, rows: 6 * 20 + 5, bytes: values });
  expect(fast).toMatchObject({ configuration: 1, plan: 'fast', runs: 5 });
  expect(exact.hours).toBeCloseTo(20 / exact.tokensPerSecond / 3600, 12);
  expect(existsSync(at('dry'))).toBe(false);
  expect((await command('sweep', path, '--dry-run')).stdout).toMatch(
    /0 atlas, exact[\s\S]*In all 10 runs in 6 shards, 123 kB of values[\s\S]*estimates[\s\S]*nothing was written/,
  );
});

test('prompts that were written since are no longer those of a shard', async () => {
  writeFileSync(at('q.jsonl'), lines(4));
  const sweep = await lookThrough(plan('changed', { prompts: 'q.jsonl' }));
  writeFileSync(at('q.jsonl'), lines(3));
  await using worker = new Worker(sweep);
  expect(await worker.run(sweep.shards[0].shard)).toMatchObject({ tokens: 8 });
  expect(await worker.run(sweep.shards[1].shard)).toMatchObject({
    error: expect.stringMatching(/prompts 2 to 3 of .*q\.jsonl are not what they were/),
    retry: false,
  });
});

test('what is no longer what was written is found out, file by file', async () => {
  const path = plan('kept');
  expect((await command('sweep', path)).status).toBe(0);
  const check = async (status: number, message: RegExp) => {
    const said = await command('sweep', 'verify', at('kept'));
    expect([said.status, said.stdout]).toEqual([status, expect.stringMatching(message)]);
  };
  await check(0, /3 shards in 6 files, 25 rows, .*; all is as it was written\./);
  const [one, two] = files('kept').map(file => at('kept', file));
  const bytes = readFileSync(one);
  appendFileSync(one, 'x');
  await check(1, new RegExp(`1 problem\\.\\n.*${basename(one)} has \\d+ bytes, and was written with ${bytes.length}`));
  const damaged = Buffer.from(bytes);
  damaged[100] ^= 1;
  writeFileSync(one, damaged);
  await check(1, /has other bytes than were written\. Delete _shards\/[0-9a-f]{32}\.json and run the sweep again/);
  rmSync(one);
  await check(1, /is not there/);
  writeFileSync(one, bytes);
  renameSync(two, `${two}.aside.parquet`);
  await check(1, /2 problems[\s\S]*is not there[\s\S]*is of no shard that stands/);
  renameSync(`${two}.aside.parquet`, two);
  const manifest = JSON.parse(readFileSync(at('kept', '_manifest.json'), 'utf8'));
  const { shards } = manifest;
  writeFileSync(at('kept', '_manifest.json'), JSON.stringify({ ...manifest, shards: [...shards, shards[0]] }));
  await check(1, /is there twice/);
  rmSync(at('kept', '_shards', `${shards[0].shard}.json`));
  expect((await command('sweep', path, '--finish')).status).toBe(1);
  await check(1, /1 of 3 shards are missing/);
  expect((await command('sweep', path)).stdout).toMatch(/3 of 3 shards stand, 2 of which stood before/);
  await check(0, /all is as it was written/);
  expect((await command('sweep', 'verify', folder)).status).toBe(2);
});

test('what stands and the manifest does not have is told as that, and what it has that stands no more', async () => {
  const path = plan('older');
  expect((await command('sweep', path)).status).toBe(0);
  const check = async () => {
    const { status, stdout } = await command('sweep', 'verify', at('older'));
    return [status, stdout.trimEnd().split('\n').slice(1).join('\n')];
  };
  const manifest = JSON.parse(readFileSync(at('older', '_manifest.json'), 'utf8'));
  const [first, ...rest] = manifest.shards;
  const record = at('older', '_shards', `${first.shard}.json`);
  const finish = async () => (await command('sweep', path, '--finish')).status;
  // As a killed sweep leaves it, with two shards missing and one of them made since.
  writeFileSync(
    at('older', '_manifest.json'),
    JSON.stringify({ ...manifest, shards: rest.slice(1), missing: [first.shard, rest[0].shard] }),
  );
  expect(await check()).toEqual([
    1,
    `2 shards stand that _manifest.json calls missing, the first is ${first.shard}: it is older than they are. Give loupe sweep PLAN --finish, which writes it anew.`,
  ]);
  expect(await finish()).toBe(0);
  expect(await check()).toEqual([0, '']);
  // Of another plan than the manifest is of: an extended one that was killed, or one that was given up.
  writeFileSync(at('older', '_manifest.json'), JSON.stringify({ ...manifest, shards: rest }));
  expect(await check()).toEqual([
    1,
    `Shard ${first.shard}, prompts 0 to 1 of configuration 0, stands and is of another plan than _manifest.json. Give loupe sweep PLAN --finish with the plan that has it; where none has it any more, _shards/${first.shard}.json says which files are its.`,
  ]);
  expect(await finish()).toBe(0);
  const whole = readFileSync(record);
  rmSync(record);
  expect(await check()).toEqual([
    1,
    `_shards/${first.shard}.json is not there, so that its shard, prompts 0 to 1 of configuration 0, does not stand. Run the sweep again.`,
  ]);
  writeFileSync(record, '{');
  expect(await check()).toEqual([
    1,
    `${record} is no record of a shard. Delete it, and the sweep makes the shard again.`,
  ]);
  const other = { ...first, files: first.files.map((file: object) => ({ ...file, sha256: 'other' })) };
  writeFileSync(record, JSON.stringify(other));
  expect((await check())[1]).toMatch(
    /^Shard \w+, prompts 0 to 1 .*, was made again since _manifest\.json was written\. Give loupe sweep PLAN --finish\.\n/,
  );
  writeFileSync(record, whole);
  expect(await check()).toEqual([0, '']);
});
