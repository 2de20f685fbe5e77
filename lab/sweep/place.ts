// Where files of a data set lie: in a folder (folder.ts) or in a bucket (bucket.ts). A file is there whole or not at all; several are never put in their place at once.

import { OptionError } from '../../engine/errors.js';

/** A place that cannot be written to or read from: whether it may go well another time, and whether it is so for every file. */
export class StorageError extends OptionError {
  /** It may be another matter later, or elsewhere. */
  readonly retry: boolean;
  /** It is the place, and not this file: what is so for one shard is so for all. */
  readonly forAll: boolean;

  constructor(
    message: string,
    { retry, forAll }: { readonly retry: boolean; readonly forAll: boolean },
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.retry = retry;
    this.forAll = forAll;
  }
}

/** Where files are written, told from an address. */
export const isAddress = (text: string): boolean => /^[a-z][a-z0-9+.-]*:\/\/|^s3:/i.test(text);

/** A file that is being written where nobody reads it. Disposed of before `commit`, it is as if nothing had been written. */
export interface Aside extends Disposable {
  write(part: Uint8Array): void;
  /** Puts it in its place. */
  commit(): Promise<void>;
}

/** Files by their names, which are paths with slashes. What cannot be read or written is a StorageError. */
export interface Place {
  /** As a person calls it. */
  readonly name: string;
  /** Makes sure that there is something to write to. @returns what takes it away again where nothing was written */
  prepare(): Promise<() => void>;
  aside(name: string): Aside;
  write(name: string, text: string): Promise<void>;
  /** Null where there is none. */
  read(name: string): Promise<Buffer | null>;
  /** Names that begin so, a folder's with its slash. */
  list(folder: string): Promise<string[]>;
  /** From its beginning. Throws StorageError where it is not there. */
  stream(name: string): AsyncIterable<Uint8Array>;
  /** Bytes `from` to, without it, `to`. */
  part(name: string, from: number, to: number): Promise<Uint8Array>;
  /** What lies there half written: of processes that were ended outright, or of some that write now. */
  leftover(): Promise<Leftover[]>;
}

/** A file that nobody has finished yet. */
export interface Leftover {
  readonly name: string;
  /** When it was begun, or last written to; milliseconds since 1970. */
  readonly since: number;
  discard(): Promise<void>;
}
