// Stands in for `loupe sweep PLAN --shards | --worker | --finish`: the plan says how many shards there are, which ends its worker, which is refused, where one hangs, whose disk is full, and why a worker can do nothing.

import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';

const [plan, what] = process.argv.slice(3);
const {
  shards,
  ends,
  refuses,
  unfit,
  hangs,
  stops,
  full,
  silent,
  ms = 0,
  configurations = 1,
} = JSON.parse(readFileSync(plan, 'utf8'));
const all = Array.from({ length: shards }, (_, i) => i);
const path = shard => `${plan}.${shard}`;
const say = line => process.stdout.write(`${JSON.stringify(line)}\n`);

if (what === '--shards') {
  for (const i of all.filter(i => !existsSync(path(i)))) {
    const configuration = Math.floor((i * configurations) / shards);
    say({ shard: `${i}`, configuration, model: 'atlas', adapter: null, from: i * 10, to: i * 10 + 10, bytes: 1000 });
  }
} else if (what === '--finish') {
  const there = all.filter(i => existsSync(path(i))).length;
  process.stdout.write(`${there} of ${shards} shards stand.\n`);
  process.exitCode = there < shards ? 1 : 0;
} else if (unfit) {
  process.stderr.write(`loupe: ${unfit}\n`);
  process.exitCode = 2;
} else {
  for await (const line of createInterface({ input: process.stdin })) {
    const { shard } = JSON.parse(line);
    if (shard === `${ends}`) process.kill(process.pid, 'SIGKILL');
    if (shard === `${hangs}`) {
      process.on('SIGTERM', () => {}); // as one that cannot take notice of anything
      await new Promise(() => setInterval(() => {}, 1000));
    }
    if (shard === `${stops}` && !existsSync(`${plan}.stopped`)) {
      writeFileSync(`${plan}.stopped`, '');
      process.kill(process.ppid, 'SIGSTOP'); // the actor, as on a machine that hangs
      await new Promise(() => setInterval(() => {}, 1000));
    }
    if (full && !existsSync(`${plan}.full`)) {
      writeFileSync(`${plan}.full`, '');
      say({ shard, error: 'x.parquet cannot be written: the disk is full (ENOSPC).', retry: false, forAll: true });
      continue;
    }
    if (full === 'everywhere' || silent) {
      const error = silent ? 'The storage does not answer.' : 'The disk is full.';
      say({ shard, error, retry: silent === true, forAll: true });
      continue;
    }
    if (ms > 0) await new Promise(done => setTimeout(done, ms));
    if (shard === `${refuses}`) {
      say({ shard, error: `Row ${shard}0 is no prompt.`, retry: false });
      continue;
    }
    const already = existsSync(path(shard));
    writeFileSync(path(shard), `${process.pid}`);
    say({ shard, rows: 10, bytes: 1000, tokens: 70, seconds: ms / 1000, ...(already && { already }) });
  }
}
