// Processors have vector registers of 128, 256 or 512 bits, and lavapipe makes subgroups of 4, 8 or 16 lanes of them: other kernels, the same tokens. On
// other adapters the variable says nothing.

import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { packageRoot } from '../../engine/files.js';

const loupe = join(packageRoot(), 'dist', 'lab', 'cli', 'loupe.js');

test.each(['128', '512'])(
  'registers of %s bits',
  width => {
    const args = ['generate', '--ids', '2,376,314,465,304,390', '--max-tokens', '6', '--json'];
    const run = (env: object) =>
      spawnSync(process.execPath, [loupe, ...args], { encoding: 'utf8', env: { ...process.env, ...env } });
    const [own, other] = [run({}), run({ LP_NATIVE_VECTOR_WIDTH: width })];
    expect(other.status, other.stderr).toBe(0);
    expect(JSON.parse(other.stdout).ids).toEqual(JSON.parse(own.stdout).ids);
    expect(JSON.parse(own.stdout).ids.length).toBeGreaterThan(0);
  },
  240_000,
);
