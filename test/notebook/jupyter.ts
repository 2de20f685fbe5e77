// The private Jupyter that `npm test` installs, for tests.

import { type SpawnSyncReturns, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { packageRoot } from '../../engine/files.js';

const root = packageRoot();
export const python = join(root, '.loupe', 'venv', 'bin', 'python');
export const environment = {
  ...process.env,
  JUPYTER_CONFIG_DIR: join(root, '.loupe', 'jupyter', 'config'),
  JUPYTER_DATA_DIR: join(root, '.loupe', 'jupyter', 'data'),
  JUPYTER_RUNTIME_DIR: join(root, '.loupe', 'jupyter', 'runtime'),
};

export function runPython(...args: string[]): SpawnSyncReturns<string> {
  return spawnSync(python, args, { env: environment, encoding: 'utf8', cwd: join(root, 'notebooks') });
}
