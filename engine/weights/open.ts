// From a path to everything a model is made of: a Hugging Face folder, a .gguf, or a .safetensors with its config.json. All checks
// come before any large allocation.

import { createHash } from 'node:crypto';
import { existsSync, statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import type { GemmaConfig } from '../config.js';
import { ModelFileError } from '../errors.js';
import { specialTokensOfGguf } from '../tokenizer/gguf-vocabulary.js';
import { specialTokensIn } from '../tokenizer/tokens-beside.js';
import { configFromGguf, configFromJson } from './detect.js';
import { openGguf } from './gguf.js';
import { samplingOf } from './generation-config.js';
import { checkWeights, nameFromGguf, nameFromHuggingFace } from './names.js';
import { openSafetensors, type Safetensors } from './safetensors.js';
import type { ModelFiles, WeightEntry, WeightSource } from './source.js';
import { chatTemplateIn, readJson, vocabularyIn } from './text-files.js';

/** Throws ModelFileError or ConfigError with the cure. */
export async function openModelFiles(path: string): Promise<ModelFiles> {
  if (!existsSync(path)) {
    throw new ModelFileError(
      `There is no model at ${path}. Give a folder with config.json, a .gguf or a .safetensors file.`,
    );
  }
  if (statSync(path).isDirectory()) return openFolder(path);
  if (/\.gguf$/i.test(path)) return openGgufModel(path);
  if (/\.safetensors$/i.test(path)) return openFolder(dirname(resolve(path)), basename(path));
  throw new ModelFileError(
    `${path} is neither a folder nor a .gguf or .safetensors file, so it holds no model that can be read. Give one of these.`,
  );
}

async function openFolder(folder: string, single?: string): Promise<ModelFiles> {
  const configPath = join(folder, 'config.json');
  if (!existsSync(configPath)) {
    throw new ModelFileError(
      `${folder} has no config.json, so it is not a model folder. Give the folder that holds config.json and the weights.`,
    );
  }
  const generation = join(folder, 'generation_config.json');
  const config = configFromJson(readJson(configPath), configPath, readJson(generation));
  const opened: Safetensors[] = [];
  try {
    for (const file of single ? [single] : shardsOf(folder)) opened.push(await openSafetensors(join(folder, file)));
    const entries = new Map<string, WeightEntry>();
    const holders = new Map<string, Safetensors>();
    const leftOut: string[] = [];
    for (const file of opened) {
      for (const { name: fileName, shape, dtype, bytes } of file.tensors.values()) {
        const name = nameFromHuggingFace(fileName, config.family);
        if (name === null) {
          leftOut.push(fileName);
          continue;
        }
        const other = holders.get(name);
        if (other) {
          throw new ModelFileError(
            `${file.path} has the tensor '${fileName}', which ${basename(other.path)} in the same folder has too. Keep the one that belongs to the model.`,
          );
        }
        entries.set(name, { name, fileName, shape, format: dtype, bytes });
        holders.set(name, file);
      }
    }
    checkWeights(config, entries, folder);
    const found = chatTemplateIn(folder);
    return modelFiles({
      path: folder,
      format: 'safetensors',
      config,
      entries,
      vocabulary: vocabularyIn(folder, config.vocab),
      chatTemplate: found.template,
      chat: {
        templateFrom: found.from,
        templateProblem: found.problem,
        specialTokens: specialTokensIn(folder),
        ...samplingOf(readJson(generation)),
      },
      leftOut,
      async readRows(entry, start, count) {
        const values = await holders.get(entry.name)!.readF32(entry.fileName, start, count);
        // Hugging Face stores w and computes with 1 + w, in f32.
        if (entry.shape.length === 1) for (let i = 0; i < values.length; i++) values[i] += 1;
        return values;
      },
      async close() {
        for (const file of opened) await file.close();
      },
    });
  } catch (error) {
    for (const file of opened) await file.close();
    throw error;
  }
}

function shardsOf(folder: string): string[] {
  const index = join(folder, 'model.safetensors.index.json');
  if (existsSync(join(folder, 'model.safetensors'))) return ['model.safetensors'];
  if (!existsSync(index)) {
    throw new ModelFileError(
      `${folder} has a config.json but neither model.safetensors nor model.safetensors.index.json. Fetch the weights too.`,
    );
  }
  const map = (readJson(index) as { weight_map?: unknown }).weight_map;
  const files = [...new Set(Object.values((map ?? {}) as Record<string, unknown>).map(String))].sort();
  const missing = files.find(file => basename(file) !== file || !existsSync(join(folder, file)));
  if (files.length === 0 || missing !== undefined) {
    throw new ModelFileError(
      missing === undefined
        ? `${index} names no shards. Fetch it again.`
        : `${index} names the shard ${missing}, which is not there. Fetch it too.`,
    );
  }
  return files;
}

async function openGgufModel(path: string): Promise<ModelFiles> {
  const file = await openGguf(path);
  try {
    const entries = new Map<string, WeightEntry>();
    const leftOut: string[] = [];
    for (const { name: fileName, shape, format, bytes } of file.tensors.values()) {
      const name = nameFromGguf(fileName);
      if (name === null) leftOut.push(fileName);
      else entries.set(name, { name, fileName, shape, format, bytes });
    }
    const template = file.metadata.get('tokenizer.chat_template');
    const vocab = entries.get('embed')?.shape[0] ?? 0;
    const config = configFromGguf(file.metadata, vocab, path, !entries.has('head'));
    checkWeights(config, entries, path);
    return modelFiles({
      path,
      format: 'gguf',
      config,
      entries,
      vocabulary: file.metadata.has('tokenizer.ggml.tokens') ? { kind: 'gguf', metadata: file.metadata } : null,
      chatTemplate: typeof template === 'string' ? template : null,
      chat: {
        templateFrom: typeof template === 'string' ? 'tokenizer.chat_template' : null,
        templateProblem: null,
        specialTokens: specialTokensOfGguf(file.metadata),
        sampling: {},
        notices: [],
      },
      leftOut,
      readRows: (entry, start, count) => file.readF32(entry.fileName, start, count),
      close: () => file.close(),
    });
  } catch (error) {
    await file.close();
    throw error;
  }
}

interface Parts {
  readonly path: string;
  readonly format: 'safetensors' | 'gguf';
  readonly config: GemmaConfig;
  readonly entries: ReadonlyMap<string, WeightEntry>;
  readonly vocabulary: ModelFiles['vocabulary'];
  readonly chatTemplate: string | null;
  readonly chat: ModelFiles['chat'];
  readonly leftOut: readonly string[];
  readRows(entry: WeightEntry, start: number, count: number): Promise<Float32Array>;
  close(): Promise<void>;
}

async function modelFiles(parts: Parts): Promise<ModelFiles> {
  const { path, format, config, entries, vocabulary, chatTemplate, chat, leftOut, readRows, close } = parts;
  const weights: WeightSource = {
    entries,
    close,
    readRows(name, start, count) {
      const entry = entries.get(name);
      if (!entry) throw new ModelFileError(`${path} has no weight '${name}'.`);
      return readRows(entry, start, count);
    },
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
      parts: [...new Set(leftOut.map(name => name.replace(/^model\./, '').split('.')[0]))],
    },
    fingerprint: digest.digest('hex'),
    close,
  };
}
