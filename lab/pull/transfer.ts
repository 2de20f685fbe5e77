// One file from a hub into its cache: goes on where a broken connection left off, and is what its hash says, or is not there.

import { createHash, type Hash } from 'node:crypto';
import { createReadStream, existsSync, lstatSync, renameSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { PullError } from '../../engine/errors.js';
import { makeFolder } from '../../engine/make-folder.js';
import { lock } from './lock.js';
import { isForGood, MOST_WAIT, type OnWait, retryAfter, wait } from './waiting.js';

export interface HubFile {
  readonly path: string;
  readonly size: number;
  /** Hash of the contents: SHA-256 of a large file, or Git's SHA-1 of a blob. Its name in the cache. */
  readonly hash: string;
}

export interface TransferOptions {
  readonly url: string;
  readonly token?: string;
  readonly signal?: AbortSignal;
  /** Bytes of the file that are here now. */
  onBytes(bytes: number): void;
  readonly onWait?: OnWait;
  /** Milliseconds before the first of the new attempts; doubled for each after it. */
  readonly patience: number;
  /** Milliseconds without a byte after which a connection counts as broken. */
  readonly idle: number;
}

const ATTEMPTS = 6; // in a row that bring no byte

/** A hub that may give the file later. */
class Busy extends Error {
  /** @param after ms that it asks to wait, or null */
  constructor(
    readonly status: number,
    readonly after: number | null,
  ) {
    super(status === 429 ? 'it takes no more requests for now (status 429)' : `status ${status}`);
  }
}

/** Fetches `file` into blobs/ of `folder`, and links it at `pointer`. @returns bytes that were fetched. Throws PullError. */
export async function transfer(
  file: HubFile,
  folder: string,
  pointer: string,
  options: TransferOptions,
): Promise<number> {
  const blob = join(folder, 'blobs', file.hash);
  const here = () => existsSync(blob) || whole(pointer, file.size);
  let fetched = 0;
  if (!here()) {
    const incomplete = `${blob}.incomplete`;
    makeFolder(dirname(blob));
    // Two pulls of one model are one download: the other waits, and finds the file.
    using _lock = await lock(`${blob}.lock`, options.signal, () => options.onBytes(sizeOf(incomplete)));
    if (!here()) {
      const kept = sizeOf(incomplete);
      fetched = file.size - (kept > file.size ? 0 : kept);
      await fetchAll(file, incomplete, options);
      await verify(file, incomplete, options.url);
      renameSync(incomplete, blob);
    }
  }
  options.onBytes(file.size);
  link(blob, pointer);
  return fetched;
}

async function fetchAll(file: HubFile, path: string, options: TransferOptions): Promise<void> {
  const { url, signal, patience, onWait } = options;
  let furthest = sizeOf(path); // what comes a second time is no progress
  for (let failures = 0; ; ) {
    if (sizeOf(path) > file.size) rmSync(path); // of something else
    if (sizeOf(path) === file.size && existsSync(path)) return;
    let problem = new Error('the connection ended early');
    try {
      await fetchRest(file, path, options);
    } catch (error) {
      signal?.throwIfAborted();
      if (error instanceof PullError) throw error;
      if (isForGood(error))
        throw new PullError(
          `${file.path} cannot be fetched from ${url}: ${reason(error)}. Asking again changes nothing; check HF_ENDPOINT.`,
        );
      problem = error as Error;
      if ((error as NodeJS.ErrnoException).code === 'ENOSPC') {
        throw new PullError(
          `The disk is full; ${file.path} needs ${file.size - sizeOf(path)} bytes more. Make room and pull again.`,
        );
      }
    }
    if (sizeOf(path) === file.size) return;
    failures = sizeOf(path) > furthest ? 0 : failures + 1;
    furthest = Math.max(furthest, sizeOf(path));
    if (failures === ATTEMPTS) {
      throw new PullError(
        `${file.path} could not be fetched from ${url}: ${reason(problem)}. What is here stays; pull again to go on.`,
      );
    }
    const asked = problem instanceof Busy ? problem.after : null;
    if (asked !== null && asked > MOST_WAIT)
      throw new PullError(
        `${new URL(url).origin} asks to wait ${Math.ceil(asked / 1000)} s before ${file.path} is fetched. What is here stays; pull again then.`,
      );
    await wait(asked ?? patience * 2 ** Math.max(0, failures - 1), reason(problem), signal, onWait);
  }
}

/** Asks for what is missing, and appends it. */
async function fetchRest(file: HubFile, path: string, options: TransferOptions): Promise<void> {
  const { url, token, signal, idle, onBytes } = options;
  const from = sizeOf(path);
  const headers: Record<string, string> = { 'accept-encoding': 'identity' };
  // The address is the hub's own; on the way to a content network, fetch takes the header off.
  if (token) headers.authorization = `Bearer ${token}`;
  if (from > 0) headers.range = `bytes=${from}-`;
  const silence = new AbortController();
  const timer = setTimeout(() => silence.abort(new Error(`nothing came for ${idle / 1000} s`)), idle);
  const either = signal ? AbortSignal.any([signal, silence.signal]) : silence.signal;
  try {
    const response = await fetch(url, { headers, signal: either });
    timer.refresh();
    await receive(response, file, path, from, url, token !== undefined, either, bytes => {
      timer.refresh();
      onBytes(bytes);
    });
  } finally {
    clearTimeout(timer);
  }
}

/** Writes the body of `response` behind the `from` bytes that are there, or from the start if it begins there. */
async function receive(
  response: Response,
  file: HubFile,
  path: string,
  from: number,
  url: string,
  withToken: boolean,
  signal: AbortSignal,
  onBytes: (bytes: number) => void,
): Promise<void> {
  const whole = wholeSize(response);
  if (whole !== null && whole !== file.size) {
    await response.body?.cancel();
    throw another(file, url, whole);
  }
  if (response.status === 416) {
    rmSync(path, { force: true });
    throw new Error('the server has not the bytes that are missing');
  }
  if (!response.ok) {
    await response.body?.cancel();
    if (response.status === 429 || response.status >= 500)
      throw new Busy(response.status, retryAfter(response.headers));
    throw refused(response.status, file.path, url, withToken);
  }
  const begins = /^bytes (\d+)-/.exec(response.headers.get('content-range') ?? '')?.[1];
  if (response.status === 206 && begins !== undefined && Number(begins) !== from) {
    await response.body?.cancel();
    throw new PullError(
      `${url} was asked for ${file.path} from byte ${from}, and gives it from byte ${begins}. What is here stays; check HF_ENDPOINT, and what stands between.`,
    );
  }
  // A server that does not go on in the middle begins again.
  const goesOn = response.status === 206 && from > 0;
  let here = goesOn ? from : 0;
  onBytes(here);
  const handle = await open(path, goesOn ? 'a' : 'w');
  try {
    for await (const part of bodyOf(response, signal)) {
      await handle.writeFile(part);
      here += part.length;
      if (here > file.size) {
        throw new PullError(`${url} sends more than the ${file.size} bytes of ${file.path}. Pull again.`);
      }
      onBytes(here);
    }
  } finally {
    await handle.close();
  }
  // A body in chunks says by its last one that it is whole; without chunks or a length, its end may be the connection's.
  if (!goesOn && here < file.size && response.headers.has('transfer-encoding')) {
    rmSync(path);
    throw another(file, url, here);
  }
}

/** The body, until it ends or the signal says so: one that cannot be unpacked neither ends nor fails, whatever fetch was told. */
async function* bodyOf({ body }: Response, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  if (body === null) return;
  const reader = body.getReader();
  let stop = () => {};
  const stopped = new Promise<never>((_, reject) => {
    stop = () => reject(signal.reason);
    signal.addEventListener('abort', stop);
    if (signal.aborted) stop();
  });
  stopped.catch(() => {}); // it may come while nobody reads
  try {
    for (;;) {
      const { done, value } = await Promise.race([reader.read(), stopped]);
      if (done) return;
      yield value;
    }
  } finally {
    signal.removeEventListener('abort', stop);
    reader.cancel().catch(() => {});
  }
}

/** Bytes of the whole file, as an answer states them; null where it does not. */
function wholeSize({ status, headers }: Response): number | null {
  if (headers.has('content-encoding')) return null; // of what it was made into
  const stated =
    status === 200 ? headers.get('content-length') : /^bytes .*\/(\d+)$/.exec(headers.get('content-range') ?? '')?.[1];
  return (status === 200 || status === 206 || status === 416) && stated != null ? Number(stated) : null;
}

const another = (file: HubFile, url: string, bytes: number) =>
  new PullError(
    `${url} gives ${bytes} bytes, and ${file.path} has ${file.size} in the hub's list: it is another file, or a page of the network that one has to log in to. See what a browser is given there, and pull again.`,
  );

/** What a hub means by its refusal, and what to do. */
export function refused(status: number, what: string, url: string, withToken: boolean): PullError {
  if (status === 401 && withToken) {
    return new PullError(
      `${new URL(url).origin} does not know this token and gives no ${what} (401). Set HF_TOKEN to a valid access token, or unset it.`,
    );
  }
  if (status === 401 || status === 403) {
    return new PullError(
      `${new URL(url).origin} does not give ${what} to ${withToken ? 'the owner of this token' : 'everybody'} (${status}). ` +
        `Accept its licence on its page there${withToken ? '' : ', and set HF_TOKEN to your access token'}.`,
    );
  }
  if (status === 404)
    return new PullError(`${new URL(url).origin} has no ${what} (404). Check the name and the revision.`);
  if (status >= 300 && status < 400)
    return new PullError(
      `${url} sends on to another address and gives none (status ${status}). Asking again changes nothing; check HF_ENDPOINT.`,
    );
  return new PullError(`${url} answers with status ${status}. Try again later.`);
}

async function verify(file: HubFile, path: string, url: string): Promise<void> {
  const git = file.hash.length === 40;
  const hash: Hash = createHash(git ? 'sha1' : 'sha256');
  if (git) hash.update(`blob ${file.size}\0`);
  await pipeline(createReadStream(path, { highWaterMark: 1 << 20 }), hash);
  const found = hash.digest('hex');
  if (found === file.hash) return;
  rmSync(path);
  throw new PullError(
    `What ${url} sent for ${file.path} has the hash ${found}, and ${file.hash} was promised. It was deleted; pull again.`,
  );
}

function link(blob: string, pointer: string): void {
  makeFolder(dirname(pointer));
  if (existsSync(pointer)) return;
  rmSync(pointer, { force: true }); // a link to nothing
  try {
    symlinkSync(relative(dirname(pointer), blob), pointer);
  } catch {
    // Another process was first; or links are not allowed, and the file itself goes there.
    if (!existsSync(pointer)) renameSync(blob, pointer);
  }
}

/** Whether the file itself lies where a link would: on systems that allow none. */
const whole = (pointer: string, size: number): boolean => {
  const stat = lstatSync(pointer, { throwIfNoEntry: false });
  return stat?.isFile() === true && stat.size === size;
};

const sizeOf = (path: string): number => statSync(path, { throwIfNoEntry: false })?.size ?? 0;

function reason(error: unknown): string {
  const { message, cause } = error as Error;
  return cause instanceof Error ? `${message}: ${cause.message}` : message;
}
