// A watch of shaders in a cell: what is saved shows where the watch was shown, while no cell runs and while another does; Stop ends it.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { packageRoot } from '../../engine/files.js';
import { freshFolder } from '../fixtures/folder.js';
import { runPython } from './jupyter.js';

const root = freshFolder();

test('it is kept up to date in its place, and ends by the Stop of its own cell, by one while none runs, and with its session', () => {
  const [file, folder] = [join(root, 'result.json'), join(root, 'shaders')];
  const { status, stderr } = runPython(join(packageRoot(), 'test/notebook/watch.py'), file, folder);
  if (status !== 0) throw new Error(stderr);
  const result = JSON.parse(readFileSync(file, 'utf8'));
  expect(result.shown).toEqual([
    [
      'display_data',
      expect.stringMatching(
        /^Watching .*shaders, made with copies of \d+ shaders: nothing taken yet\.\nAgainst atlas\/capital: /,
      ),
      true,
    ],
  ]);
  const taken = (saves: string, rest: string) => [
    true,
    expect.stringMatching(
      new RegExp(`: ${saves} taken\\.\\n\\d\\d:\\d\\d:\\d\\d rope\\.wgsl is in force\\.[^]*${rest}`),
    ),
    true,
  ];
  expect(result.idle).toEqual(taken('1 save', 'source +layers\\.0\\.attn\\.q_rope'));
  expect(result.in_force).toEqual(['ok', ['1,layers.0.attn.q_rope,0'], '']);
  expect(result.beside).toEqual(taken('2 saves', 'source → ok +layers\\.0\\.attn\\.q_rope'));
  expect(result.other).toEqual(['ok', ['not disturbed']]);
  expect(result.stopped_other).toEqual([
    ['error', 'Interrupted'],
    ['ok', ['true'], ''],
  ]);
  // Its cell says nothing more; the place does.
  expect(result.says_so.slice(1)).toEqual([expect.stringMatching(/^No longer watching/), true]);
  expect(result.stopped_idle).toEqual(['ok', ['false'], '']);
  expect(result.stopped_cell).toEqual([
    ['error', 'Interrupted'],
    ['ok', ['false,0,false,0'], ''],
  ]);
  expect(result.silent).toEqual([]);
  expect(result.until_closed).toBe('true,false');
});
