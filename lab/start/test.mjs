// npm test: the tests with vitest, after installing whatever is missing. Further arguments go to vitest. With none it is the files that take seconds, which
// have three of four tests; --all is every file, --rest those that the first leaves out. A file that is named is run.

import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { begin, installAll, ROOT } from './steps.mjs';

/** --slow: those that need PyTorch, or the real model, too. */
const OWN = new Set(['--all', '--rest', '--slow']);

begin(async () => {
  await installAll();
  const vitest = join(ROOT, 'node_modules', 'vitest', 'vitest.mjs');
  const given = process.argv.slice(2);
  const passed = given.filter(argument => !OWN.has(argument));
  const named = passed.some(argument => !argument.startsWith('-'));
  const part = given.includes('--rest') ? 'rest' : given.includes('--all') || named ? 'all' : 'quick';
  const env = { ...process.env, LOUPE_TESTS: part, ...(given.includes('--slow') && { LOUPE_SLOW: '1' }) };
  const child = spawn(process.execPath, [vitest, 'run', ...passed], { cwd: ROOT, env, stdio: 'inherit' });
  child.on('close', code => {
    if (part === 'quick') process.stdout.write('What takes longer was left out: npm run test:all runs every test.\n');
    process.exit(code ?? 1);
  });
});
