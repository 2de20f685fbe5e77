// Jinja with bounds, and with Python's word where the library has JavaScript's. A template comes out of a model's files, from anybody:
// whatever it does ends within a second. What it would print and no prompt should hold (a list, a function) is refused.

import { Raised } from './jinja-functions.js';
import { isControl, type Node, parse } from './jinja-library.js';
import { Run } from './jinja-run.js';
import { planned } from './jinja-shape.js';
import { tokensOf } from './jinja-source.js';
import { rewritten } from './jinja-syntax.js';
import { Limit } from './jinja-values.js';

const LONGEST_SOURCE = 1 << 19; // real ones have a few thousand

/** A conversation that the template refuses: Jinja's words for it, and the message that was being read. */
export class Refusal extends Error {
  constructor(
    message: string,
    /** Index into the messages; null before any was looked at. */
    readonly index: number | null,
    readonly endless: boolean,
    /** It asks for what no conversation could give: a filter that there is none of, an operator, a call. */
    readonly faulty = false,
  ) {
    super(message);
  }
}

/** How the library and Loupe say that a template does what they cannot do. */
const FAULTS =
  /^(Unknown |Cannot apply filter|Cannot call something|Expected|Invalid LHS|`|arguments of |it divides by zero|it slices with|it leaves a loop|\w+ takes |range )/;

export interface Program {
  /** Throws Refusal. @param variables what the template may name, `messages` among it */
  render(variables: Readonly<Record<string, unknown>>): string;
}

/** Throws Error for what is no Jinja. Lines may end in CR and LF, which are one LF as in Jinja. */
export function compile(source: string): Program {
  if (source.length > LONGEST_SOURCE)
    throw new Error(`it has ${source.length} characters, and at most ${LONGEST_SOURCE} are read.`);
  const text = source.replace(/\r\n?/g, '\n');
  checkBlanks(text);
  const { program, plans } = planned(parsed(text));
  return {
    render(variables) {
      const run = new Run(plans);
      try {
        return run.whole(program, variables);
      } catch (error) {
        const message = isControl(error) ? 'it leaves a loop where there is none' : (error as Error).message;
        const endless = error instanceof Limit;
        const deep = error instanceof RangeError && /call stack/.test(message);
        const faulty = !(error instanceof Raised) && FAULTS.test(message);
        throw new Refusal(deep ? 'it calls itself too deep' : message, run.turn, endless || deep, faulty);
      }
    },
  };
}

function parsed(text: string): Node {
  try {
    return parse(rewritten(tokensOf(text)));
  } catch (error) {
    if (error instanceof TypeError) throw new Error('a block has no end.'); // the library reads on behind the last token
    throw error;
  }
}

/** The library looks for tags by an expression that takes the square of a run of blanks. */
function checkBlanks(text: string): void {
  let cost = 0;
  for (const [run] of text.matchAll(/\s{256,}/g)) cost += run.length ** 2;
  if (cost > 2e8) throw new Error('it is mostly blank.');
}
