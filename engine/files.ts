// The one file of the engine that reads files; a browser would put fetch and range requests in its place. It also decides what is read at
// all: a file, not a pipe nobody writes to or a device without an end, and no more of it than its kind may have.

import {
  closeSync,
  constants,
  existsSync,
  fstatSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  type Stats,
  statSync,
} from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { dirname, join, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ModelFileError, ShaderError } from './errors.js';
import { noteUse } from './files-in-use.js';
import { nearest } from './plan.js';
import { lineOf, textOf } from './utf8.js';

/** A file that can be read at any place. */
export interface RandomAccessFile {
  readonly path: string;
  readonly size: number;
  /** Exactly `length` bytes from `offset`; throws ModelFileError when the file ends before. */
  read(offset: number, length: number): Promise<Uint8Array<ArrayBuffer>>;
  close(): Promise<void>;
}

/** Makes the error of a reader's kind out of what is wrong, a clause such as "there is no such file". */
export type Fault = (what: string) => Error;

/** Bytes of a JSON file beside the weights (config.json, an index …): the largest there are have 1 MB. */
export const MOST_JSON = 16 << 20;
/** Bytes of a Jinja template: the longest there are have 20 kB. */
export const MOST_TEMPLATE = 1 << 20;

// Opening a pipe waits for its other end, unless told not to.
const READ = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0);
const AT_ONCE = 1 << 30; // what one read may ask for

/** Throws ModelFileError for what is missing, no file, or not readable. */
export async function openFile(path: string): Promise<RandomAccessFile> {
  const fault = (what: string) => new ModelFileError(`${path} cannot be opened: ${what}. Give the file itself.`);
  const wrong = (error: unknown) =>
    error instanceof ModelFileError
      ? error
      : new ModelFileError(`${path} cannot be read: ${reason(error)}. Fetch it again.`);
  let handle: FileHandle;
  let stat: Stats;
  try {
    mustBeFile(statSync(path), fault);
    handle = await open(path, READ);
    stat = await handle.stat();
    if (stat.size <= MOST_POINTER) {
      const { buffer } = await handle.read(Buffer.alloc(POINTER.length), 0, POINTER.length, 0);
      if (isPointer(buffer)) {
        await handle.close();
        throw fault(A_POINTER);
      }
    }
    noteUse(path);
  } catch (error) {
    throw error instanceof ModelFileError ? error : fault(reason(error));
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
      try {
        const bytes = new Uint8Array(length);
        for (let at = 0; at < length; ) {
          const { bytesRead } = await handle.read(bytes, at, Math.min(length - at, AT_ONCE), offset + at);
          if (bytesRead === 0) throw new ModelFileError(`${path} became shorter while it was read. Fetch it again.`);
          at += bytesRead;
        }
        return bytes;
      } catch (error) {
        throw wrong(error);
      }
    },
    close: () => handle.close(),
  };
}

/** What tells a file from what it is after it was written to or replaced; null where there is none. One that cannot be reached has why as its stamp. */
export function stampOf(path: string): string | null {
  try {
    const stat = statSync(path, { bigint: true, throwIfNoEntry: false });
    return stat === undefined ? null : [stat.dev, stat.ino, stat.size, stat.mtimeNs, stat.ctimeNs].join(' ');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return code === 'ENOTDIR' ? null : String(code); // what should be its folder is a file
  }
}

/** The same for what is in it alone, whatever links lead to it and who may read it. */
export function contentsStamp(path: string): string {
  try {
    const { dev, ino, size, mtimeNs } = statSync(path, { bigint: true });
    return [dev, ino, size, mtimeNs].join(' ');
  } catch (error) {
    return String((error as NodeJS.ErrnoException).code); // taken away since it was opened
  }
}

/** Whether a file that is there has no bytes. */
export function isEmpty(path: string): boolean {
  try {
    return statSync(path, { throwIfNoEntry: false })?.size === 0;
  } catch {
    return false;
  }
}

/** Whether a folder on the way to `path` may not be entered, so that nobody knows what is there. */
export function isShut(path: string): boolean {
  try {
    statSync(path);
    return false;
  } catch (error) {
    return ['EACCES', 'EPERM'].includes(String((error as NodeJS.ErrnoException).code));
  }
}

/** All bytes of a file of at most `most`; throws what `fault` makes where there is none such. */
export function readWhole(path: string, most: number, fault: Fault): Buffer {
  let handle: number | null = null;
  try {
    mustBeFile(statSync(path), fault);
    handle = openSync(path, READ);
    const { size } = fstatSync(handle);
    if (size > most) throw fault(`it has ${size} bytes, and at most ${most} are read`);
    const bytes = Buffer.alloc(size);
    let at = 0;
    for (let got = -1; got !== 0 && at < size; at += got) got = readSync(handle, bytes, at, size - at, at);
    if (size <= MOST_POINTER && isPointer(bytes)) throw fault(A_POINTER);
    return bytes.subarray(0, at);
  } catch (error) {
    throw isFromSystem(error) ? fault(reason(error)) : error;
  } finally {
    if (handle !== null) closeSync(handle);
  }
}

/** Text of a file in UTF-8, of at most `most` bytes, without a byte order mark in front; one that is no UTF-8 is refused, with the line. */
export const readText = (path: string, most: number, fault: Fault): string =>
  textOf(readWhole(path, most, fault), fault);

/** Lines of a file in UTF-8 of any length, without a byte order mark in front; one of more than `longest` bytes is refused, and one that is no UTF-8. */
export async function* readLines(path: string, fault: Fault, longest = 64 << 20): AsyncGenerator<string> {
  let handle: FileHandle;
  try {
    mustBeFile(statSync(path), fault);
    handle = await open(path, READ);
  } catch (error) {
    throw isFromSystem(error) ? fault(reason(error)) : error;
  }
  try {
    const block = Buffer.alloc(1 << 16);
    let parts: Buffer[] = [];
    let length = 0;
    let number = 0;
    const line = () => {
      number += 1;
      const text = lineOf(Buffer.concat(parts), number, fault);
      parts = [];
      length = 0;
      return text.endsWith('\r') ? text.slice(0, -1) : text;
    };
    for (;;) {
      const { bytesRead } = await handle.read(block, 0, block.length, null);
      if (bytesRead === 0) break;
      let from = 0;
      for (let end = block.indexOf(10); end >= 0 && end < bytesRead; end = block.indexOf(10, from)) {
        parts.push(Buffer.from(block.subarray(from, end)));
        yield line();
        from = end + 1;
      }
      length += bytesRead - from;
      if (length > longest) throw fault(`it has a line of more than ${longest} bytes`);
      parts.push(Buffer.from(block.subarray(from, bytesRead)));
    }
    if (length > 0) yield line();
  } catch (error) {
    throw isFromSystem(error) ? fault(reason(error)) : error;
  } finally {
    await handle.close();
  }
}

const POINTER = 'version https://git-lfs.github.com/spec/';
/** Bytes that a pointer has at most. */
export const MOST_POINTER = 1024;
const A_POINTER = 'it is a pointer of Git LFS and not the file itself, which `git lfs pull` or `loupe pull` fetches';
/** What lies in the place of a large file where a repository was cloned without Git LFS. */
export const isPointer = (bytes: Buffer): boolean => bytes.subarray(0, POINTER.length).toString('latin1') === POINTER;

function mustBeFile(stat: Stats, fault: Fault): void {
  if (stat.isFile()) return;
  const kind = stat.isDirectory() ? 'folder' : stat.isFIFO() ? 'pipe' : stat.isSocket() ? 'socket' : 'device';
  throw fault(`it is a ${kind}, and a file is needed`);
}

const isFromSystem = (error: unknown): boolean => typeof (error as NodeJS.ErrnoException).code === 'string';

function reason(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT' || code === 'ENOTDIR') return 'there is no such file';
  if (code === 'EACCES' || code === 'EPERM') return 'you may not read it';
  return code && !code.startsWith('ERR_') ? code : message;
}

/** The package's folder, found from this file whether it runs as source or as built. */
export function packageRoot(): string {
  root ??= findRoot();
  return root;
}

let root: string | undefined;

function findRoot(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  // The environment in .loupe has a package.json of its own, and what is bundled there must not take it for ours.
  while (!existsSync(join(folder, 'shaders', 'embed.wgsl'))) folder = dirname(folder);
  return folder;
}

/** Names of the shaders, without their ending: `rope`, `formats/q4_k`. */
export function shaderNames(): string[] {
  return readdirSync(join(packageRoot(), 'shaders'), { recursive: true, encoding: 'utf8' })
    .filter(file => file.endsWith('.wgsl'))
    .map(file => file.slice(0, -'.wgsl'.length).split(sep).join('/'))
    .sort();
}

/** WGSL source of shaders/NAME.wgsl. Throws ShaderError, with the nearest names, where there is none. */
export function readShaderSource(name: string): string {
  const names = shaderNames();
  if (!names.includes(name)) {
    throw new ShaderError(`There is no shader '${name}'. ${nearest(String(name), names)} They are files of shaders/.`);
  }
  return readFileSync(join(packageRoot(), 'shaders', `${name}.wgsl`), 'utf8');
}
