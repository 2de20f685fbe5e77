// Files that a person keeps are written whole or not at all: aside, in the same folder, then put in the place of what was there. A full disk or a killed
// process leaves the file of before. Pipes, devices and descriptors are no files, and are written to as they are.

import { randomUUID } from 'node:crypto';
import {
  accessSync,
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  fsyncSync,
  lstatSync,
  openSync,
  readlinkSync,
  renameSync,
  rmSync,
  type Stats,
  statSync,
  writeSync,
} from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { Interrupted, OptionError } from '../../engine/errors.js';
import { usedAs } from '../../engine/files-in-use.js';
import { said } from './dims.js';
import { isUnfinished, settled, unfinished } from './unfinished.js';

interface Target {
  /** The file itself, behind all links; or what is opened as it is. */
  readonly path: string;
  /** What is there. */
  readonly stat: Stats | undefined;
  /** A descriptor of this process, as /dev/stdout names one. */
  readonly descriptor: number | null;
}

const DESCRIPTOR = /^\/(?:dev|proc\/self)\/fd\/(\d+)$/;
const MOST_LINKS = 40;

/** Throws OptionError where nothing can be written to `path`: said before long work, not after it. */
export function checkTarget(path: string): void {
  const { path: real, stat, descriptor } = target(path);
  const used = usedAs(descriptor ?? real);
  if (used !== null)
    throw cannot(
      path,
      `${used === resolve(path) ? 'it is' : `it is ${used},`} a file that is being read here as a model, a tokenizer or a golden`,
    );
  if (descriptor !== null) return;
  if (stat?.isDirectory()) throw cannot(path, 'it is a folder');
  if (stat) allowed(path, real, constants.W_OK, 'you may not write it');
  if (stat && !stat.isFile()) return;
  const folder = statSync(dirname(real), { throwIfNoEntry: false });
  if (!folder) throw cannot(path, `there is no folder ${dirname(real)}`);
  if (!folder.isDirectory()) throw cannot(path, `${dirname(real)} is no folder`);
  allowed(path, dirname(real), constants.W_OK | constants.X_OK, `you may not write into ${dirname(real)}`);
}

/** A file that is being written aside, or a pipe. Disposed of before `commit`, it is as if nothing had been written. */
export interface Writing extends Disposable {
  write(part: string | Uint8Array): void;
  /** Puts it in the place of what was there. */
  commit(): void;
}

/** Writes the parts one after the other, all or nothing. A file that was there keeps its permissions. Throws OptionError. */
export function writeWhole(path: string, parts: Iterable<string | Uint8Array>): void {
  using file = writeAside(path);
  for (const part of parts) file.write(part);
  file.commit();
}

/** For what is made a piece at a time. A file that was there keeps its permissions. Throws OptionError, as what it returns does. */
export function writeAside(path: string): Writing {
  checkTarget(path);
  const { path: real, stat, descriptor } = target(path);
  if (descriptor !== null)
    return { write: part => told(path, () => writePart(descriptor, part)), commit() {}, [Symbol.dispose]() {} };
  const isFile = !stat || stat.isFile();
  const aside = isFile ? join(dirname(real), `.loupe-${randomUUID()}.part`) : real;
  let fd: number | null = null;
  const close = () => {
    const open = fd;
    fd = null;
    if (open !== null) closeSync(open);
  };
  const file: Writing = {
    write: part => told(path, () => writePart(fd!, part)),
    commit() {
      told(path, () => {
        if (isFile && !isUnfinished(aside)) throw new Interrupted(`Writing ${path}`);
        if (isFile) fsyncSync(fd!);
        close();
        if (isFile) renameSync(aside, real);
        settled(aside);
      });
      if (isFile) settle(dirname(real));
    },
    [Symbol.dispose]() {
      try {
        close(); // which a full disk may refuse too
      } finally {
        if (isUnfinished(aside)) rmSync(aside, { force: true });
        settled(aside);
      }
    },
  };
  try {
    told(path, () => {
      if (isFile) unfinished(aside);
      fd = isFile ? openSync(aside, 'wx', stat ? 0o600 : 0o666) : openSync(real, 'w');
      if (isFile && stat) keepOwner(fd, stat);
    });
  } catch (error) {
    file[Symbol.dispose]();
    throw error;
  }
  return file;
}

/** Follows links to where a plain write would go, a file that is not there yet included. */
function target(path: string): Target {
  if (typeof path !== 'string' || path === '' || path.includes('\0')) {
    throw new OptionError(
      `A file to write needs a path, not ${typeof path === 'string' ? JSON.stringify(path) : said(path)}.`,
    );
  }
  if (/[\\/]$/.test(path)) throw cannot(path, 'it is a folder');
  let real = absolute(path);
  for (let links = 0; links < MOST_LINKS; links++) {
    const descriptor = DESCRIPTOR.exec(real);
    if (descriptor) return { path: real, stat: undefined, descriptor: Number(descriptor[1]) };
    let stat: Stats | undefined;
    try {
      stat = lstatSync(real, { throwIfNoEntry: false });
      if (!stat?.isSymbolicLink()) return { path: real, stat, descriptor: null };
      real = resolve(dirname(real), readlinkSync(real));
    } catch (error) {
      throw cannot(path, reason(error), error);
    }
  }
  throw cannot(path, 'it is a link that leads in a circle');
}

function absolute(path: string): string {
  try {
    return resolve(path);
  } catch (error) {
    throw cannot(path, 'the folder that this runs in is gone', error);
  }
}

function allowed(path: string, real: string, mode: number, why: string): void {
  try {
    accessSync(real, mode);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw cannot(path, code === 'EROFS' ? 'its disk is read-only' : why, error);
  }
}

function writePart(fd: number, part: string | Uint8Array): void {
  const bytes = typeof part === 'string' ? Buffer.from(part) : part;
  for (let at = 0; at < bytes.length; ) {
    try {
      at += writeSync(fd, bytes, at);
    } catch (error) {
      // A pipe that takes no more at the moment.
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
    }
  }
}

function keepOwner(fd: number, stat: Stats): void {
  try {
    fchownSync(fd, stat.uid, stat.gid);
  } catch {} // only root may give files away
  fchmodSync(fd, stat.mode & 0o7777);
}

/** The new name too is on the disk when this returns, where the system knows how. */
function settle(folder: string): void {
  try {
    const fd = openSync(folder, 'r');
    try {
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
  } catch {}
}

function told(path: string, write: () => void): void {
  try {
    write();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    // Who reads the pipe has gone: for whoever runs the command, that is no mistake. No code: not of a file.
    if (code === 'EPIPE' || code === undefined) throw error;
    throw cannot(path, reason(error), error);
  }
}

function reason(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === 'ENOSPC' || code === 'EDQUOT') return `the disk is full (${code})`;
  if (code === 'EFBIG') return 'it would be larger than files may be here (EFBIG)';
  if (code === 'EACCES' || code === 'EPERM') return `you may not write it (${code})`;
  if (code === 'ENOTDIR') return 'a part of the path is no folder (ENOTDIR)';
  return code ?? message;
}

const cannot = (path: string, why: string, cause?: unknown): OptionError =>
  new OptionError(`${path} cannot be written: ${why}. What was there is untouched; give another path.`, { cause });
