// Errors that nobody caught: each is told in the cell that it comes from, and the kernel lives.

import { Interrupted } from '../../engine/errors.js';
import { attempt, briefly, isError } from '../values/plain.js';
import { framesOf } from './failure.js';
import type { CellOutput } from './output.js';
import type { Cells } from './place.js';

/** Of a cell, those that are told. */
const MOST = 20;

export class Strays {
  /** How many there were. */
  readonly #counts = new WeakMap<CellOutput, number>();

  constructor(private readonly cells: Cells) {}

  tell(output: CellOutput, what: string, error: unknown): void {
    if (attempt(() => error instanceof Interrupted)) return;
    const count = (this.#counts.get(output) ?? 0) + 1;
    this.#counts.set(output, count);
    if (count > MOST + 1) return;
    const frames = isError(error) ? framesOf(error, this.cells) : [];
    const told = `${what}: ${[briefly(error, 2000), ...frames].join('\n')}`;
    output.write(
      'stderr',
      `${count > MOST ? 'Further errors of this cell that nobody catches are not told.' : told}\n`,
    );
  }
}
