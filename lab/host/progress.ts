// Progress of what takes more than a moment: one line in place, throttled, gone when done. On a terminal it goes to stderr, with the seconds
// where nothing moves (shaders are compiled, a hub is asked); in a notebook into the cell, with them until there is a bar; into a pipe, nowhere.

import { randomUUID } from 'node:crypto';
import { notebook, sendBundle } from './notebook.js';
import { html, visible, withoutMathematics } from '../values/html.js';
import { bytesText } from '../values/numbers.js';

export interface Progress {
  bytes(done: number, total: number): void;
  count(done: number, total: number, what: string): void;
  /** Layers of a chunk of tokens, of a prompt of `total`. */
  layer(done: number, layers: number, read: number, chunk: number, total: number): void;
  [Symbol.dispose](): void;
}

const PATIENCE = 600; // ms before anything shows: quick things need no progress
const EVERY = 150;
const STILL = 1000; // ms after which a line that has not moved says for how long it has been there

/** Takes the line away from a terminal. */
const CLEAR = '\r\x1b[K';
/** Whose lines stand on the terminal: a command that is ended where nothing gives way would leave one in front of the shell's prompt. */
const standing = new Set<string>();
let clears = false;
function stands(id: string): void {
  standing.add(id);
  if (clears) return;
  clears = true;
  process.on('exit', () => {
    if (standing.size > 0) process.stderr.write(CLEAR);
  });
}

/** Whose seconds are told: of lines one within another the outer's. */
let outermost: string | null = null;

/** @param quiet nothing at all; `short`: what is too short for a bar, if all goes well, has only its seconds */
export function progressLine(task: string, quiet: boolean | 'short' = false): Progress {
  const what = visible(task); // with the name of a model in it
  const began = performance.now();
  const id = randomUUID();
  let last = 0;
  let shown = false;
  let line = `${what} … `;
  const tick = () => {
    const now = performance.now();
    if (now - last < STILL) return;
    const seconds = `${Math.floor((now - began) / 1000)} s`;
    if (notebook()) {
      if (last > 0) return; // its bar is there, and stays
      const page = withoutMathematics(html`${what} <progress></progress> ${seconds}`.text);
      sendBundle({ 'text/plain': `${what} … ${seconds}`, 'text/html': page }, { id, update: shown });
      shown = true;
      return;
    }
    const fits = line.length + seconds.length < (process.stderr.columns || 80); // what is wrapped would stay
    stands(id);
    process.stderr.write(`${CLEAR}${fits ? line : `${what} … `}${seconds}`);
    shown = true;
  };
  const watched = quiet !== true && (process.stderr.isTTY || notebook() !== undefined);
  let timer: NodeJS.Timeout | undefined;
  // No interval: a cell keeps one to its end, and there is a line for each run.
  const again = () => {
    tick();
    timer = setTimeout(again, STILL).unref();
  };
  const watch = () => {
    if (!watched || (outermost ??= id) !== id) return;
    timer ??= setTimeout(again, STILL).unref();
  };
  watch();
  const show = (done: number, total: number, text: string) => {
    const now = performance.now();
    if (quiet || now - began < PATIENCE || (now - last < EVERY && done < total)) return;
    last = now;
    line = `${what}  ${bar(done / total)}  ${text}`;
    if (notebook()) {
      const page = withoutMathematics(html`${what} <progress value="${done}" max="${total}"></progress> ${text}`.text);
      sendBundle({ 'text/plain': line, 'text/html': page }, { id, update: shown });
      shown = true;
    } else if (process.stderr.isTTY) {
      stands(id);
      process.stderr.write(`${CLEAR}${line}`);
      line += ', ';
      shown = true;
      watch();
    }
  };
  return {
    bytes: (done, total) => show(done, total, `${bytesText(done)} of ${bytesText(total)}`),
    count: (done, total, unit) => show(done, total, `${done} of ${total} ${unit}`),
    layer: (done, layers, read, chunk, total) =>
      show(read + (chunk * done) / layers, total, `layer ${done} of ${layers}, ${read} of ${total} tokens read`),
    [Symbol.dispose]() {
      clearTimeout(timer);
      timer = undefined;
      if (outermost === id) outermost = null;
      if (!shown) return;
      shown = false;
      if (notebook()) notebook()!.vanish(id);
      else process.stderr.write(CLEAR);
      standing.delete(id);
    },
  };
}

function bar(fraction: number): string {
  const full = Math.round(24 * Math.min(1, Math.max(0, fraction)));
  return `${'█'.repeat(full)}${'░'.repeat(24 - full)} ${Math.floor(100 * fraction)} %`;
}
