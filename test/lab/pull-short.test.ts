// Files that come whole and are not what the hub's list promised, and lists that are none: a sentence after a few requests, where there were
// requests without end and words of an interpreter.

import { mkdirSync, existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { PullError } from '../../engine/errors.js';
import { packageRoot } from '../../engine/files.js';
import { hubName } from '../../lab/pull/name.js';
import { pull } from '../../lab/pull/pull.js';
import { transfer } from '../../lab/pull/transfer.js';
import { freshFolder } from '../fixtures/folder.js';
import { type ListedFile, sha256, TestHub } from '../fixtures/hub.js';

const atlas = join(packageRoot(), 'golden/atlas');
const NAMES: readonly string[] = ['config.json', 'tokenizer.model', 'model.safetensors'];
const files = new Map(NAMES.map(name => [name, readFileSync(join(atlas, name))]));
const weights = files.get('model.safetensors')!;

let hub: TestHub;
let hubUrl: string;
let home: string;
beforeEach(async () => {
  for (const key of Object.keys(process.env)) if (/^(HF_|HUGGING)/.test(key)) delete process.env[key];
  home = freshFolder();
  process.env.HF_HOME = home;
  hub = new TestHub({ repo: 'org/atlas', files });
  hubUrl = await hub.listen();
});
afterEach(() => {
  hub[Symbol.dispose]();
  delete process.env.HF_HOME;
});

const refusal = () =>
  pull(hubName('org/atlas')!, { hubUrl, patience: 1 }).then(
    () => expect.fail('it was fetched'),
    (error: Error) => {
      expect(error).toBeInstanceOf(PullError);
      return error.message;
    },
  );
const requests = (name: string) => hub.log.filter(line => line.includes(`/resolve/`) && line.includes(name)).length;
const blobs = () => join(home, 'hub/models--org--atlas/blobs');
const incomplete = () => join(blobs(), `${sha256(weights)}.incomplete`);

// The list says so much more than there is: of a server that says how long its answer is, and of one that does not.
for (const chunked of [false, true])
  for (const more of [10, -10, 1_000_000])
    test(`a list that promises ${more} bytes more than the file has${chunked ? ', in chunks' : ''}`, async () => {
      hub.chunked = chunked;
      hub.list = right =>
        right.map(entry => ({
          ...entry,
          ...(entry.lfs && { lfs: { ...entry.lfs, size: entry.lfs.size + more }, size: entry.size + more }),
        }));
      const { length } = files.get('tokenizer.model')!;
      expect(await refusal()).toMatch(
        chunked && more < 0
          ? new RegExp(`sends more than the ${length + more} bytes of tokenizer.model`)
          : new RegExp(
              `gives ${length} bytes, and tokenizer.model has ${length + more} in the hub's list: it is another file`,
            ),
      );
      expect(requests('tokenizer.model')).toBe(1);
    });

for (const chunked of [false, true])
  test(`a page to log in to in the place of the weights${chunked ? ', in chunks' : ''}; what was fetched before stays`, async () => {
    hub.chunked = chunked;
    hub.instead = (path, data) => (path === 'model.safetensors' ? Buffer.from('<html>login</html>') : data);
    expect(await refusal()).toMatch(/gives 18 bytes, and model.safetensors has \d+ in the hub's list: .* log in/);
    expect(requests('model.safetensors')).toBe(1);
    expect(existsSync(incomplete()) && statSync(incomplete()).size > 0).toBe(false);
    if (chunked) return;
    // A part that is here is not written over by such a page, and goes on afterwards.
    writeFileSync(incomplete(), weights.subarray(0, 100_000));
    expect(await refusal()).toMatch(/gives 18 bytes/);
    expect(statSync(incomplete()).size).toBe(100_000);
    hub.instead = null;
    expect((await pull(hubName('org/atlas')!, { hubUrl, patience: 1 })).fetched).toBe(weights.length - 100_000);
  });

test('a file that became shorter while a part of it is here', async () => {
  const short = weights.subarray(0, 200_000);
  hub.instead = (path, data) => (path === 'model.safetensors' ? short : data);
  mkdirSync(blobs(), { recursive: true });
  writeFileSync(incomplete(), short);
  expect(await refusal()).toMatch(/gives 200000 bytes, and model.safetensors has \d+/);
  expect(requests('model.safetensors')).toBe(1);
  // One that does not say how long it is when it is asked for what it has not.
  hub.chunked = true;
  expect(await refusal()).toMatch(/gives 200000 bytes, and model.safetensors has \d+/);
  expect(requests('model.safetensors')).toBe(3);
});

test('answers without a length, chunks or ranges that end early, over and over: six attempts without progress, and a sentence', async () => {
  let asked = 0;
  const server: Server = createServer(socket => {
    socket.on('error', () => {});
    socket.on('data', request => {
      asked += 1;
      const ranged = /\r\nrange: bytes=/i.test(request.toString());
      socket.end(ranged ? 'HTTP/1.0 416 No\r\n\r\n' : 'HTTP/1.0 200 OK\r\n\r\nabc');
    });
  });
  await new Promise<void>(done => server.listen(0, '127.0.0.1', done));
  const url = `http://127.0.0.1:${(server.address() as { port: number }).port}/x`;
  const file = { path: 'x', size: 10, hash: 'a'.repeat(64) };
  const options = { url, patience: 1, idle: 5000, onBytes: () => {} };
  await expect(transfer(file, home, join(home, 'x'), options)).rejects.toThrow(
    /^x could not be fetched from .*: .*What is here stays/,
  );
  server.close();
  expect(asked).toBe(7); // the first brought three bytes
});

const LISTS: readonly [string, (right: readonly ListedFile[]) => unknown][] = [
  ['nothing in front', right => [null, ...right]],
  ['null', () => null],
  ['an object', () => ({ error: 'x' })],
  ['a number', () => 7],
  ['a text', () => 'files'],
  ['numbers', () => [1, 2]],
  ['lists', () => [[]]],
  ['an entry without a type', () => [{}]],
  ['texts', () => ['config.json']],
  ['an entry that says nothing', () => [{ type: 'file' }]],
  ['no path', right => right.map(({ path: _, ...entry }) => entry)],
  ['a path that is a list', right => right.map(entry => ({ ...entry, path: ['config.json'] }))],
  ['lfs that is null or a number', right => right.map((entry, i) => ({ ...entry, oid: 5, lfs: i ? 7 : null }))],
  ['sizes that are none', right => right.map(entry => ({ ...entry, size: 1.5, lfs: undefined }))],
  ['sizes that are texts', right => right.map(entry => ({ ...entry, size: '7', lfs: undefined }))],
  ['negative sizes', right => right.map(entry => ({ ...entry, size: -7, lfs: undefined }))],
];
for (const [name, list] of LISTS)
  test(`a list of files that is none: ${name}`, async () => {
    hub.list = list;
    expect(await refusal()).toMatch(
      /answers for org\/atlas with what is no hub's list of files\. Check HF_ENDPOINT|^The hub lists .*, which is no file to fetch/,
    );
    expect(requests('')).toBe(0);
  });

const ABOUT: readonly [string, (right: { readonly sha: string }) => unknown][] = [
  ['null', () => null],
  ['a text', () => 'atlas'],
  ['no commit', ({ sha: _, ...right }) => right],
  ['a commit that is a path', right => ({ ...right, sha: '../../../../tmp/evil' })],
  ['a commit that is a number', right => ({ ...right, sha: 5 })],
  ['a commit that is a list', right => ({ ...right, sha: [right.sha] })],
];
for (const [name, about] of ABOUT)
  test(`what the hub says of the model is none: ${name}`, async () => {
    hub.about = about;
    expect(await refusal()).toMatch(
      /answers for org\/atlas with what is no hub's list of files\. Check HF_ENDPOINT|names no commit for org\/atlas@main/,
    );
    expect(requests('')).toBe(0);
    expect(existsSync(home) ? readdirSync(home) : []).toEqual([]);
  });
