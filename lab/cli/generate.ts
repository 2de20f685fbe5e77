// loupe generate: text from a prompt, streamed as it is made.

import { Command } from 'commander';
import { OptionError, PromptError } from '../../engine/errors.js';
import { contextFull } from '../../engine/longer-context.js';
import { type Prompt, type PromptFile, prompts, promptsOf } from '../values/prompt-file.js';
import { printContinuations } from './generate-batch.js';
import {
  idList,
  type ModelOptions,
  noteUnreadPipe,
  openModel,
  print,
  printJson,
  printText,
  promptOf,
  real,
  whole,
  withModel,
  withPlan,
} from './options.js';

interface Options extends ModelOptions {
  readonly prompt?: string;
  readonly ids?: number[];
  readonly prompts?: string;
  readonly column?: string;
  readonly atOnce?: number;
  readonly maxTokens: number;
  readonly temperature: number;
  readonly topK: number;
  readonly topP: number;
  readonly seed: number;
  readonly ignoreEos?: boolean;
}

interface Several {
  readonly file: PromptFile;
  readonly given: readonly Prompt[];
}

const FLAGS = { topK: '--top-k', topP: '--top-p', seed: '--seed' };

export function generateCommand(): Command {
  return withPlan(withModel(new Command('generate').description('continue a prompt')), 'fast')
    .option('-p, --prompt <text>', 'text to continue')
    .option('--ids <ids>', 'token ids to continue, comma-separated; needs no tokenizer', idList)
    .option('--prompts <file>', 'continue a prompt a line, together; or of a .jsonl or .parquet')
    .option('--column <name>', 'of a .parquet or .jsonl, which has the prompts; default: prompt')
    .option('--at-once <n>', 'most of them at once; default: what the memory holds, 32 at most', whole(1))
    .option('-n, --max-tokens <n>', 'most tokens to make', whole(0), 64)
    .option('--temperature <t>', '0 takes the most likely token each time', real, 0)
    .option('--top-k <k>', 'draw from the k most likely; 0: all', whole(0), 0)
    .option('--top-p <p>', 'draw from the most likely that together have this probability', real, 1)
    .option('--seed <n>', 'the same seed gives the same text; of --prompts, each next has one more', whole(0), 0)
    .option('--ignore-eos', 'go on past end-of-sequence tokens')
    .action(async (options: Options, command: Command) => {
      const given = (name: string) => command.getOptionValueSource(name) !== 'default';
      const several = options.prompts === undefined ? null : await severalOf(options);
      if (options.column !== undefined && !several)
        throw new OptionError('--column is of --prompts, and there is one prompt. Leave it out.');
      const prompt = several ? null : promptOf(options);
      if (options.atOnce !== undefined && !several)
        throw new PromptError(
          '--at-once is how many of --prompts are continued at once, and there is one. Leave it out.',
        );
      noteUnreadPipe(several ? 'the file' : 'the prompt');
      const { maxTokens, temperature, topK, topP, seed, ignoreEos, plan } = options;
      const unused = temperature === 0 ? (['topK', 'topP', 'seed'] as const).filter(given) : [];
      if (unused.length > 0)
        process.stderr.write(
          `loupe: ${unused.map(name => FLAGS[name]).join(', ')} ${unused.length > 1 ? 'change' : 'changes'} nothing at temperature 0, which takes the most likely token. Give --temperature too.\n`,
        );
      const session = await openModel(options);
      if (several) {
        const { atOnce, json = false } = options;
        const asked = { maxTokens, temperature, topK, topP, seed, ignoreEos, plan, atOnce };
        await printContinuations(session, several.file, several.given, asked, json);
        return;
      }
      const began = performance.now();
      let first = 0;
      const ids: number[] = [];
      let text = '';
      let stopped = false;
      for await (const token of session.generate(prompt as string | number[], {
        maxTokens,
        temperature,
        topK,
        topP,
        seed,
        ignoreEos,
        plan,
      })) {
        ids.push(token.id);
        if (ids.length === 1) first = performance.now();
        text += token.text;
        stopped = token.stop;
        if (!options.json) printText(token.text);
      }
      const decode = performance.now() - first;
      const cut = !stopped && ids.length > 0 && ids.length < maxTokens;
      if (!options.json) print('');
      if (cut) process.stderr.write(`loupe: It ends there: ${contextFull(session)}\n`);
      if (options.json !== true) return;
      printJson({
        ids,
        text,
        stop: stopped,
        // The first token is the prompt's; the others are decoded one by one.
        tokensPerSecond: ids.length > 1 ? ((ids.length - 1) / decode) * 1000 : null,
        firstTokenMs: ids.length > 0 ? first - began : null,
        plan,
        adapter: session.provenance().adapter,
      });
    });
}

/** A file of prompts, and what is in it: what is wrong with that is told before a model is opened. */
async function severalOf({ prompts: path, column, prompt, ids }: Options): Promise<Several> {
  if (prompt !== undefined || ids !== undefined)
    throw new PromptError(
      `There is --prompts, and ${prompt === undefined ? '--ids' : '--prompt'} too, and one is read. Leave one of them out.`,
    );
  const file = prompts(path!, { column });
  return { file, given: await promptsOf(file) };
}
