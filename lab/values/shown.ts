// What an object shows: the same thing in several forms, of which a notebook takes the richest it can. A plot is plotly JSON for
// JupyterLab, a static picture for places that run no script, and text for a terminal. Values know nothing of their pictures: there is one
// table from class to picture, which the pictures are put into from above (display/all.ts).

import { printable } from '../../engine/printable.js';
import { withoutMathematics } from './html.js';

/** Any object with this method shows itself as the last expression of a cell (Deno's convention). */
export const DISPLAY = Symbol.for('Jupyter.display');
/** What a page shows of a value and a terminal does not, where it is made only for a page: the method gives a promise while there is something to make, else null. */
export const PREPARE = Symbol.for('gemma-loupe.prepare');
export interface Prepared {
  [PREPARE](): Promise<unknown> | null;
}
/** Node's convention for text. */
export const INSPECT = Symbol.for('nodejs.util.inspect.custom');

/** A figure as plotly takes it. */
export interface Figure {
  /** Traces. */
  readonly data: readonly Readonly<Record<string, unknown>>[];
  /** Axes, title and size. */
  readonly layout: Readonly<Record<string, unknown>>;
  /** How it behaves on a page. */
  readonly config?: Readonly<Record<string, unknown>>;
}

/** The forms in which a value shows itself; a page takes the richest that it can show. */
export interface Bundle {
  /** For a terminal. */
  readonly 'text/plain': string;
  /** A table or a text. */
  readonly 'text/html'?: string;
  /** The picture where no script runs. */
  readonly 'image/svg+xml'?: string;
  /** The picture, to look into. */
  readonly 'application/vnd.plotly.v1+json'?: Figure;
}

/** A class of values that show themselves; who may make them is its own affair. */
type Class<T> = { readonly prototype: T };

interface Picture<T> {
  readonly bundle: (value: T) => Bundle;
  /** What a console shows, where that is not the bundle's text. */
  readonly text: (value: T) => string;
}

const pictures = new Map<unknown, Picture<never>>();

/**
 * Puts the picture of a class into the table. It is made when a value is looked at, and is that of classes derived from it too. A class that is
 * not made to be shown, of the engine say, learns it here.
 */
export function pictured<T extends object>(
  of: Class<T>,
  bundle: (value: T) => Bundle,
  text = (value: T) => bundle(value)['text/plain'],
): void {
  pictures.set(of, { bundle, text });
  const { prototype } = of;
  if (prototype instanceof Shown) return;
  for (const name of [DISPLAY, INSPECT, 'toString'] as const) {
    const value = Shown.prototype[name as 'toString'];
    Object.defineProperty(prototype, name, { value, configurable: true, writable: true });
  }
}

function pictureOf(value: object): Picture<object> | undefined {
  for (let at = Object.getPrototypeOf(value); at !== null; at = Object.getPrototypeOf(at)) {
    const found = pictures.get(at.constructor);
    if (found) return found as Picture<object>;
  }
  return undefined;
}

/** A value with a picture in the table; without one, or before the table is filled, it is its own text. */
export abstract class Shown {
  /** @internal */
  [DISPLAY](): Bundle {
    return plain(pictureOf(this)?.bundle(this) ?? { 'text/plain': String(this) });
  }

  /** @internal */
  [INSPECT](): string {
    return printable(pictureOf(this)?.text(this) ?? String(this));
  }

  /**
   * A text with it in, `${run.logits.top(3)}`, says what a console shows of it.
   * @internal
   */
  toString(): string {
    return printable(pictureOf(this)?.text(this) ?? Object.prototype.toString.call(this));
  }
}

/** With a text that steers no terminal, and a page without mathematics. What is in the forms is escaped where they are made: html.ts, display/chart.ts. */
export function plain(bundle: Bundle): Bundle {
  const page = bundle['text/html'];
  return {
    ...bundle,
    'text/plain': printable(bundle['text/plain']),
    ...(page !== undefined && { 'text/html': withoutMathematics(page) }),
  };
}
