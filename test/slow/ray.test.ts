// A sweep on a Ray cluster of two nodes on this machine: the rows of one process, though a worker, a node and the driver are killed on the way; and what is told where it cannot go on.

import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { packageRoot } from '../../engine/files.js';
import { freshFolder } from '../fixtures/folder.js';

const root = packageRoot();
const python = join(root, '.loupe', 'ray', 'bin', 'python');
const loupe = join(root, 'dist', 'lab', 'cli', 'loupe.js');
const driver = join(root, 'lab', 'sweep', 'ray', 'driver.py');
const standIn = join(root, 'test', 'slow', 'ray-stand-in.mjs');
const folder = freshFolder();
const sockets = mkdtempSync(join(tmpdir(), 'ray-')); // paths of Unix sockets are short
const env = { ...process.env, LOUPE_RAY_PYTHON: python, LOUPE_ADAPTER: process.env.LOUPE_ADAPTER || 'auto' };
let cluster: ChildProcess;
let address: string;

const wait = (ms: number) => new Promise(done => setTimeout(done, ms));
async function until(what: string, holds: () => boolean, seconds = 60): Promise<void> {
  for (const end = Date.now() + seconds * 1000; !holds(); await wait(50))
    if (Date.now() > end) throw new Error(`${what} did not come in ${seconds} s.`);
}

/** Pids of processes with all these words in their command line. */
function processes(...words: string[]): number[] {
  return readdirSync('/proc').flatMap(pid => {
    try {
      const line = readFileSync(`/proc/${Number(pid)}/cmdline`, 'utf8');
      return words.every(word => line.includes(word)) ? [Number(pid)] : [];
    } catch {
      return []; // no process, or one that ended meanwhile
    }
  });
}
const parentOf = (pid: number) => Number(/^PPid:\s(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]);

beforeAll(async () => {
  cluster = spawn(python, [join(root, 'test', 'slow', 'ray-cluster.py'), sockets], { stdio: ['pipe', 'pipe', 'pipe'] });
  let said = '';
  cluster.stderr!.on('data', chunk => (said += chunk));
  let out = '';
  cluster.stdout!.on('data', chunk => (out += chunk));
  await until('The cluster', () => {
    if (cluster.exitCode !== null) throw new Error(`The cluster did not start:\n${said}`);
    return out.includes('\n');
  });
  address = out.trim();
}, 90_000);

afterAll(async () => {
  if (cluster.exitCode === null) {
    cluster.stdin!.end();
    await once(cluster, 'exit');
  }
  expect(processes(sockets)).toEqual([]); // nothing of Ray is left
  rmSync(sockets, { recursive: true, force: true });
}, 60_000);

/** A plan in the folder: the same of all, but for where it goes. */
function plan(name: string): string {
  const path = join(folder, `${name}.json`);
  const keep = { tap: ['layers.5.resid'], loss: true };
  writeFileSync(path, JSON.stringify({ prompts: 'prompts.jsonl', keep, shard: 10, out: name }));
  return path;
}

/** Every file of the data set below `part`, by its name, and what is in it. A process that is killed outright may leave what it was writing, under a name that no reader takes. */
function contents(name: string, part: string): Record<string, string> {
  const from = join(folder, name, part);
  const files = readdirSync(from, { recursive: true, withFileTypes: true }).filter(
    entry => entry.isFile() && !/^\.loupe-.*\.part$/.test(entry.name),
  );
  return Object.fromEntries(
    files.map(entry => {
      const path = join(entry.parentPath, entry.name);
      return [relative(from, path), createHash('sha256').update(readFileSync(path)).digest('hex')];
    }),
  );
}

const stand = (name: string) => {
  const ledger = join(folder, name, 'ledger');
  return existsSync(ledger)
    ? readdirSync(ledger, { recursive: true }).filter(file => /\.parquet$/.test(String(file))).length
    : 0;
};

test('the rows of one process, though a worker, the driver and a node are killed', async () => {
  const words = 'The capital of France is Once upon a time there was a house of seven kings in Italy'.split(' ');
  const prompts = Array.from({ length: 200 }, (_, i) =>
    Array.from({ length: 3 + (i % 9) }, (_, j) => words[(i * 7 + j * (1 + (i % 5))) % words.length]).join(' '),
  );
  writeFileSync(join(folder, 'prompts.jsonl'), prompts.map(prompt => `${JSON.stringify({ prompt })}\n`).join(''));
  const alone = spawnSync(process.execPath, [loupe, 'sweep', plan('alone')], { env, encoding: 'utf8' });
  expect(alone.status).toBe(0);

  const path = plan('ray');
  const sweep = () => {
    const run = spawn(process.execPath, [loupe, 'sweep', path, '--ray', address], {
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const said = { out: '', err: '' };
    run.stdout.on('data', chunk => (said.out += chunk));
    run.stderr.on('data', chunk => (said.err += chunk));
    return { run, said };
  };
  const first = sweep();
  await until('A shard', () => stand('ray') >= 2, 90);
  const [worker] = processes(path, '--worker');
  process.kill(parentOf(worker), 'SIGKILL'); // Ray's process, that holds Loupe's
  await until('The end of its process', () => !existsSync(`/proc/${worker}`), 20);
  await until('Shards after it', () => stand('ray') >= 6, 90);
  for (const pid of processes(path, 'driver.py')) process.kill(pid, 'SIGKILL');
  await once(first.run, 'close');
  await until('The end of all workers', () => processes(path, '--worker').length === 0, 30);
  const stood = stand('ray');
  expect(stood).toBeLessThan(20);

  const second = sweep();
  await until('A shard of the second driver', () => stand('ray') > stood, 90);
  cluster.stdin!.write('lose\n');
  await once(second.run, 'close');
  expect(second.said.err.replace(/^(Warning: max|.*\[Dawn).*\n/gm, '')).toBe('');
  expect(second.run.exitCode).toBe(0);
  const made = Number(/^(\d+) shards in/m.exec(second.said.out)?.[1]);
  expect(made).toBeGreaterThanOrEqual(20 - stood);
  expect(made).toBeLessThan(20); // and what stood is not made again
  for (const part of ['activations', 'ledger']) expect(contents('ray', part)).toEqual(contents('alone', part));
  const verified = spawnSync(process.execPath, [loupe, 'sweep', 'verify', join(folder, 'ray')], {
    env,
    encoding: 'utf8',
  });
  expect(verified.status).toBe(0);
}, 240_000);

test('what ends `loupe sweep --ray` alone ends its driver and all workers', async () => {
  const many = Array.from({ length: 3000 }, (_, i) => JSON.stringify([2, 300 + (i % 90), 40 + (i % 70), 7]));
  writeFileSync(join(folder, 'many.jsonl'), many.join('\n'));
  for (const [signal, ends] of [
    ['SIGTERM', [null, 'SIGTERM']],
    ['SIGINT', [130, null]],
    ['SIGHUP', [null, 'SIGHUP']],
    ['SIGKILL', [null, 'SIGKILL']],
  ] as const) {
    const path = join(folder, `${signal}.json`);
    writeFileSync(path, JSON.stringify({ prompts: 'many.jsonl', keep: { loss: true }, shard: 10, out: signal }));
    // A group of its own, as a terminal's; the signal is for `loupe` alone.
    const run = spawn(process.execPath, [loupe, 'sweep', path, '--ray', address], {
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    let said = '';
    run.stderr.on('data', chunk => (said += chunk));
    await until('A shard', () => stand(signal) >= 2, 90);
    run.kill(signal);
    await wait(50);
    if (run.exitCode === null && run.signalCode === null) run.kill(signal); // a second one changes nothing
    await once(run, 'close');
    expect([run.exitCode, run.signalCode]).toEqual(ends);
    await until(`The end of all after ${signal}`, () => processes(path).length === 0, 30);
    expect(said.replace(/^(Warning: max|.*\[Dawn).*\n/gm, '')).toMatch(/^loupe: Stopped\. \d+ shards were made; .*\n$/);
    expect(stand(signal)).toBeLessThan(300);
  }
}, 240_000);

/** The driver over a stand-in of Loupe, for what no real plan does. */
function drive(what: object, ...args: string[]) {
  const path = join(mkdtempSync(join(folder, 'stand-in-')), 'plan.json');
  writeFileSync(path, JSON.stringify(what));
  const command = JSON.stringify([process.execPath, standIn]);
  const { status, stdout, stderr } = spawnSync(
    python,
    [driver, path, '--loupe', command, `--ray=${address}`, ...args],
    { encoding: 'utf8', timeout: 120_000 },
  );
  // What Ray says by itself of a node or an actor that was lost before.
  return { status, stdout: stdout.replace(/^.*\(raylet\).*\n/gm, ''), stderr };
}

test('a shard that ends every worker is given up after three tries, one that is refused at once, and the rest goes on', () => {
  const { status, stdout, stderr } = drive({ shards: 12, ends: 4, refuses: 7 });
  expect(status).toBe(1);
  expect(stdout).toMatch(/^10 shards in .*\n10 of 12 shards stand\.\n$/);
  expect(stderr.split('\n').sort()).toEqual([
    '',
    'loupe: shard 4 (atlas, prompts 40 to 49): The process of its worker ended by signal 9. After 3 tries.',
    'loupe: shard 7 (atlas, prompts 70 to 79): Row 70 is no prompt.',
  ]);
});

test('a worker that hangs is ended at its deadline, with its process or with its actor, and its shard goes elsewhere', () => {
  const hung = drive({ shards: 6, hangs: 2 }, '--deadline=1');
  expect([hung.status, hung.stderr]).toEqual([
    1,
    'loupe: shard 2 (atlas, prompts 20 to 29): Its worker did not answer within 1 s, and was ended. Give it a longer --deadline, or look why it hangs. After 3 tries.\n',
  ]);
  expect(hung.stdout).toMatch(/^5 shards in .*\n5 of 6 shards stand\.\n$/);
  const stopped = drive({ shards: 6, stops: 2 }, '--deadline=1');
  expect([stopped.status, stopped.stderr]).toEqual([0, '']);
  expect(stopped.stdout).toMatch(/^6 shards in .*; 1 times a worker was lost\.\n6 of 6 shards stand\.\n$/m);
}, 180_000);

test('a worker without room is let go and the others go on; a storage that is silent ends the sweep', () => {
  const one = drive({ shards: 6, full: 'here', ms: 300 }, '--cpus=0.5'); // two, on one node too
  expect([one.status, one.stderr]).toEqual([
    0,
    expect.stringMatching(/^Worker \d: x\.parquet cannot be written: the disk is full \(ENOSPC\)\.\n$/),
  ]);
  expect(one.stdout).toMatch(/^6 shards in .*\n6 of 6 shards stand\.\n$/m);
  const all = drive({ shards: 6, full: 'everywhere' }, '--cpus=0.5');
  expect(all.status).toBe(2);
  expect(all.stderr).toMatch(/^loupe: No worker is left: The disk is full\.$/m);
  const silent = drive({ shards: 1000, silent: true });
  expect([silent.status, silent.stderr]).toEqual([2, 'loupe: The storage does not answer.\n']);
}, 180_000);

test('what cannot be gone on with is one sentence and exit code 2', () => {
  const wrong = (what: object, ...args: string[]) => {
    const { status, stderr } = drive(what, ...args);
    expect([status, stderr.split('\n').length]).toEqual([2, 2]);
    return stderr;
  };
  expect(wrong({ shards: 1 }, '--gpus=3')).toMatch(
    /^loupe: No node of the cluster has room for a worker \(1 CPU, 3 GPU\); the most that one has is 1 CPU, 0 GPU\. Ask for less /,
  );
  expect(wrong({ shards: 1 }, '--memory=5000000000000')).toMatch(
    /room for a worker \(1 CPU, 5000 GB of memory\); the most that one has is 1 CPU, [\d.]+ GB of memory\. /,
  );
  expect(wrong({ shards: 1 }, '--ray=127.0.0.1:1')).toMatch(/^loupe: No Ray answers at 127\.0\.0\.1:1: .*refused\.\n$/);
  expect(wrong({ shards: 1 }, '--ray=ray://127.0.0.1:10001')).toMatch(
    /^loupe: ray:.* is a port for Ray's clients, .*job submit`\.\n$/,
  );
  const unfit = drive({ shards: 3, unfit: 'The plan has no prompts.' });
  expect(unfit.status).toBe(2);
  expect(unfit.stderr).toMatch(/^Worker 0: The plan has no prompts\.$/m);
  expect(unfit.stderr).toMatch(/^loupe: No worker is left: The plan has no prompts\.$/m);
  // The sentence that Ray itself has for two versions.
  const other = `import ray, runpy, sys; ray.__version__ = '2.59.0'; sys.argv = sys.argv[1:]; sys.path.insert(0, ${JSON.stringify(join(driver, '..'))}); runpy.run_path(sys.argv[0], run_name='__main__')`;
  const path = join(folder, 'version.json');
  writeFileSync(path, JSON.stringify({ shards: 1 }));
  const args = [driver, path, '--loupe', JSON.stringify([process.execPath, standIn]), `--ray=${address}`];
  const { status, stderr } = spawnSync(python, ['-c', other, ...args], { encoding: 'utf8' });
  expect(status).toBe(2);
  expect(stderr).toMatch(
    /^loupe: The cluster runs Ray 2\.60\.0 on Python [\d.]+, and this is Ray 2\.59\.0 on Python [\d.]+: they must be the same\. Set LOUPE_RAY_PYTHON to a Python [\d.]+ that has ray==2\.60\.0\.\n$/,
  );
}, 180_000);

test('a worker keeps to a configuration, and what failed goes elsewhere', () => {
  const deal = spawnSync(python, [join(root, 'test', 'slow', 'ray-deal.py')], { encoding: 'utf8' });
  expect(deal.stderr).toMatch(/\nOK\n$/);
});
