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
  /** Where there is nothing to count yet: what goes on, and for how long, each second, until something is counted. */
  waits(text: string): void;
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
  let waiting: NodeJS.Timeout | undefined;
  const put = (line: string, page: () => string) => {
    if (notebook()) {
      sendBundle({ 'text/plain': line, 'text/html': page() }, { id, update: shown });
      shown = true;
    } else if (process.stderr.isTTY) {
      process.stderr.write(`\r\x1b[K${line}`);
      shown = true;
    }
  };
  const show = (done: number, total: number, text: string) => {
    const now = performance.now();
    if (quiet || now - began < PATIENCE || (now - last < EVERY && done < total)) return;
    last = now;
    clearInterval(waiting);
    put(
      `${what}  ${bar(done / total)}  ${text}`,
      () => html`<div>${what} <progress value="${done}" max="${total}"></progress> ${text}</div>`.text,
    );
  };
  return {
    bytes: (done, total) => show(done, total, `${bytesText(done)} of ${bytesText(total)}`),
    count: (done, total, unit) => show(done, total, `${done} of ${total} ${unit}`),
    layer: (done, layers, read, chunk, total) =>
      show(read + (chunk * done) / layers, total, `layer ${done} of ${layers}, ${read} of ${total} tokens read`),
    waits(text) {
      if (quiet) return;
      clearInterval(waiting);
      const from = performance.now();
      const tell = () => {
        const seconds = `${Math.floor((performance.now() - from) / 1000)} s`;
        put(
          `${what}: ${text} … ${seconds}`,
          () => html`<div>${what}: ${text} <progress></progress> ${seconds}</div>`.text,
        );
      };
      // The first time soon: what is waited for may keep this thread for seconds.
      waiting = setTimeout(() => {
        tell();
        waiting = setInterval(tell, 1000).unref();
      }, PATIENCE).unref();
    },
    [Symbol.dispose]() {
      clearInterval(waiting);
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
