#!/usr/bin/env node
// The command line: the lab's verbs for a shell. Exit codes: 0 done, 1 a check failed, 2 a mistake in what was asked (one sentence
// on stderr), 130 stopped by Ctrl-C, 141 the output was closed (as by head).

import { watchCtrlC } from '../host/ctrl-c.js';
import { fireInterrupt } from '../host/interrupt.js';
import { PIPE_CLOSED, run } from './program.js';

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
let answered = false;
process.on('exit', code => {
  // Node ends when nothing is left to wait for, which is no success.
  if (answered || failed !== null || code !== 0) return;
  process.stderr.write(
    'loupe: It ended without an answer: what it waited for will not come. Try again; if it stays so, it is a fault of Loupe.\n',
  );
  process.exitCode = 2;
});
run(process.argv.slice(2), watchCtrlC).then(code => {
  answered = true;
  process.stdout.write('', () => {
    if (process.stdout.errored) outputFailed(process.stdout.errored);
    process.exit(failed ?? code);
  });
});
