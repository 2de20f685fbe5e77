// What cells leave behind: variables of one that failed or was stopped, what runs in the background, GPU memory, and names to complete.

import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { packageRoot } from '../../engine/files.js';
import { runPython } from './jupyter.js';

let result: Record<string, unknown>;
beforeAll(() => {
  const folder = mkdtempSync(join(tmpdir(), 'loupe-cells-'));
  const { status, stderr } = runPython(join(packageRoot(), 'test/notebook/cells.py'), join(folder, 'result.json'));
  if (status !== 0) throw new Error(stderr);
  result = JSON.parse(readFileSync(join(folder, 'result.json'), 'utf8'));
  rmSync(folder, { recursive: true });
}, 400_000);

describe('variables', () => {
  test('of a cell that failed: what was set before stays, what was not reached is not there', () => {
    expect(result.failed).toMatch(/^Error: here\n {4}at cell-2:3:7\n/);
    expect(result.after_failure).toBe('[2,"early","before",4,"hoisted"]');
    expect(result.not_reached).toEqual([
      expect.stringMatching(/TS2304: Cannot find name 'after'/),
      expect.stringMatching(/TS2304: Cannot find name 'Later'/),
    ]);
    expect(result.kept_older).toEqual([expect.stringMatching(/Error: again/), 'early']);
  });

  test('of a cell that was stopped stay too', () => {
    expect([result.stopped, result.after_stop]).toEqual(['Interrupted', '[3,true]']);
    expect([result.stopped_sync, result.after_stop_sync]).toEqual(['Interrupted', 'true']);
    expect(result.stopped_before).toEqual(['Interrupted', '1,1']);
  });

  test('are the same for functions of the cell and for later cells', () => {
    expect(result.closures).toEqual(['', '5,15,15', '15,15']);
  });

  test('may be declared again, as something else', () => {
    expect(result.again).toEqual(['', '5']);
  });
});

describe('Stop', () => {
  test('leaves a generation alone that another cell has in the background', () => {
    expect(result.other_cell).toBe('Interrupted');
    expect(result.background).toBe('by itself,400');
  });

  test('ends intervals, timers, loops and generations of the cell', () => {
    expect(result.with_interval).toBe('Interrupted');
    expect(result.ticks_after).toBe('0');
    expect(result.own_after).toMatch(/^Interrupted/);
  });

  test('lets nothing run behind the await that it ended, but what cleans up', () => {
    expect(result.behind).toBe('cleaned,finally');
  });

  test('ends the background where no cell runs', () => {
    expect(result.idle_stop).toBe('0');
  });
});

test('an iterator that is left or overwritten gives its GPU memory back, and goes on when asked', () => {
  expect((result.left as string[])[1]).toBe((result.left as string[])[0]);
  expect(result.goes_on).toBe('19');
  expect((result.overwritten as string[])[1]).toBe((result.overwritten as string[])[0]);
});

test('completes and inspects what the lab gives', () => {
  expect(result.members).toMatchObject({
    g2: expect.arrayContaining(['ids', 'stages', 'read', 'name']),
    lens: expect.arrayContaining(['cells', 'tokens', 'table', 'toArrow']),
    view: expect.arrayContaining(['heads', 'byToken']),
    stage: expect.arrayContaining(['run', 'stage']),
    'stage.stage': expect.arrayContaining(['name', 'axes']),
    top: expect.arrayContaining(['prompt', 'rows']),
    act: expect.arrayContaining(['data', 'shape', 'get', 'top']),
    diff: expect.arrayContaining(['pass', 'rows']),
    chat: expect.arrayContaining(['say', 'messages']),
    run1: expect.arrayContaining(['attention', 'lens', 'at', 'logits']),
    model: expect.arrayContaining(['run', 'generate']),
    'model.gpu': expect.arrayContaining(['liveBytes']),
    'model.plan': expect.arrayContaining(['stages']),
    'run1.logits': ['top', 'values'],
  });
  for (const told of Object.values(result.inspected as Record<string, string | null>)) expect(told).toMatch(/^const /);
  expect(result.unfinished).toEqual(expect.arrayContaining(['ids', 'stages']));
});
