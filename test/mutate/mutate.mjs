// npm run mutate: do the tests bite? Stryker changes the pure files one place at a time and asks their unit tests; a change that no test sees is
// listed. Files may be named: npm run mutate -- engine/weights/gguf.ts

import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { begin, build, HOME, installPackages, Missing, ROOT } from '../../lab/start/steps.mjs';

const FLOOR = 85;
const { groups } = JSON.parse(readFileSync(join(ROOT, 'test', 'mutate', 'files.json'), 'utf8'));
const own = join(HOME, 'mutate');

const HELP = `npm run mutate [-- FILE…]   mutation score of the pure files by their unit tests; exit 1 below ${FLOOR} %

  FILE   only these, of: ${groups.flatMap(group => group.files).join(' ')}
`;

/** Stryker of exactly these versions, beside the project and not in it. vitest is the project's own. */
function install() {
  mkdirSync(own, { recursive: true });
  const lock = join(own, 'package-lock.json');
  const from = name => join(ROOT, 'test', 'mutate', name);
  const fresh = existsSync(join(own, 'node_modules')) && existsSync(lock);
  if (fresh && readFileSync(lock, 'utf8') === readFileSync(from('package-lock.json'), 'utf8')) return;
  for (const name of ['package.json', 'package-lock.json']) copyFileSync(from(name), join(own, name));
  const { status } = spawnSync('npm', ['ci', '--legacy-peer-deps', '--omit=peer', '--no-audit', '--no-fund'], {
    cwd: own,
    stdio: 'inherit',
  });
  if (status !== 0) throw new Missing('Stryker could not be installed. Check that the npm registry can be reached.');
}

/** @returns mutants by file: seen by a test, and all that could be */
function mutate(files, tests) {
  const report = join(HOME, 'mutate', 'report.json');
  const config = join(own, 'stryker.config.json');
  writeFileSync(
    config,
    JSON.stringify({
      mutate: files,
      testRunner: 'vitest',
      vitest: { configFile: 'test/mutate/vitest.config.ts' },
      coverageAnalysis: 'perTest',
      ignoreStatic: true,
      concurrency: 2,
      timeoutMS: 10_000,
      reporters: ['clear-text', 'json'],
      clearTextReporter: { allowColor: false, logTests: false, reportTests: false },
      jsonReporter: { fileName: report },
      tempDirName: '.loupe/mutate/sandbox',
      ignorePatterns: ['/.loupe', '/notebooks', '/docs/pictures'],
      disableTypeChecks: false,
      allowConsoleColors: false,
    }),
  );
  const { status } = spawnSync(
    process.execPath,
    [join(own, 'node_modules', '@stryker-mutator', 'core', 'bin', 'stryker.js'), 'run', config],
    {
      cwd: ROOT,
      stdio: 'inherit',
      env: { ...process.env, LOUPE_MUTATE_TESTS: tests.join(',') },
    },
  );
  if (status !== 0) throw new Missing('Stryker did not finish; what it said is above.');
  const { files: result } = JSON.parse(readFileSync(report, 'utf8'));
  return Object.entries(result).map(([file, { mutants }]) => {
    const of = (...states) => mutants.filter(({ status }) => states.includes(status)).length;
    return { file, seen: of('Killed', 'Timeout'), all: of('Killed', 'Timeout', 'Survived', 'NoCoverage') };
  });
}

begin(async () => {
  const wanted = process.argv.slice(2);
  if (wanted.includes('--help') || wanted.includes('-h')) return void process.stdout.write(HELP);
  const unknown = wanted.find(file => !groups.some(({ files }) => files.includes(file)));
  if (unknown) throw new Missing(`'${unknown}' is not among the files that are mutated.\n${HELP}`);
  await installPackages();
  await build(); // the threads that some readers start run what was built
  install();
  const rows = [];
  for (const { files, tests } of groups) {
    const some = wanted.length === 0 ? files : files.filter(file => wanted.includes(file));
    if (some.length > 0) rows.push(...mutate(some, tests));
  }
  const score = ({ seen, all }) => (all === 0 ? 100 : (100 * seen) / all);
  process.stdout.write('\n  score    seen     all  file\n');
  for (const row of rows) {
    process.stdout.write(
      `${score(row).toFixed(1).padStart(7)} ${String(row.seen).padStart(7)} ${String(row.all).padStart(7)}  ${row.file}\n`,
    );
  }
  const low = rows.filter(row => score(row) < FLOOR);
  process.stdout.write(
    low.length > 0 ? `\n${low.length} of ${rows.length} below ${FLOOR} %\n` : `\nall at ${FLOOR} % or above\n`,
  );
  process.exit(low.length > 0 ? 1 : 0);
});
