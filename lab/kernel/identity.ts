// What the kernel says of itself, and where its cells look for packages.

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { packageRoot } from '../../engine/files.js';
import { ts } from './tslab.js';
import { PROTOCOL } from './wire.js';

/** Where cells import from: the notebook's folder if the lab can be found from there, else the package itself. */
export function moduleRoot(): string {
  try {
    createRequire(join(process.cwd(), 'cell.js')).resolve('gemma-loupe/package.json');
    return process.cwd();
  } catch {
    return packageRoot();
  }
}

/** The content of a kernel_info_reply. */
export function kernelInfo(): Record<string, unknown> {
  const { version } = JSON.parse(readFileSync(join(packageRoot(), 'package.json'), 'utf8')) as { version: string };
  return {
    status: 'ok',
    protocol_version: PROTOCOL,
    implementation: 'loupe',
    implementation_version: version,
    banner: `Loupe ${version}, TypeScript ${ts.version}. The lab is in scope: const model = await open('atlas')`,
    language_info: {
      name: 'typescript',
      version: ts.version,
      mimetype: 'text/typescript',
      file_extension: '.ts',
      pygments_lexer: 'typescript',
      codemirror_mode: { name: 'javascript', mode: 'typescript', typescript: true },
      nbconvert_exporter: 'script',
    },
    help_links: [],
    debugger: false,
  };
}
