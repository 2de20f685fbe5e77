// The referee judged by bugs in transformers' own Gemma 3, in f32 and in bf16: each named with its place, and no alarm without one.

import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { open } from '../../lab/session/open.js';
import { freshFolder } from '../fixtures/folder.js';
import { planted, scoreOf } from './planted.js';

const folder = freshFolder();
const model = await open('atlas', { quiet: true });
afterAll(() => model[Symbol.dispose]());
const of = { source: ['--model', 'golden/atlas'], ids: [2, 300, 17, 18, 19, 40, 41, 42, 43, 77], long: 22 };

// In bf16 two bugs are smaller than what it rounds.
test.each<[string, string[]]>([
  ['float32', []],
  ['bfloat16', ['GELU erf', 'wrong eps']],
])(
  'atlas in %s',
  async (dtype, below) => {
    const judged = await planted(model, join(folder, dtype), { ...of, dtype });
    const { named, others } = scoreOf(judged, model.config.layers);
    process.stderr.write(`Bugs in transformers' Gemma 3, atlas in ${dtype}: ${named.length} of 16 named\n`);
    expect(others).toEqual(below.map(bug => `${bug}: nothing`));
    expect(named.length).toBe(16 - below.length);
    for (const { bug, first } of judged) if (bug.startsWith('none')) expect([bug, first]).toEqual([bug, null]);
    const where = new Map(judged.map(one => [one.bug, one.where]));
    expect(where.get('row of a weight transposed')).toMatch(/(all of it|only) in channel 7$/);
    expect(where.get('heads on the wrong KV head')).toMatch(dtype === 'float32' ? /^only in head 2–3/ : /head [23]/);
    if (dtype === 'float32') {
      expect(where.get('window ignored')).toBe('only beyond the window of 16 tokens, only positions ≥ 16');
      expect(where.get('stale cache')).toBe('only positions ≥ 3, only in key 3–5');
    }
  },
  300_000,
);
