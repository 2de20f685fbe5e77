// The kernelspec: what tells Jupyter how to start the kernel.

import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../../engine/files.js';

const NAME = 'loupe';

/** Writes PREFIX/share/jupyter/kernels/loupe. @returns the folder */
export function installKernelSpec(prefix: string): string {
  const folder = join(prefix, 'share', 'jupyter', 'kernels', NAME);
  mkdirSync(folder, { recursive: true });
  const spec = {
    argv: [process.execPath, join(packageRoot(), 'dist', 'lab', 'kernel', 'kernel.js'), '{connection_file}'],
    display_name: 'Loupe (TypeScript)',
    language: 'typescript',
    interrupt_mode: 'signal',
    metadata: { debugger: false },
  };
  writeFileSync(join(folder, 'kernel.json'), `${JSON.stringify(spec, null, 1)}\n`);
  return folder;
}

/** The command an installed kernelspec starts, or null where there is none. */
export function installedKernel(prefix: string): readonly string[] | null {
  const path = join(prefix, 'share', 'jupyter', 'kernels', NAME, 'kernel.json');
  if (!existsSync(path)) return null;
  return (JSON.parse(readFileSync(path, 'utf8')) as { argv: string[] }).argv;
}
