// loupe diff: every stage against a golden; exit code 1 when one fails.

import { Command, Option } from 'commander';
import { diffLines } from '../display/diff-lines.js';
import { golden } from '../values/golden.js';
import { type ModelOptions, openModel, print, printJson, real, withModel, withPlan } from './options.js';

interface Options extends ModelOptions {
  readonly golden: string;
  readonly limit?: number;
  readonly localLimit?: number;
  readonly alone: boolean;
  readonly all?: boolean;
  readonly wide?: boolean;
}

export function diffCommand(): Command {
  return withPlan(
    withModel(new Command('diff').description('compare every stage with PyTorch; exit code 1 if one fails')),
    'exact',
  )
    .option('-g, --golden <file>', 'a file of golden/make_golden.py, or one that ships', 'atlas/capital')
    .option('--limit <relL2>', 'largest relative L2 error in the run', real)
    .option('--local-limit <relL2>', 'largest relative L2 error of a stage alone', real)
    .addOption(new Option('--no-alone', 'do not run the stages alone as well').conflicts('localLimit'))
    .addOption(new Option('--all', 'list the stages that pass too').conflicts('json'))
    .addOption(new Option('--wide', 'every column: shapes, cosine, gain, both values').conflicts('json'))
    .action(async (options: Options) => {
      const reference = await golden(options.golden);
      const session = await openModel(options);
      const { limit: accumulated, localLimit: local, alone, plan } = options;
      const diff = await session.diff(reference, { accumulated, local, alone, plan });
      if (options.json) printJson(diff.toJSON());
      else print(diffLines(diff, options));
      if (!diff.pass) process.exitCode = 1;
    });
}
