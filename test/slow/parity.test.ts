// Every family against transformers, on random weights of odd shapes: golden/parity.py makes them, `loupe parity` prints the table.

import { expect, test } from 'vitest';
import { checkConfiguration, configurations } from '../../lab/parity/configurations.js';
import { freshFolder } from '../fixtures/folder.js';
import { runTorch } from './torch.js';

const folder = freshFolder();
runTorch('parity.py', folder);
const names = configurations(folder);

test('there are at least twelve configurations over three families', () => {
  expect(names.length).toBeGreaterThanOrEqual(12);
  for (const family of ['g1', 'g2', 'g3']) expect(names.filter(n => n.startsWith(family)).length).toBeGreaterThan(3);
});

test.each(names)('%s', async name => {
  const row = await checkConfiguration(folder, name);
  expect(row).toMatchObject({ pass: true, greedyEqual: true, greedyTokens: 24, lengths: [1, 3, 17, 41], runs: 18 });
  expect(`g${row.family}`).toBe(name.slice(0, 2));
});
