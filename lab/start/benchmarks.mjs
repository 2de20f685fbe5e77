// npm run benchmarks: measures this machine and writes the measured part of docs/BENCHMARKS.md and its pictures. Leave the machine alone meanwhile.
//
//     npm run benchmarks                          about seven minutes
//     npm run benchmarks -- --small --to FILE     one, with short prompts, into another document: to see that it works

import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { begin, build, checkNode, installPackages, ROOT } from './steps.mjs';

begin(async () => {
  const { values } = parseArgs({ options: { small: { type: 'boolean' }, to: { type: 'string' } } });
  checkNode();
  await installPackages();
  await build();
  const { writeBenchmarks } = await import(new URL('../../dist/lab/benchmarks/document.js', import.meta.url));
  await writeBenchmarks({
    path: values.to ?? join(ROOT, 'docs', 'BENCHMARKS.md'),
    small: values.small,
    say: line => process.stdout.write(`${line}\n`),
  });
  process.exit(0);
});
