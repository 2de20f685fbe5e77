// What lies beside the weights of a Hugging Face folder and concerns text: the vocabulary, and the template of conversations.

import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { ConfigError, ModelFileError, TokenizerError } from '../errors.js';
import { MOST_JSON, MOST_TEMPLATE, readText } from '../files.js';
import { parseJson } from '../json.js';
import type { ModelFiles } from './source.js';

/** tokenizer.model before tokenizer.json: both give the same ids, and it is a seventh of the size. */
export function vocabularyIn(folder: string): ModelFiles['vocabulary'] {
  const names = ['tokenizer.model', ...filesIn(folder).filter(file => file.endsWith('.spm')), 'tokenizer.json'];
  const name = names.find(file => existsSync(join(folder, file)));
  if (!name) return null;
  return { kind: name.endsWith('.json') ? 'tokenizer.json' : 'sentencepiece', path: join(folder, name) };
}

/** The Jinja template: chat_template.jinja, or the one inside tokenizer_config.json, which may have several by name. */
export function chatTemplateIn(folder: string): string | null {
  const own = join(folder, 'chat_template.jinja');
  if (existsSync(own)) {
    return readText(own, MOST_TEMPLATE, what => new TokenizerError(`${own} is no template: ${what}. Fetch it again.`));
  }
  const template = readJson(join(folder, 'tokenizer_config.json')).chat_template;
  if (typeof template === 'string') return template;
  if (!Array.isArray(template)) return null;
  const named = template.find(entry => entry?.name === 'default') ?? template[0];
  return typeof named?.template === 'string' ? named.template : null;
}

/** An object out of a JSON file, empty where there is none. Throws ConfigError for what is no file or no JSON object. */
export function readJson(path: string): Readonly<Record<string, unknown>> {
  if (!existsSync(path)) return {};
  const fault = (what: string) => new ConfigError(`${path} cannot be read: ${what}. Fetch it again.`);
  const text = readText(path, MOST_JSON, fault);
  let value: unknown;
  try {
    value = parseJson(text);
  } catch (error) {
    throw new ConfigError(`${path} is not JSON (${(error as Error).message}). Fetch it again.`);
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw fault('it is not a JSON object');
}

/** Names in a folder. Throws ModelFileError for one that may not be listed. */
function filesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    throw new ModelFileError(
      `${folder} cannot be listed (${(error as NodeJS.ErrnoException).code}). Give a folder that you may read.`,
    );
  }
}
