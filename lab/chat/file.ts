// A conversation as JSON in a file, and back.

import { readFileSync } from 'node:fs';
import { OptionError } from '../../engine/errors.js';
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
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw new OptionError(`${path} cannot be read (${(error as Error).message}). Give a file that is there.`);
  }
  if (text.length > LARGEST) throw bad(`it has ${text.length} characters`);
  let file: Record<string, unknown>;
  try {
    file = JSON.parse(text) ?? {};
  } catch {
    throw bad('it is not JSON');
  }
  if (file.loupe_conversation !== 1) throw bad("it does not say 'loupe_conversation': 1");
  const messages = Array.isArray(file.messages) ? file.messages : [];
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
    model: String(file.model ?? ''),
    system: String(file.system ?? ''),
    messages: messages.map(({ role, content }) => ({ role, content })),
    settings,
  };
}
