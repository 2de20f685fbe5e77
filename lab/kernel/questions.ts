// Questions to the person in front, one at a time: Jupyter has one line to type into, and its answers carry no name.

import { Interrupted, LoupeError } from '../../engine/errors.js';
import type { CellOutput } from './output.js';
import type { Request } from './wire.js';

interface Question {
  readonly cell: CellOutput;
  readonly request: Request;
  readonly content: { readonly prompt: string; readonly password: boolean };
  answered(value: string): void;
  refused(error: Error): void;
}

export class Questions {
  /** The first is being asked. */
  #waiting: Question[] = [];
  readonly #open = new WeakMap<CellOutput, Request>();

  /** @param send asks the front end that the request came from */
  constructor(private readonly send: (content: Question['content'], request: Request) => void) {}

  /** From now on `cell` may ask, until it ends. */
  open(cell: CellOutput, request: Request): void {
    this.#open.set(cell, request);
  }

  ask(cell: CellOutput | null, prompt: string, password: boolean): Promise<string> {
    const request = cell && this.#open.get(cell);
    if (!cell || !request) {
      throw new LoupeError(
        `Nobody can be asked '${prompt}': ${cell?.ended ? 'the cell that asks has ended; await the answer in it' : 'this front end has no keyboard for cells'}.`,
      );
    }
    return new Promise((answered, refused) => {
      this.#waiting.push({ cell, request, content: { prompt, password }, answered, refused });
      if (this.#waiting.length === 1) this.#next();
    });
  }

  /** An answer that nobody waits for is not kept: it was meant for a cell that was stopped. */
  answer(value: string): void {
    this.#waiting.shift()?.answered(value);
    this.#next();
  }

  /** A front end lets go of a cell that has ended, and no answer would come. */
  end(cell: CellOutput): void {
    this.#open.delete(cell);
    const left = this.#waiting.filter(question => question.cell === cell);
    if (left.length === 0) return;
    const [asked] = this.#waiting;
    this.#waiting = this.#waiting.filter(question => question.cell !== cell);
    for (const { refused, content } of left) {
      refused(
        cell.stopped
          ? new Interrupted('The question')
          : new LoupeError(`Nobody answered '${content.prompt}' before its cell ended. Await the answer in the cell.`),
      );
    }
    if (asked.cell === cell) this.#next();
  }

  #next(): void {
    const [question] = this.#waiting;
    if (!question) return;
    question.cell.flush();
    this.send(question.content, question.request);
  }
}
