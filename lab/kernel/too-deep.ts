// Code that is nested deeper than the compiler's own calls can follow: `1 + 1 + …` four thousand times, a chain of six hundred calls. Node has a
// parser that needs less for each, so that it runs there; here it is refused, with its place.

import ts from 'typescript';
import { attempt } from '../values/plain.js';
import { LINE_END } from './line-ends.js';
import type { Fault } from './problems.js';
import { parse } from './stoppable.js';

/** Levels that every compiler takes: what is not deeper is not to blame. */
const HARMLESS = 100;

/** Whether calls within calls used the stack up. Never throws. */
export const isTooDeep = (error: unknown): boolean =>
  attempt(() => error instanceof RangeError && /call stack/.test(error.message)) === true;

/**
 * What is told of a cell that the compiler could not follow.
 * @param source as it was written
 */
export function tooDeep(name: string, source: string): Fault {
  const at = deepestOf(source);
  const found = placeOf(source, at ?? 0);
  return {
    name,
    text: source,
    start: found,
    end: { line: found.line, character: found.character + 1 },
    code: '',
    message:
      at === null
        ? 'What this cell uses, a type or a file that it imports, is nested too deeply for the TypeScript compiler. Give the parts types and names of their own.'
        : 'This is nested too deeply for the TypeScript compiler: a sum, a chain of calls or brackets of hundreds of levels. Give parts of it names of their own, build it in a loop, or read it from a file.',
  };
}

function placeOf(source: string, at: number): ts.LineAndCharacter {
  const before = source.slice(0, at).split(LINE_END);
  return { line: before.length - 1, character: before.at(-1)!.length };
}

/** Where what is nested deepest begins; null where nothing is deep. */
function deepestOf(source: string): number | null {
  const whole = parsed(source);
  if (!whole) return firstTooDeep(source);
  let deepest: { node: ts.Node; depth: number } = { node: whole, depth: 0 };
  const left = [deepest];
  for (let next = left.pop(); next; next = left.pop()) {
    const { node, depth } = next;
    if (depth > deepest.depth) deepest = next;
    ts.forEachChild(node, child => void left.push({ node: child, depth: depth + 1 }));
  }
  return deepest.depth > HARMLESS ? deepest.node.getStart(whole) : null;
}

/** Where the parser itself comes to its end. */
function firstTooDeep(source: string): number {
  let [fits, fails] = [0, source.length];
  while (fails - fits > 1) {
    const middle = (fits + fails) >> 1;
    if (parsed(source.slice(0, middle))) fits = middle;
    else fails = middle;
  }
  return fits;
}

function parsed(source: string): ts.SourceFile | null {
  try {
    return parse('cell.ts', source);
  } catch (error) {
    if (isTooDeep(error)) return null;
    throw error;
  }
}
