// What was typed, for the arrow keys of consoles: this session's cells with their results, and earlier sessions' cells from a file.

import { appendFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { cacheFolder } from '../../engine/cache.js';
import { readText } from '../../engine/files.js';

interface Entry {
  readonly session: number;
  readonly line: number;
  readonly source: string;
  readonly result?: string;
}

type Row = [session: number, line: number, source: string | [string, string | null]];

const KEPT = 2000;

export class History {
  readonly #entries: Entry[] = [];
  readonly #session: number;

  constructor(private readonly file = join(cacheFolder(), 'history.jsonl')) {
    let lines: string[] = [];
    try {
      lines = readText(file, 64 << 20, what => new Error(what))
        .split('\n')
        .slice(-KEPT);
    } catch {} // there is none yet
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
    this.#entries.push({ session: this.#session, line, source, result });
    try {
      mkdirSync(cacheFolder(), { recursive: true });
      appendFileSync(this.file, `${JSON.stringify({ session: this.#session, line, source })}\n`, { mode: 0o600 });
    } catch {} // a disk that is full or read-only takes nobody's session
  }

  /** Answers a history_request: `tail`, `range` or `search`. */
  read(request: Readonly<Record<string, unknown>>): Row[] {
    const most = typeof request.n === 'number' && request.n > 0 ? request.n : Number.POSITIVE_INFINITY;
    const found = this.#select(request).slice(-most);
    return found.map(({ session, line, source, result }) => [
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
    const glob = String(pattern ?? '*')
      .split(/([*?])/)
      .map(part => (part === '*' ? '[^]*' : part === '?' ? '[^]' : part.replace(/[\\^$.|+()[\]{}]/g, '\\$&')))
      .join('');
    const found = this.#entries.filter(({ source }) => new RegExp(`^${glob}$`).test(source));
    return unique === true ? [...new Map(found.map(entry => [entry.source, entry])).values()] : found;
  }
}
