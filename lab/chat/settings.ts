// How answers are drawn: what /set changes, and what /save writes down.

import { OptionError } from '../../engine/errors.js';
import { checkSampling } from '../../engine/sample.js';
import type { SamplingDefaults } from '../../engine/weights/source.js';
import { isDecimal } from '../values/arguments.js';

export interface Settings {
  readonly temperature: number;
  readonly top_k: number;
  readonly top_p: number;
  readonly seed: number;
  /** Most tokens of an answer; 0: as many as fit the context. */
  readonly max_tokens: number;
}

export const NAMES = ['temperature', 'top_k', 'top_p', 'seed', 'max_tokens'] as const;

/** A value of each that is taken, for who gave none. */
const EXAMPLES: Settings = { temperature: 0.7, top_k: 40, top_p: 0.9, seed: 7, max_tokens: 200 };

/** Settings with `name` changed. Throws OptionError for a name or value that is none. */
export function changed(settings: Settings, name: string, value: string | number): Settings {
  if (!(NAMES as readonly string[]).includes(name)) {
    throw new OptionError(`There is no setting '${name}'. There are ${NAMES.join(', ')}.`);
  }
  const number = typeof value === 'number' || isDecimal(value) ? Number(value) : Number.NaN;
  if (!Number.isFinite(number)) {
    const example = EXAMPLES[name as keyof Settings];
    throw new OptionError(`${name} needs a number, not '${value}': /set ${name} ${example}`);
  }
  const next = { ...settings, [name]: number };
  checked(next);
  return next;
}

/** Throws OptionError for values outside their ranges. */
export function checked({ temperature, top_k, top_p, seed, max_tokens }: Settings): void {
  try {
    checkSampling({ temperature, topK: top_k, topP: top_p, seed });
  } catch (error) {
    const { message } = error as OptionError; // by the names that options of a cell have
    throw new OptionError(message.replace(/^topK/, 'top_k').replace(/^topP/, 'top_p'));
  }
  if (!Number.isInteger(max_tokens) || max_tokens < 0) {
    throw new OptionError(`max_tokens must be a whole number from 0, not ${max_tokens}.`);
  }
}

/** Where each value comes from: `default`, generation_config.json, the command line, a file, /set. */
export type Sources = Readonly<Record<(typeof NAMES)[number], string>>;

export const settingsText = (settings: Settings): string => NAMES.map(name => `${name} ${settings[name]}`).join(', ');

/** `temperature: /set; top_k, top_p: generation_config.json; …` */
export function sourcesText(sources: Sources): string {
  const names = new Map<string, string[]>();
  for (const name of NAMES) names.set(sources[name], [...(names.get(sources[name]) ?? []), name]);
  return [...names].map(([source, from]) => `${from.join(', ')}: ${source}`).join('; ');
}

/** The same source for all. */
export const allFrom = (source: string): Sources =>
  Object.fromEntries(NAMES.map(name => [name, source])) as unknown as Sources;

/** Settings by what was asked for, else what `saved` has, else the model's own, else Loupe's; and where each is from. */
export function chosen(
  asked: Partial<Settings>,
  saved: Settings | null,
  model: SamplingDefaults,
  seed: number,
): { readonly settings: Settings; readonly sources: Sources } {
  const layers: [string, Partial<Settings>][] = [
    ['command line', asked],
    ['the saved conversation', saved ?? {}],
    ['generation_config.json', { temperature: model.temperature, top_k: model.topK, top_p: model.topP }],
    ['default', { temperature: 0.8, top_k: 64, top_p: 0.95, seed, max_tokens: 0 }],
  ];
  const settings: Record<string, number> = {};
  const sources: Record<string, string> = {};
  for (const name of NAMES) {
    const [source, values] = layers.find(([, layer]) => layer[name] !== undefined)!;
    settings[name] = values[name]!;
    sources[name] = source;
  }
  return { settings: settings as unknown as Settings, sources: sources as unknown as Sources };
}
