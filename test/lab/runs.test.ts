// Many prompts: each run has the bits that it has alone, and the data set of all of them is what hyparquet and apache-arrow read.

import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { tableFromIPC, tableToIPC } from 'apache-arrow';
import { parquetMetadata, parquetReadObjects } from 'hyparquet';
import { compressors } from 'hyparquet-compressors';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { BudgetError, OptionError, PromptError } from '../../engine/errors.js';
import { open } from '../../lab/session/open.js';
import type { Run } from '../../lab/session/run.js';
import type { Session } from '../../lab/session/session.js';
import { prompts } from '../../lab/values/prompt-file.js';
import { command } from '../fixtures/command.js';
import { freshFolder } from '../fixtures/folder.js';

const folder = freshFolder();
const at = (name: string) => join(folder, name);
let model: Session;
beforeAll(async () => {
  model = await open('atlas', { quiet: true });
});
afterAll(() => model[Symbol.dispose]());

const idsOf = (n: number, from: number) =>
  Array.from({ length: n }, (_, i) => (i === 0 ? 2 : 4 + ((from * 37 + i * 11) % 500)));
const bits = (data: Float32Array) => Buffer.from(data.buffer, data.byteOffset, data.byteLength);
async function all(runs: AsyncIterable<Run>): Promise<Run[]> {
  const out: Run[] = [];
  for await (const run of runs) out.push(run);
  return out;
}

/** Row by row as objects, the values in an array. */
async function rowsOf(path: string): Promise<Record<string, unknown>[]> {
  if (path.endsWith('.arrow')) {
    const table = tableFromIPC(readFileSync(path));
    return table.toArray().map(row => {
      const { shape, values, ...rest } = row.toJSON() as Record<string, unknown>;
      return { ...rest, shape: [...(shape as Iterable<number>)], values: [...(values as Iterable<number>)] };
    });
  }
  const bytes = readFileSync(path);
  return parquetReadObjects({
    file: bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length),
    compressors,
  });
}

// One token, blocks that end with a token alone (65, 129), more than a window and its ring, and lengths of two contexts.
const LENGTHS = [1, 2, 7, 64, 65, 129, 100, 30, 1, 17, 18, 19];

test('every stage of every prompt, read together, has the bits that it has alone', async () => {
  const given = LENGTHS.map((n, i) => idsOf(n, i));
  const runs = await all(model.runs(given, { tap: '**' }));
  expect(runs.map(({ ids }) => ids)).toEqual(given);
  for (const [i, ids] of given.entries()) {
    const alone = await model.run(ids, { tap: '**' });
    expect([...runs[i].activations.keys()].sort()).toEqual([...alone.activations.keys()].sort());
    for (const [name, activation] of alone.activations) {
      const ours = runs[i].at(name);
      expect(ours.dims, `${ids.length} tokens, ${name}`).toEqual(activation.dims);
      expect(bits(ours.data).equals(bits(activation.data)), `${ids.length} tokens, ${name}`).toBe(true);
    }
    expect(bits(runs[i].logits.values.data).equals(bits(alone.logits.values.data))).toBe(true);
    expect(runs[i].provenance).toEqual(alone.provenance);
  }
});

test('slices are those of a run alone: counted from the end of each prompt, and along heads and keys', async () => {
  const given = [9, 5, 70, 20].map((n, i) => idsOf(n, i + 3));
  for (const slice of [
    { token: -1 },
    { head: [1, 3], key: 0 },
    { query: [2, 4] },
    { key: -2, head: 2 },
    { channel: [3, 9] },
  ] as const) {
    const tap = ['layers.{0,5}.attn.pattern', 'layers.3.attn.scores', 'layers.2.resid', 'layers.1.attn.q'];
    const runs = await all(model.runs(given, { tap, slice }));
    for (const [i, ids] of given.entries()) {
      const alone = await model.run(ids, { tap, slice });
      for (const [name, activation] of alone.activations) {
        const what = `${JSON.stringify(slice)} of ${name}, ${ids.length} tokens`;
        expect(runs[i].at(name).dims, what).toEqual(activation.dims);
        expect(bits(runs[i].at(name).data).equals(bits(activation.data)), what).toBe(true);
      }
    }
  }
});

test('all logits, patches and the fast plan are what they are alone, and a run can be looked into', async () => {
  const texts = ['The capital of France is', 'Once upon', 'The capital of Italy is'];
  for (const options of [
    { tap: 'logits', logits: 'all' },
    { tap: 'logits' },
    { tap: 'layers.5.resid', plan: 'fast' },
    { tap: 'layers.5.resid', patch: { stage: 'layers.2.attn.out', values: 0 } },
  ] as const) {
    const runs = await all(model.runs(texts, options));
    for (const [i, text] of texts.entries()) {
      const alone = await model.run(text, options);
      for (const [name, { data }] of alone.activations)
        expect(bits(runs[i].at(name).data).equals(bits(data))).toBe(true);
      expect(runs[i].logits.top(3).rows).toEqual(alone.logits.top(3).rows);
    }
  }
  const [first] = await all(model.runs(texts, { tap: 'layers.*.resid' }));
  expect((await first.lens()).cells.at(-1)!.at(-1)!.text).toBe(first.logits.top(1).rows[0].text);
});

const TEXTS = ['The capital of France is', 'Once', [2, 300, 301], 'The capital of Italy is'];

test('one file of all of them: a row a prompt, stage and token, the same in Parquet and Arrow', async () => {
  const tap = ['layers.0.attn.pattern', 'layers.5.resid'];
  for (const form of ['parquet', 'arrow']) {
    const path = at(`all.${form}`);
    const made = await model.runs(TEXTS, { tap, slice: { head: [1, 3] } }).save(path);
    const rows = await rowsOf(path);
    const expected: Record<string, unknown>[] = [];
    for (const [prompt, text] of TEXTS.entries()) {
      const { ids, tokens, activations } = await model.run(text, { tap, slice: { head: [1, 3] } });
      for (const stage of tap) {
        const whole = activations.get(stage)!;
        ids.forEach((id, token) => {
          const part = stage === tap[0] ? whole.slice({ query: token }) : whole.slice({ token });
          const dims = stage === tap[0] ? `head=1:3,key=${ids.length}` : 'channel=128';
          const shape = [...part.shape];
          expected.push({ prompt, token, id, text: tokens[token], stage, dims, shape, values: [...part.data] });
        });
      }
    }
    expect(rows).toEqual(expected);
    expect(String(made)).toContain(`4 prompts, ${made.tokens} tokens, 2 stages, ${rows.length} rows`);
    expect(made.bytes).toBe(readFileSync(path).length);
    const told =
      form === 'arrow'
        ? Object.fromEntries(tableFromIPC(readFileSync(path)).schema.metadata)
        : Object.fromEntries(metadataOf(path).map(({ key, value }) => [key, value]));
    expect(told).toMatchObject({
      loupe_runs: '1',
      stages: JSON.stringify(tap),
      slice: '{"head":[1,3]}',
      logits: 'last',
      plan: 'exact',
      model: 'atlas',
      fingerprint: model.model.fingerprint,
    });
  }
  const table = await model.runs(TEXTS, { tap, slice: { head: [1, 3] } }).toArrow();
  writeFileSync(at('table.arrow'), tableToIPC(table, 'file'));
  expect(await rowsOf(at('table.arrow'))).toEqual(await rowsOf(at('all.arrow')));
});

function metadataOf(path: string) {
  const bytes = readFileSync(path);
  return parquetMetadata(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length)).key_value_metadata!;
}

test('values that are masked, infinite or no numbers come through as they are', async () => {
  for (const form of ['parquet', 'arrow']) {
    const path = at(`scores.${form}`);
    await model.runs(['The capital of'], { tap: 'layers.0.attn.scores', slice: { head: 0 } }).save(path);
    const { data } = (await model.run('The capital of', { tap: 'layers.0.attn.scores', slice: { head: 0 } })).at(
      'layers.0.attn.scores',
    );
    const rows = (await rowsOf(path)) as { values: number[] }[];
    expect(rows.flatMap(({ values }) => values)).toEqual([...data]);
    expect(rows[0].values[1]).toBeLessThan(-1e38);
  }
});

test('prompts are taken as they are wanted: of a generator without an end, what has been looked at', async () => {
  let given = 0;
  function* forever() {
    for (;;) yield idsOf(3 + (given++ % 5), given);
  }
  let seen = 0;
  for await (const run of model.runs(forever(), { tap: 'layers.5.resid' })) {
    expect(run.ids.length).toBe(3 + (seen % 5));
    if (++seen === 70) break;
  }
  expect(given).toBeLessThan(200);
});

test('shaders are those of the call that runs them: an edit behind it is not in the data set', async () => {
  const given = Array.from({ length: 70 }, (_, i) => idsOf(4, i));
  await model.runs(given, { tap: 'layers.0.attn.q_rope' }).save(at('unedited.parquet'));
  const saved = model.runs(given, { tap: 'layers.0.attn.q_rope' }).save(at('edited.parquet'));
  const edited = model.edit('rope', wgsl => wgsl.replace('a * turn.x - b', 'a * turn.x + b'));
  await Promise.all([saved, edited]);
  expect(await rowsOf(at('edited.parquet'))).toEqual(await rowsOf(at('unedited.parquet')));
  const [one] = await all(model.runs([given[0]], { tap: 'layers.0.attn.q_rope' }));
  expect(one.provenance.edited_shaders).toBe('rope');
  await model.edit('rope', null);
});

test('an edit while a live source is read is for the next loop, and each run says so', async () => {
  const loop = async (during: () => Promise<unknown>) => {
    let given = 0;
    function* source() {
      while (given < 40) yield idsOf(4, given++);
    }
    const seen: { edited: unknown; q: Float32Array }[] = [];
    for await (const run of model.runs(source(), { tap: 'layers.0.attn.q_rope' })) {
      seen.push({ edited: run.provenance.edited_shaders, q: Float32Array.from(run.at('layers.0.attn.q_rope').data) });
      if (seen.length === 3) await during();
    }
    return seen;
  };
  const before = await loop(async () => {});
  const during = await loop(() => model.edit('rope', wgsl => wgsl.replace('a * turn.x - b', 'a * turn.x + b')));
  expect(during).toEqual(before);
  expect(during.map(({ edited }) => edited)).toEqual(Array(40).fill(''));
  const after = await loop(() => model.edit('rope', null));
  expect(after.map(({ edited }) => edited)).toEqual(Array(40).fill('rope'));
  expect(after[39].q).not.toEqual(before[39].q);
});

test('more than a row group and than what is held ahead is written in order', async () => {
  const given = Array.from({ length: 150 }, (_, i) => idsOf(1 + (i % 9), i));
  for (const form of ['parquet', 'arrow']) {
    const path = at(`many.${form}`);
    await model.runs(given, { tap: 'embed' }).save(path);
    const rows = (await rowsOf(path)) as { prompt: number; id: number }[];
    expect(rows.map(({ prompt }) => prompt)).toEqual(given.flatMap((ids, i) => ids.map(() => i)));
    expect(rows.map(({ id }) => id)).toEqual(given.flat());
  }
});

test('what is wrong is told with its place, before anything is run, and what was there stays', async () => {
  const path = at('kept.parquet');
  writeFileSync(path, 'before');
  const tap = 'layers.5.resid';
  const refused = async (given: never, options: object, kind: new (m: string) => Error, message: RegExp, to = path) => {
    const attempt = (async () => model.runs(given, options).save(to))();
    await expect(attempt).rejects.toThrow(message);
    await expect(attempt).rejects.toBeInstanceOf(kind);
  };
  await refused(['fine', ''] as never, { tap }, PromptError, /^prompts\[1\]: The prompt is empty/);
  await refused(['fine', [2, 9999]] as never, { tap }, PromptError, /^prompts\[1\]: Token id 9999/);
  await refused(['fine', 7] as never, { tap }, PromptError, /^prompts\[1\]: A prompt is text or a list/);
  await refused(
    [idsOf(5, 1), idsOf(9000, 1)] as never,
    { tap },
    PromptError,
    /^prompts\[1\]: The prompt has 9000 tokens/,
  );
  await refused(
    [idsOf(5, 1), idsOf(2, 1)] as never,
    { tap, slice: { token: 3 } },
    OptionError,
    /^prompts\[1\]: 'layers\.5\.resid' has 2 entries/,
  );
  await refused(['fine'] as never, { tap, budget: 5 }, BudgetError, /^prompts\[0\]: These 1 taps/);
  await refused(['fine'] as never, {}, OptionError, /Nothing is tapped/);
  await refused([] as never, { tap }, PromptError, /There are no prompts/);
  await refused(['fine'] as never, { tap }, OptionError, /is \.parquet or \.arrow/, at('x.safetensors'));
  await refused(['fine'] as never, { tap, taps: 1 }, OptionError, /no option 'taps'/);
  await refused('one text' as never, { tap }, PromptError, /runs\(\) takes a list of prompts/);
  await refused([2, 300] as never, { tap }, PromptError, /runs\(\) takes a list of prompts/);
  const own = (function* () {
    yield 'fine';
    throw new Error('my own');
  })();
  await expect(model.runs(own, { tap }).save(path)).rejects.toThrow('my own');
  const stop = new AbortController();
  const late = (async function* () {
    for (let i = 0; i < 200; i++) yield idsOf(3, i);
    stop.abort(new Error('enough'));
    yield idsOf(3, 1);
  })();
  await expect(model.runs(late, { tap, signal: stop.signal }).save(path)).rejects.toThrow('enough');
  expect(readFileSync(path, 'utf8')).toBe('before');
  expect(readdirSync(folder).filter(name => name.endsWith('.part'))).toEqual([]);
  const few = Array.from({ length: 9 }, (_, i) => idsOf(4, i));
  await expect(model.runs(few, { tap, budget: 10_000 }).toArrow()).rejects.toThrow(/gave more than the 10000 bytes/);
  expect(String(model.runs(['a', 'b'], { tap }))).toContain('2 prompts, not run yet');
});

test('a prompt whose logits are no numbers is a run with its reason, and the others are as they are', async () => {
  const broken = { stage: 'layers.2.resid', values: Number.NaN, slice: { token: 1 } };
  const [one] = await all(model.runs(['The capital of'], { tap: 'layers.5.resid', patch: broken }));
  expect(one.fault?.message).toMatch(/layers\.2|layers\.3/);
});

test('a file of prompts: lines, JSON lines, and a column of Parquet, its mistakes by line and row', async () => {
  const list = async (path: string, options = {}) => {
    const out: unknown[] = [];
    for await (const prompt of prompts(path, options)) out.push(prompt);
    return out;
  };
  writeFileSync(at('p.txt'), 'The capital of\r\nOnce upon a time');
  expect(await list(at('p.txt'))).toEqual(['The capital of', 'Once upon a time']);
  writeFileSync(at('p.jsonl'), '"a\\nb"\n[2,300]\n{"prompt":"c"}\n');
  expect(await list(at('p.jsonl'))).toEqual(['a\nb', [2, 300], 'c']);
  writeFileSync(at('half.jsonl'), '"a \\ud83d\\ude00"\n{"prompt":"a \\ud83d b"}\n');
  await expect(list(at('half.jsonl'))).rejects.toThrow(
    /half\.jsonl:2: Its text has half of a surrogate pair \(\\ud83d alone\)/,
  );
  writeFileSync(at('half.jsonl'), '"\\ud83d\\ude00 \\udc00"\n');
  await expect(list(at('half.jsonl'))).rejects.toThrow(/half\.jsonl:1: .* \(\\udc00 alone\)/);
  writeFileSync(at('q.jsonl'), '{"id":1,"text":"a"}\n{"id":2,"text":[2,3]}\n{"id":3}\n');
  await expect(list(at('q.jsonl'))).rejects.toThrow(
    /q\.jsonl:1: The line has no key 'prompt'; there are id, text\. Say which/,
  );
  await expect(list(at('q.jsonl'), { column: 'text' })).rejects.toThrow(/q\.jsonl:3: The line has no key 'text'/);
  for (const codec of ['SNAPPY', 'UNCOMPRESSED'] as const) {
    const texts = Array.from({ length: 2500 }, (_, i) => `prompt ${i}`);
    const columnData = [
      { name: 'label', data: texts.map((_, i) => i), type: 'INT32' as const },
      { name: 'prompt', data: texts, type: 'STRING' as const },
    ];
    writeFileSync(at('p.parquet'), Buffer.from(parquetWriteBuffer({ columnData, codec, rowGroupSize: 1000 })));
    expect(await list(at('p.parquet'))).toEqual(texts);
  }
  await expect(list(at('p.parquet'), { column: 'txt' })).rejects.toThrow(/no column 'txt'; there are label, prompt/);
  await expect(list(at('p.parquet'), { column: 'label' })).rejects.toThrow(
    /p\.parquet, row 0 \(from 0\): A prompt is a text or a list of ids, not 0/,
  );
  const holes = [{ name: 'prompt', data: ['a', null, 'b'], type: 'STRING' as const }];
  writeFileSync(at('holes.parquet'), Buffer.from(parquetWriteBuffer({ columnData: holes })));
  await expect(list(at('holes.parquet'))).rejects.toThrow(/holes\.parquet, row 1 \(from 0\): A prompt is a text/);
  const bytes = readFileSync(at('p.parquet'));
  for (const length of [0, 4, 11, 12, 500]) {
    writeFileSync(at('cut.parquet'), bytes.subarray(0, length));
    await expect(list(at('cut.parquet'))).rejects.toThrow(
      /cut\.parquet cannot be read as Parquet: it does not begin and/,
    );
  }
  writeFileSync(at('secret.parquet'), Buffer.concat([bytes.subarray(0, -4), Buffer.from('PARE')]));
  await expect(list(at('secret.parquet'))).rejects.toThrow(
    /secret\.parquet cannot be read as Parquet: it is encrypted/,
  );
  const twice = ['prompt', 'prompt'].map(name => ({ name, data: ['a'] }));
  writeFileSync(at('twice.parquet'), Buffer.from(parquetWriteBuffer({ columnData: twice })));
  await expect(list(at('twice.parquet'))).rejects.toThrow(
    /twice\.parquet cannot be read as Parquet: it has the column 'prompt' twice/,
  );
  bytes.fill(0xee, 0, bytes.length - 2000); // all but what the file ends with
  writeFileSync(at('bad.parquet'), bytes);
  await expect(list(at('bad.parquet'))).rejects.toThrow(PromptError);
  await expect(list(at('none.parquet'))).rejects.toThrow(PromptError);
  writeFileSync(at('empty.txt'), '');
  await expect(list(at('empty.txt'))).rejects.toThrow(/has no prompts/);
  writeFileSync(at('gap.txt'), 'a\n\nb\n');
  await expect(list(at('gap.txt'))).rejects.toThrow(/gap\.txt:2: The line is empty/);
  expect(() => prompts(7 as never)).toThrow(OptionError);
});

test('what a signal stops rejects with the reason of the signal', async () => {
  const reason = new Error('enough');
  const signal = AbortSignal.abort(reason);
  const stopped = [
    () => model.run('Once', { signal }),
    () => all(model.runs(['Once'], { signal })),
    () => model.generate(['Once', 'a'], { signal }),
    () => model.generate('Once', { signal }).next(),
    () => open('atlas', { quiet: true, another: true, signal }),
  ];
  for (const call of stopped) await expect((async () => call())()).rejects.toBe(reason);
});

test('a file of prompts that is no UTF-8 is refused by line or row, and a byte order mark is none of the first prompt', async () => {
  const list = async (name: string, bytes: Uint8Array) => {
    writeFileSync(at(name), bytes);
    const found: unknown[] = [];
    for await (const prompt of prompts(at(name))) found.push(prompt);
    return found;
  };
  const mark = Buffer.from([0xef, 0xbb, 0xbf]);
  expect(await list('mark.txt', Buffer.concat([mark, Buffer.from('Once\r\n\ufefftwo')]))).toEqual([
    'Once',
    '\ufefftwo',
  ]);
  expect(await list('mark.jsonl', Buffer.concat([mark, Buffer.from('"Once"\n[2, 5]\n')]))).toEqual(['Once', [2, 5]]);
  const latin = /its line 2 is not UTF-8/;
  await expect(list('latin.txt', Buffer.from('Once\ncaf\u00e9\n', 'latin1'))).rejects.toThrow(latin);
  await expect(list('latin.jsonl', Buffer.from('"Once"\n"caf\u00e9"\n', 'latin1'))).rejects.toThrow(latin);
  await expect(list('wide.txt', Buffer.from('\ufeffOnce', 'utf16le'))).rejects.toThrow(/its line 1 is not UTF-8/);
  const bytes = (...data: Uint8Array[]) =>
    Buffer.from(parquetWriteBuffer({ columnData: [{ name: 'prompt', data, type: 'BYTE_ARRAY' }] }));
  const text = Buffer.from('caf\u00e9');
  expect(await list('bytes.parquet', bytes(text))).toEqual(['caf\u00e9']);
  await expect(list('bytes.parquet', bytes(text, Buffer.from('caf\u00e9', 'latin1')))).rejects.toThrow(
    /bytes\.parquet, row 1 \(from 0\): Its bytes are not UTF-8/,
  );
  // A column that says it is text: U+FEFF is a character of it, wherever it stands, and what is no UTF-8 is no text.
  const texts = (...data: (string | Uint8Array)[]) =>
    Buffer.from(
      parquetWriteBuffer({
        columnData: [{ name: 'prompt', data }],
        schema: [
          { name: 'root', num_children: 1 },
          { name: 'prompt', type: 'BYTE_ARRAY', converted_type: 'UTF8', repetition_type: 'REQUIRED' },
        ],
      }),
    );
  const marked = ['\ufeffOnce', 'a\ufeff', '\ufeff'];
  expect(await list('marked.parquet', texts(...marked))).toEqual(marked);
  await expect(list('text.parquet', texts('Once', Buffer.from('caf\u00e9', 'latin1')))).rejects.toThrow(
    /text\.parquet, row 1 \(from 0\): Its bytes are not UTF-8/,
  );
});

test('loupe trace --prompts writes the same data set, and names what is wrong by its line', async () => {
  writeFileSync(at('t.jsonl'), '"The capital of France is"\n"Once"\n[2,300,301]\n"The capital of Italy is"\n');
  const common = ['--tap', 'layers.0.attn.pattern', '--tap', 'layers.5.resid', '--slice', 'head=1:3'];
  const { status, stdout, stderr } = await command(
    'trace',
    '--prompts',
    at('t.jsonl'),
    ...common,
    '--out',
    at('t.parquet'),
  );
  expect([status, stderr]).toEqual([0, '']);
  expect(stdout).toContain('t.parquet: 4 prompts, ');
  expect(await rowsOf(at('t.parquet'))).toEqual(await rowsOf(at('all.parquet')));
  const json = await command('trace', '--prompts', at('t.jsonl'), ...common, '--out', at('t.arrow'), '--json');
  expect(JSON.parse(json.stdout)).toMatchObject({ out: at('t.arrow'), prompts: 4, stages: 2 });
  writeFileSync(at('bad.jsonl'), '"fine"\n"fine too"\n{"prompt":""}\n');
  const refused = async (...args: string[]) => {
    const { status, stderr } = await command('trace', ...args);
    expect(status).toBe(2);
    return stderr;
  };
  const bad = ['--prompts', at('bad.jsonl'), '--tap', 'embed', '--out', at('no.parquet')];
  expect(await refused(...bad)).toMatch(/bad\.jsonl:3: The prompt is empty/);
  expect(readdirSync(folder)).not.toContain('no.parquet');
  writeFileSync(at('ids.jsonl'), '[2,3]\n[2,999]\n');
  expect(await refused('--prompts', at('ids.jsonl'), '--tap', 'embed', '--out', at('no.parquet'))).toMatch(
    /ids\.jsonl:2: Token id 999/,
  );
  expect(await refused(...bad, '--prompt', 'x')).toMatch(/--prompts, and --prompt too/);
  expect(await refused('--prompts', at('t.jsonl'), '--out', at('no.safetensors'))).toMatch(/is \.parquet or \.arrow/);
  expect(await refused('--prompt', 'x', '--column', 'y', '--out', at('no.parquet'))).toMatch(
    /--column is of --prompts/,
  );
  expect(await refused('--prompts', at('nowhere.txt'), '--out', at('no.parquet'))).toMatch(
    /nowhere\.txt cannot be read/,
  );
  expect(await refused('--prompts', at('t.jsonl'), '--out', at('t.jsonl.parquet/x.parquet'))).toMatch(
    /cannot be written/,
  );
});

test('a Parquet file whose counts lie is refused and holds nothing up', async () => {
  // Forty prompts in JSON; a run of definition levels says that it is as long as 2³¹.
  const bytes =
    'UEFSMRUGFboHFe4CXBVQFQAAAAAAFQQVAAAAUAHbAygHAAAAWzUsNiw3XQULADYZCwA3GQsAOBkLADkFCwAIATcEMTAdDAAxHQwAMh0MADMdDAA0HQwJdAAIBUgJdQkMCXYJDAl3CQwdeAAyHXgEMjEZVAAyHXgAMh14ADIdeAAyHXgEMjYdPB14ADIdeAAyHXgAMx14ADMdeAAzHXgAMx14ADMdeAAzHXgAMx14ADMdeAAzHXgAMx14ADQdeAA0HXgANB14ADQdeBg0NCw2LDddFQQZLEgEcm9vdBUCABUMJQIYBnByb21wdCUmABZQGRwZHCYIHBUMGRUAGRgGcHJvbXB0FQIWUBboBxacAyYIPDYAKAdbOSw2LDddGAhbMTAsNiw3XQAZHBUGFQAVAgAAABboBxZQNpwDACgJaHlwYXJxdWV0GRwcAAAAewAAAFBBUjE=';
  writeFileSync(at('lies.parquet'), Buffer.from(bytes, 'base64'));
  const read = async () => {
    for await (const _ of prompts(at('lies.parquet'))) {
    }
  };
  await expect(read()).rejects.toThrow(
    /lies\.parquet cannot be read as Parquet: what it tells of takes (longer|far more)/,
  );
}, 60_000);
