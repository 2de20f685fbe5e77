// A sweep into a bucket of another's make: moto, which is S3 for tests of boto3. Sent by two workers and through Ray, verified there, and read there by pyarrow and Polars.

import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { CreateMultipartUploadCommand, S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { packageRoot } from '../../engine/files.js';
import { Bucket } from '../../lab/sweep/bucket.js';
import { freshFolder } from '../fixtures/folder.js';

const root = packageRoot();
const python = join(root, '.loupe', 'check', 'bin', 'python');
const loupe = join(root, 'dist', 'lab', 'cli', 'loupe.js');
const folder = freshFolder();
const at = (...names: string[]) => join(folder, ...names);
let server: ChildProcess;
let endpoint: string;

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address() as { port: number };
  probe.close();
  return port;
}

beforeAll(async () => {
  const port = await freePort();
  endpoint = `127.0.0.1:${port}`;
  const own = {
    AWS_ENDPOINT_URL: `http://${endpoint}`,
    AWS_ACCESS_KEY_ID: 'somebody',
    AWS_SECRET_ACCESS_KEY: 'secret',
    LOUPE_RAY_PYTHON: join(root, '.loupe', 'ray', 'bin', 'python'),
    LOUPE_ADAPTER: process.env.LOUPE_ADAPTER || 'auto',
  };
  Object.assign(process.env, own);
  server = spawn(python, ['-m', 'moto.server', '-H', '127.0.0.1', '-p', `${port}`], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  server.stderr!.on('data', chunk => (said += chunk));
  for (const until = Date.now() + 60_000; ; await new Promise(done => setTimeout(done, 100))) {
    const made = await fetch(`http://${endpoint}/data`, { method: 'PUT' }).catch(() => null);
    if (made?.ok) break;
    if (server.exitCode !== null || Date.now() > until) throw new Error(`moto did not start:\n${said}`);
  }
  const words = 'The capital of France is Once upon a time there was a house of seven kings in Italy'.split(' ');
  const prompts = Array.from({ length: 40 }, (_, i) =>
    Array.from({ length: 3 + (i % 9) }, (_, j) => words[(i * 7 + j * (1 + (i % 5))) % words.length]).join(' '),
  );
  writeFileSync(at('prompts.jsonl'), prompts.map(prompt => `${JSON.stringify({ prompt })}\n`).join(''));
}, 90_000);

afterAll(async () => {
  if (server.exitCode !== null) return;
  server.kill('SIGTERM');
  await once(server, 'exit');
});

/** Not spawnSync: what moto says would wait, and moto with it. */
async function run(command: string, ...args: string[]): Promise<{ status: number | null; out: string; err: string }> {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  const [said, wrong]: string[][] = [[], []];
  child.stdout.on('data', chunk => said.push(String(chunk)));
  child.stderr.on('data', chunk => wrong.push(String(chunk)));
  await once(child, 'close');
  return {
    status: child.exitCode,
    out: said.join(''),
    err: wrong.join('').replace(/^(Warning: max|.*\[Dawn).*\n/gm, ''),
  };
}
const sweep = (...args: string[]) => run(process.execPath, loupe, 'sweep', ...args);

function plan(name: string, out: string): string {
  const keep = { tap: ['layers.3.resid', 'layers.5.resid'], loss: true };
  writeFileSync(at(`${name}.json`), JSON.stringify({ prompts: 'prompts.jsonl', keep, shard: 10, out }));
  return at(`${name}.json`);
}

test('two workers send what a folder has; it is verified there, and read there by others', async () => {
  expect((await sweep(plan('folder', 'folder'))).status).toBe(0);
  const two = await sweep(plan('two', 's3://data/a/two'), '--workers', '2');
  expect([two.status, two.out, two.err]).toEqual([0, expect.stringMatching(/4 of 4 shards stand/), '']);
  const verified = await sweep('verify', 's3://data/a/two');
  expect([verified.status, verified.out]).toEqual([
    0,
    expect.stringMatching(/^s3:\/\/data\/a\/two: 4 shards in 12 files, .*; all is as it was written/),
  ]);
  const bucket = new Bucket('s3://data/a/two');
  const files = (readdirSync(at('folder'), { recursive: true }) as string[]).filter(name => name.endsWith('.parquet'));
  expect((await bucket.list('')).filter(name => name.endsWith('.parquet')).sort()).toEqual(files.sort());
  for (const file of files) expect((await bucket.read(file))!.equals(readFileSync(at('folder', file)))).toBe(true);
  const { out, err } = await run(python, join(root, 'test', 'slow', 'bucket.py'), endpoint, 'data/a/two', at('folder'));
  expect(err).toBe('');
  const rows = JSON.parse(out);
  expect(rows).toEqual({
    activations: [expect.any(Number), true],
    ledger: [40, true],
    polars: rows.activations[0] / 2,
  });
  const again = await sweep(at('two.json'));
  expect(again.out).toMatch(/4 of 4 shards stand, 4 of which stood before/);
}, 120_000);

test('through Ray the same, straight from the workers', async () => {
  const { status, err } = await sweep(
    plan('ray', 's3://data/ray'),
    '--ray',
    'local',
    '--workers',
    '1',
    '--deadline',
    '100',
  );
  expect([status, err]).toEqual([0, '']);
  const bucket = new Bucket('s3://data/ray');
  const files = (await bucket.list('')).filter(name => name.endsWith('.parquet'));
  expect(files).toHaveLength(12);
  for (const file of files) expect((await bucket.read(file))!.equals(readFileSync(at('folder', file)))).toBe(true);
}, 120_000);

test('what is sent in parts, what was left half sent, and what is not there', async () => {
  const bucket = new Bucket('s3://data/large');
  const bytes = randomBytes((16 << 20) * 2 + 777);
  using file = bucket.aside('x/y.parquet');
  file.write(bytes);
  await file.commit();
  const parts: Uint8Array[] = [];
  for await (const part of bucket.stream('x/y.parquet')) parts.push(part);
  expect(Buffer.concat(parts).equals(bytes)).toBe(true);
  expect(Buffer.from(await bucket.part('x/y.parquet', 20_000_000, 20_000_100))).toEqual(
    bytes.subarray(20_000_000, 20_000_100),
  );
  expect(await bucket.leftover()).toEqual([]);
  const client = new S3Client({ region: 'us-east-1', forcePathStyle: true });
  await client.send(new CreateMultipartUploadCommand({ Bucket: 'data', Key: 'large/x/z.parquet' }));
  const [left] = await bucket.leftover();
  expect([left.name, left.since < Date.now()]).toEqual(['x/z.parquet', true]); // moto says 2010 of all
  await left.discard();
  expect(await bucket.leftover()).toEqual([]);
  expect(await bucket.read('nothing')).toBe(null);
  await expect(new Bucket('s3://nobody/x').prepare()).rejects.toThrow(/there is no bucket 'nobody' at 127\.0\.0\.1/);
});
