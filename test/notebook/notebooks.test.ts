// Every notebook that needs nothing but the repository, run from a clean kernel. 04 needs the real model and is in test/slow.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { packageRoot } from '../../engine/files.js';
import { freshFolder } from '../fixtures/folder.js';
import { runPython } from './jupyter.js';

interface Output {
  readonly output_type: string;
  readonly data?: Record<string, unknown>;
  readonly text?: string | string[];
}

const folder = freshFolder();
const notebooks = join(packageRoot(), 'notebooks');
const names = readdirSync(notebooks).filter(name => name.endsWith('.ipynb'));

function outputs(path: string): Output[] {
  const { cells } = JSON.parse(readFileSync(path, 'utf8')) as { cells: { outputs?: Output[] }[] };
  return cells.flatMap(cell => cell.outputs ?? []);
}

test.each(names.filter(name => !name.startsWith('04')))('%s runs from a clean kernel and shows figures', name => {
  const out = join(folder, name);
  const { status, stderr } = runPython(
    join(packageRoot(), 'lab/kernel/execute.py'),
    join(notebooks, name),
    '--out',
    out,
  );
  expect(stderr).not.toMatch(/CellExecutionError|Traceback/);
  expect(status).toBe(0);
  const all = outputs(out);
  expect(all.some(({ output_type }) => output_type === 'error')).toBe(false);
  const plots = all.filter(({ data }) => data?.['application/vnd.plotly.v1+json']);
  expect(plots.length).toBeGreaterThan(0);
  for (const { data } of plots) expect(Object.keys(data!)).toContain('text/plain');
  if (name.startsWith('01')) {
    const tables = all.map(({ data }) => String(data?.['text/html'] ?? ''));
    expect(tables.some(t => t.includes('All 135 stages pass'))).toBe(true);
    expect(tables.some(t => t.includes('First failing stage: layers.0.attn.q_rope (source)'))).toBe(true);
  }
});

test.each(names)('%s is committed with its outputs, small, and without a machine’s folders', name => {
  const path = join(notebooks, name);
  const text = readFileSync(path, 'utf8');
  expect(outputs(path).length).toBeGreaterThan(2);
  // Of a diff that fails, its table and the plan have the maps of seven stages with them.
  expect(text.length).toBeLessThan(700_000);
  expect(text).not.toMatch(/\/root\/|\/home\/|\/tmp\/|\/work\//);
});
