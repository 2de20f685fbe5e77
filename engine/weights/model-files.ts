// What every source of weights ends in: entries by canonical name, a reader of rows, and a fingerprint.

import { createHash } from 'node:crypto';
import type { GemmaConfig } from '../config.js';
import { ModelFileError } from '../errors.js';
import { leftOutPart } from './names.js';
import type { ModelFiles, WeightEntry, WeightSource } from './source.js';

export interface Parts {
  readonly path: string;
  readonly format: 'safetensors' | 'gguf';
  readonly config: GemmaConfig;
  readonly entries: ReadonlyMap<string, WeightEntry>;
  readonly vocabulary: ModelFiles['vocabulary'];
  readonly chatTemplate: string | null;
  readonly chat: ModelFiles['chat'];
  readonly leftOut: readonly string[];
  readonly notices: readonly string[];
  readRows(entry: WeightEntry, start: number, count: number): Promise<Float32Array>;
  readStored(entry: WeightEntry, start: number, count: number): Promise<Uint8Array<ArrayBuffer>>;
  close(): Promise<void>;
}

export async function modelFiles(parts: Parts): Promise<ModelFiles> {
  const { path, format, config, entries, vocabulary, chatTemplate, chat, leftOut, notices, close } = parts;
  const entryOf = (name: string) => {
    const entry = entries.get(name);
    if (entry) return entry;
    throw new ModelFileError(`${path} has no weight '${name}'.`);
  };
  const weights: WeightSource = {
    entries,
    close,
    readRows: (name, start, count) => parts.readRows(entryOf(name), start, count),
    readStored: (name, start, count) => parts.readStored(entryOf(name), start, count),
  };
  const digest = createHash('sha256');
  for (const { name, shape, format: stored } of [...entries.values()].sort((a, b) => (a.name < b.name ? -1 : 1))) {
    digest.update(`${name} ${shape} ${stored}\n`);
    if (shape.length === 1) digest.update(new Uint8Array((await weights.readRows(name, 0, shape[0])).buffer));
  }
  const some = Math.min(4, entries.get('embed')!.shape[0]);
  digest.update(new Uint8Array((await weights.readRows('embed', 0, some)).buffer));
  return {
    path,
    format,
    config,
    weights,
    vocabulary,
    chatTemplate,
    chat,
    leftOut: {
      tensors: leftOut.length,
      parts: [...new Set(leftOut.map(leftOutPart))],
    },
    notices,
    fingerprint: digest.digest('hex'),
    close,
  };
}
