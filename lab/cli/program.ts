// The commands, and what comes of one: an exit code, and a sentence for every mistake.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command, CommanderError, type Option } from 'commander';
import { Interrupted, LoupeError, OptionError } from '../../engine/errors.js';
import { packageRoot } from '../../engine/files.js';
import { printable } from '../../engine/printable.js';
import { quoted } from '../../engine/tokenizer/quoted.js';
import '../index.js'; // whole: what sessions can do, and the pictures of values
import { benchCommand } from './bench.js';
import { chatCommand } from './chat.js';
import { compareCommand } from './compare.js';
import { diffCommand } from './diff.js';
import { doctorCommand } from './doctor.js';
import { generateCommand } from './generate.js';
import { infoCommand, planCommand } from './info.js';
import { kernelCommand } from './kernel.js';
import { labCommand } from './lab.js';
import { parityCommand } from './parity.js';
import { perplexityCommand } from './perplexity.js';
import { pullCommand } from './pull.js';
import { sweepCommand } from './sweep.js';
import { tokenizeCommand } from './tokenize.js';
import { traceCommand } from './trace.js';
import { checkTyped } from './typed.js';

/** @param before is waited for before any command begins but lab, which has Jupyter's own Ctrl-C */
function program(before: () => Promise<void>): Command {
  const { version } = JSON.parse(readFileSync(join(packageRoot(), 'package.json'), 'utf8')) as { version: string };
  const loupe = new Command('loupe')
    .description('Look inside Gemma while it runs on WebGPU.')
    .version(version)
    .showHelpAfterError('(--help tells more)');
  for (const command of [
    labCommand(),
    doctorCommand(),
    pullCommand(),
    infoCommand(),
    planCommand(),
    chatCommand(),
    generateCommand(),
    tokenizeCommand(),
    traceCommand(),
    diffCommand(),
    compareCommand(),
    parityCommand(),
    benchCommand(),
    perplexityCommand(),
    sweepCommand(),
    kernelCommand(),
  ]) {
    loupe.addCommand(command);
  }
  loupe.hook('preAction', async (_, command) => {
    checkEmpty(command);
    if (command.name() !== 'lab') await before();
  });
  // Commander exits with 1 for a wrong option; here 1 means that a check failed.
  for (const command of [loupe, ...loupe.commands, ...loupe.commands.flatMap(c => c.commands)]) {
    command.exitOverride();
    for (const option of command.options) refuseSecond(command, option);
    command.configureOutput({ writeErr: text => process.stderr.write(printable(text)) }); // it quotes what was typed
  }
  return loupe;
}

/** The last of two would be taken in silence. What gathers its values, and a flag, may come again. */
function refuseSecond(command: Command, option: Option): void {
  if (option.variadic || option.isBoolean() || Array.isArray(option.defaultValue)) return;
  let first: string | undefined;
  command.on(`option:${option.name()}`, (value: string) => {
    if (first !== undefined && value !== first)
      throw new OptionError(`${option.long} was given twice, as ${quoted(first)} and ${quoted(value)}. Give one.`);
    first = value;
  });
}

/** Options that may be empty; of all others, an empty value is an unset variable of a script. */
const MAY_BE_EMPTY = ['prompt', 'system', 'stop', 'adapter'];

function checkEmpty(command: Command): void {
  for (const option of command.options) {
    const name = option.attributeName();
    if (command.getOptionValue(name) !== '' || MAY_BE_EMPTY.includes(name)) continue;
    throw new OptionError(`${option.long} was given nothing. Give a value, or leave it out.`);
  }
}

/** Runs a command as it was typed. @returns the exit code; what is to be said of a mistake is on stderr */
export async function run(args: readonly string[], before: () => Promise<void>): Promise<number> {
  try {
    checkTyped(args);
    await program(before).parseAsync(args, { from: 'user' });
    return Number(process.exitCode ?? 0);
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    if (error instanceof Interrupted) return 130;
    if (error instanceof LoupeError) {
      process.stderr.write(`loupe: ${error.message}\n`);
      return 2;
    }
    const { code, syscall } = (error ?? {}) as NodeJS.ErrnoException;
    if (code === 'EPIPE') return PIPE_CLOSED;
    if (syscall === 'uv_cwd') {
      process.stderr.write('loupe: The folder that this runs in is gone. Change into one that is there.\n');
      return 2;
    }
    process.stderr.write(
      `loupe: this is a defect of Loupe, please report it:\n${printable(String((error as Error)?.stack ?? error))}\n`,
    );
    return 70;
  }
}

/** As the shell has it for a program that the signal SIGPIPE ended. */
export const PIPE_CLOSED = 141;
