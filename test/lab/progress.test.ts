// The line of progress: nothing for what is quick, a count where there is one, the time that went by where there is none, and nothing left of it at the end.

import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { progressLine } from '../../lab/host/progress.js';

let written: string[] = [];
const isTTY = process.stderr.isTTY;
beforeEach(() => {
  written = [];
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'performance'] });
  process.stderr.isTTY = true;
  vi.spyOn(process.stderr, 'write').mockImplementation(text => written.push(String(text).replace('\r\x1b[K', '')) > 0);
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
  process.stderr.isTTY = isTTY;
});

test('what is quick shows nothing', () => {
  const progress = progressLine('Reading');
  progress.waits('5 tokens');
  vi.advanceTimersByTime(500);
  progress[Symbol.dispose]();
  vi.advanceTimersByTime(5000);
  expect(written).toEqual([]);
});

test('where nothing can be counted, the seconds go by, and nothing is left at the end', () => {
  const progress = progressLine('Reading');
  progress.waits('5 tokens');
  vi.advanceTimersByTime(3700);
  progress[Symbol.dispose]();
  vi.advanceTimersByTime(5000);
  expect(written).toEqual(['0', '1', '2', '3'].map(n => `Reading: 5 tokens … ${n} s`).concat(''));
});

test('a count takes its place', () => {
  const progress = progressLine('Measuring');
  progress.waits('a first token');
  vi.advanceTimersByTime(1000);
  progress.count(1, 4, 'rounds');
  vi.advanceTimersByTime(5000);
  progress[Symbol.dispose]();
  expect(written).toEqual([
    'Measuring: a first token … 0 s',
    'Measuring  ██████░░░░░░░░░░░░░░░░░░ 25 %  1 of 4 rounds',
    '',
  ]);
});

test('quiet is quiet, and so is a pipe', () => {
  progressLine('Reading', true).waits('5 tokens');
  vi.advanceTimersByTime(3000);
  process.stderr.isTTY = false;
  progressLine('Reading').waits('5 tokens');
  vi.advanceTimersByTime(3000);
  expect(written).toEqual([]);
});
