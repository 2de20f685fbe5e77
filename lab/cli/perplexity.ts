// loupe perplexity: how well a model foresees a text, and how far a way of computing it is from another.

import { Command, Option } from 'commander';
import { OptionError } from '../../engine/errors.js';
import { readText } from '../../engine/files.js';
import type { PlanKind } from '../../engine/fuse.js';
import { INSPECT } from '../values/shown.js';
import { type ModelOptions, openModel, print, printJson, whole, withModel, withPlan } from './options.js';

interface Options extends ModelOptions {
  readonly text: string;
  readonly window?: number;
  readonly tokens?: number;
  readonly against?: PlanKind;
}

const MOST_FILE = 64 << 20;

export function perplexityCommand(): Command {
  return withPlan(
    withModel(
      new Command('perplexity').description('how well a model foresees a text, by one plan or held against another'),
    ),
    'fast',
  )
    .requiredOption('-t, --text <file>', 'the text to read')
    .option('--window <tokens>', 'tokens read together, each window from an empty cache; default 512', whole(0))
    .option('--tokens <n>', 'how many of the text are read; default: all', whole(1))
    .addOption(
      new Option('--against <plan>', 'read it by this plan too, and tell how far the distributions are apart').choices([
        'exact',
        'fast',
      ]),
    )
    .action(async (options: Options) => {
      const text = readText(
        options.text,
        MOST_FILE,
        why => new OptionError(`The text ${options.text} cannot be read: ${why}. Give a file of text.`),
      );
      if (text === '') throw new OptionError(`The text ${options.text} is empty. Give a file with some text in it.`);
      using session = await openModel(options);
      const { window, tokens, plan, against } = options;
      const found = await session.perplexity(text, { window, tokens, plan, against });
      if (options.json) printJson({ ...found });
      else print(found[INSPECT]());
    });
}
