// show(x): puts what an object shows into the notebook, or its text on a terminal.

import { randomUUID } from 'node:crypto';
import { Interrupted } from '../../engine/errors.js';
import { notebook, sendBundle } from './notebook.js';
import { type Bundle, DISPLAY, PREPARE, type Prepared, Shown } from '../values/shown.js';
import { type Forms, formsOf, within } from './forms.js';
import { attempt, briefly, plain } from '../values/plain.js';

/** What `show` returns: the way to what it showed. */
export interface Display {
  /** Puts other values in the place of those shown, in their order. */
  update(...values: readonly unknown[]): void;
}

const HANDLE = Symbol.for('gemma-loupe.display');

/** Whether a value is what `show` returns: it has been shown already. */
export const isDisplay = (value: unknown): boolean =>
  attempt(() => typeof value === 'object' && value !== null && HANDLE in value) === true;

/**
 * Shows values now, without being a cell's last expression. A display method that is asynchronous is waited for by the cell. A plain object whose keys are all mime types is shown in these
 * forms, bytes of pictures as they are: only here, where it is asked for. As a cell's last value, in a list or in a report such an object is data, and a text is text, whatever it holds.
 * @example show(run.attention(), run.norms())
 * @example show({ 'text/html': '<b>bold</b>' })
 * @example show({ 'image/png': readFileSync('plot.png') }, { 'text/markdown': '**bold**' })
 */
export function show(...values: readonly unknown[]): Display {
  const places = values.map(() => place());
  values.forEach((value, i) => {
    places[i](value);
  });
  const update = (...others: readonly unknown[]) => {
    others.forEach((value, i) => {
      (places[i] ??= place())(value);
    });
  };
  return Object.defineProperty({ update }, HANDLE, { value: true });
}

/** A value that changes once it is shown: it is given what puts it anew into the place where it stands. */
export const LIVE = Symbol.for('gemma-loupe.live');

export const isLive = (value: unknown): boolean =>
  attempt(
    () => typeof value === 'object' && value !== null && typeof (value as { [LIVE]?: unknown })[LIVE] === 'function',
  ) === true;

/** One output, which shows the value it was given last. */
function place(): (value: unknown) => void {
  const id = randomUUID();
  let [turn, there] = [0, false];
  const put = (value: unknown) => {
    if (isLive(value)) {
      const held = turn + 1;
      (value as { [LIVE](changed: () => void): void })[LIVE](() => {
        if (turn === held) now(value, held);
      });
    }
    now(value, ++turn);
  };
  return put;

  function now(value: unknown, mine: number): void {
    const send = ({ data, notes }: Presented) => {
      if (mine !== turn) return; // a later value was quicker
      if (!sendBundle(data, { id, update: there })) process.stdout.write(`${data['text/plain']}\n`);
      there = true;
      tell(notes);
    };
    const presented = formsIn(value) ?? present(value);
    if (!(presented instanceof Promise)) {
      send(presented);
      // At once, and anew when the rest is made: what is shown next stays behind it.
      const again = () => {
        const whole = present(value);
        if (!(whole instanceof Promise)) send(whole);
      };
      const rest = prepared(value);
      if (rest) notebook()?.until?.(rest.then(again, () => {})); // stopped
    } else {
      const done = presented.then(send, () => {}); // stopped
      notebook()?.until?.(done);
    }
  }
}

const MIME = /^(?:text|image|application|audio|video|model)\/[\w.+-]+(?:;.*)?$/;

/** What a plain object of forms by their mime types shows; null for any other value. */
function formsIn(value: unknown): Presented | null {
  const isForms = attempt(() => {
    if (typeof value !== 'object' || value === null || DISPLAY in value) return false;
    const prototype = Object.getPrototypeOf(value);
    const plain = prototype === null || Object.getPrototypeOf(prototype) === null;
    const keys = Reflect.ownKeys(value);
    return plain && keys.length > 0 && keys.every(key => typeof key === 'string' && MIME.test(key));
  });
  if (isForms !== true) return null;
  const notes: string[] = [];
  return plainly(value, formsOf(value, notes), notes);
}

/** What could not be shown, beside what was. */
const tell = (notes: readonly string[]) => {
  if (notes.length > 0) process.stderr.write(`${notes.join('\n')}\n`);
};

/** A bundle that can be sent, always with text, and a sentence for everything that could not be shown. */
export interface Presented {
  readonly data: Bundle;
  readonly notes: readonly string[];
}

/**
 * What a page shows of a value and is not made yet: a promise in a notebook, where it is to be waited for, else null. It rejects with nothing but Interrupted: what cannot be made is not shown, and the value itself says so.
 */
export function prepared(value: unknown): Promise<void> | null {
  if (!notebook()) return null;
  const rest = attempt(() =>
    value instanceof Shown && PREPARE in value ? (value as Shown & Prepared)[PREPARE]() : null,
  );
  if (!rest) return null;
  return rest.then(
    () => {},
    error => {
      if (attempt(() => error instanceof Interrupted)) throw error;
    },
  );
}

/** ms that an asynchronous display has. */
const PATIENCE = 20_000;

/**
 * What a value shows: its own display, or Node's text. A promise where its display method is asynchronous. Throws, or rejects with,
 * nothing but Interrupted, whatever the value does.
 */
export function present(value: unknown, patience = PATIENCE): Presented | Promise<Presented> {
  const notes: string[] = [];
  let returned: unknown;
  try {
    const own = (value as Record<symbol, unknown> | null | undefined)?.[DISPLAY];
    if (typeof own !== 'function') return plainly(value, null, notes);
    returned = own.call(value);
    if (typeof (returned as PromiseLike<unknown> | null | undefined)?.then !== 'function') {
      return plainly(value, formsOf(returned, notes), notes);
    }
  } catch (error) {
    return failed(value, error, notes);
  }
  return settled(returned as PromiseLike<unknown>, patience).then(
    made => plainly(value, formsOf(made, notes), notes),
    error => failed(value, error, notes),
  );
}

/** The bundle of any value, for where nothing can wait: an asynchronous display shows as text. */
export function bundleOf(value: unknown): Bundle {
  const presented = present(value);
  if (!(presented instanceof Promise)) return presented.data;
  presented.catch(() => {});
  return plainly(value, null, []).data;
}

function failed(value: unknown, error: unknown, notes: string[]): Presented {
  if (attempt(() => error instanceof Interrupted)) throw error;
  notes.push(`The display of a value failed: ${briefly(error)}.`);
  return plainly(value, null, notes);
}

/** With Node's text where the value gives none: consoles, logs and mails read it. */
function plainly(value: unknown, forms: Forms | null, notes: string[]): Presented {
  const whole = { ...forms };
  if (typeof whole['text/plain'] !== 'string') {
    const { text, problem } = plain(value);
    whole['text/plain'] = text;
    if (problem && !forms) notes.push(`The text of a value could not be made: ${problem}.`);
  }
  return { data: within(whole, notes), notes };
}

function settled(promise: PromiseLike<unknown>, patience: number): Promise<unknown> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new Error(`it was not ready after ${patience / 1000} s; await it in the cell and show what comes`)),
      patience,
    );
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}
