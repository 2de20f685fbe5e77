// Pulling from a hub on loopback: the cache of Hugging Face's tools, connections that break, files that lie, and names.

import { spawn } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { packageRoot } from '../../engine/files.js';
import { modelPath } from '../../lab/session/open.js';
import { hubName } from '../../lab/pull/name.js';
import { type Pulled, type PullOptions, pull } from '../../lab/pull/pull.js';
import { freshFolder } from '../fixtures/folder.js';
import { sha256, TestHub } from '../fixtures/hub.js';

const atlas = join(packageRoot(), 'golden/atlas');
const weights = readFileSync(join(atlas, 'model.safetensors'));
const small = {
  'config.json': readFileSync(join(atlas, 'config.json')),
  'tokenizer.model': readFileSync(join(atlas, 'tokenizer.model')),
};
const folder = (contents: Record<string, Buffer>) =>
  new Map(Object.entries({ 'README.md': Buffer.from('#'), ...contents }));
const ATLAS = folder({ ...small, 'model.safetensors': weights });
// What else concerns text: a fine-tune's tokenizer.json knows more than the tokenizer.model beside it.
const texts = {
  'tokenizer.json': Buffer.from('{}'),
  'added_tokens.json': Buffer.from('{"<THINK>":511}'),
  'special_tokens_map.json': Buffer.from('{} '),
  'chat_template.json': Buffer.from('{}  '),
  'additional_chat_templates/tool_use.jinja': Buffer.from('TOOL'),
};

let hub: TestHub;
let hubUrl: string;
let home: string;
const start = async (files = ATLAS, token?: string) => {
  hub = new TestHub({ repo: 'org/atlas', files, token });
  hubUrl = await hub.listen();
};
const get = (name = 'org/atlas', options: PullOptions = {}): Promise<Pulled> =>
  pull(hubName(name)!, { hubUrl, patience: 1, ...options });
const fileRequests = () =>
  hub.log.filter(line => line.includes('/resolve/')).map(line => line.replace(/.*resolve\/[^/]+\//, ''));

beforeEach(() => {
  home = freshFolder();
  for (const key of Object.keys(process.env)) if (/^(HF_|HUGGING)/.test(key)) delete process.env[key];
  process.env.HF_HOME = home;
});
afterEach(() => {
  hub?.[Symbol.dispose]();
  delete process.env.HF_HOME;
});

test('a GGUF in parts counts as one model, and all of its parts are fetched', async () => {
  await start(
    folder({
      'atlas-Q8_0-00001-of-00002.gguf': Buffer.from('GGUF8a'),
      'atlas-Q8_0-00002-of-00002.gguf': Buffer.from('GGUF8b'),
      'atlas-Q4_0.gguf': Buffer.from('GGUF4'),
    }),
  );
  await expect(get()).rejects.toThrow(/has 2 model files: atlas-Q8_0-00001-of-00002\.gguf, atlas-Q4_0\.gguf\./);
  const pulled = await get('org/atlas:Q8_0');
  expect(pulled.path).toMatch(/atlas-Q8_0-00001-of-00002\.gguf$/);
  expect(fileRequests()).toEqual(['atlas-Q8_0-00001-of-00002.gguf', 'atlas-Q8_0-00002-of-00002.gguf']);
  expect(modelPath('org/atlas:Q8_0')).toBe(pulled.path);
  expect((await get('org/atlas:atlas-Q8_0-00002-of-00002.gguf')).path).toMatch(/00002-of-00002\.gguf$/);
});

test('fetches what a model needs into the shared cache, once; it opens by its name', async () => {
  await start();
  const seen: [number, number][] = [];
  const pulled = await get('org/atlas', { onProgress: (...at) => seen.push(at) });
  expect(fileRequests()).toEqual(['config.json', 'tokenizer.model', 'model.safetensors']);
  const total = weights.length + small['config.json'].length + small['tokenizer.model'].length;
  expect(pulled.fetched).toBe(total);
  expect(seen.at(-1)).toEqual([total, total]);
  expect(seen.every(([done], i) => i === 0 || done >= seen[i - 1][0])).toBe(true);
  // The layout of huggingface_hub: blobs by hash, snapshots of links, a reference.
  const repo = join(home, 'hub/models--org--atlas');
  const snapshot = join(repo, 'snapshots', hub.commit);
  expect(readFileSync(join(repo, 'refs/main'), 'utf8')).toBe(hub.commit);
  expect(readlinkSync(join(snapshot, 'model.safetensors'))).toBe(join('../../blobs', sha256(weights)));
  expect(pulled.path).toBe(snapshot);
  expect(modelPath('org/atlas')).toBe(snapshot);
  expect(readdirSync(join(repo, 'blobs'))).toHaveLength(3);
  const again = await get();
  expect(again.fetched).toBe(0);
  expect(fileRequests()).toHaveLength(3);
});

test('fetches both vocabularies and all that says how conversations are written, and nothing else', async () => {
  await start(folder({ ...small, ...texts, 'training_args.bin': Buffer.from('x'), 'model.safetensors': weights }));
  await get();
  expect(fileRequests().sort()).toEqual([...Object.keys({ ...small, ...texts }), 'model.safetensors'].sort());
});

test('a broken connection goes on where it was; one that sends nothing is given up with what is here kept', async () => {
  await start();
  hub.cuts = [10, 1e9, 1e9, 500, 100_000, 300_000, 0, 0];
  await get();
  const model = fileRequests().filter(line => line.startsWith('model.safetensors'));
  expect(model.length).toBeGreaterThan(2);
  expect(model.at(-1)).toMatch(/model.safetensors bytes=\d{5,}-$/);
  expect(statSync(join(modelPath('org/atlas'), 'model.safetensors')).size).toBe(weights.length);

  process.env.HF_HOME = freshFolder();
  await start();
  hub.statuses = [503, 429];
  hub.cuts = [1e9, 1e9, 1000, 0, 0, 0, 0, 0, 0, 0];
  await expect(get()).rejects.toThrow(
    /model.safetensors could not be fetched from .*What is here stays; pull again to go on/,
  );
  const incomplete = join(process.env.HF_HOME, 'hub/models--org--atlas/blobs', `${sha256(weights)}.incomplete`);
  expect(statSync(incomplete).size).toBe(1000);
  expect(() => modelPath('org/atlas')).toThrow(/neither as a path nor in .*loupe pull org\/atlas/);
  hub.cuts = [];
  const pulled = await get();
  expect(pulled.fetched).toBe(weights.length - 1000);
  expect(existsSync(incomplete)).toBe(false);
});

test('a connection that falls silent counts as broken', async () => {
  await start();
  hub.stalls = [150_000, 200_000];
  await get('org/atlas', { idle: 200 });
  expect(fileRequests().slice(2)).toEqual([
    'model.safetensors',
    'model.safetensors bytes=150000-',
    'model.safetensors bytes=350000-',
  ]);
});

test('a server without ranges begins again; more or other bytes than promised are refused and deleted', async () => {
  await start();
  hub.forgetful = true;
  hub.cuts = [1e9, 1e9, 100_000];
  await get();
  expect(sha256(readFileSync(join(modelPath('org/atlas'), 'model.safetensors')))).toBe(sha256(weights));

  // Once cut, once whole: what it sent again was not put behind what was there.
  expect(fileRequests().slice(2)).toEqual(['model.safetensors', 'model.safetensors bytes=100000-']);

  process.env.HF_HOME = freshFolder();
  hub.corrupt = true;
  await expect(get()).rejects.toThrow(
    /What .* sent for config.json has the hash [0-9a-f]{40}, and .* was promised. It was deleted/,
  );
  expect(readdirSync(join(process.env.HF_HOME, 'hub/models--org--atlas/blobs'))).toEqual([]);
  // Rubbish from another time in the place of a partial file.
  hub.corrupt = false;
  hub.forgetful = false;
  const blobs = join(process.env.HF_HOME, 'hub/models--org--atlas/blobs');
  writeFileSync(join(blobs, `${sha256(weights)}.incomplete`), 'x'.repeat(1000));
  await expect(get()).rejects.toThrow(/has the hash/);
  await get();
  expect(existsSync(modelPath('org/atlas'))).toBe(true);
});

test('permission: a token from the variable or the file, and words without one', async () => {
  await start(ATLAS, 'secret');
  await expect(get()).rejects.toThrow(
    /does not give org\/atlas@main to everybody \(401\). Accept its licence .* set HF_TOKEN/,
  );
  process.env.HF_TOKEN = 'wrong';
  await expect(get()).rejects.toThrow(
    /does not know this token and gives no .* \(401\)\. Set HF_TOKEN to a valid access token/,
  );
  delete process.env.HF_TOKEN;
  writeFileSync(join(home, 'token'), 'secret\n');
  await get();
  expect(existsSync(modelPath('org/atlas'))).toBe(true);
  const elsewhere = freshFolder();
  process.env.HF_HOME = elsewhere;
  process.env.HF_TOKEN = 'secret';
  await get('org/atlas@v1');
  expect(readFileSync(join(elsewhere, 'hub/models--org--atlas/refs/v1'), 'utf8')).toBe(hub.commit);
  expect(existsSync(modelPath('org/atlas@v1'))).toBe(true);
  expect(() => modelPath('org/atlas')).toThrow(/loupe pull/);
});

test('one file of many, named in part; and what is ambiguous, missing or no model at all', async () => {
  await start(
    folder({
      'atlas-Q8_0.gguf': Buffer.from('GGUF8'),
      'atlas-Q4_0.gguf': Buffer.from('GGUF4'),
      'sub/atlas-F16.gguf': Buffer.from('GGUF16'),
    }),
  );
  await expect(get()).rejects.toThrow(
    /org\/atlas has 3 model files: atlas-Q8_0.gguf, .* Say which: org\/atlas:atlas-Q8_0.gguf/,
  );
  await expect(get('org/atlas:atlas')).rejects.toThrow(/3 model files/);
  await expect(get('org/atlas:Q2_K')).rejects.toThrow(/no file 'Q2_K'. It has atlas-Q8_0.gguf/);
  const pulled = await get('org/atlas:q4_0');
  expect(pulled.path).toMatch(/atlas-Q4_0.gguf$/);
  expect(modelPath('org/atlas:q4_0')).toBe(pulled.path);
  expect(modelPath('org/atlas')).toBe(pulled.path); // the only one that is here
  expect((await get('org/atlas:F16')).path).toMatch(/sub\/atlas-F16.gguf$/);
  await expect(get('org/other')).rejects.toThrow(/has no org\/other@main \(404\). Check the name and the revision/);
  await expect(get('org/atlas@v9')).rejects.toThrow(/404/);
  hub[Symbol.dispose]();
  await expect(get()).rejects.toThrow(/cannot be reached: .*Check the network, or HF_ENDPOINT/);
  await start(folder({ 'weights.bin': Buffer.from('x') }));
  await expect(get()).rejects.toThrow(/neither config.json with model.safetensors nor a .gguf/);
});

test('a hub that lists paths outside the folder is refused', async () => {
  for (const path of ['../evil.gguf', 'a/../../evil.gguf', '/etc/evil.gguf', '..\\evil.gguf']) {
    await start(new Map([[path, Buffer.from('GGUF')]]));
    await expect(get()).rejects.toThrow(/which is no file to fetch/);
    hub[Symbol.dispose]();
  }
  for (const name of ['org/../x', 'org', 'a/b/c', '../x', 'org/name@../../x', 'org/name:../../x', '']) {
    expect([name, hubName(name)]).toEqual([name, null]);
  }
  expect(hubName('g/m-3_1b.it@refs/pr/3:Q4_K_M.gguf')).toEqual({
    repo: 'g/m-3_1b.it',
    revision: 'refs/pr/3',
    file: 'Q4_K_M.gguf',
  });
});

test('what transformers has downloaded is found by its name', () => {
  const commit = 'a'.repeat(40);
  const repo = join(home, 'hub/models--google--gemma-3-1b-it');
  mkdirSync(join(repo, 'snapshots', commit), { recursive: true });
  mkdirSync(join(repo, 'refs'));
  writeFileSync(join(repo, 'refs/main'), commit);
  expect(() => modelPath('google/gemma-3-1b-it')).toThrow(/loupe pull google\/gemma-3-1b-it/); // nothing in it yet
  for (const file of ['config.json', 'model.safetensors'])
    symlinkSync(join(atlas, file), join(repo, 'snapshots', commit, file));
  expect(modelPath('google/gemma-3-1b-it')).toBe(join(repo, 'snapshots', commit));
  expect(modelPath(`google/gemma-3-1b-it@${commit}`)).toBe(join(repo, 'snapshots', commit));
  process.env.HF_HUB_CACHE = join(home, 'nowhere');
  expect(() => modelPath('google/gemma-3-1b-it')).toThrow(/loupe pull/);
});

test('the command: pulls, says so, and the model runs; Ctrl-C leaves what is here', async () => {
  await start();
  const loupe = (args: string[], stop?: () => boolean) =>
    new Promise<{ status: number | null; stdout: string; stderr: string }>(resolve => {
      const child = spawn(process.execPath, [join(packageRoot(), 'dist/lab/cli/loupe.js'), ...args], {
        env: { ...process.env, HF_HOME: home, HF_ENDPOINT: hubUrl },
      });
      let [stdout, stderr] = ['', ''];
      child.stdout.on('data', part => (stdout += part));
      child.stderr.on('data', part => (stderr += part));
      child.on('close', status => resolve({ status, stdout, stderr }));
      // Once: a second Ctrl-C would end it whatever it does.
      const timer = stop && setInterval(() => stop() && child.kill('SIGINT') && clearInterval(timer), 50);
      child.on('close', () => clearInterval(timer));
    });
  expect(await loupe(['pull', 'no name'])).toMatchObject({
    status: 2,
    stderr: expect.stringMatching(/'no name' is no name on a hub/),
  });
  hub.stalls = [200_000];
  const incomplete = join(home, 'hub/models--org--atlas/blobs', `${sha256(weights)}.incomplete`);
  const half = () => (statSync(incomplete, { throwIfNoEntry: false })?.size ?? 0) === 200_000;
  expect((await loupe(['pull', 'org/atlas'], half)).status).toBe(130);
  expect(half()).toBe(true);
  const first = await loupe(['pull', 'org/atlas']);
  expect(fileRequests().at(-1)).toBe('model.safetensors bytes=200000-');
  expect(first).toMatchObject({
    status: 0,
    stdout: expect.stringMatching(/org\/atlas: .* fetched in .* checked by their hashes/),
  });
  expect((await loupe(['pull', 'org/atlas'])).stdout).toMatch(/was here already/);
  const ran = await loupe(['generate', '--model', 'org/atlas', '--prompt', 'The capital of France is', '-n', '4']);
  expect([ran.status, ran.stdout.length > 3]).toEqual([0, true]);
  const info = await loupe(['info', '--model', 'org/nothing']);
  expect(info).toMatchObject({
    status: 2,
    stderr: expect.stringMatching(/If the hub has it: loupe pull org\/nothing/),
  });
}, 60_000);
