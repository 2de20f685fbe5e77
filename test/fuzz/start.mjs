// npm run fuzz: bundles the fuzzer and the sources it reads with, then runs it; further arguments are its own.

import { join } from 'node:path';
import { build } from 'esbuild';

const root = join(import.meta.dirname, '..', '..');
const outdir = join(root, '.loupe', 'fuzz');
await build({
  entryPoints: [join(root, 'test/fuzz/main.ts'), join(root, 'test/fuzz/worker.ts')],
  outdir,
  bundle: true,
  packages: 'external',
  platform: 'node',
  format: 'esm',
  target: 'node20',
  outExtension: { '.js': '.mjs' },
  logLevel: 'warning',
});
await import(join(outdir, 'main.mjs'));
