// Every family against transformers, on random weights of odd shapes (golden/parity.py makes them): logits of all tokens read at once, in
// chunks and one by one, at lengths below and beyond the windows, and the greedy tokens.

import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openSafetensors } from '../../engine/weights/safetensors.js';
import { compare } from '../../lab/diff/metrics.js';
import { open } from '../../lab/open.js';
import { freshFolder } from '../fixtures/folder.js';
import { runTorch } from './torch.js';

const folder = freshFolder();
runTorch('parity.py', folder);
const names = readdirSync(folder).filter(name => !name.includes('.'));

/** Relative L2 of logits after tens of f32 stages with gains and weights of random sizes; real weights stay a hundred times below. */
const LIMIT = 1e-4;

test('there are at least twelve configurations over three families', () => {
  expect(names.length).toBeGreaterThanOrEqual(12);
  for (const family of ['g1', 'g2', 'g3']) expect(names.filter(n => n.startsWith(family)).length).toBeGreaterThan(3);
});

test.each(names)('%s', async name => {
  const expected = await openSafetensors(join(folder, `${name}.safetensors`));
  const model = await open(join(folder, name), { quiet: true });
  try {
    expect(`g${model.config.family}`).toBe(name.slice(0, 2));
    const lengths = [...expected.tensors.keys()].flatMap(key => /^(\d+)\/ids$/.exec(key)?.[1] ?? []).map(Number);
    expect(lengths.sort((a, b) => a - b)).toEqual([1, 3, 17, 41]);
    for (const length of lengths) {
      const ids = [...(await expected.readF32(`${length}/ids`))];
      const theirs = await expected.readF32(`${length}/logits`);
      const shape = expected.tensors.get(`${length}/logits`)!.shape;
      const schedules = [
        [length],
        ...(length > 1 ? [Array<number>(length).fill(1)] : []),
        ...(length > 5 ? [[5, ...Array<number>(length - 12).fill(1), 7]] : []),
      ];
      for (const chunks of schedules) {
        const run = await model.run(ids, { tap: 'logits', logits: 'all', chunks });
        const { relL2 } = compare(run.at('logits').data, theirs, shape);
        expect({ name, length, chunks: chunks.length, ok: relL2 <= LIMIT, relL2 }).toMatchObject({ ok: true });
      }
    }
    const prompt = [...(await expected.readF32('17/ids'))];
    const greedy: number[] = [];
    for await (const { id } of model.generate(prompt, { maxTokens: 24, ignoreEos: true })) if (id >= 0) greedy.push(id);
    expect(greedy).toEqual([...(await expected.readF32('greedy/ids'))]);
  } finally {
    await expected.close();
    model[Symbol.dispose]();
  }
});
