// What lies beside the weights of a Hugging Face folder and concerns text: the vocabulary, and the template of conversations.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ConfigError } from '../errors.js';
import type { ModelFiles } from './source.js';

/** tokenizer.model before tokenizer.json: both give the same ids, and it is a seventh of the size. */
export function vocabularyIn(folder: string): ModelFiles['vocabulary'] {
  const names = ['tokenizer.model', ...readdirSync(folder).filter(file => file.endsWith('.spm')), 'tokenizer.json'];
  const name = names.find(file => existsSync(join(folder, file)));
  if (!name) return null;
  return { kind: name.endsWith('.json') ? 'tokenizer.json' : 'sentencepiece', path: join(folder, name) };
}

/** The Jinja template: chat_template.jinja, or the one inside tokenizer_config.json, which may have several by name. */
export function chatTemplateIn(folder: string): string | null {
  const own = join(folder, 'chat_template.jinja');
  if (existsSync(own)) return readFileSync(own, 'utf8');
  const template = readJson(join(folder, 'tokenizer_config.json')).chat_template;
  if (typeof template === 'string') return template;
  if (!Array.isArray(template)) return null;
  const named = template.find(entry => entry?.name === 'default') ?? template[0];
  return typeof named?.template === 'string' ? named.template : null;
}

/** An object out of a JSON file, empty where there is none. Throws ConfigError for what is not JSON. */
export function readJson(path: string): Readonly<Record<string, unknown>> {
  if (!existsSync(path)) return {};
  try {
    const value = JSON.parse(readFileSync(path, 'utf8'));
    return typeof value === 'object' && value !== null ? value : {};
  } catch (error) {
    throw new ConfigError(`${path} is not JSON (${(error as Error).message}). Fetch it again.`);
  }
}
