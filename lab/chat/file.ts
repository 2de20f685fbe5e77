// A conversation as JSON in a file, and back.

import { OptionError } from '../../engine/errors.js';
import { readText } from '../../engine/files.js';
import { parseJson } from '../../engine/json.js';
import type { Message } from '../../engine/tokenizer/chat-template.js';
import { writeWhole } from '../write-file.js';
import { checked, NAMES, type Settings } from './settings.js';

const LARGEST = 64 << 20;

export interface Saved {
  readonly model: string;
  readonly system: string;
  readonly messages: readonly Message[];
  readonly settings: Settings;
}

/** Throws OptionError where the file cannot be written. */
export function save(path: string, conversation: Saved): void {
  writeWhole(path, [`${JSON.stringify({ loupe_conversation: 1, ...conversation }, null, 1)}\n`]);
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
  if (file.loupe_conversation !== 1) throw bad("it does not say 'loupe_conversation': 1");
  const { model = '', system = '', messages = [] } = file;
  if (typeof model !== 'string' || typeof system !== 'string') throw bad('its model and system are no texts');
  if (!Array.isArray(messages)) throw bad('its messages are no list');
  messages.forEach((turn, i) => {
    const { role, content } = turn ?? {};
    if (role !== (i % 2 === 0 ? 'user' : 'assistant') || typeof content !== 'string') {
      throw bad(`turn ${i + 1} is no text of the ${i % 2 === 0 ? 'user' : 'assistant'}`);
    }
  });
  const settings = (file.settings ?? {}) as Settings;
  if (NAMES.some(name => typeof settings[name] !== 'number')) throw bad('a setting is missing');
  checked(settings);
  return {
    model,
    system,
    messages: messages.map(({ role, content }) => ({ role, content })),
    settings,
  };
}
