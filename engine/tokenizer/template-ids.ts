// From a template to the ids that a model reads: the special texts that it may name, and whether a bos goes in front.

import type { ModelFiles } from '../weights/source.js';
import { type ChatTemplate, chatTemplate } from './chat-template.js';
import { quoted } from './quoted.js';
import type { Tokenizer } from './tokenizer.js';

/**
 * The template of a model, or Gemma's turns.
 * @param source Jinja, or null
 * @param special texts of `bos_token` and the like, as the model's files have them; null where they are not known
 */
export function templateFor(
  source: string | null,
  tokenizer: Tokenizer,
  special: Readonly<Record<string, string>> | null,
): ChatTemplate {
  const text = (key: string, id: number) => {
    // Gemma's own turns keep their bos, whatever the files call so.
    if (special !== null && special[key] === undefined && source !== null) return '';
    const named = special?.[key];
    if (named !== undefined && tokenizer.idOf(named) !== null) return named;
    return id >= 0 && tokenizer.has(id) ? tokenizer.piece(id) : '';
  };
  const [bos, eos] = [text('bos_token', tokenizer.bosId), text('eos_token', tokenizer.eosId)];
  return chatTemplate(source, bos, eos, special ?? {});
}

/** Ids of what a template has written. transformers puts nothing around them. */
export const idsOf = ({ bos }: ChatTemplate, tokenizer: Tokenizer, text: string): number[] =>
  tokenizer.encode(text, { special: true, bos });

/** What a person should know of a template that does not begin with a bos, as Gemma was trained. */
export function bosNotices(template: ChatTemplate, tokenizer: Tokenizer): string[] {
  let ids: number[];
  try {
    ids = idsOf(template, tokenizer, template.render([{ role: 'user', content: 'Hi' }]));
  } catch {
    return []; // what it refuses is told when there is a conversation
  }
  const { bosId } = tokenizer;
  if (ids[0] === bosId) return [];
  const bos = bosId >= 0 && tokenizer.has(bosId) ? quoted(tokenizer.piece(bosId)) : 'a bos';
  return [
    `The chat template does not begin with ${bos}, as Gemma's do, and nothing is put in front of what it writes, as in transformers.`,
  ];
}

/** The same of a model's own template; nothing where it has none, or one that cannot be read. */
export function ownBosNotices({ chatTemplate: source, chat }: ModelFiles, tokenizer: Tokenizer): string[] {
  if (source === null) return [];
  try {
    return bosNotices(templateFor(source, tokenizer, chat.specialTokens), tokenizer);
  } catch {
    return []; // told when there is a conversation
  }
}
