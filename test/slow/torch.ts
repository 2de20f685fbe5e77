// The environment with PyTorch that .ci/run makes, or the one that LOUPE_TORCH names.

import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../../engine/files.js';

/** Runs a script of golden/ in it. Throws with what it printed when it fails. */
export function runTorch(script: string, ...args: string[]): void {
  const own = join(packageRoot(), '.loupe', 'torch', 'bin', 'python');
  const python = process.env.LOUPE_TORCH ?? (existsSync(own) ? own : 'python3');
  const made = spawnSync(python, [join(packageRoot(), 'golden', script), ...args], { encoding: 'utf8' });
  if (made.status !== 0) throw new Error(made.stderr);
}
