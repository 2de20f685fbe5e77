// What was typed behind the command, as bytes: Node has put U+FFFD in the place of those that are no UTF-8 before anybody sees them.

import { isUtf8 } from 'node:buffer';
import { readFileSync } from 'node:fs';
import { OptionError } from '../../engine/errors.js';
import { quoted } from '../../engine/tokenizer/quoted.js';

/** Throws OptionError for an argument of other bytes, where the system tells what they were: Linux. */
export function checkTyped(args: readonly string[]): void {
  const odd = args.find(arg => arg.includes('\ufffd'));
  if (odd === undefined || process.platform !== 'linux') return;
  if (isUtf8(readFileSync('/proc/self/cmdline'))) return; // it was typed so
  throw new OptionError(
    `${quoted(odd)} is not UTF-8 as it was typed, and would be read as another text. Type it in UTF-8, or save it so and name the file.`,
  );
}
