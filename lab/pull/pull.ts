// From a name to a model on this disk: asks the hub what there is, chooses what a model needs, fetches it.

import { accessSync, constants, existsSync, statfsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { PullError } from '../../engine/errors.js';
import { printable } from '../../engine/printable.js';
import { makeFolder } from '../../engine/make-folder.js';
import { called } from '../values/arguments.js';
import { isRecord } from '../values/record.js';
import { bytesText } from '../values/numbers.js';
import { writeWhole } from '../values/write-file.js';
import { asking, endpoint } from './ask.js';
import { cachedModel, hubToken, matching, partsOf, repoFolder, severalFiles, wholeModels } from './cache.js';
import { checkFetched, checkList, INDEX } from './complete.js';
import type { HubName } from './name.js';
import { type HubFile, refused, transfer } from './transfer.js';

export interface PullOptions {
  /** Default: $HF_ENDPOINT, else Hugging Face. */
  readonly hubUrl?: string;
  readonly signal?: AbortSignal;
  /** Milliseconds before a second attempt, and without a byte until one; for tests. */
  readonly patience?: number;
  readonly idle?: number;
  onProgress?(done: number, total: number): void;
  /** Told before a wait of a second and more: how long in ms, and a clause that says why. */
  onWait?(ms: number, why: string): void;
}

export interface Pulled {
  /** What can be opened. */
  readonly path: string;
  readonly files: readonly HubFile[];
  /** Bytes that were fetched now. */
  readonly fetched: number;
  readonly commit: string;
}

/** Throws PullError or ModelFileError with the cure. */
export async function pull(name: HubName, options: PullOptions = {}): Promise<Pulled> {
  if (typeof (name as Partial<HubName> | null | undefined)?.repo !== 'string')
    throw new PullError("pull was not given a name on a hub. Give { repo: 'org/name', revision: 'main', file: null }.");
  const { signal, patience = 500, idle = 30_000, onProgress } = options;
  const onWait = (ms: number, why: string) => called('onWait', () => options.onWait?.(ms, why));
  const hub = await import('@huggingface/hub');
  const hubUrl = endpoint(options.hubUrl ?? (process.env.HF_ENDPOINT || hub.HUB_URL));
  const token = hubToken();
  const asked = { hubUrl, fetch: asking(hubUrl, token, idle, signal, onWait) };
  const noHub = () =>
    new PullError(
      `${hubUrl} answers for ${name.repo} with what is no hub's list of files. Check HF_ENDPOINT, and that the network does not answer for it with a page to log in to.`,
    );
  let commit: string;
  const listed = new Map<string, HubFile>();
  try {
    const info = await hub.modelInfo({ ...asked, name: name.repo, revision: name.revision, additionalFields: ['sha'] });
    commit = info.sha;
    if (typeof commit !== 'string' || !/^[0-9a-f]{40}$/.test(commit))
      throw new PullError(
        `${hubUrl} names no commit for ${name.repo}@${name.revision}, and its files cannot be told apart. Is it a hub? See HF_ENDPOINT.`,
      );
    for await (const entry of hub.listFiles({ ...asked, repo: name.repo, recursive: true, revision: commit })) {
      if (!isRecord(entry) || typeof entry.type !== 'string' || typeof entry.path !== 'string') throw noHub();
      if (entry.type !== 'file') continue;
      const file = { path: entry.path, size: entry.size, hash: entry.lfs?.oid ?? entry.oid ?? '' };
      const same = listed.get(file.path);
      if (!same) listed.set(file.path, file);
      else if (same.size !== file.size || same.hash !== file.hash)
        throw new PullError(
          `${hubUrl} lists '${printable(String(file.path))}' twice, with two contents, and which is meant cannot be told. Is it a hub? See HF_ENDPOINT.`,
        );
    }
  } catch (error) {
    signal?.throwIfAborted();
    if (error instanceof PullError) throw error;
    const { statusCode } = error as { statusCode?: number };
    if (statusCode) throw refused(statusCode, `${name.repo}@${name.revision}`, hubUrl, token !== undefined);
    const { name: kind, message, cause } = error as Error;
    if (cause instanceof Error || kind === 'TimeoutError' || kind === 'AbortError')
      throw new PullError(
        `${hubUrl} cannot be reached: ${cause instanceof Error ? cause.message : message}. Check the network, or HF_ENDPOINT.`,
      );
    // What its answer was made into is no part of a hub's, and the words for it are an interpreter's.
    throw noHub();
  }
  const wanted = indexFirst(chosen([...listed.values()], name));
  if (name.file === null || /\.gguf$/i.test(name.file)) checkList(wanted, name.repo);
  const folder = repoFolder(name.repo);
  const total = wanted.reduce((n, { size }) => n + size, 0);
  const here = new Map<string, number>();
  let fetched = 0;
  checkRoom(folder, wanted);
  try {
    for (const file of wanted) {
      const url = `${hubUrl}/${name.repo}/resolve/${commit}/${file.path.split('/').map(encodeURIComponent).join('/')}`;
      const pointer = join(folder, 'snapshots', commit, file.path);
      fetched += await transfer(file, folder, pointer, {
        url,
        token,
        signal,
        patience,
        idle,
        onWait,
        onBytes(bytes) {
          here.set(file.path, bytes);
          const done = [...here.values()].reduce((a, b) => a + b, 0);
          if (onProgress) called('onProgress', () => onProgress(done, total));
        },
      });
      checkFetched(file, pointer, wanted, name.repo);
    }
    // The reference last: until then, an earlier commit stays the one that is found.
    if (name.revision !== commit) {
      const ref = join(folder, 'refs', name.revision);
      makeFolder(dirname(ref));
      writeWhole(ref, [commit]);
    }
  } catch (error) {
    const { code, syscall } = error as NodeJS.ErrnoException;
    if (!syscall) throw error;
    throw new PullError(
      `${folder} cannot be written (${code}). Make room there, or set HF_HOME to a folder of your own.`,
    );
  }
  const path = cachedModel({ ...name, revision: commit });
  if (path === null) throw new PullError(`${name.repo} was fetched, and has no model that can be opened.`);
  return { path, files: wanted, fetched, commit };
}

/** What says which parts there are, before the parts. */
const indexFirst = (files: readonly HubFile[]): HubFile[] =>
  [...files].sort((a, b) => Number(b.path === INDEX) - Number(a.path === INDEX));

/** What to fetch: weights of one kind, and of the small files those that say what they are. */
function chosen(files: readonly HubFile[], name: HubName): HubFile[] {
  for (const { path, hash, size } of files) {
    const text = typeof path === 'string' && typeof hash === 'string' && !CONTROL.test(path);
    if (
      !text ||
      /(^|[\\/])\.\.([\\/]|$)|^[\\/]/.test(path) ||
      !/^([0-9a-f]{40}|[0-9a-f]{64})$/.test(hash) ||
      !(Number.isSafeInteger(size) && size >= 0)
    ) {
      throw new PullError(`The hub lists '${path}' (${size} bytes, hash '${hash}'), which is no file to fetch.`);
    }
  }
  const paths = files.map(({ path }) => path);
  const small = files.filter(({ path }) => SMALL.test(path));
  const at = (path: string) => files.filter(file => file.path === path);
  if (name.file !== null) {
    const found = matching(paths, name.file);
    if (found.length === 0) {
      const models = paths.filter(path => /\.(gguf|safetensors)$/i.test(path));
      throw new PullError(
        `${name.repo} has no file '${name.file}'. It has ${models.slice(0, 12).join(', ') || 'no model files'}.`,
      );
    }
    if (found.length > 1) throw severalFiles(name, found);
    return found[0].endsWith('.safetensors') ? [...small, ...at(found[0])] : partsOf(found[0], paths).flatMap(at);
  }
  const weights = files.filter(({ path }) => WEIGHTS.test(path));
  if (weights.length > 0 && paths.includes('config.json')) return [...small, ...weights];
  const ggufs = wholeModels(paths.filter(path => path.endsWith('.gguf')));
  if (ggufs.length > 1) throw severalFiles(name, ggufs);
  if (ggufs.length === 1) return partsOf(ggufs[0], paths).flatMap(at);
  throw new PullError(
    `${name.repo} has neither config.json with model.safetensors nor a .gguf, so Loupe cannot open it. Give another model.`,
  );
}

// Both vocabularies: a fine-tune's tokenizer.json knows more than the tokenizer.model beside it, and only reading both tells.
const SMALL =
  /^(config|generation_config|tokenizer_config|tokenizer|added_tokens|special_tokens_map|chat_template)\.json$|^tokenizer\.model$|^chat_template\.jinja$|^additional_chat_templates\/[^/]+\.jinja$/;
const WEIGHTS = /^model(-\d+-of-\d+)?\.safetensors$|^model\.safetensors\.index\.json$/;

// biome-ignore lint/suspicious/noControlCharactersInRegex: no file to fetch has one in its name
const CONTROL = /[\u0000-\u001f\u007f-\u009f]/;

/** Throws PullError where the cache cannot be written or does not hold what is missing. */
function checkRoom(folder: string, files: readonly HubFile[]): void {
  try {
    makeFolder(folder);
    accessSync(folder, constants.W_OK);
  } catch (error) {
    throw new PullError(
      `${folder} cannot be written (${(error as NodeJS.ErrnoException).code}). Set HF_HOME to a folder of your own.`,
    );
  }
  const missing = files.reduce((n, { size, hash }) => (existsSync(join(folder, 'blobs', hash)) ? n : n + size), 0);
  const { bavail, bsize } = statfsSync(folder);
  if (bavail * bsize > missing) return;
  throw new PullError(
    `${bytesText(missing)} are to be fetched, and ${bytesText(bavail * bsize)} are free in ${folder}. Make room, or set HF_HOME to another disk.`,
  );
}
