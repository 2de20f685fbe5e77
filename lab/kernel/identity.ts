// What the kernel says of itself.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { packageRoot } from '../../engine/files.js';
import { PROTOCOL } from './wire.js';

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
