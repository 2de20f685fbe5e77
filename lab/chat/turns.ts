// The turns of a conversation and what the model is told before them, and the prompt that a template makes of both.

import { OptionError, TokenizerError } from '../../engine/errors.js';
import type { ChatMessage, ChatTemplate } from '../../engine/tokenizer/chat-template.js';
import { heardPrompt } from '../../engine/tokenizer/hearing.js';
import { bosNotices, templateFor } from '../../engine/tokenizer/template-ids.js';
import type { Tokenizer } from '../../engine/tokenizer/tokenizer.js';
import { looked } from '../values/arguments.js';
import { frozen } from '../values/owned.js';
import type { Session } from '../session/session.js';

export class Turns {
  #messages: readonly ChatMessage[] = Object.freeze([]);
  #system = '';
  /** Messages in front of the turns in the list that was given: 1 for the system text that began it. */
  #before = 0;

  constructor(readonly template: ChatTemplate) {}

  /** Without the system text: a copy of what was given, which cannot be changed in place. */
  get messages(): readonly ChatMessage[] {
    return this.#messages;
  }

  get system(): string {
    return this.#system;
  }

  set system(text: string) {
    if (typeof text !== 'string') throw new OptionError('The system text must be a text. Give one, or none: "".');
    this.#system = text;
  }

  /** Others in their place; a system text in front of them is the new one. Throws TokenizerError for what the template refuses or leaves out; nothing has changed then. */
  restore(given: readonly ChatMessage[], system: string): void {
    looked('The messages', TokenizerError, () => this.#restore(frozen(given), system));
  }

  #restore(messages: readonly ChatMessage[], system: string): void {
    let turns = messages;
    let told = system;
    let before = 0;
    const first = Array.isArray(messages) ? messages[0] : undefined;
    if (first?.role === 'system' && typeof first.content === 'string' && Object.keys(first).length === 2) {
      if (system !== '' && system !== first.content) {
        throw new TokenizerError(
          'The conversation begins with a system text, and another was given beside it. Leave one of them out.',
        );
      }
      told = first.content;
      turns = messages.slice(1);
      before = 1;
    }
    // Refused here, not in the middle of a turn. Templates look at the first message, so that there must be one.
    if (!Array.isArray(turns) || turns.length > 0) heardPrompt(this.template, ...withSystem(told, turns, before));
    this.#system = told;
    this.#before = before;
    this.#messages = Object.freeze(turns);
  }

  /** One more turn at the end. @returns how it was before, to go back to */
  add(message: ChatMessage): readonly ChatMessage[] {
    const before = this.#messages;
    this.#messages = frozen([...before, message]);
    return before;
  }

  /** Back to what `add` gave. */
  back(messages: readonly ChatMessage[]): void {
    this.#messages = messages;
  }

  /** The text of all of them, up to where the model's answer begins. Throws TokenizerError for what the template refuses or leaves out. */
  prompt(): string {
    return heardPrompt(this.template, ...withSystem(this.#system, this.#messages, this.#before));
  }
}

/** What a template writes, and the number of its first message, which errors count from: as the list that was given does. */
function withSystem(system: string, turns: readonly ChatMessage[], before: number): [readonly ChatMessage[], number] {
  if (!Array.isArray(turns)) return [turns, 1];
  return system === '' ? [[...turns], before + 1] : [[{ role: 'system', content: system }, ...turns], before];
}

/**
 * The template that was given, else the model's own, else Gemma's turns; and what a person should know of one that was given, and of a model that has none. Throws
 * TokenizerError where the model has some and none to take.
 */
export function templateOf(
  { name, chatFiles, chatTemplate }: Session,
  tokenizer: Tokenizer,
  given: string | undefined,
): { readonly template: ChatTemplate; readonly notices: readonly string[] } {
  if (given !== undefined && typeof given !== 'string') {
    throw new OptionError('The template must be a text. Give { template: "…" } in Jinja.');
  }
  const { templateProblem = null, specialTokens = null } = chatFiles ?? {};
  if (given === undefined && templateProblem !== null) throw new TokenizerError(templateProblem);
  const template = templateFor(given ?? chatTemplate, tokenizer, specialTokens);
  if (given !== undefined) return { template, notices: bosNotices(template, tokenizer) };
  return { template, notices: chatTemplate === null ? [untaught(name)] : [] };
}

/** Models that were taught to chat come with the template that they were taught with. */
const untaught = (name: string): string =>
  `'${name}' has no chat template, so it was most likely never taught to chat: it goes on with the text and may never end. It is spoken to in Gemma's turns; a model that was taught has -it in its name.`;
