// What takes more than a moment says so on a terminal, also where nothing of it moves.

import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { setNotebook } from '../../lab/host/notebook.js';
import { progressLine } from '../../lab/host/progress.js';

const own = { write: process.stderr.write, isTTY: process.stderr.isTTY };
let told: string[];
const terminal = (isTTY: boolean) => Object.assign(process.stderr, { isTTY });
/** What stands on the line after so many ms. */
const after = (ms: number) => {
  vi.advanceTimersByTime(ms);
  return told.at(-1)?.split('\r\x1b[K').at(-1) ?? null;
};
beforeEach(() => {
  told = [];
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
  process.stderr.write = ((text: string) => told.push(text) > 0) as typeof process.stderr.write;
  terminal(true);
});
afterEach(() => {
  vi.useRealTimers();
  Object.assign(process.stderr, own);
});

test('a line that does not move has its seconds, and is gone when done', () => {
  const progress = progressLine('Reading');
  expect(after(900)).toBe(null);
  expect(after(200)).toBe('Reading … 1 s');
  expect(after(3000)).toBe('Reading … 4 s');
  progress.count(1, 2, 'tokens');
  expect(after(0)).toBe('Reading  ████████████░░░░░░░░░░░░ 50 %  1 of 2 tokens');
  expect(after(2000)).toBe('Reading  ████████████░░░░░░░░░░░░ 50 %  1 of 2 tokens, 6 s');
  progress[Symbol.dispose]();
  expect(after(5000)).toBe('');
  progress.count(2, 2, 'tokens'); // after a pause that was told otherwise
  expect(after(2000)).toMatch(/100 % {2}2 of 2 tokens, \d+ s$/);
  progress[Symbol.dispose]();
  expect(vi.getTimerCount()).toBe(0);
});

test('in a cell it has its seconds until there is a bar, and goes with it', () => {
  const shown: [string, boolean][] = [];
  const vanished: string[] = [];
  setNotebook({
    display: ({ data }, update) => shown.push([String(data['text/plain']), update]),
    vanish: id => vanished.push(id),
    clear: () => {},
    ask: async () => '',
  });
  terminal(false);
  const progress = progressLine('Reading', 'short');
  vi.advanceTimersByTime(2200);
  expect(shown).toEqual([
    ['Reading … 1 s', false],
    ['Reading … 2 s', true],
  ]);
  progress[Symbol.dispose]();
  vi.advanceTimersByTime(5000);
  expect([shown.length, vanished.length]).toEqual([2, 1]);
  setNotebook(undefined as never);
  expect([told, vi.getTimerCount()]).toEqual([[], 0]);
});

test('it does not wrap', () => {
  const columns = process.stderr.columns;
  Object.assign(process.stderr, { columns: 50 });
  const progress = progressLine('Reading');
  vi.advanceTimersByTime(1100);
  progress.count(1, 2, 'tokens');
  expect(after(2000)).toBe('Reading … 3 s');
  progress[Symbol.dispose]();
  Object.assign(process.stderr, { columns });
});

test('what is short has its seconds on a terminal alone; what is quiet, and a pipe, nothing', () => {
  for (const [isTTY, quiet, line] of [
    [true, 'short', 'Reading … 2 s'],
    [false, 'short', null],
    [true, true, null],
    [false, false, null],
  ] as const) {
    told = [];
    terminal(isTTY);
    const progress = progressLine('Reading', quiet);
    expect(after(2000), `${isTTY} ${quiet}`).toBe(line);
    progress[Symbol.dispose]();
  }
});

test('of two, one within the other, the outer has its seconds', () => {
  const outer = progressLine('Running');
  const inner = progressLine('Reading', 'short');
  expect(after(2000)).toBe('Running … 2 s');
  outer[Symbol.dispose]();
  inner[Symbol.dispose]();
  const next = progressLine('Reading', 'short');
  expect(after(2000)).toBe('Reading … 2 s');
  next[Symbol.dispose]();
});

test('a process that ends while a line stands takes it away, and writes nothing where none does', () => {
  const progress = progressLine('Reading');
  expect(after(1100)).toBe('Reading … 1 s');
  const end = process.listeners('exit').at(-1)!;
  end(130);
  expect(told.at(-1)).toBe('\r\x1b[K');
  progress[Symbol.dispose]();
  const before = told.length;
  end(130);
  expect(told).toHaveLength(before);
});
