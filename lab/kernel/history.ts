// What was typed, for the arrow keys of consoles: this session's cells with their results, and earlier sessions' cells from a file.

import { appendFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { cacheFolder } from '../../engine/cache.js';
import { readWhole } from '../../engine/files.js';
import { makeFolder } from '../../engine/make-folder.js';
import { attempt } from '../values/plain.js';
import { writeWhole } from '../values/write-file.js';

interface Entry {
  readonly session: number;
  readonly line: number;
  readonly source: string;
  readonly result?: string;
}

type Row = [session: number, line: number, source: string | [string, string | null]];

const KEPT = 2000;
/** Characters of a cell that are remembered in the file, of a result, and of all that is told at once. */
const MOST_SOURCE = 20_000;
const MOST_RESULT = 10_000;
const MOST_TOLD = 2_000_000;
/** Characters of the file, after which it is written anew with what is kept. */
const MOST_FILE = 8_000_000;

export class History {
  readonly #entries: Entry[] = [];
  readonly #session: number;

  /** @param file null remembers this session's alone */
  constructor(private readonly file = attempt(() => join(cacheFolder(), 'history.jsonl')) ?? null) {
    const lines = file === null ? [] : recent(file);
    for (const line of lines) {
      try {
        const { session, line: number, source } = JSON.parse(line) as Entry;
        if (Number.isInteger(session) && typeof source === 'string')
          this.#entries.push({ session, line: number, source });
      } catch {} // half a line, of a kernel that was killed
    }
    this.#session = this.#entries.reduce((most, { session }) => Math.max(most, session), 0) + 1;
  }

  add(line: number, source: string, result?: string): void {
    this.#entries.push({ session: this.#session, line, source, result: result?.slice(0, MOST_RESULT) });
    if (source.length > MOST_SOURCE || this.file === null) return;
    try {
      if (statSync(this.file, { throwIfNoEntry: false })?.isFile() === false) return; // a pipe would wait for a reader
      makeFolder(dirname(this.file));
      appendFileSync(this.file, `${JSON.stringify({ session: this.#session, line, source })}\n`, { mode: 0o600 });
    } catch {} // a disk that is full or read-only takes nobody's session
  }

  /** Answers a history_request: `tail`, `range` or `search`. */
  read(request: Readonly<Record<string, unknown>>): Row[] {
    const most = typeof request.n === 'number' && request.n > 0 ? request.n : Number.POSITIVE_INFINITY;
    let room = MOST_TOLD;
    const found = this.#select(request).slice(-most).reverse();
    const told = found.filter(({ source, result = '' }) => (room -= source.length + result.length) >= 0);
    return told
      .reverse()
      .map(({ session, line, source, result }) => [
        session,
        line,
        request.output === true ? [source, result ?? null] : source,
      ]);
  }

  #select({
    hist_access_type: kind,
    session,
    start,
    stop,
    pattern,
    unique,
  }: Readonly<Record<string, unknown>>): Entry[] {
    if (kind === 'tail') return this.#entries;
    if (kind === 'range') {
      const wanted = Number(session) > 0 ? Number(session) : this.#session + Number(session ?? 0);
      const [from, to] = [Number(start ?? 1), typeof stop === 'number' ? stop : Number.POSITIVE_INFINITY];
      return this.#entries.filter(e => e.session === wanted && e.line >= from && e.line < to);
    }
    const fits = glob(typeof pattern === 'string' ? pattern : '*');
    const found = this.#entries.filter(({ source }) => fits(source));
    return unique === true ? [...new Map(found.map(entry => [entry.source, entry])).values()] : found;
  }
}

/** The last lines of the file. */
function recent(file: string): string[] {
  try {
    const text = readWhole(file, 64 << 20, what => new Error(what)).toString(); // half a character, of a kernel that was killed
    const lines = text.split('\n').slice(-KEPT);
    if (text.length > MOST_FILE) writeWhole(file, [lines.join('\n')]);
    return lines;
  } catch {
    return []; // there is none yet
  }
}

/**
 * Whether all of a text fits a pattern in which `*` is any text and `?` any character. The parts between stars are looked for one after
 * the other, the first place each: as a regular expression, forty stars take longer than anyone lives.
 */
export function glob(pattern: string): (text: string) => boolean {
  const parts = pattern.split(/\*+/);
  const at = (text: string, part: string, from: number) => {
    for (let i = 0; i < part.length; i++) if (part[i] !== '?' && part[i] !== text[from + i]) return false;
    return from + part.length <= text.length;
  };
  const find = (text: string, part: string, from: number, to: number) => {
    if (!part.includes('?')) {
      const found = text.indexOf(part, from);
      return found + part.length <= to ? found : -1;
    }
    for (let i = from; i + part.length <= to; i++) if (at(text, part, i)) return i;
    return -1;
  };
  const [first, last] = [parts[0], parts.at(-1)!];
  return text => {
    if (parts.length === 1) return text.length === first.length && at(text, first, 0);
    const end = text.length - last.length;
    if (first.length > end || !at(text, first, 0) || !at(text, last, end)) return false;
    let from = first.length;
    for (const part of parts.slice(1, -1)) {
      const found = find(text, part, from, end);
      if (found < 0) return false;
      from = found + part.length;
    }
    return true;
  };
}
