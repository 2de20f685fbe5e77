// Sweeps in processes: several workers at once, one that is killed in the middle, and a disk that takes no more.

import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { packageRoot } from '../../engine/files.js';
import { command } from '../fixtures/command.js';
import { freshFolder } from '../fixtures/folder.js';
import { parquetRowsOf } from '../fixtures/parquet.js';

const folder = freshFolder();
const at = (...names: string[]) => join(folder, ...names);
const LOUPE = join(packageRoot(), 'dist/lab/cli/loupe.js');

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
const files = (name: string): string[] =>
  (readdirSync(at(name), { recursive: true }) as string[]).filter(file => file.endsWith('.parquet')).sort();
const rows = async (name: string) => Promise.all(files(name).map(file => parquetRowsOf(at(name, file))));

test('two workers at once make what one makes', async () => {
  expect((await command('sweep', plan('run'))).status).toBe(0);
  const two = await command('sweep', plan('processes'), '--workers', '2');
  expect([two.status, two.stdout]).toEqual([0, expect.stringMatching(/3 of 3 shards stand; 25 rows/)]);
  expect(files('processes')).toEqual(files('run'));
  expect(await rows('processes')).toEqual(await rows('run'));
});

test('a worker that is killed in the middle leaves nothing half, and the next start makes what is missing', async () => {
  writeFileSync(at('many.jsonl'), lines(60, 24));
  const path = plan('killed', { prompts: 'many.jsonl', shard: 10 });
  const child = spawn(process.execPath, [LOUPE, 'sweep', path]);
  const stands = () =>
    existsSync(at('killed', '_shards'))
      ? readdirSync(at('killed', '_shards')).filter(name => /^[0-9a-f]{32}/.test(name))
      : [];
  await new Promise<void>(resolve => {
    const timer = setInterval(() => {
      if (stands().length === 0 && child.exitCode === null) return;
      clearInterval(timer);
      resolve();
    }, 5);
  });
  child.kill('SIGKILL');
  const stood = stands();
  expect(stood.length).toBeGreaterThan(0);
  for (const name of stood) {
    const { files } = JSON.parse(readFileSync(at('killed', '_shards', name), 'utf8'));
    for (const file of files) expect(readFileSync(at('killed', file.path))).toHaveLength(file.bytes);
  }
  expect((await command('sweep', path)).stdout).toMatch(/6 of 6 shards stand, [1-6] of which stood before/);
  expect((await command('sweep', 'verify', at('killed'))).status).toBe(0);
  await command('sweep', plan('whole', { prompts: 'many.jsonl', shard: 10 }));
  expect(await rows('killed')).toEqual(await rows('whole'));
});

test('a dry run that is ended takes its folder for temporary files away', async () => {
  const scratch = at('scratch');
  mkdirSync(scratch);
  writeFileSync(at('long.jsonl'), lines(8, 400));
  const path = plan('ended', { prompts: 'long.jsonl', keep: { tap: 'layers.*.resid' } });
  const env = { ...process.env, TMPDIR: scratch };
  for (const [signal, ends] of [
    ['SIGTERM', [null, 'SIGTERM']],
    ['SIGINT', [130, null]],
  ] as const) {
    const run = spawn(process.execPath, [LOUPE, 'sweep', path, '--dry-run'], { env, stdio: 'ignore' });
    const ended = once(run, 'exit');
    while (!readdirSync(scratch).some(name => name.startsWith('loupe-sweep-')))
      await new Promise(done => setTimeout(done, 10));
    await new Promise(done => setTimeout(done, 300));
    run.kill(signal);
    expect(await ended).toEqual(ends);
    expect(readdirSync(scratch)).toEqual([]);
  }
  expect(existsSync(at('ended'))).toBe(false);
});

// A small disk of this process alone; a limit on files would be one on the memory of a software adapter too.
const small = ['-Urm', 'bash', '-c', 'mount -t tmpfs -o size=64k tmpfs "$0" && exec "$@"'];
const canMount = spawnSync('unshare', [...small, folder, 'true']).status === 0;
if (!canMount) process.stderr.write('No disk of a process alone can be mounted here: a full one was not tried.\n');
const onSmallDisk = canMount ? test : () => {};
onSmallDisk('a disk that takes no more ends a sweep with one sentence, and what stands stays', () => {
  writeFileSync(at('full.jsonl'), `${lines(4)}\n${lines(1, 400)}`);
  const path = plan('full', { prompts: 'full.jsonl', shard: 4 });
  mkdirSync(at('full'));
  const look = `"$0" "$@"; echo "exit $?"; find ${at('full')} -name '*.parquet' -o -name '*.part' | wc -l; "$0" "$1" sweep verify ${at('full')}`;
  const { stderr, stdout } = spawnSync(
    'unshare',
    [...small, at('full'), 'bash', '-c', look, process.execPath, LOUPE, 'sweep', path],
    { encoding: 'utf8' },
  );
  expect(stderr).toMatch(/loupe: .*\.parquet cannot be written: the disk is full \(ENOSPC\)/);
  // The first shard's two files fit, the second's do not.
  expect(stdout).toMatch(/^exit 2\n2\n.*1 shards in 2 files[\s\S]*1 of 2 shards are missing/);
});
