// Sweeps into a bucket: the files of a folder, byte for byte, though its storage is busy, silent, or gone for a while; and one sentence where it cannot be written to.

import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { packageRoot } from '../../engine/files.js';
import { dataset, sweep as sweepInACell } from '../../lab/index.js';
import { Bucket } from '../../lab/sweep/bucket.js';
import { lookThrough } from '../../lab/sweep/sweep.js';
import { WorkerProcess } from '../../lab/sweep/worker-process.js';
import { BucketServer } from '../fixtures/bucket.js';
import { command } from '../fixtures/command.js';
import { freshFolder } from '../fixtures/folder.js';

const folder = freshFolder();
const at = (...names: string[]) => join(folder, ...names);
const LOUPE = join(packageRoot(), 'dist/lab/cli/loupe.js');
const server = new BucketServer();
const scratch = at('scratch');
mkdirSync(scratch);
writeFileSync(at('p.jsonl'), [0, 1, 2, 3, 4].map(i => JSON.stringify([2, 300 + i, 40 + i, 7])).join('\n'));

const PLAN = { model: 'atlas', prompts: 'p.jsonl', shard: 2, keep: { tap: 'layers.5.resid' } };
function plan(name: string, more: object = {}): string {
  writeFileSync(at(`${name}.json`), JSON.stringify({ ...PLAN, out: `s3://data/${name}`, ...more }));
  return at(`${name}.json`);
}

beforeAll(() => server.start());
afterAll(() => server[Symbol.asyncDispose]());
beforeEach(() => {
  server.mood = () => null;
  server.asked.length = 0;
  const environment = {
    AWS_ENDPOINT_URL: server.url,
    AWS_ACCESS_KEY_ID: 'somebody',
    AWS_SECRET_ACCESS_KEY: 'secret',
    AWS_CONFIG_FILE: at('none'),
    AWS_SHARED_CREDENTIALS_FILE: at('none'),
    AWS_EC2_METADATA_DISABLED: 'true',
    TMPDIR: scratch,
  };
  for (const [name, value] of Object.entries(environment)) vi.stubEnv(name, value);
});

/** The files of a data set that are in the bucket. */
const sent = (name: string) =>
  new Map(
    [...server.files].flatMap(([key, bytes]) =>
      key.startsWith(`${name}/`) ? [[key.slice(name.length + 1), bytes] as const] : [],
    ),
  );
const parquet = (names: Iterable<string>) => [...names].filter(name => name.endsWith('.parquet')).sort();
const records = (name: string) => [...sent(name).keys()].filter(key => /^_shards\/[0-9a-f]{32}\.json$/.test(key));
/** That the data set is, byte by byte, the one of a folder. */
function expectAsInAFolder(name: string): void {
  const files = parquet(readdirSync(at('folder'), { recursive: true }) as string[]);
  expect(parquet(sent(name).keys())).toEqual(files);
  for (const file of files)
    expect(
      sent(name)
        .get(file)!
        .equals(readFileSync(at('folder', file))),
    ).toBe(true);
}

test('what a folder has, by one worker and by two, straight into the bucket', async () => {
  expect((await command('sweep', plan('folder', { out: 'folder' }))).status).toBe(0);
  const path = plan('one');
  const listed = await command('sweep', path, '--shards');
  expect(listed.stdout.trim().split('\n')).toHaveLength(3);
  server.asked.length = 0;
  const one = await command('sweep', path);
  expect([one.status, one.stdout]).toEqual([
    0,
    expect.stringMatching(/^s3:\/\/data\/one: 3 of 3 shards stand; 25 rows/),
  ]);
  expectAsInAFolder('one');
  // A start: whether the bucket is there, the ranges of the prompts, what stands. A shard: whether it stands, its files, its record. The end: the records, the manifest, what was left half sent.
  expect(server.counts()).toEqual({ list: 2, get: 1 + 3 * (1 + 1), put: 3 * 3 + 1, uploads: 1 });
  const two = await command('sweep', plan('two'), '--workers', '2');
  expect([two.status, two.stdout]).toEqual([0, expect.stringMatching(/3 of 3 shards stand; 25 rows/)]);
  expectAsInAFolder('two');
  expect(readdirSync(scratch)).toEqual([]);
  expect((await command('sweep', path)).stdout).toMatch(/3 of 3 shards stand, 3 of which stood before; 0 rows/);
  expect((await command('sweep', path, '--dry-run')).stdout).toMatch(/all 3 shards stand/);
  server.files.delete(`one/${records('one')[0]}`);
  expect((await command('sweep', path, '--finish')).stdout).toMatch(/2 of 3 shards stand, 1 are missing/);
  expect((await command('sweep', path, '--dry-run')).stdout).toMatch(/In all \d runs in 1 shards/);
  expect((await command('sweep', path)).stdout).toMatch(/3 of 3 shards stand, 2 of which stood before/);
  expectAsInAFolder('one');
});

test('verify reads it there, and names what is changed, missing or too many', async () => {
  const verified = async () => {
    const { status, stdout } = await command('sweep', 'verify', 's3://data/one');
    return [status, stdout] as const;
  };
  expect(await verified()).toEqual([
    0,
    expect.stringMatching(/^s3:\/\/data\/one: 3 shards in 6 files, 25 rows, .*; all is as it was written/),
  ]);
  const [first, second] = parquet(sent('one').keys());
  const whole = server.files.get(`one/${first}`)!;
  const other = Buffer.from(whole);
  other[20] ^= 1;
  server.files.set(`one/${first}`, other);
  server.files.set('one/ledger/more.parquet', whole);
  const gone = server.files.get(`one/${second}`)!;
  server.files.delete(`one/${second}`);
  const [status, said] = await verified();
  expect(status).toBe(1);
  expect(said).toMatch(/resid\/[0-9a-f]{32}\.parquet has other bytes than were written\. Delete _shards/);
  expect(said).toMatch(new RegExp(`${second} is not there`));
  expect(said).toMatch(/ledger\/more\.parquet is of no shard that stands/);
  server.files.set(`one/${first}`, whole).set(`one/${second}`, gone).delete('one/ledger/more.parquet');
  const none = await command('sweep', 'verify', 's3://data/nothing');
  expect([none.status, none.stderr]).toEqual([
    2,
    expect.stringMatching(
      /^loupe: s3:\/\/data\/nothing has no _manifest\.json of a sweep\. Give the folder or the s3:/,
    ),
  ]);
});

test('a file that is larger than a part is sent in parts, and what was left half sent is taken away', async () => {
  const bytes = randomBytes((16 << 20) * 2 + 12345);
  const bucket = new Bucket('s3://data/large/');
  using file = bucket.aside('a/b.parquet');
  file.write(bytes.subarray(0, 100));
  file.write(bytes.subarray(100));
  expect(readdirSync(scratch)).toHaveLength(1);
  await file.commit();
  expect(readdirSync(scratch)).toEqual([]);
  expect(server.files.get('large/a/b.parquet')!.equals(bytes)).toBe(true);
  expect(server.counts()).toEqual({ begin: 1, part: 3, complete: 1 });
  expect(Buffer.from(await bucket.part('a/b.parquet', 5, 25)).equals(bytes.subarray(5, 25))).toBe(true);
  {
    using dropped = bucket.aside('a/c.parquet');
    dropped.write(bytes.subarray(0, 100));
  }
  expect(readdirSync(scratch)).toEqual([]);
  const old = new Date(Date.now() - 2 * 3_600_000);
  const upload = (key: string, since: Date) => server.uploads.set(key, { key, parts: new Map(), since });
  upload('one/ledger/old.parquet', old).set(
    'b',
    upload('one/ledger/new.parquet', new Date()).get('one/ledger/new.parquet')!,
  );
  upload('onemore/ledger/old.parquet', old);
  server.uploads.delete('one/ledger/new.parquet');
  expect((await command('sweep', 'verify', 's3://data/one')).stdout).toMatch(/ledger\/old\.parquet is half written/);
  expect((await command('sweep', at('one.json'), '--finish')).status).toBe(0);
  expect([...server.uploads.values()].map(({ key }) => key).sort()).toEqual([
    'one/ledger/new.parquet',
    'onemore/ledger/old.parquet',
  ]);
  server.uploads.clear();
});

test('what ended processes left in a folder is named, and taken away when nothing is missing and it is an hour old', async () => {
  const left = (name: string, hours: number) => {
    const path = at('folder', 'ledger', `.loupe-${name.repeat(36)}.part`);
    writeFileSync(path, 'PAR1');
    utimesSync(path, new Date(), new Date(Date.now() - hours * 3_600_000));
    return path;
  };
  const [old, young] = [left('a', 1.1), left('b', 0.5)];
  writeFileSync(at('folder', 'ledger', 'mine.part'), 'PAR1');
  const { status, stdout } = await command('sweep', 'verify', at('folder'));
  expect(status).toBe(0);
  expect(stdout.match(/is half written/g)).toHaveLength(2);
  expect(stdout).toMatch(/\nledger\/\.loupe-a{36}\.part is half written/);
  const record = readdirSync(at('folder', '_shards')).find(name => /^[0-9a-f]{32}/.test(name))!;
  const kept = readFileSync(at('folder', '_shards', record));
  const fresh = plan('folder', { out: 'folder' });
  spawnSync('rm', [at('folder', '_shards', record)]);
  expect((await command('sweep', fresh, '--finish')).status).toBe(1);
  expect([old, young].map(path => existsSync(path))).toEqual([true, true]); // somebody may be at it
  writeFileSync(at('folder', '_shards', record), kept);
  expect((await command('sweep', fresh)).status).toBe(0);
  expect([old, young, at('folder', 'ledger', 'mine.part')].map(path => existsSync(path))).toEqual([false, true, true]);
  spawnSync('rm', [young, at('folder', 'ledger', 'mine.part')]);
});

test('addresses of other kinds, and of what is read, are among the problems of a plan', async () => {
  const told = async (more: object) => (await command('sweep', plan('wrong', more), '--shards')).stderr;
  for (const out of ['gs://data/x', 'https://data/x', 's3://D/x', 's3:/data/x', 's3://data_/x', 'S3://data/x'])
    expect(await told({ out })).toMatch(
      new RegExp(
        `^loupe: .*wrong\\.json: out: '${out}' is neither a folder nor s3://bucket/prefix, .* give the folder\\.\n$`,
      ),
    );
  const all = await told({ out: 'gs://data/x', prompts: 's3://data/p.jsonl', tokenizer: 'https://x/t.json', shard: 0 });
  expect(all).toMatch(/has 4 problems/);
  expect(all).toMatch(
    /prompts is a file that every worker finds, and 's3:\/\/data\/p\.jsonl' is an address\. Copy it, as by aws s3 cp/,
  );
  expect(all).toMatch(/tokenizer is a file that every worker finds/);
  await expect(dataset('s3://data/one')).rejects.toThrow(
    "dataset() reads a folder, and 's3://data/one' is an address. Copy it: aws s3 sync s3://data/one DIR, then dataset('DIR').",
  );
  await expect(sweepInACell(plan('cell'))).rejects.toThrow(
    /loupe sweep .*cell\.json; then aws s3 sync s3:\/\/data\/cell DIR/,
  );
  expect(records('cell')).toEqual([]);
});

/** What is told where nothing can be written: one line, exit code 2. */
async function refused(name: string, more: object = {}): Promise<string> {
  const { status, stderr } = await command('sweep', plan(name, more));
  expect([status, stderr.split('\n').length]).toEqual([2, 2]);
  return stderr.replace(/^loupe: .*?\.json: /, '').trim();
}

test('what a storage refuses is one sentence with its cure', async () => {
  expect(await refused('x', { out: 's3://nobody/x' })).toMatch(
    /^s3:\/\/nobody\/x cannot be read: there is no bucket 'nobody' at 127\.0\.0\.1:\d+\. Make it, or give another; AWS_ENDPOINT_URL says/,
  );
  for (const [code, status, why] of [
    [
      'AccessDenied',
      403,
      /access is denied \(AccessDenied\)\. Who sweeps needs to list the bucket, and to get and put/,
    ],
    ['InvalidAccessKeyId', 403, /the credentials are refused \(InvalidAccessKeyId\)\. Credentials are taken as/],
    ['SignatureDoesNotMatch', 403, /the credentials are refused \(SignatureDoesNotMatch\)/],
    ['MethodNotAllowed', 405, /127\.0\.0\.1:\d+ refuses it \(MethodNotAllowed, 405\): It is MethodNotAllowed\. AWS_/],
  ] as const) {
    server.mood = () => ({ status, code });
    server.asked.length = 0;
    expect(await refused('x')).toMatch(why);
    expect(server.asked).toHaveLength(1);
  }
  server.mood = () => null;
  vi.stubEnv('AWS_ACCESS_KEY_ID', '');
  expect(await refused('x')).toMatch(
    /^s3:\/\/data\/x cannot be read: there are no credentials\. Credentials are taken as AWS's own/,
  );
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'somebody');
  vi.stubEnv('AWS_ENDPOINT_URL', 'minio:9000');
  expect(await refused('x')).toMatch(
    /AWS_ENDPOINT_URL is 'minio:9000', and it is where buckets are, http:\/\/HOST:PORT/,
  );
  vi.stubEnv('AWS_ENDPOINT_URL', 'http://me:secret@127.0.0.1:1');
  const closed = await refused('x');
  expect(closed).toMatch(
    /127\.0\.0\.1:1 does not answer \(ECONNREFUSED, asked 3 times\)\. What stands stays, and the same command/,
  );
  expect(closed).not.toMatch(/secret/);
  vi.stubEnv('AWS_ENDPOINT_URL', server.url);
  vi.stubEnv('LOUPE_STORAGE_TIMEOUT', 'soon');
  expect(await refused('x')).toMatch(/LOUPE_STORAGE_TIMEOUT is 'soon', and it is seconds/);
  const page = createServer(socket =>
    socket.end('HTTP/1.1 200 OK\r\ncontent-length: 16\r\n\r\n<html>hi</p>    '),
  ).listen(0, '127.0.0.1');
  await once(page, 'listening');
  vi.stubEnv('LOUPE_STORAGE_TIMEOUT', '');
  vi.stubEnv('AWS_ENDPOINT_URL', `http://127.0.0.1:${(page.address() as { port: number }).port}`);
  expect(await refused('x')).toMatch(/127\.0\.0\.1:\d+ answers as no storage of S3 does\. AWS_ENDPOINT_URL says/);
  page.close();
});

test('access that is denied in the middle ends the sweep, and what stands stays', async () => {
  server.mood = ({ what, key }) =>
    what === 'put' && key.startsWith('denied/') && records('denied').length === 1
      ? { status: 403, code: 'AccessDenied' }
      : null;
  for (const workers of ['1', '2']) {
    const { status, stderr } = await command('sweep', plan('denied'), '--workers', workers);
    expect([status, stderr]).toEqual([
      2,
      expect.stringMatching(
        /^loupe: s3:\/\/data\/denied\/.*\.parquet cannot be written: access is denied \(AccessDenied\)\. .*\n$/,
      ),
    ]);
    expect(records('denied')).toHaveLength(1);
  }
  expect(server.asked.filter(({ what, key }) => what === 'put' && key.endsWith('.parquet')).length).toBeLessThan(8);
  server.mood = () => null;
  expect((await command('sweep', plan('denied'))).stdout).toMatch(/3 of 3 shards stand, 1 of which stood before/);
  expectAsInAFolder('denied');
});

test('a storage that is busy, or that stops in the middle of an answer, is asked again', async () => {
  const seen = new Map<string, number>();
  server.mood = ({ what, key }) => {
    const before = seen.get(`${what} ${key}`) ?? 0;
    seen.set(`${what} ${key}`, before + 1);
    if (what === 'get') return null;
    return before < 2 ? { status: 503, code: 'SlowDown' } : before === 2 && key.includes('ledger') ? 'cut' : null;
  };
  const { status, stderr } = await command('sweep', plan('busy'));
  expect([status, stderr]).toEqual([0, '']);
  expectAsInAFolder('busy');
});

test('a storage that accepts and never answers: three times for one shard, then one sentence', async () => {
  vi.stubEnv('LOUPE_STORAGE_TIMEOUT', '0.2');
  server.mood = () => 'hang';
  const began = Date.now();
  expect(await refused('silent')).toMatch(
    /127\.0\.0\.1:\d+ does not answer \(TimeoutError, asked 3 times\)\. .* LOUPE_STORAGE_TIMEOUT how many seconds it may take\.$/,
  );
  expect(Date.now() - began).toBeLessThan(5000);
  writeFileSync(at('many.jsonl'), Array.from({ length: 40 }, (_, i) => `[2, ${300 + i}]`).join('\n'));
  const path = plan('silent', { prompts: 'many.jsonl', shard: 1 });
  for (const workers of ['1', '2']) {
    server.asked.length = 0;
    server.mood = ({ what, key }) =>
      what === 'put' && key.endsWith('.parquet') && records('silent').length > 1 ? 'hang' : null;
    const { status, stderr } = await command('sweep', path, '--workers', workers);
    expect([status, stderr]).toEqual([
      2,
      expect.stringMatching(
        /^loupe: .*\.parquet cannot be written: 127\.0\.0\.1:\d+ does not answer \(TimeoutError, asked \d times\)/,
      ),
    ]);
    const tried = new Set(
      server.asked.flatMap(({ what, key }) => (what === 'put' && key.includes('resid') ? [key] : [])),
    );
    expect(tried.size).toBeLessThan(6);
  }
  server.mood = () => null;
  expect((await command('sweep', path)).stdout).toMatch(/40 of 40 shards stand, [2-4] of which stood before/);
});

/** A sweep in a process of its own, and what it said. */
function started(path: string, ...args: string[]): { child: ChildProcess; said: () => string } {
  const child = spawn(process.execPath, [LOUPE, 'sweep', path, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', chunk => (said += chunk));
  return { child, said: () => said.replace(/^Warning: .*\n/gm, '') };
}
const until = async (holds: () => boolean) => {
  while (!holds()) await new Promise(done => setTimeout(done, 5));
};

test('a storage that dies in the middle: what stands stays, and the next start goes on', async () => {
  vi.stubEnv('LOUPE_STORAGE_TIMEOUT', '1');
  const mortal = new BucketServer();
  vi.stubEnv('AWS_ENDPOINT_URL', await mortal.start());
  mortal.mood = ({ what, key }) =>
    what === 'put' && key.endsWith('.parquet') && mortal.files.size > 4 ? 'hang' : null;
  const { child, said } = started(plan('mortal'));
  await until(() => mortal.files.size > 4);
  const { port } = new URL(mortal.url);
  await mortal[Symbol.asyncDispose]();
  await once(child, 'close');
  expect([child.exitCode, said()]).toEqual([
    2,
    expect.stringMatching(
      /^loupe: .* cannot be (?:written|read): 127\.0\.0\.1:\d+ does not answer \(E\w+, asked \d+ times\)\. What stands stays.*\n$/,
    ),
  ]);
  expect(readdirSync(scratch)).toEqual([]);
  await using anew = new BucketServer();
  for (const [key, bytes] of mortal.files) anew.files.set(key, bytes);
  await anew.start(Number(port));
  expect((await command('sweep', plan('mortal'))).stdout).toMatch(/3 of 3 shards stand, [12] of which stood before/);
  for (const file of parquet(readdirSync(at('folder'), { recursive: true }) as string[]))
    expect(anew.files.get(`mortal/${file}`)!.equals(readFileSync(at('folder', file)))).toBe(true);
});

/** The processes that run shards of a plan. */
const workersOf = (path: string): number[] =>
  readdirSync('/proc').flatMap(pid => {
    try {
      const line = readFileSync(`/proc/${Number(pid)}/cmdline`, 'utf8');
      return line.includes(path) && line.includes('--worker') ? [Number(pid)] : [];
    } catch {
      return []; // no process, or one that ended meanwhile
    }
  });

test('a worker that hangs is ended at its deadline, and its shard goes to another, three times in all', async () => {
  const path = plan('late');
  const { shards } = await lookThrough(path);
  await using worker = new WorkerProcess(path, undefined, 1.5);
  server.mood = ({ what, key }) => (what === 'put' && key.endsWith('.parquet') ? 'hang' : null);
  const late = {
    shard: shards[0].shard,
    error: 'Its worker did not answer within 1.5 s, and was ended. Give it a longer --deadline, or look why it hangs.',
    retry: true,
  };
  expect(await worker.run(shards[0].shard)).toEqual(late);
  expect(readdirSync(scratch)).toEqual([]);
  // One that cannot take notice of anything is killed outright.
  const answer = worker.run(shards[0].shard);
  await until(() => workersOf(path).length > 0);
  const [stopped] = workersOf(path);
  process.kill(stopped, 'SIGSTOP');
  expect(await answer).toEqual(late);
  expect(existsSync(`/proc/${stopped}`)).toBe(false);
  server.mood = () => null;
  await using patient = new WorkerProcess(path, undefined, 120);
  expect(await patient.run(shards[0].shard)).toMatchObject({ rows: 10 });
  server.mood = ({ what, key }) => (what === 'put' && key.endsWith('.parquet') ? 'hang' : null);
  const { status, stdout } = await command('sweep', path, '--deadline', '1');
  expect([status, stdout]).toEqual([1, expect.stringMatching(/1 of 3 shards stand, 1 of which stood before/)]);
  expect(stdout.match(/^Shard .*: Its worker did not answer within 1 s, and was ended\./gm)).toHaveLength(2);
  for (const wrong of ['0', '-1', '3e9', 'Infinity'])
    expect((await command('sweep', path, '--deadline', wrong)).stderr).toMatch(
      /--deadline is seconds|argument '.*' is invalid/,
    );
});

test('a worker that is ended while it sends leaves nothing in the folder for temporary files', async () => {
  server.mood = ({ what, key }) => (what === 'put' && key.endsWith('.parquet') ? 'hang' : null);
  const { child } = started(plan('ended'));
  await until(() => server.asked.some(({ what, key }) => what === 'put' && key.endsWith('.parquet')));
  expect(readdirSync(scratch).length).toBeGreaterThan(0);
  child.kill('SIGTERM');
  await once(child, 'close');
  expect([child.signalCode, readdirSync(scratch)]).toEqual(['SIGTERM', []]);
});

// Disks of a process alone.
const small = ['-Urm', 'bash', '-c', 'mount -t tmpfs -o "$1" tmpfs "$0" && shift && exec "$@"'];
const canMount = spawnSync('unshare', [...small, scratch, 'size=64k', 'true']).status === 0;
if (!canMount) process.stderr.write('No disk of a process alone can be mounted here: a full one was not tried.\n');
const onOtherDisk = canMount ? test : () => {};
onOtherDisk(
  'a folder for temporary files that is full or not to be written to ends the sweep, and what stands stays',
  async () => {
    writeFileSync(at('two.jsonl'), `[2,3]\n${JSON.stringify(Array.from({ length: 400 }, (_, i) => 4 + i))}`);
    const on = async (name: string, options: string) => {
      const path = plan(name, { prompts: 'two.jsonl', shard: 1 });
      const child = spawn('unshare', [...small, scratch, options, process.execPath, LOUPE, 'sweep', path]);
      let said = '';
      for (const stream of [child.stdout, child.stderr]) stream.on('data', chunk => (said += chunk));
      await once(child, 'close');
      return [child.exitCode, said.replace(/^Warning: .*\n/gm, '')];
    };
    expect(await on('full', 'size=48k')).toEqual([
      2,
      expect.stringMatching(
        /^loupe: .*scratch\/.*\.parquet cannot be written: the disk is full \(ENOSPC\)\. Files are made there before they go to s3:\/\/data\/full: set TMPDIR to a folder that has room for a shard\.\n$/,
      ),
    ]);
    expect(records('full')).toHaveLength(1);
    expect(await on('locked', 'size=64k,ro')).toEqual([
      2,
      expect.stringMatching(/cannot be written: its disk is read-only\. Files are made there before/),
    ]);
    vi.stubEnv('TMPDIR', at('not', 'there'));
    expect((await command('sweep', plan('nowhere'))).stderr).toMatch(
      /there is no folder .*there\. Files are made there before they go/,
    );
  },
);
