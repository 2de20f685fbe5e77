// The one file of the engine that reads files. A browser would put fetch and range requests in its place.

import { existsSync, readFileSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ModelFileError } from './errors.js';

/** A file that can be read at any place. */
export interface RandomAccessFile {
  readonly path: string;
  readonly size: number;
  /** Exactly `length` bytes from `offset`; throws ModelFileError when the file ends before. */
  read(offset: number, length: number): Promise<Uint8Array<ArrayBuffer>>;
  close(): Promise<void>;
}

/** Throws ModelFileError for what is missing, a folder, or not readable. */
export async function openFile(path: string): Promise<RandomAccessFile> {
  let handle: FileHandle;
  try {
    handle = await open(path, 'r');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const why = code === 'ENOENT' ? 'there is no such file' : code === 'EACCES' ? 'you may not read it' : String(error);
    throw new ModelFileError(`${path} cannot be opened: ${why}. Check the path.`);
  }
  const stat = await handle.stat();
  if (!stat.isFile()) {
    await handle.close();
    throw new ModelFileError(`${path} is not a file. Give the file itself.`);
  }
  return {
    path,
    size: stat.size,
    async read(offset, length) {
      if (offset + length > stat.size) {
        throw new ModelFileError(
          `${path} ends at byte ${stat.size}, but ${length} bytes from ${offset} were expected. It is truncated; fetch it again.`,
        );
      }
      const bytes = new Uint8Array(length);
      for (let at = 0; at < length; ) {
        const { bytesRead } = await handle.read(bytes, at, length - at, offset + at);
        if (bytesRead === 0) throw new ModelFileError(`${path} became shorter while it was read. Fetch it again.`);
        at += bytesRead;
      }
      return bytes;
    },
    close: () => handle.close(),
  };
}

/** The package's folder, found from this file whether it runs as source or as built. */
export function packageRoot(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, 'package.json'))) folder = dirname(folder);
  return folder;
}

/** WGSL source of shaders/NAME.wgsl. */
export function readShaderSource(name: string): string {
  return readFileSync(join(packageRoot(), 'shaders', `${name}.wgsl`), 'utf8');
}
