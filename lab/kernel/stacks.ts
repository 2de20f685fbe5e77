// The stack of an error that a cell looks at itself: `error.stack`, console.log(error), an error as a value. V8 asks for its text when it is
// read for the first time, and gets it in the cells' own lines.

import { attempt } from '../display/plain.js';
import { asWritten, type Cells, framesInCells, placeInCell } from './place.js';

/** Errors whose stack is in the cells' lines already. */
const written = new WeakSet<object>();

/** Node marks its own errors, whose stacks name their codes. */
function markOfNode(): symbol | undefined {
  try {
    Buffer.alloc('' as unknown as number);
  } catch (error) {
    for (let at: unknown = error; at; at = Object.getPrototypeOf(at)) {
      const mark = Object.getOwnPropertySymbols(at).find(symbol => symbol.description === 'kIsNodeError');
      if (mark) return mark;
    }
  }
}
const OF_NODE = markOfNode();

/** From now on, in this process. */
export function writeStacks(cells: Cells): void {
  Error.prepareStackTrace = (error, sites) => {
    const title = titleOf(error);
    try {
      const frames = framesInCells(
        sites.map(site => `    at ${site}`),
        cells,
      );
      written.add(error);
      return [title, ...frames].join('\n');
    } catch {
      return title; // no room on the stack
    }
  };
}

function titleOf(error: Error): string {
  const isNodes = OF_NODE !== undefined && attempt(() => OF_NODE in error) === true;
  const code = isNodes ? attempt(() => (error as NodeJS.ErrnoException).code) : undefined;
  if (code !== undefined) return `${error.name} [${code}]: ${error.message}`;
  return attempt(() => Error.prototype.toString.call(error)) ?? 'Error';
}

/** How the places of an error's stack are found. */
export const finding = (error: object) => (written.has(error) ? asWritten : placeInCell);
