// PyTorch and llama.cpp beside Loupe on the real 270M, as `loupe bench --against torch,llama.cpp` asks them: both there, told their threads, on the same
// tokens. No time is held to anything.

import { spawnSync } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { packageRoot } from '../../engine/files.js';
import { realModel } from './real-model.js';

test('both are measured in turn', { timeout: 900_000 }, () => {
  const what = ['--prefill', '8', '--contexts', '0,20', '--decode', '3', '--rounds', '1', '--cache-at', '0'];
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [
      join(packageRoot(), 'dist/lab/cli/loupe.js'),
      ...['bench', '--json', '-m', realModel(), '--against', 'torch,llama.cpp'],
      ...what,
    ],
    { encoding: 'utf8' },
  );
  expect(stderr).not.toMatch(/Error/);
  expect(status).toBe(0);
  const { peers } = JSON.parse(stdout);
  const threads = `${availableParallelism()} threads?$`;
  expect(peers.torch.name).toMatch(new RegExp(`^PyTorch .*f32, ${threads}`));
  expect(peers['llama.cpp'].name).toMatch(new RegExp(`^llama\\.cpp .*CPU, ${threads}`));
  for (const peer of [peers.torch, peers['llama.cpp']]) {
    expect(peer.prefill['8'].tokensPerSecond.median).toBeGreaterThan(0);
    expect(peer.decodeAt['20'].tokensPerSecond.median).toBeGreaterThan(0);
    expect(peer.ratios.decodeAt['20']).toBeGreaterThan(0);
  }
});
