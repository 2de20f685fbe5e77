// npm run fuzz: every reader against mutated files. Prints a row a reader; exit code 1 when one breaks the rule that a file is read or refused, by an
// error of ours, within a second.

import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Table from 'cli-table3';
import { Command } from 'commander';
import { packageRoot } from '../../engine/files.js';
import { Campaign } from './campaign.js';
import { inputOf } from './input.js';
import { isOurs, READERS, type Reader } from './readers.js';
import { disagreements } from './reference.js';

interface Options {
  readonly minutes?: number;
  readonly inputs?: number;
  readonly seed: number;
  readonly reader?: string[];
  readonly replay?: string;
}

const number = (text: string): number => {
  const value = Number(text);
  if (Number.isFinite(value) && value >= 0) return value;
  console.error(`'${text}' is no number.`);
  process.exit(2);
};

const {
  minutes,
  inputs,
  seed,
  reader: names,
  replay,
} = new Command('npm run fuzz --')
  .description('Feeds every reader of files and messages with changed ones, the same for the same seed.')
  .option('--minutes <m>', 'how long, for all readers together; default 1', number)
  .option('--inputs <n>', 'how many, for all readers together, instead of a time', number)
  .option('--seed <n>', 'which inputs', number, 1)
  .option('--reader <name...>', `only these: ${READERS.map(({ name }) => `'${name}'`).join(', ')}`)
  .option('--replay <file>', 'read one input that was kept; needs --reader')
  .parse()
  .opts<Options>();

const unknown = names?.find(name => !READERS.some(reader => reader.name === name));
if (unknown !== undefined || (replay !== undefined && names?.length !== 1)) {
  console.error(
    unknown === undefined ? '--replay needs one --reader.' : `There is no reader '${unknown}'; --help lists them.`,
  );
  process.exit(2);
}
const readers = READERS.filter(({ name }) => names?.includes(name) ?? true);
const folder = mkdtempSync(join(tmpdir(), 'loupe-fuzz-'));
/** Failures by reader and kind. */
const told = new Map<string, number>();
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));

if (replay !== undefined) {
  try {
    console.log('accepted', await readers[0].read(readFileSync(replay), folder));
  } catch (error) {
    console.log(isOurs(error) ? 'refused' : 'UNTYPED', error);
    process.exit(isOurs(error) ? 0 : 1);
  }
} else process.exit((await run()) ? 0 : 1);

async function run(): Promise<boolean> {
  const kept = join(packageRoot(), '.loupe', 'fuzz', 'failures');
  const table = new Table({
    head: ['reader', 'inputs', 'accepted', 'refused', 'untyped', 'crashes', 'over 1 s', 'not as the reference'],
    style: { head: [], border: [] },
  });
  const totals = [0, 0, 0, 0, 0, 0, 0];
  const began = performance.now();
  for (const [i, reader] of readers.entries()) {
    const campaign = new Campaign(reader.name, seed, folder, reader.name === 'safetensors');
    const most = inputs === undefined ? undefined : Math.ceil(inputs / readers.length);
    // Of the time that is left, each reader takes an equal part.
    const left = (minutes ?? 1) * 60_000 - (performance.now() - began);
    const share = left / (readers.length - i);
    do await campaign.batch(most);
    while (most === undefined ? campaign.spent < share : campaign.inputs < most);
    await campaign.close();
    const other = await otherThanReference(reader, campaign);
    for (const failure of [...campaign.failures, ...(other ?? []).map(one => ({ ...one, kind: 'other' }))]) {
      await keep(kept, reader, failure);
    }
    const count = (kind: string) => campaign.failures.filter(failure => failure.kind === kind).length;
    const { inputs: n, accepted, refused } = campaign;
    const row = [n, accepted, refused, count('untyped'), count('crash'), count('slow'), other?.length ?? 0];
    row.forEach((value, k) => {
      totals[k] += value;
    });
    const agreement = !campaign.keep ? '' : other === null ? 'not checked' : String(other.length);
    table.push([reader.name, ...row.slice(0, 6).map(String), agreement]);
    if (process.stderr.isTTY) process.stderr.write(`\r\u001b[K${reader.name}: ${n}`);
  }
  table.push(['all', ...totals.map(String)]);
  if (process.stderr.isTTY) process.stderr.write('\r\u001b[K');
  console.log(table.toString());
  const wrong = totals.slice(3).reduce((a, b) => a + b, 0);
  const seconds = Math.round((performance.now() - began) / 1000);
  console.log(
    `seed ${seed}, ${totals[0]} inputs in ${seconds} s: ${wrong === 0 ? 'every one was read, or refused in words' : `${wrong} were not`}`,
  );
  return wrong === 0;
}

async function otherThanReference(reader: Reader, campaign: Campaign) {
  if (!campaign.keep) return [];
  const seeds = await reader.seeds();
  return disagreements(index => inputOf(reader, seeds, seed, index), campaign.verdicts);
}

/** Writes the input down, so that it can be read again, and says how. The first five of a reader and kind. */
async function keep(
  kept: string,
  reader: Reader,
  { index, kind, text }: { index: number; kind: string; text: string },
): Promise<void> {
  const key = `${reader.name} ${kind}`;
  told.set(key, (told.get(key) ?? 0) + 1);
  const path = join(kept, `${reader.name.replace(/\W/g, '-')}-${seed}-${index}`);
  mkdirSync(kept, { recursive: true });
  writeFileSync(path, inputOf(reader, await reader.seeds(), seed, index));
  writeFileSync(`${path}.txt`, `${kind}\n${text}\n`);
  if (told.get(key)! > 5) return;
  console.log(
    `${kind}: ${text.split('\n').slice(0, 4).join('\n  ')}\n  npm run fuzz -- --reader '${reader.name}' --replay ${path}`,
  );
}
