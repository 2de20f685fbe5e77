// run.save and activation.save: what is written is what others read, here by this package's own readers and by what NumPy's format says.

import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { tableFromIPC } from 'apache-arrow';
import { parquetReadObjects } from 'hyparquet';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { OptionError } from '../../engine/errors.js';
import { packageRoot } from '../../engine/files.js';
import { openSafetensors } from '../../engine/weights/safetensors.js';
import { open } from '../../lab/session/open.js';
import type { Session } from '../../lab/session/session.js';
import { Activation } from '../../lab/values/activation.js';
import { trace } from '../../lab/values/trace.js';
import { golden } from '../../lab/values/golden.js';

const folder = mkdtempSync(join(tmpdir(), 'loupe-save-'));
const at = (name: string) => join(folder, name);
let model: Session;
beforeAll(async () => {
  model = await open('atlas', { quiet: true });
});
afterAll(() => {
  model[Symbol.dispose]();
  rmSync(folder, { recursive: true });
});

const part = new Activation(
  'layers.0.attn.q',
  [
    { name: 'token', size: 2, from: 3, of: 7, labels: [' of', ' France'] },
    { name: 'head', size: 1, from: 2, of: 4 },
    { name: 'dim', size: 3 },
  ],
  Float32Array.from([1, Number.NaN, -0, 1e-45, Number.POSITIVE_INFINITY, 0.1]),
);

test('an activation as .npy is what numpy writes for it', () => {
  part.save(at('part.npy'));
  const bytes = readFileSync(at('part.npy'));
  // numpy.save of the same values, numpy 2: the header is padded to 64 bytes.
  const header = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 1, 3), }";
  expect(bytes.subarray(0, 10).toString('latin1')).toBe('\x93NUMPY\x01\x00v\x00');
  expect(bytes.subarray(10, 128).toString('latin1')).toBe(`${header.padEnd(117)}\n`);
  expect(bytes.subarray(128)).toEqual(Buffer.from(part.data.buffer));
  new Activation('line', [{ name: 'dim', size: 2 }], new Float32Array(2)).save(at('line.npy'));
  expect(readFileSync(at('line.npy'), 'latin1')).toContain("'shape': (2,), }");
  part.mean(['token', 'head', 'dim']).save(at('one.npy'));
  expect(readFileSync(at('one.npy'), 'latin1')).toContain("'shape': (), }");
});

test('as .arrow it comes back bit by bit, with its places; as .safetensors with its shape', async () => {
  part.save(at('part.arrow'));
  const back = Activation.fromArrow(tableFromIPC(readFileSync(at('part.arrow'))));
  expect(back.dims).toEqual(part.dims);
  expect(Buffer.from(back.data.buffer)).toEqual(Buffer.from(part.data.buffer));
  part.save(at('part.safetensors'));
  const file = await openSafetensors(at('part.safetensors'));
  expect(file.tensors.get('layers.0.attn.q')?.shape).toEqual([2, 1, 3]);
  expect(await file.readF32('layers.0.attn.q')).toEqual(part.data);
  expect(JSON.parse(file.metadata.get('loupe')!)).toEqual({ name: part.name, dims: part.dims });
  await file.close();
});

test('as .parquet a row is a value, with its places in the model by the names of its dimensions, however many there are', async () => {
  const rowsOf = async (name: string) => {
    const { buffer, byteOffset, length } = readFileSync(at(name));
    return await parquetReadObjects({ file: buffer.slice(byteOffset, byteOffset + length) as ArrayBuffer });
  };
  part.save(at('part.parquet'));
  const rows = await rowsOf('part.parquet');
  expect(rows.map(({ value }) => value)).toEqual([...part.data]);
  expect(Object.keys(rows[0])).toEqual(['stage', 'token', 'head', 'dim', 'value']);
  expect(rows.map(({ stage, token, head, dim }) => [stage, token, head, dim].join(' '))).toEqual(
    [3, 4].flatMap(token => [0, 1, 2].map(dim => `layers.0.attn.q ${token} 2 ${dim}`)),
  );
  const names = ['head', 'query', 'key', 'dim'] as const;
  const deep = new Activation(
    'deep',
    names.map((name, i) => ({ name, size: i + 1 })),
    Float32Array.from({ length: 24 }, (_, i) => i),
  );
  deep.save(at('deep.parquet'));
  for (const { head, query, key, dim, value } of await rowsOf('deep.parquet'))
    expect(((head * 2 + query - 1) * 3 + key) * 4 + dim).toBe(value); // of three tokens the last two ask
  // Stages of other dimensions in one file: what one has not is null there.
  const run = await model.run([2, 300, 301], { tap: ['embed', 'layers.1.attn.pattern'], slice: { query: [1, 3] } });
  run.save(at('two.parquet'));
  const both = await rowsOf('two.parquet');
  expect(both).toHaveLength(3 * 128 + 4 * 2 * 3);
  for (const { stage, value, token, channel, head, query, key } of both)
    expect([stage, token, channel, head, query, key, value]).toEqual(
      stage === 'embed'
        ? [stage, token, channel, null, null, null, run.at(stage).data[token * 128 + channel]]
        : [stage, null, null, head, query, key, run.at(stage).data[(head * 2 + query - 1) * 3 + key]],
    );
});

test.each([[[]], [[1]], [[3]], [[7]], [[3, 3]], [[2, 7]], [[1, 1, 5]], [[0]], [[0, 4]], [[4, 0]]])(
  'of any number of values, odd ones and none: %j',
  async shape => {
    const names = ['token', 'head', 'dim'] as const;
    const size = shape.reduce((n: number, d: number) => n * d, 1);
    const data = Float32Array.from({ length: size }, (_, i) => i + 0.5);
    const one = new Activation(
      'x',
      shape.map((size: number, i: number) => ({ name: names[i], size })),
      data,
    );
    const saved = at(`odd-${shape.join('x')}.arrow`);
    one.save(saved);
    for (const table of [one.toArrow(), tableFromIPC(readFileSync(saved))]) {
      const back = Activation.fromArrow(table);
      expect([back.shape, back.data]).toEqual([shape, data]);
    }
    if (size > 0) {
      const read = await trace(saved, { ids: [2] });
      expect([read.arrays.get('x')!.shape, await read.read('x')]).toEqual([shape, data]);
    }
    for (const form of ['npy', 'safetensors', 'parquet']) one.save(at(`odd.${form}`));
  },
);

test('a run with all stages is a golden of itself; one with parts says where they are', async () => {
  const run = await model.run('The capital of France is', { tap: '**' });
  run.save(at('run.safetensors'));
  const diff = await model.diff(await golden(at('run.safetensors')), { alone: false });
  expect([diff.pass, Math.max(...diff.rows.map(row => row.accumulated.maxAbs))]).toEqual([true, 0]);
  const cut = await model.run('The capital of France is', { tap: 'layers.5.resid', slice: { token: 3 } });
  cut.save(at('cut.safetensors'));
  const file = await openSafetensors(at('cut.safetensors'));
  expect(JSON.parse(file.metadata.get('slice')!)).toEqual({ 'layers.5.resid': { token: [3, 4], channel: [0, 128] } });
  await file.close();
  cut.save(at('cut.arrow'));
  const table = tableFromIPC(readFileSync(at('cut.arrow')));
  expect([...table.getChild('token')!]).toEqual([3]);
  expect([...table.getChild('values')!.get(0)]).toEqual([...cut.at('layers.5.resid').data]);
  const chunks = await model.run([2, 300, 301, 302], { tap: 'embed', chunks: [3, 1] });
  chunks.save(at('chunks.safetensors'));
  expect((await golden(at('chunks.safetensors'))).chunks).toEqual([3, 1]);
});

test('what cannot be saved so is refused, and what was there stays', async () => {
  const run = await model.run([2, 300]);
  writeFileSync(at('kept.parquet'), 'before');
  const before = readdirSync(folder);
  for (const [save, words] of [
    [() => part.save(at('part.csv')), /ends in '.csv', and an activation is .npy, .safetensors, .arrow or .parquet/],
    [() => part.save(at('part')), /ends in ''/],
    [() => part.save(3 as never), /is saved to a path, not 3/],
    [() => part.save(at('no/part.npy')), /there is no folder/],
    [() => run.save(at('run.npy')), /a trace is .safetensors, .arrow or .parquet|Nothing was tapped/],
    [() => run.save(at('run.arrow')), /Nothing was tapped in this run/],
    [() => run.save(at('kept.parquet')), /Nothing was tapped in this run/],
  ] as const) {
    expect(save).toThrow(OptionError);
    expect(save).toThrow(words);
  }
  expect(readFileSync(at('kept.parquet'), 'utf8')).toBe('before');
  expect(readdirSync(folder)).toEqual(before);
});

test('opened twice at once, the second closes the first, as one after the other does', async () => {
  const path = at('twice');
  cpSync(join(packageRoot(), 'golden/atlas'), path, { recursive: true });
  const before = model.gpu.liveBytes;
  const [first, second] = await Promise.all([open(path, { quiet: true }), open(path, { quiet: true })]);
  await expect(first.run([2, 5])).rejects.toThrow(
    'was closed, as opening the same model again does. Use the newer one.',
  );
  await second.run([2, 5]);
  second[Symbol.dispose]();
  expect(model.gpu.liveBytes).toBe(before);
});

test('of several that are opened at once the last stays, however long each reads, and one that fails is in nobody’s way', async () => {
  const path = at('several');
  cpSync(join(packageRoot(), 'golden/atlas'), path, { recursive: true });
  const slow = new AbortController();
  const opened = [
    open(path, { quiet: true, quantise: 'q8_0' }),
    open(path, { quiet: true }),
    open(path, { quiet: true, context: 10 ** 9 }).catch(error => String(error)),
    open(path, { quiet: true }),
    open(path, { quiet: true, signal: slow.signal }),
  ] as const;
  const [other, first, failed, second, last] = await Promise.all(opened);
  expect(failed).toContain('A context of 1000000000 tokens was asked for');
  for (const one of [first, second]) await expect(one.run([2, 5])).rejects.toThrow('was closed, as opening the same');
  await other.run([2, 5]); // made smaller, it is another model
  await last.run([2, 5]);
  for (const one of [other, last]) one[Symbol.dispose]();
});

test('as JSON a run, a session and a plan are what they are of, and no weights', async () => {
  const run = await model.run('Once', { tap: 'layers.0.*' });
  const written = JSON.parse(JSON.stringify({ run, model, plan: model.plan, stage: model.stage('layers.3.resid') }));
  expect(written.run.ids).toEqual(run.ids);
  expect(written.run.tokens).toEqual(run.tokens);
  expect(written.run.stages['layers.0.resid']).toEqual([run.ids.length, 128]);
  expect(written.run.provenance).toEqual(run.provenance);
  expect(written.model).toEqual(model.provenance());
  expect(written.plan.stages).toHaveLength(model.plan.stages.length);
  expect(written.stage.stage).toMatchObject({
    name: 'layers.3.resid',
    inputs: expect.arrayContaining([expect.any(String)]),
  });
});
