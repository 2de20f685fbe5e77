// Progress of what takes more than a moment: one line in place, throttled, gone when done. On a terminal it goes to stderr; in a
// notebook into the cell; into a pipe, nowhere.

import { randomUUID } from 'node:crypto';
import { notebook, sendBundle } from './notebook.js';
import { html, visible } from '../values/html.js';
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

export function progressLine(task: string, quiet = false): Progress {
  const what = visible(task); // with the name of a model in it
  const began = performance.now();
  const id = randomUUID();
  let last = 0;
  let shown = false;
  const show = (done: number, total: number, text: string) => {
    const now = performance.now();
    if (quiet || now - began < PATIENCE || (now - last < EVERY && done < total)) return;
    last = now;
    const line = `${what}  ${bar(done / total)}  ${text}`;
    if (notebook()) {
      const page = html`<div>${what} <progress value="${done}" max="${total}"></progress> ${text}</div>`.text;
      sendBundle({ 'text/plain': line, 'text/html': page }, { id, update: shown });
      shown = true;
    } else if (process.stderr.isTTY) {
      process.stderr.write(`\r\x1b[K${line}`);
      shown = true;
    }
  };
  return {
    bytes: (done, total) => show(done, total, `${bytesText(done)} of ${bytesText(total)}`),
    count: (done, total, unit) => show(done, total, `${done} of ${total} ${unit}`),
    layer: (done, layers, read, chunk, total) =>
      show(read + (chunk * done) / layers, total, `layer ${done} of ${layers}, ${read} of ${total} tokens read`),
    [Symbol.dispose]() {
      if (!shown) return;
      shown = false;
      if (notebook()) notebook()!.vanish(id);
      else process.stderr.write('\r\x1b[K');
    },
  };
}

function bar(fraction: number): string {
  const full = Math.round(24 * Math.min(1, Math.max(0, fraction)));
  return `${'█'.repeat(full)}${'░'.repeat(24 - full)} ${Math.floor(100 * fraction)} %`;
}
