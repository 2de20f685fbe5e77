// Where a cell's output goes. A promise that outlives its cell still prints into that cell, and a cell that was stopped prints
// nothing more: whoever writes is recognised by its asynchronous context, not by which cell runs now. What a page cannot show is left
// out and counted; what comes faster than a page can be drawn is slowed.

import { AsyncLocalStorage } from 'node:async_hooks';
import { randomUUID } from 'node:crypto';
import { StringDecoder } from 'node:string_decoder';
import { Interrupted } from '../../engine/errors.js';
import { MOST_SHOWN, sizeOf, TOO_MUCH } from '../host/forms.js';
import { bytesText } from '../values/numbers.js';
import { withoutAdded } from './added.js';
import type { DisplayMessage } from '../host/notebook.js';
import { Pace } from './pace.js';

type Publish = (type: string, content: unknown) => void;
type StreamName = 'stdout' | 'stderr';

/** Jupyter's server drops what comes faster than 1 MB/s over three seconds, status messages included. */
const MOST_TEXT = MOST_SHOWN;
/** Characters a second that a cell which empties itself may print on. */
const TEXT_RATE = 300_000;
const FLUSH_BYTES = 32_768;
const FLUSH_MS = 25;
/** Displays of a cell, and their characters; those after show in one place, the last one. */
const MOST_DISPLAYS = 1000;
const MOST_DISPLAYED = 10 * MOST_SHOWN;
/** ms between two updates; of those between, the last one counts. */
const UPDATE_MS = 50;

export class CellOutput {
  readonly #pace = new Pace();
  #waiting = '';
  #stream: StreamName = 'stdout';
  #timer: NodeJS.Timeout | null = null;
  #flushed = 0;
  #sent = 0;
  #dropped = 0;
  #cleared = performance.now();
  readonly #stopped = new AbortController();
  #ended = false;
  /** Null while the cell shows nothing; the id of a display while that is all it shows; empty after. */
  #only: string | null = null;
  #displays = 0;
  #displayed = 0;
  /** The one place of all displays that are too many: its id, that of the display in it, and how many were. */
  #last: { readonly id: string; shows: string | undefined; there: boolean; count: number } | null = null;
  /** Updates that wait, by id. */
  readonly #updates = new Map<string, DisplayMessage>();
  #updateTimer: NodeJS.Timeout | null = null;
  #updated = Number.NEGATIVE_INFINITY;
  readonly #open = new Set<Promise<unknown>>();
  readonly #decoders = { stdout: new StringDecoder(), stderr: new StringDecoder() };

  constructor(private readonly publish: Publish) {}

  write(stream: StreamName, chunk: string | Uint8Array): void {
    if (this.stopped) return;
    const text = withoutAdded(typeof chunk === 'string' ? chunk : this.#decoders[stream].write(Buffer.from(chunk)));
    if (stream !== this.#stream) {
      this.#pace.hold();
      this.flush();
    }
    this.#stream = stream;
    const room = MOST_TEXT - this.#sent;
    this.#sent += text.length;
    this.#dropped += Math.max(0, text.length - Math.max(0, room));
    this.#waiting += room >= text.length ? text : text.slice(0, Math.max(0, room));
    // A cell that never awaits still shows what it prints: it cannot wait for a timer.
    if (this.#waiting.length > FLUSH_BYTES || performance.now() - this.#flushed > FLUSH_MS) this.flush();
    else this.#timer ??= setTimeout(() => this.flush(), FLUSH_MS);
    if (this.#ended) this.#tell();
  }

  flush(): void {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
    this.#flushed = performance.now();
    if (this.#waiting === '') return;
    this.#only = '';
    const text = this.#waiting;
    this.#waiting = '';
    this.#pace.spend(text.length, 0.25);
    this.publish('stream', { name: this.#stream, text });
  }

  /** A new output, or with `update` what an earlier one of the same id shows from now on. */
  display(message: DisplayMessage, update: boolean): void {
    if (this.stopped) return;
    const id = message.transient.display_id;
    if (update) {
      if (id !== this.#only) this.#only = '';
      this.#update(this.#last && id === this.#last.shows ? this.#last.id : (id ?? ''), message);
      return;
    }
    const size = sizeOf(message.data as unknown as Record<string, unknown>);
    if (this.#displays >= MOST_DISPLAYS || this.#displayed + size > MOST_DISPLAYED) {
      this.#last ??= { id: randomUUID(), shows: id, there: false, count: 0 };
      this.#last.shows = id;
      this.#last.count += 1;
      this.#update(this.#last.id, message);
      if (this.#ended) this.#tell();
      return;
    }
    this.#displays += 1;
    this.#displayed += size;
    this.#only = this.#only === null && id ? id : '';
    this.#pace.hold();
    this.send('display_data', message, size);
  }

  #update(id: string, { data, metadata }: DisplayMessage): void {
    this.#updates.set(id, { data, metadata, transient: { display_id: id } });
    const wait = Math.max(this.#pace.wait, this.#updated + UPDATE_MS - performance.now());
    if (wait <= 0) this.#sendUpdates();
    else this.#updateTimer ??= setTimeout(() => this.#sendUpdates(), wait);
  }

  #sendUpdates(): void {
    if (this.#updateTimer) clearTimeout(this.#updateTimer);
    this.#updateTimer = null;
    this.#updated = performance.now();
    const updates = [...this.#updates];
    this.#updates.clear();
    for (const [id, message] of updates) {
      const first = this.#last?.id === id && !this.#last.there;
      if (first) this.#last!.there = true;
      const size = sizeOf(message.data as unknown as Record<string, unknown>);
      this.send(first ? 'display_data' : 'update_display_data', message, size);
    }
  }

  /** Jupyter cannot take one output away; but it can clear a cell, and that does if nothing else is in it. */
  vanish(id: string): void {
    this.flush(); // what was printed must not go with it
    this.#updates.delete(id);
    if (this.#only === id) {
      this.send('clear_output', { wait: false });
      this.#only = null;
    } else {
      const data = { 'text/plain': '', 'text/html': '' };
      this.send('update_display_data', { data, metadata: {}, transient: { display_id: id } });
    }
  }

  /** Empties the cell; with `wait`, when the next output comes. What was shown and printed no longer counts. */
  clear(wait: boolean): void {
    if (this.stopped) return;
    this.#pace.hold();
    this.#sendUpdates();
    this.send('clear_output', { wait });
    const seconds = (performance.now() - this.#cleared) / 1000;
    this.#cleared = performance.now();
    this.#sent = Math.max(0, Math.min(this.#sent, MOST_TEXT) - TEXT_RATE * seconds);
    this.#dropped = 0;
    this.#displays = 0;
    this.#displayed = 0;
    this.#last = null;
  }

  /** Anything that is not a stream, after what was printed before it. `size` in characters. */
  send(type: string, content: unknown, size = 0): void {
    if (this.stopped) return;
    this.flush();
    this.#pace.spend(size);
    this.publish(type, content);
  }

  /** The cell is not over before this has settled. */
  until(done: Promise<unknown>): void {
    const settled = done.then(
      () => {},
      () => {},
    );
    this.#open.add(settled);
    void settled.then(() => this.#open.delete(settled));
  }

  /** Resolves when everything that the cell waits for now is there. */
  async settled(): Promise<void> {
    await Promise.all(this.#open);
  }

  /** At the end of the cell: what was printed and shown, and a word on what was not. */
  end(): void {
    this.flush();
    this.#sendUpdates();
    this.#tell();
    this.#ended = true;
  }

  /** Once each, what was left out. */
  #tell(): void {
    const say = (text: string) => this.publish('stream', { name: 'stderr', text: `\n${text}\n` });
    if (this.#dropped > 0) {
      this.flush();
      const left = this.#ended
        ? 'What this cell goes on to print'
        : `The rest of this cell's output, ${bytesText(this.#dropped)},`;
      say(`${left} was left out: ${TOO_MUCH}`);
      this.#dropped = Number.NEGATIVE_INFINITY;
    }
    if (this.#last && this.#last.count > 1) {
      const left = this.#ended ? 'What this cell goes on to show' : `${this.#last.count - 1} displays of this cell`;
      say(
        `${left} ${this.#ended ? 'replaces its last display' : 'before the last were left out'}: a page cannot show so many. Update one display, or empty the cell with clearOutput(true).`,
      );
      this.#last.count = Number.NEGATIVE_INFINITY;
    }
  }

  /** Whether its cell was stopped. */
  get stopped(): boolean {
    return this.#stopped.signal.aborted;
  }

  /** Whether its cell is over. */
  get ended(): boolean {
    return this.#ended;
  }

  /** Aborted when its cell is stopped. */
  get signal(): AbortSignal {
    return this.#stopped.signal;
  }

  /** What still runs of the cell ends, and prints nothing more. */
  stop(): void {
    this.flush();
    this.#sendUpdates();
    this.#stopped.abort(new Interrupted());
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
