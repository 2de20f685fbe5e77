// A conversation as JSON in a file, and back.

import { OptionError, TokenizerError } from '../../engine/errors.js';
import { readText } from '../../engine/files.js';
import { keyTwice, parseJson } from '../../engine/json.js';
import { visible } from '../../engine/printable.js';
import { type ChatMessage, checkedMessages } from '../../engine/tokenizer/messages.js';
import { said } from '../values/dims.js';
import { writeWhole } from '../values/write-file.js';
import { checked, NAMES, type Settings } from './settings.js';

const LARGEST = 64 << 20;

export interface Saved {
  readonly model: string;
  readonly system: string;
  readonly messages: readonly ChatMessage[];
  readonly settings: Settings;
}

/** Throws OptionError where the file cannot be written. */
export function save(path: string, conversation: Saved): void {
  writeWhole(path, [`${JSON.stringify({ loupe_conversation: 1, ...conversation }, null, 1)}\n`]);
}

/**
 * Begins `conversation` anew from what `path` holds. Throws TokenizerError for turns that the template refuses, and OptionError where nothing can be said
 * behind them; nothing has changed then.
 */
export function goOn(conversation: Resumed, { messages, system }: Pick<Saved, 'messages' | 'system'>, path: string) {
  const before = { messages: conversation.messages, system: conversation.system };
  try {
    conversation.restore(messages, system);
  } catch (error) {
    if (!(error instanceof TokenizerError)) throw error;
    throw new TokenizerError(`${path} cannot be gone on with: ${error.message}`);
  }
  const last = messages.at(-1);
  if (last?.role !== 'user') return;
  try {
    conversation.restore([...messages, { role: 'user', content: '…' }], system);
  } catch (error) {
    conversation.restore(before.messages, before.system);
    if (!(error instanceof TokenizerError)) throw error;
    throw new OptionError(
      `${path} ends with a turn of the user's that was not answered (turn ${messages.length}), and this model's template takes no other behind it. Write its answer into the file, or take it out.`,
    );
  }
  conversation.restore(messages, system);
}

/** What is said of a conversation that is gone on with: how long it is, and whose it was. */
export function resumedText({ messages, model }: Pick<Saved, 'messages' | 'model'>, now: string): string {
  const turns = `${messages.length} ${messages.length === 1 ? 'turn' : 'turns'} of a conversation with ${visible(model || 'no model that the file names')}`;
  return model === now
    ? `${turns}.`
    : `${turns}; ${visible(now)} goes on with it, and reads the turns by its own template.`;
}

/** Of a conversation, what a file changes. */
interface Resumed {
  readonly messages: readonly ChatMessage[];
  readonly system: string;
  restore(messages: readonly ChatMessage[], system: string): void;
}

/** Throws OptionError for what is no conversation. */
export function load(path: string): Saved {
  const bad = (what: string) =>
    new OptionError(`${path} is no conversation of Loupe: ${what}. Give a file that /save wrote.`);
  const text = readText(path, LARGEST, what => {
    return new OptionError(`${path} cannot be read: ${what}. Give a file that /save wrote.`);
  });
  let file: Record<string, unknown>;
  try {
    file = (parseJson(text) ?? {}) as Record<string, unknown>;
  } catch (error) {
    throw bad(`it is not JSON (${(error as Error).message})`);
  }
  const twice = keyTwice(text);
  if (twice !== null) throw bad(`it has the key '${visible(twice)}' twice in one place`);
  if (file.loupe_conversation !== 1) throw bad("it does not say 'loupe_conversation': 1");
  const { loupe_conversation: _, model = '', system = '', messages, settings: set = {}, ...more } = file;
  const [other] = Object.keys(more);
  if (other !== undefined) throw bad(`nothing is read of its key '${visible(other)}'`);
  if (typeof model !== 'string' || typeof system !== 'string') throw bad('its model and system are no texts');
  if (messages === undefined) throw bad('it has no messages');
  if (!Array.isArray(messages)) throw bad('its messages are no list');
  try {
    if (messages.length > 0) checkedMessages(messages);
  } catch (error) {
    throw bad((error as Error).message.replace(/\. .*|\.$/s, ''));
  }
  const mute = messages.findIndex(({ content, ...more }) => (content ?? null) === null && Object.keys(more).length < 2);
  if (mute >= 0) throw bad(`turn ${mute + 1} has no content`);
  if (messages[0]?.role === 'assistant') throw bad("turn 1 is the assistant's, and the user begins");
  const settings = (set ?? {}) as Settings;
  const wrong = NAMES.find(name => typeof settings[name] !== 'number');
  if (wrong !== undefined)
    throw bad(
      settings[wrong] === undefined
        ? `its setting '${wrong}' is missing`
        : `its setting '${wrong}' is ${visible(said(settings[wrong]))}, and a number is expected`,
    );
  const unknown = Object.keys(settings).find(name => !(NAMES as readonly string[]).includes(name));
  if (unknown !== undefined) throw bad(`there is no setting '${visible(unknown)}', of ${NAMES.join(', ')}`);
  try {
    checked(settings);
  } catch (error) {
    throw bad((error as Error).message.replace(/\.$/, ''));
  }
  return {
    model,
    system,
    messages,
    settings,
  };
}
