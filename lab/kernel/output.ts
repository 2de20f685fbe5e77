// Where a cell's output goes. A promise that outlives its cell still prints into that cell, and a cell that was stopped prints
// nothing more: whoever writes is recognised by its asynchronous context, not by which cell runs now.

import { AsyncLocalStorage } from 'node:async_hooks';
import { StringDecoder } from 'node:string_decoder';
import { bytesText } from '../display/numbers.js';
import type { DisplayMessage } from './mime.js';

type Publish = (type: string, content: unknown) => void;
type StreamName = 'stdout' | 'stderr';

/** Jupyter's server drops what comes faster than 1 MB/s over three seconds, status messages included. */
const MOST_TEXT = 2_000_000;
const FLUSH_BYTES = 32_768;
const FLUSH_MS = 25;

export class CellOutput {
  #waiting = '';
  #stream: StreamName = 'stdout';
  #timer: NodeJS.Timeout | null = null;
  #flushed = 0;
  #sent = 0;
  #dropped = 0;
  #muted = false;
  /** Null while the cell shows nothing; the id of a display while that is all it shows; empty after. */
  #only: string | null = null;
  readonly #decoders = { stdout: new StringDecoder(), stderr: new StringDecoder() };

  constructor(private readonly publish: Publish) {}

  write(stream: StreamName, chunk: string | Uint8Array): void {
    if (this.#muted) return;
    const text = typeof chunk === 'string' ? chunk : this.#decoders[stream].write(Buffer.from(chunk));
    if (stream !== this.#stream) this.flush();
    this.#stream = stream;
    const room = MOST_TEXT - this.#sent;
    this.#sent += text.length;
    this.#dropped += Math.max(0, text.length - Math.max(0, room));
    this.#waiting += room >= text.length ? text : text.slice(0, Math.max(0, room));
    // A cell that never awaits still shows what it prints: it cannot wait for a timer.
    if (this.#waiting.length > FLUSH_BYTES || performance.now() - this.#flushed > FLUSH_MS) this.flush();
    else this.#timer ??= setTimeout(() => this.flush(), FLUSH_MS);
  }

  flush(): void {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
    this.#flushed = performance.now();
    if (this.#waiting === '') return;
    this.#only = '';
    this.publish('stream', { name: this.#stream, text: this.#waiting });
    this.#waiting = '';
  }

  display({ data, metadata, transient }: DisplayMessage, update: boolean): void {
    const id = transient.display_id;
    if (!update && this.#only === null && id) this.#only = id;
    else if (!update || id !== this.#only) this.#only = '';
    this.send(update ? 'update_display_data' : 'display_data', { data, metadata, transient });
  }

  /** Jupyter cannot take one output away; but it can clear a cell, and that does if nothing else is in it. */
  vanish(id: string): void {
    this.flush(); // what was printed must not go with it
    if (this.#only === id) {
      this.send('clear_output', { wait: false });
      this.#only = null;
    } else {
      const data = { 'text/plain': '', 'text/html': '' };
      this.send('update_display_data', { data, metadata: {}, transient: { display_id: id } });
    }
  }

  /** Anything that is not a stream, after what was printed before it. */
  send(type: string, content: unknown): void {
    if (this.#muted) return;
    this.flush();
    this.publish(type, content);
  }

  /** At the end of the cell: what was printed, and a word on what was not. */
  end(): void {
    this.flush();
    if (this.#dropped === 0) return;
    const text = `\nThe rest of this cell's output, ${bytesText(this.#dropped)}, was left out: a page cannot show so much. Write it to a file instead.\n`;
    this.publish('stream', { name: 'stderr', text });
    this.#dropped = 0;
  }

  /** Whether its cell was stopped. */
  get stopped(): boolean {
    return this.#muted;
  }

  /** What still runs of the cell prints nothing more. */
  stop(): void {
    this.flush();
    this.#muted = true;
  }
}

/** The cell that the running code belongs to. */
export const current = new AsyncLocalStorage<CellOutput>();

/** Sends console.log and process.stdout to cells: that of the code that prints, or `last()` where it is unknown. */
export function captureStreams(last: () => CellOutput | null): void {
  for (const name of ['stdout', 'stderr'] as const) {
    const own = process[name].write.bind(process[name]);
    process[name].write = ((chunk: string | Uint8Array, encoding?: unknown, done?: unknown) => {
      const output = current.getStore() ?? last();
      if (output) output.write(name, chunk);
      else own(chunk);
      const callback = typeof encoding === 'function' ? encoding : done;
      if (typeof callback === 'function') queueMicrotask(callback as () => void);
      return true;
    }) as typeof process.stdout.write;
  }
}
