// The cache that Hugging Face's tools share: models--org--name/{blobs,refs,snapshots}. What transformers has downloaded is found here,
// and what Loupe pulls, transformers finds.

import { existsSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ModelFileError, PullError } from '../../engine/errors.js';
import { readText, readWhole } from '../../engine/files.js';
import { homeFolder } from '../../engine/make-folder.js';
import type { HubName } from './name.js';

const COMMIT = /^[0-9a-f]{40}$/;

/** $HF_HUB_CACHE, else hub in $HF_HOME, else ~/.cache/huggingface/hub, as the Python package has it. */
export function hubCache(): string {
  const { HF_HUB_CACHE, HUGGINGFACE_HUB_CACHE } = process.env;
  return HF_HUB_CACHE || HUGGINGFACE_HUB_CACHE || join(hubHome(), 'hub');
}

function hubHome(): string {
  const { HF_HOME, XDG_CACHE_HOME } = process.env;
  return HF_HOME || join(XDG_CACHE_HOME || join(homeFolder() ?? tmpdir(), '.cache'), 'huggingface');
}

/** Of $HF_TOKEN, or the file that `hf auth login` writes. Throws PullError, which does not show it, for what can be none. */
export function hubToken(): string | undefined {
  const { HF_TOKEN, HUGGING_FACE_HUB_TOKEN, HF_TOKEN_PATH } = process.env;
  const file = HF_TOKEN_PATH || join(hubHome(), 'token');
  const given = (HF_TOKEN || HUGGING_FACE_HUB_TOKEN || contents(file)).trim();
  if (given === '') return undefined;
  if (/^[\x21-\x7e]+$/.test(given)) return given;
  throw new PullError(
    `The token in ${HF_TOKEN ? 'HF_TOKEN' : HUGGING_FACE_HUB_TOKEN ? 'HUGGING_FACE_HUB_TOKEN' : file} has spaces, line ends or other signs in it. Set it again.`,
  );
}

function contents(path: string): string {
  try {
    return readWhole(path, 1 << 16, what => new ModelFileError(what)).toString(); // its signs are looked at one by one
  } catch {
    return '';
  }
}

const smallText = (path: string): string =>
  readText(path, 1 << 16, what => new ModelFileError(`${path}: ${what}.`)).trim();

export const repoFolder = (repo: string): string => join(hubCache(), `models--${repo.replace('/', '--')}`);

/** Folder of the revision that is in the cache, or null. */
export function snapshotFolder({ repo, revision }: HubName): string | null {
  const folder = repoFolder(repo);
  let commit = revision;
  if (!COMMIT.test(revision)) {
    try {
      commit = smallText(join(folder, 'refs', revision));
    } catch {
      return null;
    }
    if (!COMMIT.test(commit)) return null;
  }
  const snapshot = join(folder, 'snapshots', commit);
  return existsSync(snapshot) ? snapshot : null;
}

/**
 * Path of a model in the cache: a folder with config.json, or a .gguf; null if it is not there. Throws ModelFileError where the name does
 * not say which of several files.
 */
export function cachedModel(name: HubName): string | null {
  const folder = snapshotFolder(name);
  if (folder === null) return null;
  const files = readdirSync(folder, { recursive: true }).map(String).sort();
  if (name.file !== null) {
    const found = matching(files, name.file);
    return found.length === 1 ? join(folder, found[0]) : null;
  }
  if (existsSync(join(folder, 'config.json')) && files.some(file => file.endsWith('.safetensors'))) return folder;
  const ggufs = wholeModels(files.filter(file => file.endsWith('.gguf')));
  if (ggufs.length > 1) throw severalFiles(name, ggufs);
  return ggufs.length === 1 ? join(folder, ggufs[0]) : null;
}

/** Files that `part` names: the one of exactly this name, or all whose names have it in them. */
export function matching(files: readonly string[], part: string): string[] {
  if (files.includes(part)) return [part];
  return wholeModels(
    files.filter(file => /\.(gguf|safetensors)$/i.test(file) && file.toLowerCase().includes(part.toLowerCase())),
  );
}

/** Which part of how many a GGUF is, by its name. */
export const PART = /-(\d{5})-of-(\d{5})\.gguf$/i;

/** A model in parts counts once, by its first part. */
export function wholeModels(files: readonly string[]): string[] {
  return files.filter(file => partsOf(file, files)[0] === file);
}

/** All parts of the model that a file is a part of, in order; the file alone where it is whole. */
export function partsOf(file: string, files: readonly string[]): string[] {
  const of = PART.exec(file)?.[2];
  if (of === undefined) return [file];
  const stem = file.replace(PART, '');
  return files.filter(other => PART.exec(other)?.[2] === of && other.replace(PART, '') === stem).sort();
}

export function severalFiles({ repo, revision }: HubName, files: readonly string[]): ModelFileError {
  const at = revision === 'main' ? '' : `@${revision}`;
  return new ModelFileError(
    `${repo} has ${files.length} model files: ${files.slice(0, 12).join(', ')}${files.length > 12 ? ' …' : ''}. Say which: ${repo}${at}:${files[0]}`,
  );
}
