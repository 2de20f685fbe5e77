// From a path to everything a model is made of: a Hugging Face folder, a .gguf, or a .safetensors with its config.json. All checks
// come before any large allocation. A file is known by how it begins, not by its name.

import { existsSync, statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { ModelFileError } from '../errors.js';
import { isShut, openFile } from '../files.js';
import { openFolder } from './folder.js';
import { ggufIn, openGgufModel } from './gguf-model.js';
import type { ModelFiles } from './source.js';

/**
 * What is at a path, recognised and checked; its weights are read when they are asked for. Throws ModelFileError or ConfigError with the cure.
 * @example const files = await openModelFiles('gemma-3-270m') // a folder of Hugging Face's, a .gguf or a .safetensors
 * @param path a folder with config.json, a .gguf, or a .safetensors beside its config.json
 * @param options `wholeHead`: false where the weights are only described: a large head beside a tied embedding is then compared in a sample of rows
 */
export async function openModelFiles(
  path: string,
  options: { readonly wholeHead?: boolean } = {},
): Promise<ModelFiles> {
  const { wholeHead = true } = options;
  if (isShut(path)) throw new ModelFileError(`${path} cannot be opened: you may not enter a folder that leads to it.`);
  if (!existsSync(path)) {
    throw new ModelFileError(
      `There is no model at ${path}. Give a folder with config.json, a .gguf or a .safetensors file.`,
    );
  }
  if (statSync(path).isDirectory()) {
    const weights = ['model.safetensors', 'model.safetensors.index.json'].some(file => existsSync(join(path, file)));
    const gguf = existsSync(join(path, 'config.json')) && weights ? null : ggufIn(path);
    return await (gguf === null ? openFolder(path, undefined, wholeHead) : openGgufModel(gguf));
  }
  switch (await kindOf(path)) {
    case 'gguf':
      return await openGgufModel(path);
    case 'safetensors':
      return await openFolder(dirname(resolve(path)), basename(path), wholeHead);
  }
}

/** What a file is, by its first bytes; its name decides where these say nothing. */
async function kindOf(path: string): Promise<'gguf' | 'safetensors'> {
  const file = await openFile(path);
  const start = Buffer.from(file.size >= 16 ? await file.read(0, 16) : new Uint8Array(16));
  await file.close();
  const begins = (text: string) => start.toString('latin1').startsWith(text);
  if (begins('GGUF')) return 'gguf';
  const refuse = (what: string) => new ModelFileError(`${path} is ${what}.`);
  if (begins('PK\u0003\u0004') || begins('\u0080\u0002') || /\.(bin|pt|pth|ckpt)$/i.test(path)) {
    throw refuse(
      "a checkpoint of PyTorch. Save the model with transformers' save_pretrained, which writes safetensors",
    );
  }
  if (['tjgg', 'lmgg', 'fmgg', 'algg'].some(begins)) {
    throw refuse('a GGML file from before GGUF. Convert the model again, to .gguf');
  }
  if (/\.gguf$/i.test(path)) return 'gguf';
  const json = start[8] === 0x7b && start.readUInt32LE(4) === 0;
  if (json || /\.safetensors$/i.test(path)) return 'safetensors';
  throw refuse(
    'neither a folder nor a .gguf or .safetensors file, so it holds no model that can be read. Give one of these',
  );
}
