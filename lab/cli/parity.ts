// loupe parity: every family and every format against the references, as one table.

import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command, Option } from 'commander';
import { GoldenError, Interrupted } from '../../engine/errors.js';
import { packageRoot } from '../../engine/files.js';
import { progressLine } from '../host/progress.js';
import { textTable } from '../display/table.js';
import {
  type ConfigurationParity,
  checkConfiguration,
  configurations,
  PARITY_LIMIT,
} from '../parity/configurations.js';
import { checkFormats, type FormatParity } from '../parity/formats.js';
import { folded } from '../values/fold.js';
import { print, printJson, withAdapter } from './options.js';

interface Options {
  readonly made?: string;
  readonly python: string;
  readonly adapter?: string;
  readonly json?: boolean;
}

export function parityCommand(): Command {
  const torch = join(packageRoot(), '.loupe', 'torch', 'bin', 'python');
  return withAdapter(
    new Command('parity').description('every Gemma family against transformers, every stored format against gguf'),
  )
    .addOption(
      new Option('--made <folder>', 'what golden/parity.py wrote there; default: it is run now').conflicts('python'),
    )
    .option('--python <path>', 'a Python with golden/requirements.txt', process.env.LOUPE_TORCH || torch)
    .action(async ({ made, python, adapter, json }: Options) => {
      if (adapter) process.env.LOUPE_ADAPTER = adapter;
      const folder = made ?? mkdtempSync(join(tmpdir(), 'loupe-parity-'));
      try {
        if (made === undefined) make(python, folder);
        const rows: ConfigurationParity[] = [];
        const names = configurations(folder);
        using progress = progressLine('Comparing');
        for (const name of names) {
          rows.push(await checkConfiguration(folder, name));
          progress.count(rows.length, names.length, 'models');
        }
        progress[Symbol.dispose]();
        const formats = await checkFormats();
        if (json) printJson({ limit: PARITY_LIMIT, configurations: rows, formats });
        else print(parityText(rows, formats));
        if (![...rows, ...formats].every(({ pass }) => pass)) process.exitCode = 1;
      } finally {
        if (made === undefined) rmSync(folder, { recursive: true, force: true });
      }
    });
}

function make(python: string, folder: string): void {
  process.cwd(); // that it is gone is told, and not what cannot be found from there
  const script = join(packageRoot(), 'golden', 'parity.py');
  if (!existsSync(python) || !existsSync(script)) {
    throw new GoldenError(
      `There is no ${existsSync(python) ? script : python}. In a clone of Loupe, golden/README.md says how to make the environment; or give --python.`,
    );
  }
  process.stderr.write('transformers computes …\n');
  const { status, signal, stderr, error } = spawnSync(python, [script, folder], { encoding: 'utf8' });
  if (signal === 'SIGINT' || /KeyboardInterrupt\s*$/.test(stderr ?? '')) throw new Interrupted('transformers');
  if (status !== 0) {
    // A program that cannot be started has said nothing, and neither has one that a signal ended.
    const said = (stderr ?? '').trim().split('\n').at(-1)?.replace(/\.$/, '');
    const how = signal === null ? `it ended with ${status}` : `${signal} ended it`;
    const why = error
      ? `it cannot be started (${(error as NodeJS.ErrnoException).code})`
      : said || `${how}, without a word`;
    throw new GoldenError(`${python} could not run golden/parity.py: ${why}. See golden/README.md.`);
  }
}

/** Within 80 columns. */
export function parityText(rows: readonly ConfigurationParity[], formats: readonly FormatParity[]): string {
  const mark = (pass: boolean) => (pass ? 'equal' : 'DIFFERS');
  const greedy = ({ greedyTokens, greedyEqual }: ConfigurationParity) => `${greedyTokens} ${mark(greedyEqual)}`;
  const models = textTable(
    [
      { title: 'model' },
      { title: 'Gemma', right: true },
      { title: 'shape' },
      { title: 'runs', right: true },
      { title: 'rel L2', right: true },
      { title: 'greedy' },
    ],
    rows.map(row => ({
      cells: [
        row.name,
        String(row.family),
        folded(row.shape, '', 24),
        String(row.runs),
        `${row.relL2.toExponential(1)}${row.relL2 <= PARITY_LIMIT ? '' : ' FAILS'}`,
        greedy(row),
      ],
    })),
    { narrow: true },
  );
  const stored = textTable(
    [{ title: 'format' }, { title: 'block' }, { title: 'values', right: true }, { title: 'against gguf' }],
    formats.map(({ format, block, values, different }) => ({
      cells: [format, block, String(values), different === 0 ? 'bit-equal' : `${different} DIFFER`],
    })),
  );
  const failed = [...rows, ...formats].filter(({ pass }) => !pass).length;
  const runs = rows.reduce((n, row) => n + row.runs, 0);
  const lengths = [...new Set(rows.flatMap(row => row.lengths))];
  const sum = `${rows.length} models in ${runs} runs of ${lengths.join(', ')} tokens, logits within ${PARITY_LIMIT.toExponential(0)}; ${formats.length} formats; ${failed} fail.`;
  return [models, '', stored, '', folded(sum)].join('\n');
}
