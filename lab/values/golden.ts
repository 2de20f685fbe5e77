// PyTorch's activations for one sequence, as golden/make_golden.py wrote them: f32, by stage name, for a schedule of chunks.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { GoldenError } from '../../engine/errors.js';
import { isShut, packageRoot, stampOf } from '../../engine/files.js';
import { parseJson } from '../../engine/json.js';
import { quoted } from '../../engine/tokenizer/quoted.js';
import { openSafetensors, type Safetensors } from '../../engine/weights/safetensors.js';
import { checkName } from './arguments.js';
import { Names } from './select.js';
import { Shown } from './shown.js';
import { isOurs, otherVersion } from './version.js';

/** PyTorch’s activations for one sequence, in a file; values are read when they are asked for. */
export interface Golden {
  /** What was asked for: `atlas/capital` or a path. */
  readonly name: string;
  /** Token ids of the sequence. */
  readonly ids: readonly number[];
  /** Sizes of the chunks the ids were read in. */
  readonly chunks: readonly number[];
  /** Texts of the tokens, where the golden has them. */
  readonly pieces: readonly string[] | null;
  /** What made it, key by key. */
  readonly provenance: ReadonlyMap<string, string>;
  /** Shape of every stage that it has. */
  readonly stages: ReadonlyMap<
    string,
    {
      /** Size of each dimension. */
      readonly shape: readonly number[];
    }
  >;
  /** Values of one stage, by any of its names; throws GoldenError for a stage that is not in the file, and for a file that was changed since. */
  read(stage: string): Promise<Float32Array>;
}

/**
 * Opens `MODEL/NAME` (golden/MODEL/NAME.safetensors of this package) or a .safetensors file. Throws GoldenError for what is none.
 * @example const g = await golden('atlas/capital')
 */
export async function golden(name: string): Promise<Golden & Shown> {
  if (typeof name !== 'string')
    throw new GoldenError("A golden is given by its name, e.g. 'atlas/capital', or by a file.");
  checkName('golden', name);
  const own = join(packageRoot(), 'golden', `${name}.safetensors`);
  const path = existsSync(own) && !existsSync(name) ? own : name;
  if (isShut(path)) throw new GoldenError(`${name} cannot be opened: you may not enter a folder that leads to it.`);
  if (!existsSync(path)) {
    throw new GoldenError(
      `There is no golden '${name}'. Give a file of golden/make_golden.py, or one that ships, e.g. 'atlas/capital'.`,
    );
  }
  const stamp = stampOf(path);
  const file = await openSafetensors(path);
  await file.close();
  /** Its ids and shapes are of the file as it was: values of another would be compared with them. */
  const unchanged = () => {
    if (stampOf(path) === stamp) return;
    throw new GoldenError(`${name} is not what it was when it was opened. Open it again: golden('${name}').`);
  };
  unchanged();
  return describe(name, path, file, unchanged);
}

function describe(name: string, path: string, { metadata, tensors }: Safetensors, unchanged: () => void): GoldenFile {
  if (!isOurs(metadata))
    throw new GoldenError(
      `${name} is no golden: its metadata has no 'loupe_golden'. Make one with golden/make_golden.py.`,
    );
  const other = otherVersion(name, metadata);
  if (other !== null) throw new GoldenError(other);
  const logits = metadata.get('logits');
  if (logits !== undefined && logits !== 'all' && logits !== 'last') {
    throw new GoldenError(
      `${name} says logits ${quoted(logits)}, and 'all' or 'last' is expected. Make it again with golden/make_golden.py.`,
    );
  }
  const listOf = <T>(key: string, what: string, holds: (one: unknown) => one is T): T[] => {
    try {
      const value = parseJson(metadata.get(key) ?? '');
      if (Array.isArray(value) && value.every(holds)) return value;
    } catch {} // the same complaint below
    throw new GoldenError(
      `${name} has no list of ${what} '${key}' in its metadata. Make it again with golden/make_golden.py.`,
    );
  };
  const list = (key: string) =>
    listOf(key, 'numbers', (n): n is number => Number.isSafeInteger(n) && (n as number) >= 0);
  const ids = list('ids');
  const chunks = list('chunks');
  if (chunks.includes(0))
    throw new GoldenError(`${name} has chunks of ${chunks}, and none of them is empty. Make it again.`);
  if (ids.length === 0 || chunks.reduce((a, b) => a + b, 0) !== ids.length) {
    throw new GoldenError(`${name} has ${ids.length} ids in chunks of ${chunks}, which do not add up. Make it again.`);
  }
  const pieces = metadata.has('pieces') ? listOf('pieces', 'texts', piece => typeof piece === 'string') : null;
  if (pieces && pieces.length !== ids.length) {
    throw new GoldenError(`${name} has ${pieces.length} pieces for ${ids.length} ids. Make it again.`);
  }
  const stages = new Map([...tensors.values()].map(t => [t.name, { shape: t.shape }]));
  const read = async (asked: string) => {
    const stage = tensors.has(asked) ? asked : aliased(asked, tensors);
    if (stage === null) {
      throw new GoldenError(`${name} has no stage '${asked}'. It was made for another model, or by another version.`);
    }
    // Opened for each look: a golden lies about in a notebook, and nobody would think of closing it.
    unchanged();
    const file = await openSafetensors(path);
    try {
      const values = await file.readF32(stage);
      unchanged();
      return values;
    } finally {
      await file.close();
    }
  };
  return new GoldenFile(name, ids, chunks, pieces, metadata, stages, read);
}

/** Its reader is a property of its own: who compares by another schedule copies a golden and changes one part. */
export class GoldenFile extends Shown implements Golden {
  constructor(
    readonly name: string,
    readonly ids: readonly number[],
    readonly chunks: readonly number[],
    readonly pieces: readonly string[] | null,
    readonly provenance: ReadonlyMap<string, string>,
    readonly stages: ReadonlyMap<string, { readonly shape: readonly number[] }>,
    readonly read: (stage: string) => Promise<Float32Array>,
  ) {
    super();
  }
}

/** The stage that TransformerLens or Hugging Face call so. Only where all stages are there is it known which family's names they are. */
function aliased(asked: string, tensors: Safetensors['tensors']): string | null {
  const own = [...tensors.keys()];
  const all = ['embed', 'layers.0.attn.out', 'layers.0.resid_mid', 'layers.0.mlp.down', 'layers.0.resid', 'logits'];
  if (!all.every(stage => tensors.has(stage))) return null;
  try {
    return new Names(own).one(asked);
  } catch (error) {
    throw new GoldenError((error as Error).message);
  }
}
