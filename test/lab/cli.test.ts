// The commands as a shell sees them: output, exit codes, and one sentence for every mistake.

import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { tableFromIPC } from 'apache-arrow';
import { expect, test } from 'vitest';
import { packageRoot } from '../../engine/files.js';
import { command } from '../fixtures/command.js';
import { freshFolder } from '../fixtures/folder.js';
import { writeTiny } from '../fixtures/tiny-model.js';

const folder = freshFolder();
/** What a person reads of it: not what Vulkan warns of. */
const read = ({ status, stdout, stderr }: { status: number | null; stdout: string; stderr: string }) => {
  const said = stderr
    .split('\n')
    .filter(line => !line.startsWith('Warning: ') && !/^ +at /.test(line))
    .join('\n')
    .trim();
  return { status, stdout, stderr: said };
};
const program = join(packageRoot(), 'dist/lab/cli/loupe.js');
const inProcess = (...args: string[]) => read(spawnSync(process.execPath, [program, ...args], { encoding: 'utf8' }));
const loupe = async (...args: string[]) => read(await command(...args));

function quantised(how: object): string {
  const at = mkdtempSync(join(folder, 'quantised-'));
  const config = JSON.parse(readFileSync(join(packageRoot(), 'golden/atlas/config.json'), 'utf8'));
  writeFileSync(join(at, 'config.json'), JSON.stringify({ ...config, ...how }));
  copyFileSync(join(packageRoot(), 'golden/atlas/model.safetensors'), join(at, 'model.safetensors'));
  return at;
}

const mistakes: [string, string[], RegExp][] = [
  ['a missing model', ['info', '-m', '/nowhere'], /^loupe: There is no model '\/nowhere'\. Give 'atlas'/],
  [
    'a folder without config.json',
    ['info', '-m', folder],
    /has no config\.json, so it is not a model folder\. Give the folder/,
  ],
  [
    'a file that is no model',
    ['info', '-m', join(packageRoot(), 'LICENSE')],
    /is neither a folder nor a \.gguf or \.safetensors file/,
  ],
  [
    'a folder that MLX made smaller, looked at',
    ['info', '-m', quantised({ quantization: { group_size: 64, bits: 4 } })],
    /is of a model quantised with MLX \(4 bits in groups of 64\), which Loupe does not read\. Take the model as it was/,
  ],
  [
    'one that GPTQ did, looked at',
    ['info', '-m', quantised({ quantization_config: { quant_method: 'gptq', bits: 4 } })],
    /is of a model quantised with GPTQ \(4 bits\), which Loupe does not read/,
  ],
  ['a picture of what is not measured', ['bench', '--svg', 'x.svg'], /--svg is the picture of --stages\. Give both/],
  [
    'a peer of what is measured alone',
    ['bench', '--stages', '--against', 'torch'],
    /--stages is about one token, and does not read --against\. Leave it out\./,
  ],
  [
    'llama.cpp on what it does not read',
    ['bench', '--against', 'llama.cpp'],
    /llama\.cpp reads GGUF files, and '.*atlas' is none\. Give --model a \.gguf, or leave llama\.cpp out/,
  ],
  [
    'a bench of more than the model reads',
    ['bench', '--prefill', '1025', '--contexts', '1'],
    /^loupe: The bench needs at least 1025 tokens, and this model was made for 1024 tokens\. Ask for fewer\.$/,
  ],
  [
    'ids out of range',
    ['generate', '--ids', '2,512'],
    /Token id 512 at place 1 is not in the vocabulary; ids go from 0 to 511\./,
  ],
  [
    'a window without a token to foresee',
    ['perplexity', '-t', join(packageRoot(), 'LICENSE'), '--window', '1'],
    /^loupe: window is a whole number from 3 to 1024, not 1\.$/,
  ],
  ['ids that are none', ['generate', '--ids', '2,x'], /Give token ids separated by commas/],
  ['an empty prompt', ['generate', '-p', ''], /The prompt is empty; give some text\./],
  [
    'a context of fewer tokens than a perplexity is of',
    ['perplexity', '-t', join(packageRoot(), 'LICENSE'), '--context', '2'],
    /^loupe: A perplexity needs a context of 3 tokens or more, and this session reads 2\. Open the model with a longer context, up to 1024/,
  ],
  ['no prompt', ['generate'], /There is no prompt\. Give --prompt/],
  [
    'a prompt longer than the context',
    ['generate', '--context', '16', '-p', 'The capital of France is Paris and so on and on'],
    /this session reads 16\. Shorten it, or open the model with a longer context, up to 1024: \{ context \}, or --context in a terminal\.|holds 16/,
  ],
  [
    'a context longer than the model’s',
    ['generate', '--context', '5000', '-p', 'hi'],
    /this model was made for 1 to 1024/,
  ],
  [
    'an unknown stage',
    ['trace', '-p', 'hi', '--tap', 'layers.0.atn.q', '-o', join(folder, 'a.arrow')],
    /No stage matches 'layers\.0\.atn\.q'\. The nearest are 'layers\.0\.attn\.q'/,
  ],
  [
    'a slice of an axis that no stage has',
    ['trace', '-p', 'hi', '--slice', 'hed=0:2', '-o', join(folder, 'a.arrow')],
    /None of the 135 stages tapped has a dimension 'hed' to slice; .*The nearest is 'head'/,
  ],
  [
    'a slice past the end',
    ['trace', '-p', 'hi', '--tap', 'blocks.0.attn.hook_pattern', '--slice', 'head=2:9', '-o', join(folder, 'a.arrow')],
    /'layers\.0\.attn\.pattern' has 4 entries along 'head', so \[2, 9\] is outside/,
  ],
  ['a slice that is none', ['trace', '-p', 'hi', '--slice', 'head', '-o', join(folder, 'a.arrow')], /e\.g\. head=2:4/],
  [
    'a golden of another model',
    ['diff', '-g', join(packageRoot(), 'golden/tiny.safetensors')],
    /so it is of another model\. Make one for this model/,
  ],
  [
    'a golden that is none',
    ['diff', '-g', join(packageRoot(), 'golden/operations.safetensors')],
    /is no golden: its metadata has no 'loupe_golden'/,
  ],
  [
    'a trace of an unknown kind',
    ['trace', '-p', 'hi', '-o', 'a.csv'],
    /a trace is \.safetensors, \.arrow or \.parquet/,
  ],
  [
    'a wrong temperature',
    ['generate', '-p', 'hi', '--temperature', '-1'],
    /temperature must be a number from 0, not -1/,
  ],
  ['an unknown adapter', ['doctor', '--adapter', 'magic'], /Allowed choices are auto, hardware, lavapipe, swiftshader/],
  ['an unknown option', ['info', '--colour'], /unknown option '--colour'/],
  ['nothing to tokenize', ['tokenize'], /There is nothing to tokenize/],
  [
    'an empty option',
    ['tokenize', '--tokenizer', '', 'hi'],
    /--tokenizer was given nothing\. Give a value, or leave it out/,
  ],
  [
    'two prompts',
    ['generate', '--ids', '2,3', '-p', 'x'],
    /There are two prompts, --prompt and --ids, and one is read\./,
  ],
  ['two prompts of a trace', ['trace', '--ids', '2', '-p', 'x', '-o', 'a.arrow'], /There are two prompts/],
  [
    'two ranges along one axis',
    ['trace', '-p', 'hi', '--slice', 'token=2:4,token=0:1', '-o', 'a.arrow'],
    /There are two ranges along 'token', and one is taken\. Give one of them\./,
  ],
  [
    'an option twice',
    ['trace', '-p', 'hi', '--slice', 'token=2:4', '--slice', 'head=0:1', '-o', 'a.arrow'],
    /--slice was given twice, as 'token=2:4' and 'head=0:1'\. Give one\./,
  ],
  ['a prompt twice', ['generate', '-p', 'a', '--prompt', 'b'], /--prompt was given twice, as 'a' and 'b'\. Give one\./],
  ...['2, 300,,4', '2,', ',2', '0x10', '1e2', '2,-1', '2.0', '99999999999999999999', ' ', ''].map(
    (ids): [string, string[], RegExp] => [
      `the ids '${ids}'`,
      ['generate', '--ids', ids],
      /Give token ids separated by commas/,
    ],
  ),
  ...['2,,300', '0x10', '2,x', '2,300,'].map((ids): [string, string[], RegExp] => [
    `the ids '${ids}' to decode`,
    ['tokenize', '--decode', ids],
    /is no token id\. Give ids separated by commas/,
  ]),
  ...['', '0x10', '1e1', ' 4', '4.0'].map((n): [string, string[], RegExp] => [
    `'${n}' tokens`,
    ['generate', '-p', 'hi', '-n', n],
    /Give a whole number from 0\./,
  ]),
  ['a limit in hexadecimal', ['diff', '--limit', '0x1'], /Give a number\./],
  [
    'an empty text to stop at',
    ['chat', '--stop', '', 'hi'],
    /An empty text is everywhere\. Give the text that ends an answer\./,
  ],
  ['a text and a file', ['tokenize', 'hi', '--file', 'x.txt'], /There is a text, and --file names a file to read/],
  [
    'two files',
    ['tokenize', '--file', 'x', '--jsonl', 'y'],
    /'--file <file>' cannot be used with option '--jsonl <file>'/,
  ],
  [
    'pieces of what is decoded',
    ['tokenize', '--decode', '--pieces', '2'],
    /'--decode' cannot be used with option '--pieces'/,
  ],
  ['fewer keys than tokens', ['plan', '--tokens', '8', '--keys', '4'], /--keys 4 are fewer than the --tokens 8 among/],
  ['a reference for nothing', ['tokenize', '--reference', 'tokenizers', 'hi'], /there is no --check/],
  [
    'a limit for what does not run',
    ['diff', '--no-alone', '--local-limit', '1'],
    /'--no-alone' cannot be used with option/,
  ],
  [
    'a Python that is not run',
    ['parity', '--made', 'x', '--python', 'y'],
    /'--made <folder>' cannot be used with option/,
  ],
];

test.each(mistakes)('%s: one sentence with the cure, exit code 2', async (_, args, message) => {
  const { status, stderr } = await loupe(...args);
  expect(stderr).toMatch(message);
  expect(stderr).not.toMatch(/\n\s+at |defect/);
  expect(status).toBe(2);
});

test.each([
  ['done', 0, ['info', '--json']],
  ['a check that failed', 1, ['diff', '--limit', '1e-12', '--local-limit', '1e-12', '--json']],
  ['a mistake', 2, ['generate', '--ids', '2,512']],
  ['an option that there is not', 2, ['info', '--colour']],
])('a process says and returns what the tests below see: %s', async (_, status, args) => {
  const process = inProcess(...args);
  expect(process).toEqual(await loupe(...args));
  expect(process.status).toBe(status);
});

test('what is the same twice, and what gathers, may come again; what changes nothing is said', async () => {
  const { status, stdout, stderr } = await loupe(
    'generate',
    '-p',
    'hi',
    '-p',
    'hi',
    '-n',
    '1',
    '-n',
    '1',
    '--top-k',
    '5',
  );
  expect([status, stderr]).toEqual([
    0,
    'loupe: --top-k changes nothing at temperature 0, which takes the most likely token. Give --temperature too.',
  ]);
  expect(stdout).not.toBe('');
  const out = join(folder, 'two.safetensors');
  const traced = await loupe('trace', '--ids', '2, 300 ,17', '--tap', 'embed', '--tap', 'layers.0.resid', '-o', out);
  expect(traced.stdout).toMatch(/: 2 stages, 768 values/);
  expect((await loupe('tokenize', '--decode', ' 2, 300\n17 ')).stdout).toBe(
    (await loupe('tokenize', '--decode', '2,300,17')).stdout,
  );
});

test('diff fits 80 columns: what fails, and one line for what passes; --all and --wide have the rest', async () => {
  const rows = (text: string) => text.split('\n').filter(line => /^(ok|source|carrier|masked|cache) /.test(line));
  const widest = (text: string) => Math.max(...text.split('\n').map(line => line.length));
  const pass = await loupe('diff');
  expect(rows(pass.stdout)).toEqual([]);
  expect(pass.stdout).toMatch(/\n135 of 135 stages pass; --all lists them too\.\n$/);
  const all = await loupe('diff', '--all');
  expect(rows(all.stdout)).toHaveLength(135);
  const some = await loupe('diff', '--limit', '6e-7', '--no-alone');
  const failing = rows(some.stdout).length;
  expect(failing).toBeGreaterThan(0);
  expect(some.stdout).toContain(`${135 - failing} of 135 stages pass; --all lists them too.`);
  for (const { stdout } of [pass, all, some]) expect(widest(stdout)).toBeLessThanOrEqual(80);
  const wide = await loupe('diff', '--limit', '6e-7', '--wide');
  expect(wide.stdout).toMatch(/verdict +stage .* shape +cosine +gain +ours +PyTorch’s/);
  expect((await loupe('diff', '--all', '--wide')).stdout).toContain('cosine');
});

test('diff passes with 0, and fails with 1 when the limit is too tight for rounding', async () => {
  expect((await loupe('diff')).stdout).toMatch(/^All 135 stages pass\./);
  const failed = await loupe('diff', '--limit', '1e-12', '--local-limit', '1e-12', '--json');
  expect(failed.status).toBe(1);
  const report = JSON.parse(failed.stdout);
  expect(report.pass).toBe(false);
  expect(report.first).toBe('layers.0.input_norm');
});

test('generate --json says what it made, how fast and on what', async () => {
  const { status, stdout } = await loupe(
    'generate',
    '-p',
    'The capital of France is',
    '-n',
    '6',
    '--ignore-eos',
    '--json',
  );
  expect(status).toBe(0);
  const report = JSON.parse(stdout);
  expect(Object.keys(report)).toEqual(['ids', 'text', 'stop', 'tokensPerSecond', 'firstTokenMs', 'plan', 'adapter']);
  expect(report.ids).toHaveLength(6);
  expect(report.text).toMatch(/^ Paris/);
});

test('a model without a vocabulary runs on ids, and says so when it is given text', async () => {
  const tiny = await writeTiny(join(folder, 'tiny'));
  const report = JSON.parse(
    (await loupe('generate', '-m', tiny, '--ids', '2,17,999', '-n', '3', '--ignore-eos', '--json')).stdout,
  );
  expect(report.ids).toHaveLength(3);
  const refused = await loupe('generate', '-m', tiny, '-p', 'hello');
  expect(refused.stderr).toMatch(/'tiny' has no vocabulary\. Give token ids, or open it with/);
  expect(refused.status).toBe(2);
});

test('a trace is a golden of itself, in the same form', async () => {
  const out = join(folder, 'run.safetensors');
  expect((await loupe('trace', '-p', 'The capital of Peru is', '-o', out)).stdout).toMatch(/135 stages/);
  expect((await loupe('diff', '-g', out)).stdout).toMatch(/^All 135 stages pass\. The largest error in the run is 0,/);
});

test('a trace of parts says where they are, and is no golden', async () => {
  const trace = async (out: string, slice: string, tap: string) =>
    await loupe('trace', '-p', 'The capital of Peru is', '--tap', tap, '--slice', slice, '-o', join(folder, out));
  await trace('part.safetensors', 'token=-2:', 'model.layers.*');
  const bytes = readFileSync(join(folder, 'part.safetensors'));
  const header = JSON.parse(bytes.subarray(8, 8 + Number(bytes.readBigUInt64LE())).toString());
  expect(header['layers.5.resid'].shape).toEqual([2, 128]);
  const ids = JSON.parse(header.__metadata__.ids).length;
  expect(JSON.parse(header.__metadata__.slice)['layers.5.resid']).toEqual({ token: [ids - 2, ids], channel: [0, 128] });
  expect((await loupe('diff', '-g', join(folder, 'part.safetensors'))).stderr).toMatch(
    /is a trace of parts of its stages/,
  );
  await trace('part.arrow', 'head=2:4,query=1', 'layers.5.attn.pattern');
  const table = tableFromIPC(readFileSync(join(folder, 'part.arrow')));
  expect([...table].map(r => [r.head, r.query, r.row])).toEqual([2, 3].map(head => [head, 1, head * ids + 1]));
});

test('tokenize: lines of JSON to ids and back', async () => {
  const texts = ['Hello world', ' two  spaces\n', '👍 é'];
  const file = join(folder, 'texts.jsonl');
  writeFileSync(file, texts.map(t => JSON.stringify(t)).join('\n'));
  const ids = (await loupe('tokenize', '--jsonl', file)).stdout;
  writeFileSync(file, ids.trim());
  expect(
    (await loupe('tokenize', '--decode', '--jsonl', file)).stdout
      .trim()
      .split('\n')
      .map(l => JSON.parse(l)),
  ).toEqual(texts);
  expect((await loupe('tokenize', '--bos', 'a')).stdout).toMatch(/^2,/);
  writeFileSync(file, '"fine"\nnot json');
  expect((await loupe('tokenize', '--jsonl', file)).stderr).toMatch(/Line 2 of .* is no JSON string\. Mend the line\./);
});

test('tokenize --decode says which ids gave no text because there are none such', async () => {
  const beyond = async (ids: string, rest: string) =>
    expect(await loupe('tokenize', '--decode', ids)).toEqual({
      status: 0,
      stdout: ' P\n',
      stderr: `loupe: ${rest}, 511, and gave no text.`,
    });
  await beyond('2,99999,348', 'The id 99999 is beyond the last');
  await beyond('600,348,600,512', 'The ids 600, 512 are beyond the last');
  await beyond(
    `348,${[...Array(12).keys()].map(n => 600 + n)}`,
    'The ids 600, 601, 602, 603, 604, 605, 606, 607 and others are beyond the last',
  );
  expect((await loupe('tokenize', '--decode', '2,348,511')).stderr).toBe('');
  const file = join(folder, 'beyond.jsonl');
  writeFileSync(file, '[348]\n[348, 700]\n');
  expect(await loupe('tokenize', '--decode', '--jsonl', file)).toEqual({
    status: 0,
    stdout: '" P"\n" P"\n',
    stderr: 'loupe: The id 700 is beyond the last, 511, and gave no text.',
  });
});

test('a command whose answer will never come does not end as if it had', () => {
  const never = 'data:text/javascript,globalThis.fetch=()=>new Promise(()=>{})';
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ['--import', never, join(packageRoot(), 'dist/lab/cli/loupe.js'), 'pull', 'org/x'],
    { encoding: 'utf8', env: { ...process.env, HF_HOME: folder } },
  );
  expect({ status, stdout, stderr }).toEqual({
    status: 2,
    stdout: '',
    stderr:
      'loupe: It ended without an answer: what it waited for will not come. Try again; if it stays so, it is a fault of Loupe.\n',
  });
});

test('a perplexity of nothing is asked for by the name of the file', async () => {
  const file = join(folder, 'nothing.txt');
  writeFileSync(file, '');
  expect((await loupe('perplexity', '--text', file)).stderr.trim()).toBe(
    `loupe: The text ${file} is empty. Give a file with some text in it.`,
  );
});

test('what is piped in beside a text or a prompt is said not to be read', async () => {
  const piped = (command: string) => {
    const script = `echo other | "$0" "$1" ${command}`;
    const { status, stdout, stderr } = spawnSync(
      'bash',
      ['-c', script, process.execPath, join(packageRoot(), 'dist/lab/cli/loupe.js')],
      { encoding: 'utf8' },
    );
    return { status, stdout: stdout.trim(), said: stderr.match(/^loupe: .*$/m)?.[0] ?? '' };
  };
  const said = (what: string) => `loupe: Standard input is a pipe, and it is not read: ${what} that was given is.`;
  const ids = (await loupe('tokenize', 'The capital')).stdout.trim();
  expect(piped('tokenize "The capital"')).toEqual({ status: 0, stdout: ids, said: said('the text') });
  const file = join(folder, 'text.txt');
  writeFileSync(file, 'The capital');
  expect(piped(`tokenize --file ${file}`)).toEqual({ status: 0, stdout: ids, said: said('the file') });
  expect(piped('generate -p "The capital" -n 1')).toMatchObject({ status: 0, said: said('the prompt') });
  expect((await loupe('tokenize', 'The capital')).stderr).toBe('');
});

test('info tells pieces and rows where they are not as many', async () => {
  expect((await loupe('info')).stdout).toMatch(/sentencepiece, 512 pieces\n/);
  const config = JSON.parse(readFileSync(join(packageRoot(), 'golden/atlas/config.json'), 'utf8'));
  const made = join(folder, 'more');
  mkdirSync(made);
  writeFileSync(join(made, 'config.json'), JSON.stringify(config));
  for (const name of ['model.safetensors', 'tokenizer.model'])
    copyFileSync(join(packageRoot(), 'golden/atlas', name), join(made, name));
  writeFileSync(join(made, 'added_tokens.json'), '{"<more>": 512}');
  expect((await loupe('info', '-m', made)).stdout).toMatch(/sentencepiece, 513 pieces for the model’s 512 rows/);
});

test('info, plan, doctor and bench speak JSON', async () => {
  expect(JSON.parse((await loupe('info', '--json')).stdout)).toMatchObject({
    parameters: 1494528,
    gpuBytes: { F32: 4 * 1494528 },
    config: { family: 3, layers: 6 },
  });
  const plan = JSON.parse((await loupe('plan', '--json', '--tokens', '4')).stdout);
  expect(plan.stages[0]).toMatchObject({ stage: 'embed', shape: '[T,128]', weight: 'embed' });
  expect(JSON.parse((await loupe('doctor', '--json')).stdout)).toMatchObject({
    ok: true,
    versions: { node: process.versions.node },
  });
  const bench = JSON.parse(
    (await loupe('bench', '--json', '--prefill', '8', '--decode', '3', '--cache-at', '32', '--rounds', '1')).stdout,
  );
  expect(bench).toMatchObject({
    bytesWrittenPerToken: 20,
    bytesReadPerToken: 4,
    cache: { at: 32 },
    plan: 'fast',
    peers: {},
  });
  const { tokensPerSecond, firstTokenMs } = bench.prefill['8'];
  expect(tokensPerSecond.median * firstTokenMs.median).toBeCloseTo(8000, 6);
  expect(tokensPerSecond.least).toBeLessThanOrEqual(tokensPerSecond.most);
  expect(bench.decode.after).toBe(8);
  expect(Object.keys(bench.decodeAt)).toEqual(['8']);
  expect(bench.memory.gpu).toBeGreaterThan(6e6);
  const picture = join(folder, 'roofline.svg');
  const { stages, ceilings, operations } = JSON.parse(
    (await loupe('bench', '--stages', '--json', '--svg', picture)).stdout,
  );
  expect(stages.length).toBe(51);
  expect(stages[0]).toMatchObject({ us: expect.any(Number), reached: expect.any(Number) });
  expect(ceilings.bytesPerSecond).toBeGreaterThan(1e7);
  expect(operations.length).toBeGreaterThan(5);
  expect(readFileSync(picture, 'utf8')).toMatch(/^<svg/);
});

test('the lockfile and the notebooks name no address and no folder of a machine', async () => {
  expect(readFileSync(join(packageRoot(), 'package-lock.json'), 'utf8')).not.toMatch(
    /"resolved"|https?:\/\/[^"]*registry/,
  );
});

test('a text that ends because the context is full says so, and one that ends as it was asked to does not', async () => {
  const full =
    'loupe: It ends there: the context of 4 tokens is full. Open the model with a longer context, up to 1024: { context }, or --context in a terminal.';
  const short = await loupe('generate', '--context', '4', '-p', 'Once');
  expect([short.status, short.stderr]).toEqual([0, full]);
  expect(short.stdout.trim().length).toBeGreaterThan(0);
  const json = await loupe('generate', '--context', '4', '-p', 'Once', '--json');
  expect([JSON.parse(json.stdout).stop, json.stderr]).toEqual([false, full]);
  const file = join(folder, 'two.txt');
  writeFileSync(file, 'Once\nThe capital of France is\n');
  const two = await loupe('generate', '--context', '8', '--prompts', file, '-n', '20', '--ignore-eos');
  expect(two.stderr).toMatch(/^loupe: 2 of 2 end before they were to: the context of 8 tokens is full\./);
  const asked = await loupe('generate', '-p', 'Once', '-n', '2');
  expect([asked.status, asked.stderr]).toEqual([0, '']);
});
