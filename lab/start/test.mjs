// npm test: every test with vitest, after installing whatever is missing. Further arguments go to vitest.

import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { begin, installAll, ROOT } from './steps.mjs';

begin(async () => {
  await installAll();
  const vitest = join(ROOT, 'node_modules', 'vitest', 'vitest.mjs');
  const child = spawn(process.execPath, [vitest, 'run', ...process.argv.slice(2)], { cwd: ROOT, stdio: 'inherit' });
  child.on('close', code => process.exit(code ?? 1));
});
