// The files that this process has opened as a model, a tokenizer, a template or a golden. They are read again (a model that is brought back, each
// look into a golden), and whoever made them did not make them here: nothing is written onto them.

import { type BigIntStats, fstatSync, readdirSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';

const used = new Set<string>();

/** What a model's folder is made of, whether it is read or not: the shards beside a single file, the vocabulary that another takes the place of. */
const OF_A_MODEL =
  /^(?:(?:config|generation_config|tokenizer|tokenizer_config|special_tokens_map|added_tokens|chat_template|preprocessor_config|processor_config)\.json|.*\.index\.json|chat_template\.jinja|.*\.(?:model|spm|gguf)|model(?:-\d+-of-\d+)?\.safetensors)$/;

export function noteUse(path: string): void {
  used.add(resolve(path));
}

/** Notes what a model's folder is made of. */
export function noteModel(folder: string): void {
  try {
    for (const name of readdirSync(folder)) if (OF_A_MODEL.test(name)) noteUse(join(folder, name));
  } catch {} // it may not be listed; what is read of it is noted one by one
}

/** The file in use that a path or descriptor is too, by whatever name, symbolic or hard link; null for none. */
export function usedAs(target: string | number): string | null {
  const found = statOf(target);
  if (!found) return null;
  for (const path of used) {
    const stat = statOf(path);
    if (stat && stat.ino === found.ino && stat.dev === found.dev) return path;
  }
  return null;
}

function statOf(target: string | number): BigIntStats | null {
  try {
    const stat = typeof target === 'number' ? fstatSync(target, { bigint: true }) : statSync(target, { bigint: true });
    return stat.isFile() ? stat : null;
  } catch {
    return null; // not there, or not to be looked at
  }
}
