// A data set in a folder, of this machine or of a network's file system.

import { createReadStream, existsSync, readdirSync, readFileSync, rmdirSync, rmSync, statSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { OptionError } from '../../engine/errors.js';
import { makeFolder } from '../../engine/make-folder.js';
import { writeAside, writeWhole } from '../values/write-file.js';
import { type Aside, type Leftover, type Place, StorageError } from './place.js';

/** What a file is called while it is written aside. */
const PART = /(?:^|\/)\.loupe-[0-9a-f-]{36}\.part$/;

/** A folder, of this machine or of a network. */
export class Folder implements Place {
  constructor(readonly name: string) {}

  async prepare(): Promise<() => void> {
    const made = this.#make(this.name);
    return () => {
      try {
        for (const folder of made.reverse()) rmdirSync(folder);
      } catch {} // something is in it, or somebody was first
    };
  }

  aside(name: string): Aside {
    const path = this.#made(name);
    const file = told(() => writeAside(path));
    return {
      write: part => told(() => file.write(part)),
      commit: async () => told(() => file.commit()),
      [Symbol.dispose]: () => file[Symbol.dispose](),
    };
  }

  async write(name: string, text: string): Promise<void> {
    const path = this.#made(name);
    told(() => writeWhole(path, [text]));
  }

  async read(name: string): Promise<Buffer | null> {
    try {
      return readFileSync(this.#path(name));
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === 'ENOENT' || code === 'ENOTDIR') return null;
      throw this.#unread(name, error);
    }
  }

  async list(folder: string): Promise<string[]> {
    const out: string[] = [];
    const look = (path: string) => {
      for (const entry of readdirSync(this.#path(path), { withFileTypes: true })) {
        if (entry.isDirectory()) look(`${path}${entry.name}/`);
        else out.push(`${path}${entry.name}`);
      }
    };
    try {
      look(folder);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw this.#unread(folder, error);
    }
    return out;
  }

  async *stream(name: string): AsyncIterable<Uint8Array> {
    try {
      yield* createReadStream(this.#path(name));
    } catch (error) {
      throw this.#unread(name, error);
    }
  }

  /** Not as what is read here as a model is opened: that may not be written again in this process. */
  async part(name: string, from: number, to: number): Promise<Uint8Array> {
    try {
      await using file = await open(this.#path(name));
      const part = new Uint8Array(to - from);
      await file.read(part, 0, part.length, from);
      return part;
    } catch (error) {
      throw this.#unread(name, error);
    }
  }

  async leftover(): Promise<Leftover[]> {
    const names = (await this.list('')).filter(name => PART.test(name));
    return names.flatMap(name => {
      const path = this.#path(name);
      const stat = statSync(path, { throwIfNoEntry: false });
      return stat ? [{ name, since: stat.mtimeMs, discard: async () => rmSync(path, { force: true }) }] : [];
    });
  }

  #path(name: string): string {
    return join(this.name, ...name.split('/'));
  }

  /** The path of a file, in a folder that is there. */
  #made(name: string): string {
    const path = this.#path(name);
    this.#make(dirname(path));
    return path;
  }

  #make(folder: string): string[] {
    try {
      return makeFolder(folder);
    } catch (error) {
      const { code, path = folder } = error as NodeJS.ErrnoException;
      const why =
        code === 'ENOSPC'
          ? 'the disk is full (ENOSPC)'
          : code === 'ENOTDIR'
            ? `${fileOn(path)} is a file, and no folder (ENOTDIR)`
            : `it cannot be made (${code})`;
      throw new StorageError(`The folder ${folder} cannot be written: ${why}. Give another "out".`, scopeOf(code), {
        cause: error,
      });
    }
  }

  #unread(name: string, error: unknown): StorageError {
    const { code, message } = error as NodeJS.ErrnoException;
    return new StorageError(`${this.#path(name)} cannot be read (${code ?? message}).`, scopeOf(code), {
      cause: error,
    });
  }
}

/** What of a path is there already, and no folder. */
function fileOn(path: string): string {
  let at = path;
  while (!existsSync(at) && dirname(at) !== at) at = dirname(at);
  return at;
}

/** A full disk, and one that may not be written to, are so for all files; whatever else may be another matter the next time. */
function scopeOf(code: string | undefined): { retry: boolean; forAll: boolean } {
  const forAll = ['ENOSPC', 'EDQUOT', 'EFBIG', 'EACCES', 'EPERM', 'EROFS'].includes(code ?? '');
  return { retry: !forAll, forAll };
}

function told<T>(write: () => T): T {
  try {
    return write();
  } catch (error) {
    if (!(error instanceof OptionError)) throw error;
    const { code } = (error.cause ?? {}) as NodeJS.ErrnoException;
    throw new StorageError(error.message, scopeOf(code), { cause: error.cause });
  }
}
