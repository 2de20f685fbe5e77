// Whether what a hub lists is a whole model, as far as its list and its small files say: before gigabytes are fetched that cannot be opened.

import { readFileSync } from 'node:fs';
import { PullError } from '../../engine/errors.js';
import { isPointer, MOST_JSON, MOST_POINTER, readText } from '../../engine/files.js';
import { parseJson } from '../../engine/json.js';
import { printable } from '../../engine/printable.js';
import { isRecord } from '../values/record.js';
import { PART } from './cache.js';
import type { HubFile } from './transfer.js';

export const INDEX = 'model.safetensors.index.json';
const SHARD = /^model-\d+-of-\d+\.safetensors$/;

/** Throws PullError where the list itself says that a part is missing. */
export function checkList(wanted: readonly HubFile[], repo: string): void {
  const paths = wanted.map(({ path }) => path);
  if (paths.some(path => SHARD.test(path)) && !paths.includes(INDEX) && !paths.includes('model.safetensors'))
    throw new PullError(
      `${repo} has its weights in parts and no ${INDEX} that says what is in which. Ask who published it, or give another model.`,
    );
  const ggufs = paths.filter(path => PART.test(path));
  if (ggufs.length === 0) return;
  const total = Number(PART.exec(ggufs[0])![2]);
  const there = new Set(ggufs.map(path => Number(PART.exec(path)![1])));
  const missing = Array.from({ length: Math.min(total, 1000) }, (_, i) => i + 1).filter(n => !there.has(n));
  if (missing.length > 0)
    throw new PullError(
      `${repo} lists ${there.size} of the ${total} parts of ${printable(ggufs[0].replace(PART, ''))}, and not part ${missing.slice(0, 8).join(', ')}${missing.length > 8 ? ' …' : ''}. Ask who published it, or give another model.`,
    );
}

/** Throws PullError where a file that was just fetched to `at` shows that the model is not whole: an index of shards that are not listed, a pointer in the place of a file. */
export function checkFetched({ path, size }: HubFile, at: string, wanted: readonly HubFile[], repo: string): void {
  if (size <= MOST_POINTER && isPointer(readFileSync(at)))
    throw new PullError(
      `${path} of ${repo} is a pointer of Git LFS and not the file itself: it was published without its contents. Ask who published it, or give another model.`,
    );
  const paths = new Set(wanted.map(file => file.path));
  if (path !== INDEX || paths.has('model.safetensors')) return;
  const bad = (what: string) =>
    new PullError(`${INDEX} of ${repo} ${what}. Ask who published it, or give another model.`);
  let index: unknown;
  try {
    index = parseJson(readText(at, MOST_JSON, what => new Error(what)));
  } catch (error) {
    throw bad(`cannot be read (${printable((error as Error).message.slice(0, 100))})`);
  }
  const map = isRecord(index) ? index.weight_map : null;
  if (!isRecord(map)) throw bad('has no weight_map');
  const missing = [...new Set(Object.values(map))].filter(shard => typeof shard !== 'string' || !paths.has(shard));
  if (missing.length > 0)
    throw bad(
      `names ${missing
        .slice(0, 4)
        .map(shard => `'${printable(String(shard).slice(0, 80))}'`)
        .join(', ')}${missing.length > 4 ? ' …' : ''}, which the hub's list has not`,
    );
}
