// npm run notebooks: runs the notebooks from a clean kernel and keeps their outputs. Names may be given: npm run notebooks -- 01-tour

import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { begin, installAll, jupyterEnvironment, PYTHON, ROOT } from './steps.mjs';

begin(async () => {
  await installAll();
  const wanted = process.argv.slice(2);
  const folder = join(ROOT, 'notebooks');
  for (const name of readdirSync(folder).filter(file => file.endsWith('.ipynb'))) {
    if (wanted.length > 0 && !wanted.some(part => name.startsWith(part))) continue;
    const path = join(folder, name);
    const began = Date.now();
    const { status } = spawnSync(PYTHON, [join(ROOT, 'lab', 'kernel', 'execute.py'), path, '--out', path], {
      env: jupyterEnvironment(),
      stdio: 'inherit',
    });
    if (status !== 0) process.exit(1);
    process.stdout.write(`✓ ${name} (${((Date.now() - began) / 1000).toFixed(1)} s)\n`);
  }
});
