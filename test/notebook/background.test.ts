// Cells that have ended and keep the kernel to themselves, and Stop at odd moments: through Jupyter's own client.

import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { packageRoot } from '../../engine/files.js';
import { runPython } from './jupyter.js';

let result: Record<string, unknown>;
beforeAll(() => {
  const folder = mkdtempSync(join(tmpdir(), 'loupe-background-'));
  const { status, stderr } = runPython(join(packageRoot(), 'test/notebook/background.py'), join(folder, 'result.json'));
  if (status !== 0) throw new Error(stderr);
  result = JSON.parse(readFileSync(join(folder, 'result.json'), 'utf8'));
  rmSync(folder, { recursive: true });
}, 900_000);

const TOLD = expect.stringContaining('Stop ended what this cell had in the background: it left nothing else a turn.');

describe('a loop in the background that leaves nothing else a turn', () => {
  test.each([
    'microtasks',
    'timer',
    'promise',
    'late',
    'then',
    'recursion',
    'ticks',
    'queue',
    'for_await',
    'emitter',
    'thenable',
    'catches',
    'goes_on',
    'immediates',
    'two',
    'silent',
    'prints',
  ])('%s: Stop ends it, says so in its cell, and the next cell has its turn', name => {
    const [idle, waiting] = [result.idle, result.waiting] as Record<string, unknown>[];
    expect(idle[name]).toEqual([['5'], [TOLD], ['2']]);
    expect(waiting[name]).toEqual([['5'], [TOLD], ['3']]);
  });

  test('and keeps a running cell from going on: both end', () => {
    const both = [[TOLD], ['Interrupted'], ['ok', ['4'], '']];
    expect(result.beside).toEqual({ timer: both, late: both, ticks: both });
  });

  test('one that leaves others their turn goes on when another cell is stopped, and ends by Stop while none runs', () => {
    expect(result.beside_polite).toEqual(['error', 'Interrupted']);
    expect(result.polite_goes_on).toEqual(['ok', ['true'], '']);
    expect(result.polite_ends).toEqual(['ok', ['0'], '']);
  });
});

test('Stop ends the looking at what was thrown, shown or lost', () => {
  const stopped = ['error', 'Interrupted'];
  expect(result.thrown).toEqual(Array(4).fill(stopped));
  expect(result.shown).toEqual(Array(2).fill(stopped));
  expect(result.lost).toEqual(Array(3).fill([['5'], ['2']]));
});

describe('Stop before a cell has begun', () => {
  test('is told in it, and the cells behind it do not run', () => {
    expect(result.first).toEqual(['error', ['Interrupted'], 'aborted']);
    expect(result.after_first).toEqual(['ok', ['function'], '']); // and the lab is in scope
  });

  test('and whichever of the two is read first, by when they were sent: to the microsecond', () => {
    expect(result.overtaken).toEqual(['error', 'error', 'error', 'ok', 'ok']);
  });

  test('within a moment of its beginning', () => {
    expect(result.soon).toEqual(Array(20).fill(['error', ['Interrupted']]));
    expect(result.after_soon).toEqual(['ok', ['4'], '']);
  });
});

test('null is a value, undefined is none', () => {
  expect(result.values).toEqual({
    null: ['null'],
    undefined: [],
    "'x'.match(/y/)": ['null'],
    'void 0': [],
    'await null': ['null'],
    'show(null)': ['null'],
    '[null]': ['[ null ]'],
  });
});
