// What every source of weights ends in: entries by canonical name, a reader of rows, and a fingerprint.

import { createHash } from 'node:crypto';
import type { GemmaConfig } from '../config.js';
import { ModelFileError } from '../errors.js';
import { contentsStamp } from '../files.js';
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
  /** Paths of those that weights are in. */
  readonly files: readonly string[];
  readRows(entry: WeightEntry, start: number, count: number): Promise<Float32Array>;
  readStored(entry: WeightEntry, start: number, count: number): Promise<Uint8Array<ArrayBuffer>>;
  close(): Promise<void>;
}

/** Rows of a matrix that the fingerprint is of: training and merging change all of them, and more than these would be waited for. */
const SAMPLED = 16;

/** The first, the last, and between them as many at equal distances; a vector whole. */
function sampledRows([rows, ...rest]: readonly number[]): number[] {
  if (rest.length === 0) return [0];
  const many = Math.min(SAMPLED, rows);
  return Array.from({ length: many }, (_, i) => Math.round((i * (rows - 1)) / Math.max(1, many - 1)));
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
    for (const row of sampledRows(shape)) {
      const count = shape.length === 1 ? shape[0] : 1;
      digest.update(new Uint8Array((await weights.readRows(name, row, count)).buffer));
    }
  }
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
    written: parts.files.map(contentsStamp).join('\n'),
    close,
  };
}
