// A model as Hugging Face's tools keep it: a folder with config.json, and the weights in one .safetensors or in shards with an index.

import { existsSync, lstatSync, readlinkSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { GemmaConfig } from '../config.js';
import { LoupeError, ModelFileError } from '../errors.js';
import { noteModel } from '../files-in-use.js';
import { specialTokensIn } from '../tokenizer/tokens-beside.js';
import { configFromJson } from './detect.js';
import { short } from './gguf-cursor.js';
import { notDone, samplingOf } from './generation-config.js';
import { modelFiles } from './model-files.js';
import { canBeLeftOut, checkWeights, isOfAdapter, missingWeight, nameFromHuggingFace, strangeTensor } from './names.js';
import { refuseQuantisedTensors } from './quantised.js';
import { openSafetensors, type Safetensors } from './safetensors.js';
import { sameMatrix } from './same-matrix.js';
import type { ModelFiles, WeightEntry } from './source.js';
import { chatTemplateIn, filesIn, readJson, vocabularyIn } from './text-files.js';

/** What the weights of the text model may be stored as. */
const READABLE = ['F32', 'F16', 'BF16'];
const SINGLE = 'model.safetensors';
const INDEX = 'model.safetensors.index.json';

/**
 * @param single name of the one file to read, where the user gave a file
 * @param wholeHead whether a large head that is stored beside a tied embedding is compared whole, and not in a sample of its rows
 */
export async function openFolder(folder: string, single?: string, wholeHead = true): Promise<ModelFiles> {
  const configPath = join(folder, 'config.json');
  if (!existsSync(configPath)) throw withoutConfig(folder, single);
  if (existsSync(join(folder, 'adapter_config.json'))) {
    throw new ModelFileError(
      `${folder} holds a LoRA adapter (adapter_config.json) beside the model, and Loupe would run the model without it. ` +
        "Merge it: peft's merge_and_unload(), then save_pretrained; or move it out of the folder to run the model alone.",
    );
  }
  noteModel(folder);
  const notices: string[] = [];
  const generationPath = join(folder, 'generation_config.json');
  const generation = readJson(generationPath);
  const json = readJson(configPath);
  const read = configFromJson(json, configPath, generation, notices);
  notices.push(...notDone(existsSync(generationPath) ? generation : null, json));
  const weights = await weightsIn(folder, read, single, notices);
  try {
    const { entries, leftOut, holders, opened, strange } = weights;
    const config = { ...read, tiedHead: await isTied(read, weights, notices, wholeHead) };
    // What is missing says more than what is strange, but for an adapter, whose weights have other names.
    const adapter = strange.find(isOfAdapter);
    if (adapter !== undefined) throw strangeTensor(adapter, config, folder);
    checkWeights(config, entries, folder, [...strange, ...leftOut]);
    if (strange.length > 0) throw strangeTensor(strange[0], config, folder);
    for (const { name, fileName, format } of entries.values()) {
      if (READABLE.includes(format)) continue;
      throw new ModelFileError(
        `Tensor '${fileName}' in ${holders.get(name)!.path} is ${format}; F32, F16 and BF16 can be read. Convert it, e.g. with transformers' save_pretrained, ` +
          'or take a GGUF of the model.',
      );
    }
    const found = chatTemplateIn(folder);
    return await modelFiles({
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
        ...samplingOf(generation),
      },
      leftOut,
      notices,
      files: opened.map(file => file.path),
      async readRows(entry, start, count) {
        const values = await holders.get(entry.name)!.readF32(entry.fileName, start, count);
        // Hugging Face stores w and computes with 1 + w, in f32.
        if (entry.shape.length === 1) for (let i = 0; i < values.length; i++) values[i] += 1;
        return values;
      },
      readStored: (entry, start, count) => holders.get(entry.name)!.readBytes(entry.fileName, start, count),
      close: () => closeAll(opened),
    });
  } catch (error) {
    await closeAll(weights.opened);
    throw error;
  }
}

interface Weights {
  readonly opened: readonly Safetensors[];
  readonly entries: ReadonlyMap<string, WeightEntry>;
  readonly holders: ReadonlyMap<string, Safetensors>;
  readonly leftOut: readonly string[];
  /** Tensors that are no part of the plan and cannot be left out. */
  readonly strange: readonly string[];
}

async function closeAll(files: readonly Safetensors[]): Promise<void> {
  for (const file of files) await file.close();
}

/** The single file, or the shards of an index. Where both are there, the single one, unless it cannot be the whole model. */
async function weightsIn(
  folder: string,
  config: GemmaConfig,
  single: string | undefined,
  notices: string[],
): Promise<Weights> {
  if (single !== undefined) {
    const shards = existsSync(join(folder, INDEX)) ? shardsOf(folder) : [];
    if (!shards.includes(single)) return await gather(folder, [single], config);
    if (shards.length > 1) notices.push(`${single} is one of ${shards.length} shards; all of them were read.`);
    return await gather(folder, shards, config);
  }
  const [whole, sharded] = [SINGLE, INDEX].map(file => existsSync(join(folder, file)));
  if (!whole) return await gather(folder, shardsOf(folder), config);
  if (!sharded) return await gather(folder, [SINGLE], config);
  let why: string;
  try {
    const weights = await gather(folder, [SINGLE], config);
    const missing = missingWeight(config, weights.entries);
    if (missing === null) {
      notices.push(`${SINGLE} was read, and not the shards of ${INDEX} beside it.`);
      return weights;
    }
    await closeAll(weights.opened);
    why = `it lacks '${missing}'`;
  } catch (error) {
    if (!(error instanceof LoupeError)) throw error;
    why = 'it cannot be read as this model';
  }
  const weights = await gather(folder, shardsOf(folder), config);
  notices.push(`The shards of ${INDEX} were read, and not ${SINGLE} beside it: ${why}.`);
  return weights;
}

async function gather(folder: string, files: readonly string[], config: GemmaConfig): Promise<Weights> {
  const opened: Safetensors[] = [];
  try {
    for (const file of files) opened.push(await openSafetensors(join(folder, file)));
    const names = opened.flatMap(file => [...file.tensors.keys()]);
    refuseQuantisedTensors(
      names.filter(name => !canBeLeftOut(name, 'safetensors')),
      folder,
    );
    const entries = new Map<string, WeightEntry>();
    const holders = new Map<string, Safetensors>();
    const leftOut: string[] = [];
    const strange: string[] = [];
    for (const file of opened) {
      for (const { name: fileName, shape, dtype, bytes } of file.tensors.values()) {
        const name = nameFromHuggingFace(fileName, config.family);
        if (name === null) {
          (canBeLeftOut(fileName, 'safetensors') ? leftOut : strange).push(fileName);
          continue;
        }
        const other = holders.get(name);
        if (other) {
          const there = entries.get(name)!.fileName;
          const second =
            other === file
              ? `has '${there}' and '${fileName}', two names of one tensor`
              : `has the tensor '${fileName}', which ${basename(other.path)} in the same folder has too${there === fileName ? '' : `, as '${there}'`}`;
          throw new ModelFileError(`${file.path} ${second}. Keep the one that belongs to the model.`);
        }
        entries.set(name, { name, fileName, shape, format: dtype, bytes });
        holders.set(name, file);
      }
    }
    return { opened, entries, holders, leftOut, strange };
  } catch (error) {
    await closeAll(opened);
    throw error;
  }
}

/** A head that is stored and differs from the embedding is a head of its own, whatever the configuration says; transformers does so too. */
async function isTied(
  { tiedHead }: GemmaConfig,
  { entries, holders }: Weights,
  notices: string[],
  wholeHead: boolean,
): Promise<boolean> {
  const [embed, head] = [entries.get('embed'), entries.get('head')];
  if (!tiedHead || !head || !embed) return tiedHead;
  const tensor = ({ name, fileName, shape, format, bytes }: WeightEntry) => ({
    file: holders.get(name)!,
    name: fileName,
    shape,
    dtype: format,
    bytes,
  });
  const same = await sameMatrix(tensor(embed), tensor(head), wholeHead);
  if (!same) {
    notices.push(
      `${head.fileName} differs from the embedding, so it is used, though tie_word_embeddings says that they are one.`,
    );
  }
  return same;
}

function shardsOf(folder: string): string[] {
  const index = join(folder, INDEX);
  if (!existsSync(index)) {
    for (const file of [SINGLE, INDEX]) {
      const path = join(folder, file);
      if (lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink())
        throw new ModelFileError(
          `${path} is a link to ${short(readlinkSync(path))}, which is not there. Fetch the weights again.`,
        );
    }
    throw new ModelFileError(
      `${folder} has a config.json but neither ${SINGLE} nor ${INDEX}. ${weightsUnderAnotherName(folder) ?? 'Fetch the weights too.'}`,
    );
  }
  const map = (readJson(index) as { weight_map?: unknown }).weight_map;
  const named = typeof map === 'object' && map !== null && !Array.isArray(map) ? Object.values(map) : null;
  if (!named?.every((file): file is string => typeof file === 'string')) {
    throw new ModelFileError(`${index} has no 'weight_map' that gives each tensor the name of a file. Fetch it again.`);
  }
  const files = [...new Set(named)].sort();
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

/** Files of weights as other programs write them: which are there, and what to do with them; null where there are none. */
function weightsUnderAnotherName(folder: string): string | null {
  const files = filesIn(folder);
  const within = files.find(file => /^(weights|checkpoint|onnx|original|pytorch)$/i.test(file));
  const shards = files.filter(file => /\.safetensors$/i.test(file));
  if (shards.length > 1)
    return `It has ${shards[0]} and ${shards.length - 1} more without the index that says what is in which; fetch ${INDEX} too.`;
  if (shards.length === 1)
    return `It has ${shards[0]}: call it ${SINGLE} if it is the whole model, or give that file itself.`;
  const saved = "save the model with transformers' save_pretrained, which writes safetensors";
  const torch = files.find(file => /\.(bin|pt|pth|ckpt|npz)(\.index\.json)?$/i.test(file));
  if (torch !== undefined) return `${torch} cannot be read; ${saved}.`;
  const other = files.find(file => /\.(msgpack|h5|ot|onnx|task|tflite|litertlm|keras)$/i.test(file));
  if (other !== undefined) return `${other} is of another program, and cannot be read. Fetch ${SINGLE}, or ${saved}.`;
  return within === undefined ? null : `Perhaps they are in its folder ${within}: put ${SINGLE} beside config.json.`;
}

function withoutConfig(folder: string, single?: string): ModelFileError {
  if (existsSync(join(folder, 'adapter_config.json'))) {
    return new ModelFileError(
      `${folder} holds a LoRA adapter and not a model. Merge it into its model first: peft's merge_and_unload(), then save_pretrained.`,
    );
  }
  if (single !== undefined) {
    return new ModelFileError(
      `${join(folder, single)} holds weights alone: config.json, which says what they are, is not beside it, so it has no config.json to be read with. ` +
        'Fetch config.json (and tokenizer.model or tokenizer.json) of the same model into this folder.',
    );
  }
  return new ModelFileError(
    `${folder} has no config.json, so it is not a model folder. Give the folder that holds config.json and the weights.`,
  );
}
