// loupe trace: the activations of one run in a file that other tools read.

import { Command, InvalidArgumentError } from 'commander';
import type { Slice } from '../../engine/taps.js';
import { OptionError, PromptError } from '../../engine/errors.js';
import { bytesText } from '../values/numbers.js';
import { folded } from '../values/fold.js';
import { prompts } from '../values/prompt-file.js';
import { checkForm } from '../values/save.js';
import { tapped } from '../values/select.js';
import { checkTarget } from '../values/write-file.js';
import {
  idList,
  type ModelOptions,
  noteUnreadPipe,
  openModel,
  print,
  printJson,
  promptOf,
  withModel,
  withPlan,
} from './options.js';

interface Options extends ModelOptions {
  readonly prompt?: string;
  readonly ids?: number[];
  readonly prompts?: string;
  readonly column?: string;
  readonly tap: string[];
  readonly slice?: Slice;
  readonly out: string;
}

export function traceCommand(): Command {
  return withPlan(
    withModel(new Command('trace').description('write the activations of a run, or of many, to a file')),
    'exact',
  )
    .option('-p, --prompt <text>', 'text to read')
    .option('--ids <ids>', 'token ids to read, comma-separated', idList)
    .option('--prompts <file>', 'read many, and write one data set: a prompt a line, or a .jsonl or .parquet of them')
    .option('--column <name>', 'of a .parquet or .jsonl, which has the prompts; default: prompt')
    .option('--tap <glob...>', 'which stages', ['**'])
    .option('--slice <parts>', 'parts of them, by position in the model: head=2:4,query=0:10', sliceOf)
    .requiredOption('-o, --out <file>', 'run.safetensors, run.arrow or run.parquet')
    .action(async (options: Options) => {
      if (options.prompts !== undefined) {
        await traceMany(options, options.prompts);
        return;
      }
      if (options.column !== undefined)
        throw new OptionError('--column is of --prompts, and there is one prompt. Leave it out.');
      checkForm(options.out, 'a trace', ['.safetensors', '.arrow', '.parquet']);
      const prompt = promptOf(options);
      checkTarget(options.out);
      const session = await openModel(options);
      checkTarget(options.out); // again: now it is known which files are the model's
      const run = await session.run(prompt, {
        tap: options.tap,
        slice: options.slice,
        logits: 'all',
        plan: options.plan,
      });
      const activations = [...run.activations.values()];
      run.save(options.out);
      const values = activations.reduce((n, { data }) => n + data.length, 0);
      if (options.json) printJson({ out: options.out, stages: activations.length, values, ids: run.ids });
      else
        print(
          `${options.out}: ${activations.length} ${activations.length === 1 ? 'stage' : 'stages'}, ${values} ${values === 1 ? 'value' : 'values'} (${bytesText(4 * values)}).`,
        );
    });
}

/** One data set of the prompts of a file. */
async function traceMany(options: Options, path: string): Promise<void> {
  const { prompt, ids, column, tap, slice, plan, out, json } = options;
  if (prompt !== undefined || ids !== undefined)
    throw new PromptError(
      `There is --prompts, and ${prompt === undefined ? '--ids' : '--prompt'} too, and one is read. Leave one of them out.`,
    );
  noteUnreadPipe('the file');
  checkForm(out, 'a data set of many prompts', ['.parquet', '.arrow']);
  checkTarget(out);
  const file = prompts(path, { column });
  const session = await openModel(options);
  const logits = tapped(session.plan, tap).some(({ name }) => name === 'logits') ? 'all' : 'last';
  const made = await session.runs(file, { tap, slice, plan, logits }).save(out);
  if (!json) print(folded(String(made), '  '));
  else {
    const { prompts, tokens, rows, stages, bytes } = made;
    printJson({ out, prompts, tokens, rows, stages: stages.length, bytes });
  }
}

/** `head=2:4,query=0:10`; a single number is that one alone. */
function sliceOf(text: string): Slice {
  const axes = text.split(',').map(part => /^\s*(\w+)=(-?\d+)(?::(-?\d*))?\s*$/.exec(part));
  if (axes.some(part => part === null))
    throw new InvalidArgumentError('Give axis=first:one-past-the-last, e.g. head=2:4,query=0:10.');
  const names = axes.map(part => part![1]);
  const twice = names.find((name, i) => names.indexOf(name) < i);
  if (twice !== undefined)
    throw new InvalidArgumentError(`There are two ranges along '${twice}', and one is taken. Give one of them.`);
  return Object.fromEntries(
    axes.map(part => {
      const [, axis, first, end] = part!;
      const from = Number(first);
      const one = from === -1 ? Number.POSITIVE_INFINITY : from + 1;
      return [axis, [from, end === undefined ? one : end === '' ? Number.POSITIVE_INFINITY : Number(end)]];
    }),
  );
}
