// The stack of an error that a cell looks at itself: `error.stack`, console.log(error), an error as a value. V8 asks for its text when it is
// read for the first time, and gets it in the cells' own lines.

import { attempt } from '../values/plain.js';
import { asWritten, type Cells, DEEP, framesInCells, placeInCell, sitesInCells } from './place.js';

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

type Prepare = NonNullable<typeof Error.prepareStackTrace>;
const NAME = 'prepareStackTrace';

/**
 * From now on, in this process. A cell may set a way of its own, which gets frames in the cells' lines; without one it is this again,
 * whether it is set to undefined, deleted or defined.
 * @returns what to call after a cell
 */
export function writeStacks(cells: Cells): () => void {
  const ours: Prepare = (error, sites) => {
    const title = titleOf(error);
    try {
      const frames = framesInCells(sites, cells);
      written.add(error);
      return [title, ...frames].join('\n');
    } catch {
      return title; // no room on the stack
    }
  };
  const carried = new WeakSet<Prepare>([ours]);
  const carry = (own: Prepare): Prepare => {
    if (carried.has(own)) return own;
    const carrier: Prepare = (error, sites) => {
      const placed = attempt(() => sitesInCells(sites, cells));
      if (placed) written.add(error);
      return own.call(Error, error, placed ?? [...sites]);
    };
    carried.add(carrier);
    return carrier;
  };
  let present = ours;
  const property: PropertyDescriptor & ThisType<unknown> = {
    get: () => present,
    set(prepare: unknown) {
      if (this !== Error) Object.defineProperty(this, NAME, { value: prepare, writable: true, configurable: true });
      else install(prepare);
    },
    configurable: true,
  };
  const install = (prepare: unknown) => {
    present = typeof prepare === 'function' ? carry(prepare as Prepare) : ours;
    Object.defineProperty(Error, NAME, property);
  };
  // Where Error's own is deleted this one is found, behind it.
  const behind = { ...property, get: () => ours };
  Object.setPrototypeOf(Error, Object.create(Function.prototype, { [NAME]: behind }));
  install(undefined);
  Error.stackTraceLimit = DEEP;
  return () => {
    const { get, value } = Object.getOwnPropertyDescriptor(Error, NAME) ?? {};
    if (get !== property.get) install(value);
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
