// What lies beside the weights of a Hugging Face folder and concerns text: the vocabulary, and the template of conversations.

import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { ConfigError, ModelFileError, TokenizerError } from '../errors.js';
import { MOST_JSON, MOST_TEMPLATE, readText } from '../files.js';
import { noteUse } from '../files-in-use.js';
import { parseJson } from '../json.js';
import { quoted } from '../tokenizer/quoted.js';
import type { ModelFiles } from './source.js';

/** tokenizer.model before tokenizer.json, which is seven times as large; which of two is read is decided when they are opened. */
export function vocabularyIn(folder: string, rows: number): ModelFiles['vocabulary'] {
  const at = (name: string | undefined) => (name && existsSync(join(folder, name)) ? join(folder, name) : null);
  const model = at('tokenizer.model') ?? at(filesIn(folder).find(file => file.endsWith('.spm')));
  const json = at('tokenizer.json');
  const path = model ?? json;
  if (path === null) return null;
  return { kind: path === json ? 'tokenizer.json' : 'sentencepiece', path, files: { folder, model, json, rows } };
}

export interface FoundTemplate {
  readonly template: string | null;
  readonly from: string | null;
  readonly problem: string | null;
}

/**
 * The Jinja template, as transformers looks for it: chat_template.jinja and additional_chat_templates/, else what tokenizer_config.json has,
 * and last chat_template.json, which only its processors read. Of several by name, the one called default.
 */
export function chatTemplateIn(folder: string): FoundTemplate {
  const named = new Map<string, string>();
  const more = join(folder, 'additional_chat_templates');
  const files = existsSync(more) ? filesIn(more).filter(file => file.endsWith('.jinja')) : [];
  for (const file of files) named.set(file.replace(/\.jinja$/, ''), templateOf(join(more, file)));
  const own = join(folder, 'chat_template.jinja');
  if (existsSync(own)) named.set('default', templateOf(own));
  if (named.size > 0) return oneOf(named, existsSync(own) ? 'chat_template.jinja' : 'additional_chat_templates');
  for (const name of ['tokenizer_config.json', 'chat_template.json']) {
    const template = readJson(join(folder, name)).chat_template;
    if (template === undefined || template === null) continue;
    if (typeof template === 'string') return { template, from: name, problem: null };
    for (const entry of Array.isArray(template) ? template : Object.entries(template).map(pair)) {
      if (typeof entry?.name === 'string' && typeof entry.template === 'string') named.set(entry.name, entry.template);
    }
    if (named.size > 0) return oneOf(named, name);
    return {
      template: null,
      from: null,
      problem: `${name} has a chat_template that is neither a text nor a list of named ones. Give one with --chat-template FILE, or chat({ template }).`,
    };
  }
  return { template: null, from: null, problem: null };
}

/** The same of a GGUF, where several by name are keys of their own and the default is the one without a name. */
export function chatTemplateOfGguf(metadata: ReadonlyMap<string, unknown>): FoundTemplate {
  const key = 'tokenizer.chat_template';
  const template = metadata.get(key);
  if (typeof template === 'string') return { template, from: key, problem: null };
  if (template !== undefined) {
    return {
      template: null,
      from: null,
      problem: `The GGUF has a ${key} that is no text. Give one with --chat-template FILE, or chat({ template }).`,
    };
  }
  const named = new Map(
    [...metadata].flatMap(([name, value]) =>
      name.startsWith(`${key}.`) && typeof value === 'string' ? [[name.slice(key.length + 1), value] as const] : [],
    ),
  );
  return named.size > 0 ? oneOf(named, `${key}.…`) : { template: null, from: null, problem: null };
}

const pair = ([name, template]: readonly [string, unknown]) => ({ name, template });

/** transformers takes no template where none is called default, and neither is one guessed here. */
function oneOf(named: ReadonlyMap<string, string>, from: string): FoundTemplate {
  const template = named.get('default');
  if (template !== undefined) return { template, from, problem: null };
  return {
    template: null,
    from: null,
    problem: `The model has the chat templates ${[...named.keys()].sort().map(quoted).join(', ')} (${from}) and none called default, so none is taken. Give one with --chat-template FILE, or chat({ template }).`,
  };
}

function templateOf(path: string): string {
  noteUse(path);
  return readText(path, MOST_TEMPLATE, what => new TokenizerError(`${path} is no template: ${what}. Fetch it again.`));
}

/** An object out of a JSON file, empty where there is none. Throws ConfigError for what is no file or no JSON object. */
export function readJson(path: string): Readonly<Record<string, unknown>> {
  if (!existsSync(path)) return {};
  noteUse(path);
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
export function filesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    throw new ModelFileError(
      `${folder} cannot be listed (${(error as NodeJS.ErrnoException).code}). Give a folder that you may read.`,
    );
  }
}
