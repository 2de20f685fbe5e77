// What vitest wrote of a run (its JSON reporter), as .ci/run reads it.
//   count REPORT          "passed failed", a file that could not be run counting as one that failed
//   failed REPORT         the files in which something failed, a line each
//   slowest REPORT        the twelve files that took longest
//   again REPORT SECOND   puts the second run of files in the place of the first, and tells what passed only then

import { readFileSync, writeFileSync } from 'node:fs';
import { relative } from 'node:path';

const [what, path, second] = process.argv.slice(2);
const read = file => JSON.parse(readFileSync(file, 'utf8'));
const report = read(path);
const name = file => relative(process.cwd(), file.name);
/** Of a file: [the test, what it said]; a file that could not be read has no tests, and says so itself. */
const failuresOf = file => {
  const tests = file.assertionResults.filter(({ status }) => status === 'failed');
  if (tests.length === 0 && file.status === 'failed') return [['(the file)', file.message]];
  return tests.map(test => [test.fullName, test.failureMessages.join('\n')]);
};
const failing = () => report.testResults.filter(file => failuresOf(file).length > 0);
const seconds = file => Math.round((file.endTime - file.startTime) / 1000);

if (what === 'count') {
  const failed = failing().reduce((sum, file) => sum + failuresOf(file).length, 0);
  // Skipped ones count as failed: .ci/run leaves nothing out by skipping it.
  const left = report.numTotalTests - report.numPassedTests - report.numFailedTests;
  console.log(`${report.numPassedTests} ${failed + left}`);
} else if (what === 'failed') for (const file of failing()) console.log(name(file));
else if (what === 'slowest') {
  const slow = report.testResults.toSorted((a, b) => seconds(b) - seconds(a)).slice(0, 12);
  console.log(`    longest: ${slow.map(file => `${name(file)} ${seconds(file)} s`).join(', ')}`);
} else if (what === 'again') {
  const later = new Map(read(second).testResults.map(file => [file.name, file]));
  for (const file of failing()) {
    const now = later.get(file.name);
    if (!now || failuresOf(now).length > 0) continue;
    for (const [test] of failuresOf(file))
      console.log(`AGAIN  failed once, and passed when it was run once more: ${name(file)}, ${test}`);
  }
  report.testResults = report.testResults.map(file => later.get(file.name) ?? file);
  const tests = report.testResults.flatMap(file => file.assertionResults);
  report.numTotalTests = tests.length;
  report.numPassedTests = tests.filter(({ status }) => status === 'passed').length;
  report.numFailedTests = tests.filter(({ status }) => status === 'failed').length;
  report.success = failing().length === 0;
  writeFileSync(path, JSON.stringify(report));
} else throw new Error(`${what}: count, failed, slowest or again.`);
