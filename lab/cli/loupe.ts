#!/usr/bin/env node
// The command line: the lab's verbs for a shell. Exit codes: 0 done, 1 a check failed, 2 a mistake in what was asked (one sentence
// on stderr), 130 stopped by Ctrl-C, 141 the output was closed (as by head).

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command, CommanderError, type Option } from 'commander';
import { Interrupted, LoupeError, OptionError } from '../../engine/errors.js';
import { packageRoot } from '../../engine/files.js';
import { printable } from '../../engine/printable.js';
import { quoted } from '../../engine/tokenizer/quoted.js';
import { watchCtrlC } from '../host/ctrl-c.js';
import { fireInterrupt } from '../host/interrupt.js';
import '../index.js'; // whole: what sessions can do, and the pictures of values
import { benchCommand } from './bench.js';
import { chatCommand } from './chat.js';
import { diffCommand } from './diff.js';
import { doctorCommand } from './doctor.js';
import { generateCommand } from './generate.js';
import { infoCommand, planCommand } from './info.js';
import { kernelCommand } from './kernel.js';
import { labCommand } from './lab.js';
import { parityCommand } from './parity.js';
import { perplexityCommand } from './perplexity.js';
import { pullCommand } from './pull.js';
import { tokenizeCommand } from './tokenize.js';
import { traceCommand } from './trace.js';

function program(): Command {
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
    parityCommand(),
    benchCommand(),
    perplexityCommand(),
    kernelCommand(),
  ]) {
    loupe.addCommand(command);
  }
  // Jupyter has its own Ctrl-C.
  loupe.hook('preAction', async (_, command) => {
    checkEmpty(command);
    if (command.name() !== 'lab') await watchCtrlC();
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

async function main(): Promise<number> {
  try {
    await program().parseAsync();
    return Number(process.exitCode ?? 0);
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    if (error instanceof Interrupted) return 130;
    if (error instanceof LoupeError) {
      process.stderr.write(`loupe: ${error.message}\n`);
      return 2;
    }
    if ((error as NodeJS.ErrnoException | null)?.code === 'EPIPE') return PIPE_CLOSED;
    process.stderr.write(
      `loupe: this is a defect of Loupe, please report it:\n${printable(String((error as Error)?.stack ?? error))}\n`,
    );
    return 70;
  }
}

/** As the shell has it for a program that the signal SIGPIPE ended. */
const PIPE_CLOSED = 141;
const GRACE = 2000; // ms for what runs to end
/** Set where the output cannot be written: the exit code, whatever becomes of the command. */
let failed: number | null = null;

/**
 * Whoever read the output has gone, which is no mistake (`| head`); or it cannot be written. The process must not exit by itself while the
 * GPU works: Dawn crashes then. So it dies by the signal that Node ignores, or stops what runs and exits after it.
 */
function outputFailed({ code, message }: NodeJS.ErrnoException): void {
  if (failed !== null) return;
  if (code === 'EPIPE') {
    failed = PIPE_CLOSED;
    if (process.platform !== 'win32') {
      process.once('SIGPIPE', () => {}).removeAllListeners('SIGPIPE'); // after its last listener a signal does what it does
      process.kill(process.pid, 'SIGPIPE');
    }
  } else {
    failed = 2;
    process.stderr.write(`loupe: The output cannot be written (${code ?? message}). Send it elsewhere.\n`);
  }
  fireInterrupt();
  setTimeout(() => process.exit(failed ?? 2), GRACE);
}
process.stdout.on('error', outputFailed);
process.stderr.on('error', () => {});

// The GPU's threads would keep the process alive; what was printed must be out first, or be known not to get out.
main().then(code => {
  process.stdout.write('', () => {
    if (process.stdout.errored) outputFailed(process.stdout.errored);
    process.exit(failed ?? code);
  });
});
