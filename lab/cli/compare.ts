// loupe compare: two models over a text, what the second makes of it held against the first.

import { Command, Option } from 'commander';
import { OptionError } from '../../engine/errors.js';
import { readText } from '../../engine/files.js';
import type { PlanKind } from '../../engine/fuse.js';
import { comparisonPictures } from '../display/model-comparison.js';
import { report } from '../display/report.js';
import { compareModels } from '../probe/model-comparison.js';
import { PromptFile, prompts } from '../values/prompt-file.js';
import { INSPECT } from '../values/shown.js';
import { checkTarget } from '../values/write-file.js';
import { openModel, print, printJson, whole, withAdapter, withPlan } from './options.js';

interface Options {
  readonly model: readonly string[];
  readonly adapter?: string;
  readonly plan?: PlanKind;
  readonly text?: string;
  readonly jsonl?: string;
  readonly column?: string;
  readonly window?: number;
  readonly tokens?: number;
  readonly html?: string;
  readonly json?: boolean;
}

const MOST_FILE = 64 << 20;

export function compareCommand(): Command {
  return withPlan(
    withAdapter(
      new Command('compare').description(
        'two models over a text: perplexity, KL divergence, the likeliest token, by place and by layer',
      ),
    ),
    'fast',
  )
    .requiredOption('-m, --model <model...>', 'two: what the second makes of the text is held against the first')
    .option('-t, --text <file>', 'the text to read')
    .addOption(new Option('--jsonl <file>', 'many texts, JSON a line; each begins anew').conflicts('text'))
    .option('--column <name>', 'of --jsonl, the key of a line that has the text')
    .option('--window <tokens>', 'tokens read together, each window from an empty cache; default 512', whole(0))
    .option('--tokens <n>', 'how many are read in all; default: all', whole(1))
    .option('--html <file>', 'write a page of it too')
    .action(async (options: Options) => {
      const { model, text, jsonl, column, window, tokens, plan, html } = options;
      if (model.length !== 2)
        throw new OptionError(
          `Two models are compared, and ${model.length === 1 ? 'one was' : `${model.length} were`} given. Give --model A --model B.`,
        );
      if ((text ?? jsonl) === undefined) throw new OptionError('There is no text. Give --text F or --jsonl F.');
      if (column !== undefined && jsonl === undefined)
        throw new OptionError('--column is of --jsonl, and there is none. Leave it out.');
      if (html !== undefined) checkTarget(html);
      const texts =
        jsonl === undefined
          ? readText(
              text!,
              MOST_FILE,
              why => new OptionError(`The text ${text} cannot be read: ${why}. Give a file of text.`),
            )
          : textsOf(jsonl, column);
      const opened = { adapter: options.adapter, plan };
      using first = await openModel({ ...opened, model: model[0] }, true);
      using second = await openModel({ ...opened, model: model[1] }, true);
      const found = await compareModels(first, second, texts, { window, tokens, plan });
      if (html !== undefined) report(html, found, ...comparisonPictures(found));
      if (options.json) printJson({ ...found });
      else print(found[INSPECT]());
    });
}

/** Whatever the file is called, the option says what is in it. */
const textsOf = (path: string, column: string | undefined): PromptFile =>
  /\.parquet$/i.test(path) ? prompts(path, { column }) : new PromptFile(path, column, 'JSON');
