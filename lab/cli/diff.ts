// loupe diff: every stage against a golden, or another program's against this model's; exit code 1 when one fails.

import { Command, InvalidArgumentError, Option } from 'commander';
import type { Diff } from '../diff/diff.js';
import { ROUNDS_NAMES, type Rounds } from '../diff/noise.js';
import { twiceText } from '../display/twice.js';
import { folded } from '../values/fold.js';
import { diffLines } from '../display/diff-lines.js';
import { OptionError } from '../../engine/errors.js';
import { golden } from '../values/golden.js';
import { trace } from '../values/trace.js';
import { type TwoRuns, diffOfTwo } from './two-runs.js';
import {
  idList,
  type ModelOptions,
  openModel,
  print,
  printJson,
  promptOf,
  real,
  withModel,
  withPlan,
} from './options.js';

interface Options extends ModelOptions {
  readonly golden?: string;
  readonly trace?: string;
  readonly names?: string;
  readonly ids?: number[];
  readonly against?: string;
  readonly and?: string;
  readonly twice?: boolean;
  readonly prompt?: string;
  readonly limit?: number;
  readonly localLimit?: number;
  readonly alone: boolean;
  readonly rounds?: Rounds;
  readonly oracle?: boolean;
  readonly all?: boolean;
  readonly wide?: boolean;
}

export function diffCommand(): Command {
  return withPlan(
    withModel(
      new Command('diff').description(
        'compare every stage with PyTorch, or judge another program’s; exit code 1 if one fails',
      ),
    ),
    'exact',
  )
    .option('-g, --golden <file>', 'a file of golden/make_golden.py, or one that ships; default: atlas/capital')
    .addOption(
      new Option(
        '-t, --trace <file>',
        'another program’s activations, .safetensors, .npz, .npy or .arrow: which of its stages is wrong?',
      ).conflicts('golden'),
    )
    .addOption(
      new Option(
        '--against <run>',
        'any run that is right, a saved trace or a model, and --and the one that is judged',
      ).conflicts(['golden', 'trace', 'names']),
    )
    .option(
      '--and <run>',
      'a saved trace or a model, judged by --against; of saved traces, --model M runs each stage alone',
    )
    .addOption(
      new Option('--twice', 'read --prompt or --ids twice: every stage must have the same bits').conflicts([
        'golden',
        'trace',
        'names',
        'against',
        'and',
        'limit',
        'localLimit',
        'oracle',
        'all',
        'wide',
        'alone',
      ]),
    )
    .option('-p, --prompt <text>', 'what is read with --twice, or where --against and --and are models')
    .option('--names <map.json>', 'its names: { "theirs-{i}": "layers.{i}.resid" }, where they are its own')
    .option('--ids <ids>', 'its token ids, where the file has none, comma-separated', idList)
    .addOption(
      new Option(
        '--rounds <format>',
        'what it computes in, where its few values do not say it: f32 bf16 f16 q8_0 q6_k q5_k q5_1 q5_0 q4_k q4_1 q4_0',
      )
        .argParser(roundsOf)
        .conflicts(['golden', 'twice']),
    )
    .option('--limit <relL2>', 'largest relative L2 error in the run', real)
    .option('--local-limit <relL2>', 'largest relative L2 error of a stage alone', real)
    .addOption(new Option('--no-alone', 'do not run the stages alone as well').conflicts('localLimit'))
    .addOption(
      new Option('--oracle', 'say of every stage who is nearer to float64 of its inputs').conflicts([
        'trace',
        'alone',
        'against',
      ]),
    )
    .addOption(new Option('--all', 'list the stages that pass too').conflicts('json'))
    .addOption(new Option('--wide', 'every column: shapes, cosine, gain, both values').conflicts('json'))
    .action(async (options: Options, command: Command) => {
      const { limit: accumulated, localLimit: local, alone, plan, rounds } = options;
      const how = { accumulated, local, alone, ...(rounds && { rounds }) };
      if (options.twice) {
        const prompt = promptOf(options);
        const read = await (await openModel(options)).twice(prompt, { plan });
        if (options.json) printJson(read.toJSON());
        else print(folded(twiceText(read)));
        if (!read.equal) process.exitCode = 1;
        return;
      }
      if ((options.against === undefined) !== (options.and === undefined))
        throw new OptionError(
          `--against and --and are the two runs to compare, and ${options.and === undefined ? '--and' : '--against'} is missing. Give both.`,
        );
      if (options.against !== undefined) {
        const named = command.getOptionValueSource('model') === 'cli';
        told(await diffOfTwo(options as TwoRuns, named, how), options);
        return;
      }
      if (options.prompt !== undefined)
        throw new OptionError(
          '--prompt is of --twice, or of two models, --against and --and, and there are none. Leave it out.',
        );
      if (options.trace === undefined && (options.names ?? options.ids) !== undefined)
        throw new OptionError(
          `${options.names === undefined ? '--ids' : '--names'} is of --trace, and there is none. Give one.`,
        );
      const reference =
        options.trace === undefined
          ? await golden(options.golden ?? 'atlas/capital')
          : await trace(options.trace, { names: options.names, ids: options.ids });
      const session = await openModel(options);
      told(await session.diff(reference, { ...how, plan, oracle: options.oracle }), options);
    });
}

function roundsOf(text: string): Rounds {
  const rounds = ROUNDS_NAMES.find(name => name === text.toUpperCase());
  if (rounds) return rounds;
  throw new InvalidArgumentError(`Give one of ${ROUNDS_NAMES.join(', ').toLowerCase()}.`);
}

function told(diff: Diff, options: Options): void {
  if (options.json) printJson(diff.toJSON());
  else print(diffLines(diff, options));
  if (!diff.pass) process.exitCode = 1;
}
