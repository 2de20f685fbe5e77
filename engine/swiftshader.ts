// SwiftShader out of the npm package that brings it, unpacked where Vulkan can load it. What lies there from an earlier time is compared with the
// package before it is loaded: it may have been cut short, or be another's.

import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { brotliDecompressSync } from 'node:zlib';
import { cacheFolder } from './cache.js';
import { AdapterError } from './errors.js';

interface Packed {
  readonly name: string;
  readonly body: Buffer;
}

/** Unpacks SwiftShader into the cache folder, unless its very files are there. @returns the path of its Vulkan manifest */
export function swiftShaderManifest(): string {
  const require = createRequire(import.meta.url);
  let root = dirname(require.resolve('@sparticuz/chromium'));
  while (!existsSync(join(root, 'bin', 'swiftshader.tar.br'))) root = dirname(root);
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
  const archive = brotliDecompressSync(readFileSync(join(root, 'bin', 'swiftshader.tar.br')));
  return join(
    unpacked([...tarEntries(archive)], join(cacheFolder(), `swiftshader-${version}`)),
    'vk_swiftshader_icd.json',
  );
}

/** Makes `folder` hold these files. @returns it. Throws AdapterError where it cannot be written. */
export function unpacked(files: readonly Packed[], folder: string): string {
  if (holds(folder, files)) return folder;
  let aside = folder;
  try {
    aside = mkdtempSync(`${folder}.`);
    const made = join(aside, 'new');
    mkdirSync(made, { mode: 0o700 });
    for (const { name, body } of files) writeFileSync(join(made, name), body, { mode: 0o700 });
    // A folder is renamed over nothing only, and another process may be doing the same.
    for (let attempt = 0; attempt < 3 && !holds(folder, files); attempt++) {
      try {
        renameSync(folder, join(aside, `old-${attempt}`));
      } catch {} // there was none
      try {
        renameSync(made, folder);
      } catch {} // another process was first; its files are looked at
    }
  } catch (error) {
    throw cannot(folder, (error as NodeJS.ErrnoException).code ?? String(error));
  } finally {
    if (aside !== folder) rmSync(aside, { recursive: true, force: true });
  }
  if (holds(folder, files)) return folder;
  throw cannot(folder, 'something else is there');
}

const cannot = (folder: string, why: string): AdapterError =>
  new AdapterError(
    `SwiftShader cannot be unpacked into ${folder} (${why}). Make room there, or set LOUPE_CACHE to another folder of your own.`,
  );

function holds(folder: string, files: readonly Packed[]): boolean {
  try {
    return files.every(({ name, body }) => readFileSync(join(folder, name)).equals(body));
  } catch {
    return false;
  }
}

/** Plain files of a tar archive with short names, which is all that SwiftShader's is. */
function* tarEntries(archive: Buffer): Generator<Packed> {
  for (let at = 0; at + 512 <= archive.length && archive[at] !== 0; ) {
    const name = archive.toString('utf8', at, at + 100).replace(/\0.*$/s, '');
    const size = Number.parseInt(archive.toString('ascii', at + 124, at + 136), 8);
    const file = archive[at + 156] === 0x30 || archive[at + 156] === 0;
    if (file && /^(\.\/)?[\w.-]+$/.test(name)) {
      yield { name: name.replace('./', ''), body: archive.subarray(at + 512, at + 512 + size) };
    }
    at += 512 + Math.ceil(size / 512) * 512;
  }
}
