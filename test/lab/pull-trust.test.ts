// Whom a pull trusts with what: the token, the list of files, the cache, and another pull at the same time.

import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { PullError } from '../../engine/errors.js';
import { packageRoot } from '../../engine/files.js';
import { modelPath } from '../../lab/session/open.js';
import { authorization, endpoint } from '../../lab/pull/ask.js';
import { lock } from '../../lab/pull/lock.js';
import { hubName } from '../../lab/pull/name.js';
import { type PullOptions, pull } from '../../lab/pull/pull.js';
import { freshFolder } from '../fixtures/folder.js';
import { sha256, TestHub } from '../fixtures/hub.js';

const atlas = join(packageRoot(), 'golden/atlas');
const weights = readFileSync(join(atlas, 'model.safetensors'));
const files = new Map(
  ['config.json', 'tokenizer.model', 'model.safetensors'].map(name => [name, readFileSync(join(atlas, name))]),
);
const hubs: TestHub[] = [];
let home: string;

async function start(): Promise<[TestHub, string]> {
  const hub = new TestHub({ repo: 'org/atlas', files });
  hubs.push(hub);
  return [hub, await hub.listen()];
}
const get = (hubUrl: string, options: PullOptions = {}) =>
  pull(hubName('org/atlas')!, { hubUrl, patience: 1, ...options });

beforeEach(() => {
  home = freshFolder();
  for (const key of Object.keys(process.env)) if (/^(HF_|HUGGING)/.test(key)) delete process.env[key];
  process.env.HF_HOME = home;
  process.env.HF_TOKEN = 'secret';
});
afterEach(() => {
  for (const hub of hubs.splice(0)) hub[Symbol.dispose]();
  delete process.env.HF_HOME;
  delete process.env.HF_TOKEN;
});

test('the token goes to the hub: not to the host that files come from, nor to one that the list of files goes on at', async () => {
  const [hub, hubUrl] = await start();
  const [elsewhere, elsewhereUrl] = await start();
  hub.network = elsewhereUrl;
  hub.next = () => `${elsewhereUrl}/api/models/org/atlas/tree/${hub.commit}?cursor=2`;
  await get(hubUrl);
  expect(existsSync(join(modelPath('org/atlas'), 'model.safetensors'))).toBe(true);
  expect(elsewhere.authorized.map(line => line.replace(/ .*/, '').split('/').at(-1))).toEqual([
    hub.commit,
    'config.json',
    'tokenizer.model',
    'model.safetensors',
  ]);
  expect(elsewhere.authorized.filter(line => !line.endsWith(' nobody'))).toEqual([]);
  expect(hub.authorized.length).toBeGreaterThan(4);
  expect(hub.authorized.filter(line => !line.endsWith(' Bearer secret'))).toEqual([]);
});

test('the hub itself is one scheme, host and port', () => {
  const sent = (url: string) => 'authorization' in authorization(url, 'https://hub.example/mirror', 'secret');
  expect(sent('https://hub.example/api/x')).toBe(true);
  expect(sent('https://HUB.example:443/api/x')).toBe(true);
  for (const other of [
    'http://hub.example/api/x',
    'https://hub.example:444/',
    'https://hub.example.evil/',
    'https://evil/hub.example',
    'https://hub.example@evil/',
    'https://cdn.hub.example/',
  ]) {
    expect([other, sent(other)]).toEqual([other, false]);
  }
});

test('an address of a hub that is none, or has a password in it, is refused; the password is not shown', () => {
  expect(endpoint('https://hub.example/mirror//')).toBe('https://hub.example/mirror');
  for (const [address, message] of [
    ['hub', /'hub' is no address of a hub/],
    ['', /is no address of a hub/],
    ['file:///etc', /asked by https, not by file/],
    ['javascript:alert(1)', /not by javascript/],
    ['https://me:hunter2@hub.example', /at hub.example has a name or a password in it/],
    ['https://hunter2@hub.example', /has a name or a password/],
  ] as const) {
    expect(() => endpoint(address)).toThrow(PullError);
    expect(() => endpoint(address)).toThrow(message);
    expect(() => endpoint(address)).not.toThrow(/hunter2/);
  }
});

test.each(['two\nlines', 'a b', 'tökén', 'x\0'])(
  'a token that can be none is refused and not shown: %j',
  async token => {
    const [hub, hubUrl] = await start();
    delete process.env.HF_TOKEN;
    writeFileSync(join(home, 'token'), token);
    const failed = await get(hubUrl).catch(error => error);
    expect(failed).toBeInstanceOf(PullError);
    expect(failed.message).toMatch(/The token in .*token has spaces, line ends or other signs in it\. Set it again\./);
    expect(failed.message).not.toContain(token);
    expect(hub.log).toEqual([]);
  },
);

test('a list of files has an end: in a circle, for ever, too long, silent', async () => {
  const [hub, hubUrl] = await start();
  const page = (n: number) => `${hubUrl}/api/models/org/atlas/tree/${hub.commit}?cursor=${n}`;
  hub.next = () => page(7);
  await expect(get(hubUrl)).rejects.toThrow(/goes on listing files in a circle/);
  const [other, otherUrl] = await start();
  other.next = n => `${otherUrl}/api/models/org/atlas/tree/${other.commit}?cursor=${n}`;
  await expect(get(otherUrl)).rejects.toThrow(/goes on listing files after 200 pages/);
  expect(other.log.length).toBe(200);
});

test.each([
  { path: 'a\u001b]52;c;AAAA\u0007.gguf' },
  { path: 'a\0.gguf' },
  { path: 7 },
  { path: null },
  { path: 'a.gguf', size: -1 },
  { path: 'a.gguf', size: 'x' },
])('an entry of the list that is no file: %j', async entry => {
  const { createServer } = await import('node:http');
  const server = createServer((request, response) => {
    const list = [{ type: 'file', size: 4, oid: 'a'.repeat(40), ...entry }];
    response.end(JSON.stringify(request.url!.includes('/tree/') ? list : { id: 'org/atlas', sha: 'a'.repeat(40) }));
  }).listen(0, '127.0.0.1');
  await new Promise(done => server.once('listening', done));
  try {
    await expect(get(`http://127.0.0.1:${(server.address() as { port: number }).port}`)).rejects.toThrow(PullError);
  } finally {
    server.closeAllConnections();
    server.close();
  }
});

test('two pulls at once are one download, and both succeed', async () => {
  const [hub, hubUrl] = await start();
  const both = await Promise.all([get(hubUrl), get(hubUrl)]);
  expect(both.map(({ path }) => path)).toEqual([modelPath('org/atlas'), modelPath('org/atlas')]);
  const total = [...files.values()].reduce((n, data) => n + data.length, 0);
  expect(both[0].fetched + both[1].fetched).toBe(total);
  const fetched = hub.log.filter(line => line.includes('/resolve/'));
  expect(fetched).toHaveLength(3);
  expect(readdirSync(join(home, 'hub/models--org--atlas/blobs')).sort()).toEqual(
    readdirSync(join(home, 'hub/models--org--atlas/blobs')).filter(name => /^[0-9a-f]+$/.test(name)),
  );
  expect(sha256(readFileSync(join(modelPath('org/atlas'), 'model.safetensors')))).toBe(sha256(weights));
});

test('so are two processes; and one that was killed holds nobody up', async () => {
  const [hub, hubUrl] = await start();
  const loupe = () => {
    const child = spawn(
      process.execPath,
      [join(packageRoot(), 'dist/lab/cli/loupe.js'), 'pull', 'org/atlas', '--json'],
      {
        env: { ...process.env, HF_ENDPOINT: hubUrl },
      },
    );
    let said = '';
    child.stdout.on('data', part => (said += part));
    child.stderr.on('data', part => (said += part));
    const ended = new Promise<string>(resolve => child.on('close', code => resolve(`${code} ${said}`)));
    return { child, ended };
  };
  hub.stalls = [100_000];
  const killed = loupe();
  while (!hub.log.some(line => line.includes('model.safetensors'))) await new Promise(done => setTimeout(done, 20));
  killed.child.kill('SIGKILL');
  await killed.ended;
  const blobs = join(home, 'hub/models--org--atlas/blobs');
  expect(readdirSync(blobs).filter(name => name.endsWith('.lock'))).toHaveLength(1);
  const ended = await Promise.all([loupe().ended, loupe().ended]);
  for (const text of ended) expect(text).toMatch(/^0 /);
  expect(readdirSync(blobs).filter(name => /\./.test(name))).toEqual([]);
  expect(sha256(readFileSync(join(modelPath('org/atlas'), 'model.safetensors')))).toBe(sha256(weights));
}, 60_000);

test('a lock of a live process is waited for, of a dead one or of rubbish that is old it is not', async () => {
  const path = join(home, 'x.lock');
  let waited = 0;
  const first = await lock(path);
  const second = lock(path, undefined, () => (waited += 1));
  await new Promise(done => setTimeout(done, 300));
  expect(waited).toBeGreaterThan(0);
  first[Symbol.dispose]();
  (await second)[Symbol.dispose]();
  expect(existsSync(path)).toBe(false);
  writeFileSync(path, JSON.stringify({ host: hostname(), pid: 2 ** 22 - 3, id: 'gone' }));
  (await lock(path))[Symbol.dispose]();
  const stop = new AbortController();
  writeFileSync(path, 'half writ');
  const waiting = lock(path, stop.signal, () => stop.abort(new Error('stopped')));
  await expect(waiting).rejects.toThrow(/stopped/);
});

test('a cache that cannot be written is told in a sentence', async () => {
  const [, hubUrl] = await start();
  process.env.HF_HOME = join(home, 'file');
  writeFileSync(process.env.HF_HOME, '');
  await expect(get(hubUrl)).rejects.toThrow(/cannot be written \(ENOTDIR\)\. Set HF_HOME/);
  process.env.HF_HOME = home;
  mkdirSync(join(home, 'hub/models--org--atlas'), { recursive: true });
  writeFileSync(join(home, 'hub/models--org--atlas/blobs'), '');
  await expect(get(hubUrl)).rejects.toThrow(PullError);
});
