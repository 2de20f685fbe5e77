// A conversation as it is given: messages with a role and a content, and whatever else a template may ask for.

import { TokenizerError } from '../errors.js';
import { halfOf } from './quoted.js';

export interface Message {
  readonly role: 'system' | 'user' | 'assistant';
  readonly content: string;
}

/**
 * Any message that a template may know: other roles, contents in parts (`[{ type: 'text', text }]`), null, numbers, further keys such as
 * `tool_calls`. What the template makes of it is its own affair; what Loupe cannot read (images) is refused.
 */
export interface ChatMessage {
  /** `user`, `assistant`, `system`, or what the template knows. */
  readonly role: string;
  /** A text, mostly. */
  readonly content?: unknown;
}

/**
 * Which message of a conversation: its place in the list that was given, counted from 1, a system text in front among them.
 * @param first place of `messages[0]` in that list: 0 for a system text that was given beside it
 */
export function turnName(messages: readonly ChatMessage[], index: number, first = 1): string {
  const { role } = messages[index];
  return index === 0 && role === 'system' ? 'The system text' : `Turn ${index + first} (${role})`;
}

/**
 * The messages with keys that hold nothing left out, as transformers leaves them out. Throws TokenizerError, which names the turn, for
 * what is no message and for contents that are no text.
 * @param first place of `messages[0]` in the list that was given, for messages
 */
export function checkedMessages(messages: readonly ChatMessage[], first = 1): readonly ChatMessage[] {
  if (!Array.isArray(messages)) throw new TokenizerError('A conversation is a list of messages, and this is none.');
  if (messages.length === 0) {
    throw new TokenizerError('The chat template refuses this conversation: it has no messages. Give one at least.');
  }
  return messages.map((message: unknown, i) => {
    const bad = (what: string, cure: string) =>
      new TokenizerError(`Turn ${i + first} of the conversation ${what}. ${cure}`);
    if (typeof message !== 'object' || message === null || Array.isArray(message)) {
      throw bad('is no message', "Give { role: 'user', content: 'text' }.");
    }
    const { role, content } = message as Record<string, unknown>;
    if (typeof role !== 'string' || role === '') {
      throw bad(
        role === undefined ? 'has no role' : `has no role but ${shown(role)}`,
        "Give 'user', 'assistant', or another that the model's template knows.",
      );
    }
    const fault = (what: string, cure: string) =>
      new TokenizerError(`${turnName(messages, i, first)} of the conversation ${what}. ${cure}`);
    const texts = Array.isArray(content)
      ? content.map(part => (part as { readonly text?: unknown } | null)?.text)
      : [content];
    const half = texts.find((text): text is string => typeof text === 'string' && !text.isWellFormed());
    if (half !== undefined)
      throw fault(
        `has half of a surrogate pair (${halfOf(half)} alone) in its text, which is no character`,
        'Write the whole pair, or take it out.',
      );
    if (Array.isArray(content)) checkParts(content, fault);
    else if (content !== null && !['string', 'number', 'boolean', 'undefined'].includes(typeof content)) {
      throw fault(`has ${shown(content)} for its content`, "Give a text, or parts: [{ type: 'text', text: '…' }].");
    }
    return Object.fromEntries(
      Object.entries(message).filter(([, value]) => value !== null && value !== undefined),
    ) as unknown as ChatMessage;
  });
}

function checkParts(parts: readonly unknown[], fault: (what: string, cure: string) => TokenizerError): void {
  for (const part of parts) {
    const { type, text } = (typeof part === 'object' && part !== null ? part : {}) as Record<string, unknown>;
    if (type === 'text' && typeof text === 'string') continue;
    if (typeof type === 'string' && type !== 'text') {
      throw fault(
        `has a part of type ${JSON.stringify(type.slice(0, 40))}, and Loupe reads text alone`,
        'Leave that part out.',
      );
    }
    throw fault(`has the part ${shown(part)}, which is no text`, "Give { type: 'text', text: '…' }.");
  }
}

/** A message's content as a person reads it: parts one under the other, and further keys as JSON. */
export function messageText(message: ChatMessage): string {
  const { role: _, content, ...more } = message as ChatMessage & Record<string, unknown>;
  const texts = Array.isArray(content)
    ? content.map(part => (typeof part?.text === 'string' ? part.text : shown(part)))
    : content === null || content === undefined
      ? []
      : [typeof content === 'string' ? content : shown(content)];
  if (Object.keys(more).length > 0) texts.push(shown(more));
  return texts.join('\n');
}

function shown(value: unknown): string {
  try {
    return (JSON.stringify(value) ?? String(value)).slice(0, 2000);
  } catch {
    return typeof value; // what holds itself, or a BigInt
  }
}
