// Stop before a cell has begun to run, and what becomes of the threads that it began: through Jupyter's own client.

import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { packageRoot } from '../../engine/files.js';
import { runPython } from './jupyter.js';

let result: Record<string, unknown>;
beforeAll(() => {
  const folder = mkdtempSync(join(tmpdir(), 'loupe-stop-'));
  const { status, stderr } = runPython(join(packageRoot(), 'test/notebook/stop-early.py'), join(folder, 'result.json'));
  if (status !== 0) throw new Error(stderr);
  result = JSON.parse(readFileSync(join(folder, 'result.json'), 'utf8'));
  rmSync(folder, { recursive: true });
}, 240_000);

describe('a cell that takes minutes to compile', () => {
  test('is stopped', () => {
    expect(result.stopped).toEqual(['error', ['Interrupted']]);
  });

  test('leaves nothing, and the next cells are compiled with all that was there', () => {
    expect(result.after).toEqual(['ok', ['2'], '']);
    expect(result.wrong).toEqual(['error', [], expect.stringContaining('TS2322')]);
    expect(result.names).toBe('error');
  });
});

test('a thread ends with the cell that began it, and no other', () => {
  expect(result.worker).toEqual(['ok', ['-1'], '']);
  expect(result.earlier).toEqual(['ok', ['true'], '']);
  expect(result.own).toEqual(['ok', ['true'], '']);
});
