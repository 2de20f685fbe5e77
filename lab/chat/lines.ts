// Lines from a terminal: with history, several lines as one text, pasted text as one, and Ctrl-C that means "stop" or "leave the line".

import { spawnSync } from 'node:child_process';
import { createInterface, type Interface } from 'node:readline';
import { Interrupted } from '../../engine/errors.js';
import { printable } from '../../engine/printable.js';
import { onCtrlC, rearmCtrlC } from '../host/ctrl-c.js';

interface Streams {
  readonly input: NodeJS.ReadStream;
  readonly output: NodeJS.WriteStream;
}
interface LineOptions {
  /** Newest first. */
  readonly history: string[];
  complete(line: string): [string[], string];
}

const BLOCK = '"""';

export class LineReader {
  readonly #rl: Interface;
  readonly #input: NodeJS.ReadStream;
  readonly #output: NodeJS.WriteStream;
  /** Lines typed before they were asked for. */
  readonly #waiting: string[] = [];
  #wanted: ((line: string | null) => void) | null = null;
  #closed = false;
  /** While an answer is written, what is typed is not echoed into it. */
  #quiet = false;
  #pasting = false;
  /** Lines of a text that is not complete. */
  #block: string[] = [];
  #running: AbortController | null = null;
  #asked = false;

  constructor({ input, output }: Streams, { history, complete }: LineOptions) {
    this.#input = input;
    this.#output = output;
    const quiet = () => this.#quiet;
    const echo = new Proxy(output, {
      get(target, key) {
        const value = Reflect.get(target, key, target);
        if (key === 'write' && quiet()) return () => true;
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
    this.#rl = createInterface({ input, output: echo, terminal: true, history, historySize: 500, completer: complete });
    if (output.isTTY) output.write('\x1b[?2004h'); // pasted text is marked as such
    input.on('keypress', this.#onKey);
    this.#rl.on('line', line => this.#onLine(line));
    this.#rl.on('SIGINT', () => this.#onInterrupt());
    // Ctrl-Z and fg: readline pauses itself, and nobody would read on.
    this.#rl.on('SIGCONT', () => {
      this.#rl.resume();
      if (this.#wanted) this.#rl.prompt(true);
    });
    onCtrlC(() => {
      this.#onInterrupt();
      if (!this.#running) rearmCtrlC();
    });
    this.#rl.on('close', () => {
      this.#closed = true;
      this.#wanted?.(null);
    });
  }

  /** The next text, or null when there is no more. */
  async read(prompt: string): Promise<string | null> {
    this.#block = [];
    let fence = false;
    for (;;) {
      const begins: boolean = this.#block.length === 0 && !fence;
      const line: string | null = await this.#line(begins ? prompt : '… ');
      if (line === null) return null;
      if (line === CLEARED) {
        this.#block = [];
        fence = false;
        continue;
      }
      const opens: boolean = begins && line.trimStart().startsWith(BLOCK);
      const text = opens ? line.trimStart().slice(BLOCK.length) : line;
      fence ||= opens;
      if (fence && text.trimEnd().endsWith(BLOCK)) {
        return [...this.#block, text.trimEnd().slice(0, -BLOCK.length)].join('\n').replace(/^\n|\n$/g, '');
      }
      if (fence) this.#block.push(text);
      else if (text.endsWith('\\')) this.#block.push(text.slice(0, -1));
      else return [...this.#block, text].join('\n');
    }
  }

  /** Runs `work`, which Ctrl-C stops. */
  async during<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
    this.#running = new AbortController();
    this.#quiet = true;
    this.#signals(true);
    try {
      return await work(this.#running.signal);
    } finally {
      this.#signals(false);
      this.#quiet = false;
      this.#running = null;
      rearmCtrlC();
    }
  }

  /**
   * A terminal that hands out keys one by one gives Ctrl-C as one, which nobody reads while JavaScript is busy. While an answer is made it is a
   * signal, so that a second ends even that (ctrl-c.ts); the keys that suspend and quit stay keys.
   */
  #signals(on: boolean): void {
    if (!this.#input.isTTY || process.platform === 'win32') return;
    if (on) {
      spawnSync('stty', ['isig', 'susp', 'undef', 'quit', 'undef'], { stdio: [this.#input, 'ignore', 'ignore'] });
    } else if (!this.#closed) {
      this.#input.setRawMode(false); // as it was found, and back
      this.#input.setRawMode(true);
    }
  }

  [Symbol.dispose](): void {
    if (this.#output.isTTY) this.#output.write('\x1b[?2004l');
    this.#input.off('keypress', this.#onKey);
    onCtrlC(null);
    this.#rl.close();
  }

  readonly #onKey = (_: unknown, key: { name?: string } | undefined): void => {
    if (key?.name === 'paste-start') this.#pasting = true;
    if (key?.name === 'paste-end') this.#pasting = false;
    this.#asked = false;
  };

  #onLine(line: string): void {
    if (this.#pasting) {
      this.#pasted.push(line);
      return;
    }
    const text = [...this.#pasted, line].join('\n');
    this.#pasted = [];
    const wanted = this.#wanted;
    this.#wanted = null;
    if (wanted) wanted(text);
    else this.#waiting.push(text);
  }
  #pasted: string[] = [];

  #onInterrupt(): void {
    if (this.#running) {
      this.#running.abort(new Interrupted('The answer'));
      return;
    }
    const empty = this.#rl.line === '' && this.#block.length === 0 && this.#pasted.length === 0;
    if (empty && this.#asked) {
      this.#rl.close();
      return;
    }
    this.#pasted = [];
    this.#rl.write(null, { ctrl: true, name: 'e' });
    this.#rl.write(null, { ctrl: true, name: 'u' });
    this.#output.write(empty ? '\n(Ctrl-C again or Ctrl-D to leave)\n' : '\n');
    const wanted = this.#wanted;
    this.#wanted = null;
    wanted?.(CLEARED);
    setImmediate(() => {
      this.#asked = empty; // after the key itself was seen
    });
  }

  #line(prompt: string): Promise<string | null> {
    const early = this.#waiting.shift();
    if (early !== undefined) {
      this.#output.write(`${prompt}${printable(early)}\n`);
      return Promise.resolve(early);
    }
    if (this.#closed) return Promise.resolve(null);
    this.#rl.setPrompt(prompt);
    this.#rl.prompt();
    return new Promise(resolve => {
      this.#wanted = resolve;
    });
  }
}

/** Stands for a text that was given up with Ctrl-C. */
const CLEARED = '\0cleared';
