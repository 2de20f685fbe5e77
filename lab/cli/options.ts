// What the commands share: the options for opening a model, the parsing of numbers, and results for people or for programs.

import { fstatSync } from 'node:fs';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { ADAPTER_CHOICES } from '../../engine/adapter.js';
import { OptionError, PromptError } from '../../engine/errors.js';
import { CACHE_FORMATS, type CacheFormat } from '../../engine/cache-format.js';
import type { PlanKind } from '../../engine/fuse.js';
import type { KernelChoice } from '../../engine/traits.js';
import type { Activations } from '../../engine/dispatch.js';
import { QUANTISED, type Quantise } from '../../engine/weights/quantise.js';
import { idsIn, isDecimal } from '../values/arguments.js';
import { open } from '../session/open.js';
import type { Session } from '../session/session.js';

export interface ModelOptions {
  readonly model: string;
  readonly adapter?: string;
  readonly kernels?: KernelChoice;
  readonly tokenizer?: string;
  readonly context?: number;
  readonly quantise?: Quantise;
  readonly activations?: Activations;
  readonly cache?: CacheFormat;
  readonly plan?: PlanKind;
  readonly json?: boolean;
}

/** --model, --adapter, --tokenizer, --context and --json. */
export function withModel(command: Command): Command {
  return withAdapter(command)
    .option(
      '-m, --model <model>',
      'atlas, a folder with config.json, a .gguf, a .safetensors, or org/name after loupe pull',
      'atlas',
    )
    .option(
      '--tokenizer <file>',
      'a tokenizer.model, .spm, tokenizer.json or .gguf, instead of the model’s own vocabulary',
    )
    .addOption(
      new Option('--kernels <whose>', 'own: the adapter’s; gpu: those of a GPU, which any adapter can run').choices([
        'own',
        'gpu',
      ]),
    )
    .option('--context <tokens>', 'longest sequence', whole(1))
    .addOption(
      new Option('--quantise <format>', 'make matrices in F32, F16 or BF16 smaller on loading').choices(QUANTISED),
    )
    .addOption(new Option('--cache <format>', 'f16: keys and values in half the bytes').choices(CACHE_FORMATS))
    .addOption(
      new Option('--activations <type>', 'int8: in the fast plan, round what matrices are given to 8 bits').choices([
        'f32',
        'int8',
      ]),
    );
}

/** --plan: which steps compute it. */
export function withPlan(command: Command, plan: PlanKind): Command {
  return command.addOption(
    new Option('--plan <plan>', 'exact: a stage at a time; fast: several stages a step')
      .choices(['exact', 'fast'])
      .default(plan),
  );
}

export function withAdapter(command: Command): Command {
  const adapter = new Option('--adapter <adapter>', 'which GPU adapter').choices(ADAPTER_CHOICES);
  // One that is set to nothing is as one that is not set.
  if (process.env.LOUPE_ADAPTER !== '') adapter.env('LOUPE_ADAPTER');
  return command.addOption(adapter).option('--json', 'print JSON');
}

/** @param another whether a session with the same model stays open beside it */
export function openModel(options: ModelOptions, another = false): Promise<Session> {
  const { model, adapter, kernels, tokenizer, context, quantise, activations, cache, plan } = options;
  if (activations === 'int8' && plan === 'exact')
    throw new OptionError(
      '--activations int8 is a matter of the fast plan, and this is the exact one. Add --plan fast.',
    );
  return open(model, {
    adapter: adapter || undefined,
    kernels,
    tokenizer,
    context,
    quantise,
    activations,
    cache,
    another,
  });
}

/** Parser of whole numbers from `least`. */
export function whole(least: number): (text: string) => number {
  return text => {
    const value = /^\d+$/.test(text) ? Number(text) : Number.NaN; // Number takes '', 0x10 and 1e3 too
    if (Number.isSafeInteger(value) && value >= least) return value;
    throw new InvalidArgumentError(`Give a whole number from ${least}.`);
  };
}

export function real(text: string): number {
  const value = isDecimal(text) ? Number(text) : Number.NaN;
  if (Number.isFinite(value)) return value;
  throw new InvalidArgumentError('Give a number.');
}

/** `2,818,5279` */
export function idList(text: string): number[] {
  const ids = idsIn(text);
  if (typeof ids !== 'string' && ids.length > 0) return ids;
  const found = typeof ids === 'string' ? `'${ids}' is none. ` : '';
  throw new InvalidArgumentError(`${found}Give token ids separated by commas, e.g. 2,818,5279.`);
}

/** The prompt of --prompt or --ids. Throws PromptError when there is neither, and when there are both. */
export function promptOf({ prompt, ids }: { prompt?: string; ids?: number[] }): string | number[] {
  if (ids !== undefined && prompt !== undefined)
    throw new PromptError('There are two prompts, --prompt and --ids, and one is read. Leave one of them out.');
  const given = ids ?? prompt;
  if (given !== undefined) return given;
  throw new PromptError("There is no prompt. Give --prompt 'some text' or --ids 2,818,5279.");
}

/**
 * Says that nothing is read of what is piped in, because something else is. Whether anything comes through the pipe cannot be known
 * without taking it from who else may read there, a loop of the shell for one.
 */
export function noteUnreadPipe(instead: string): void {
  try {
    if (!fstatSync(0).isFIFO()) return;
  } catch {
    return; // there is no standard input
  }
  process.stderr.write(`loupe: Standard input is a pipe, and it is not read: ${instead} that was given is.\n`);
}

export { print, printJson, printText } from '../host/print.js';
