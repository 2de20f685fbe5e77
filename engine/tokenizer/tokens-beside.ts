// What lies beside a vocabulary in a Hugging Face folder and adds tokens to it: tokenizer_config.json, special_tokens_map.json and, of old,
// added_tokens.json. Put together as transformers 5.23 does for Gemma (tokenization_utils_base.py, `_from_pretrained`).

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { ConfigError, TokenizerError } from '../errors.js';
import { readJson } from '../weights/text-files.js';
import { type DeclaredToken, declared, named, type TokensBeside } from './declared-tokens.js';
import type { EndKeys } from './ends.js';
import { quoted } from './quoted.js';

type Json = Readonly<Record<string, unknown>>;

const ORDER = ['bos_token', 'eos_token', 'unk_token', 'sep_token', 'pad_token', 'cls_token', 'mask_token'];
/** Of transformers' GemmaTokenizer, where no file says otherwise. */
const GEMMA: Json = {
  bos_token: '<bos>',
  eos_token: '<eos>',
  unk_token: '<unk>',
  pad_token: '<pad>',
  mask_token: '<mask>',
};
const ADDS = /^add_(bos|eos)_token$/;
const LISTS = /^(extra|additional)_special_tokens$/;
const MAP = 'special_tokens_map.json';
const SIZE = 1 << 24; // no vocabulary is larger

/** The texts of `bos_token` and the like, which templates may name; one that the files set to null has none. A file that is none says so when the vocabulary is opened. */
export function specialTokensIn(folder: string): Readonly<Record<string, string>> {
  let values: Json = GEMMA;
  try {
    values = { ...defaultsIn(folder), ...specialsIn(folder) };
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
  }
  const texts = Object.entries(values).map(([key, value]) => [key, textOf(value)] as const);
  return Object.fromEntries(
    texts.filter((entry): entry is [string, string] => /_token$/.test(entry[0]) && entry[1] !== null),
  );
}

/** @param rows of the model's embedding */
export function tokensBeside(folder: string, rows: number): TokensBeside {
  const configPath = join(folder, 'tokenizer_config.json');
  const { added_tokens_decoder: decoder } = readJson(configPath);
  const specials = specialsIn(folder);
  const defaults = defaultsIn(folder);
  const extra = extrasOf(specials);
  // A mapping gives names, as the keys that end in _token do; a list has none.
  const byName = { ...specials, ...object(extra) };
  const extras = Array.isArray(extra) ? extra : [];
  const names = new Set([...ORDER, ...Object.keys(byName)]);
  const singles = [...names].flatMap(key => {
    const value = Object.hasOwn(byName, key) ? byName[key] : defaults[key];
    const text = textOf(value);
    return text === null ? [] : [{ text, value, assumed: !Object.hasOwn(byName, key) }];
  });
  return {
    rows,
    all(listed) {
      const byId = new Map<number, DeclaredToken>();
      if (decoder !== undefined && decoder !== null) {
        for (const [id, token] of Object.entries(object(decoder))) {
          byId.set(Number(id), declared(token, SIZE, configPath, Number(id)));
        }
        // A class that is not Gemma's own takes tokenizer.json as it is, and the list of the small file besides.
        const told = new Set([...byId.values()].map(({ content }) => content));
        if (isBare(folder))
          for (const token of listed) if (!byId.has(token.id!) && !told.has(token.content)) byId.set(token.id!, token);
      } else {
        const special = new Set([...singles.map(({ text }) => text), ...extrasIn(folder).map(textOf)]);
        for (const [content, id] of legacyIn(folder)) {
          const flags = { id, special: special.has(content), normalized: !special.has(content) };
          byId.set(id, named(content, flags));
        }
        for (const token of listed) byId.set(token.id!, token);
      }
      const single = new Set(singles.map(({ text }) => text));
      const tokens = [...byId.entries()]
        .sort(([a], [b]) => a - b)
        .map(([, token]) => (single.has(token.content) ? { ...token, special: true } : token));
      const seen = new Set(tokens.map(({ content }) => content));
      const also = (content: string, value: unknown, assumed: boolean, special = true) => {
        if (seen.has(content)) return;
        seen.add(content);
        const flags = typeof value === 'string' ? {} : { ...declared(value, SIZE, folder, 0), id: null, special };
        tokens.push(named(content, { ...flags, assumed }));
      };
      for (const { text, value, assumed } of singles) also(text, value, assumed);
      for (const value of extras) {
        const text = textOf(value);
        if (text !== null) also(text, value, false, object(value).special !== false);
      }
      return tokens;
    },
  };
}

/** Under their new name, or, where that has none, under the old one: what transformers 4 wrote has both. */
const extrasOf = (from: Json): unknown =>
  [from.extra_special_tokens, from.additional_special_tokens].find(list => Object.keys(list ?? {}).length > 0) ?? [];

/** Extra tokens that make one of added_tokens.json special; transformers does not look at special_tokens_map.json's additional ones for that. */
function extrasIn(folder: string): unknown[] {
  const config = readJson(join(folder, 'tokenizer_config.json'));
  const map = readJson(join(folder, 'special_tokens_map.json'));
  return [extrasOf(config), map.extra_special_tokens ?? []].flat();
}

/** Special tokens by name; null for one that there is none of. */
function specialsIn(folder: string): Json {
  return Object.fromEntries(
    Object.entries(smallFiles(folder)).filter(
      ([key, value]) => (/_token$/.test(key) && !ADDS.test(key)) || (value !== null && LISTS.test(key)),
    ),
  );
}

/** tokenizer_config.json, and over it special_tokens_map.json, which speaks where the first has no list of added tokens. */
function smallFiles(folder: string): Json {
  const config = readJson(join(folder, 'tokenizer_config.json'));
  const map = config.added_tokens_decoder ? {} : readJson(join(folder, 'special_tokens_map.json'));
  const empty = ([key, value]: [string, unknown]) => LISTS.test(key) && Object.keys(value ?? {}).length === 0;
  return { ...config, ...Object.fromEntries(Object.entries(map).filter(entry => !empty(entry))) };
}

/** What no file names. A class that is not Gemma's own has no names but those of the files, where it reads a tokenizer.json. */
const defaultsIn = (folder: string): Json => (isBare(folder) ? {} : GEMMA);

/** Classes of transformers that add nothing of their own to a tokenizer.json. */
const BARE = ['PreTrainedTokenizerFast', 'TokenizersBackend', 'PreTrainedTokenizer', 'PythonBackend'];

function isBare(folder: string): boolean {
  const { tokenizer_class: name } = readJson(join(folder, 'tokenizer_config.json'));
  return typeof name === 'string' && BARE.includes(name) && existsSync(join(folder, 'tokenizer.json'));
}

/** Classes of transformers that read a text as Loupe does. */
const READ_ALIKE = ['GemmaTokenizer', 'GemmaTokenizerFast', ...BARE];

/** What tokenizer_config.json asks for that makes transformers give other ids, and is not done here. */
export function otherWays(folder: string): string[] {
  const { tokenizer_class: name, split_special_tokens: splits } = readJson(join(folder, 'tokenizer_config.json'));
  const notices: string[] = [];
  if (typeof name === 'string' && !READ_ALIKE.includes(name)) {
    notices.push(
      `tokenizer_config.json says tokenizer_class ${quoted(name)}, by which transformers may give other ids for a text; the vocabulary is read as Gemma's.`,
    );
  }
  if (splits === true) {
    notices.push(
      'tokenizer_config.json says split_special_tokens: true, by which transformers cuts texts like <bos> into pieces; here each is one token.',
    );
  }
  return notices;
}

/** What the small files say of what goes around a prompt. Throws ConfigError for an add_bos_token that is neither true nor false. */
export function endKeysIn(folder: string): EndKeys {
  return endKeys(folder, smallFiles(folder), 'tokenizer_config.json');
}

/**
 * The same of special_tokens_map.json alone, which transformers heeds beside a tokenizer.json too; null where it has no such key, or is not read
 * because tokenizer_config.json lists the tokens.
 */
export function endKeysOfMap(folder: string): EndKeys | null {
  const { added_tokens_decoder: decoder } = readJson(join(folder, 'tokenizer_config.json'));
  const map = decoder ? {} : readJson(join(folder, MAP));
  if (!Object.keys(map).some(key => ADDS.test(key))) return null;
  const { add_bos_token: bos, add_eos_token: eos } = map;
  const said = { ...(bos !== undefined && { add_bos_token: bos }), ...(eos !== undefined && { add_eos_token: eos }) };
  const texts = Object.entries(smallFiles(folder)).filter(([key]) => !ADDS.test(key));
  return endKeys(folder, { ...Object.fromEntries(texts), ...said }, MAP);
}

function endKeys(folder: string, all: Json, file: string): EndKeys {
  const key = (name: string) => {
    const value = all[name];
    if (value === undefined) return null;
    if (value === null || typeof value === 'boolean') return value === true;
    throw new ConfigError(
      `${join(folder, file)} has ${name} = ${JSON.stringify(value)}, and true or false is expected. Mend the file.`,
    );
  };
  const text = (name: string) => textOf(Object.hasOwn(all, name) ? all[name] : GEMMA[name]);
  return {
    bos: key('add_bos_token'),
    eos: key('add_eos_token'),
    bosText: text('bos_token'),
    eosText: text('eos_token'),
  };
}

/** `{"piece": id}` of added_tokens.json. */
function legacyIn(folder: string): readonly (readonly [string, number])[] {
  const path = join(folder, 'added_tokens.json');
  return Object.entries(readJson(path)).map(([content, id]) => {
    if (typeof id === 'number' && Number.isInteger(id) && id >= 0 && id < SIZE && content !== '') return [content, id];
    throw new TokenizerError(`${path} gives ${quoted(content)} the id ${JSON.stringify(id)}. Mend the file.`);
  });
}

/** A token's text: itself, or the `content` of an object. */
function textOf(value: unknown): string | null {
  const text = typeof value === 'string' ? value : object(value).content;
  return typeof text === 'string' && text !== '' ? text : null;
}

const object = (value: unknown): Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : {};
