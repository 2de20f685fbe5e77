// How answers are drawn: what /set changes, and what /save writes down.

import { OptionError } from '../../engine/errors.js';
import { checkSampling } from '../../engine/sample.js';

export interface Settings {
  readonly temperature: number;
  readonly top_k: number;
  readonly top_p: number;
  readonly seed: number;
  /** Most tokens of an answer; 0: as many as fit the context. */
  readonly max_tokens: number;
}

export const NAMES = ['temperature', 'top_k', 'top_p', 'seed', 'max_tokens'] as const;

/** Settings with `name` changed. Throws OptionError for a name or value that is none. */
export function changed(settings: Settings, name: string, value: string | number): Settings {
  if (!(NAMES as readonly string[]).includes(name)) {
    throw new OptionError(`There is no setting '${name}'. There are ${NAMES.join(', ')}.`);
  }
  const number = typeof value === 'number' || value.trim() !== '' ? Number(value) : Number.NaN;
  if (!Number.isFinite(number)) throw new OptionError(`${name} needs a number, not '${value}': /set ${name} 0.7`);
  const next = { ...settings, [name]: number };
  checked(next);
  return next;
}

/** Throws OptionError for values outside their ranges. */
export function checked({ temperature, top_k, top_p, seed, max_tokens }: Settings): void {
  checkSampling({ temperature, topK: top_k, topP: top_p, seed });
  if (!Number.isInteger(max_tokens) || max_tokens < 0) {
    throw new OptionError(`max_tokens must be a whole number from 0, not ${max_tokens}.`);
  }
}

export const settingsText = (settings: Settings): string => NAMES.map(name => `${name} ${settings[name]}`).join(', ');
