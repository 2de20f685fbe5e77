// RoPE out of a config.json: the frequencies of full and of sliding layers, in both generations of keys, read as transformers 5.23 reads
// them. What it passes over though it was meant to say something is told in a note; what it does not know either is refused.

import type { Rope } from '../config.js';
import { ConfigKeys, isObject, type Json, shownValue } from './config-keys.js';

export interface Ropes {
  readonly sliding: Rope;
  readonly full: Rope;
}

/** Keys that each type of RoPE has beside `rope_type` and `rope_theta`. */
const TYPES = {
  default: [],
  linear: ['factor'],
  proportional: ['factor'],
  dynamic: ['factor', 'original_max_position_embeddings'],
  yarn: [
    ...['factor', 'original_max_position_embeddings', 'attention_factor', 'beta_fast', 'beta_slow'],
    ...['mscale', 'mscale_all_dim', 'truncate'],
  ],
  llama3: ['factor', 'original_max_position_embeddings', 'low_freq_factor', 'high_freq_factor'],
  longrope: ['factor', 'original_max_position_embeddings', 'attention_factor', 'short_factor', 'long_factor'],
} satisfies Readonly<Record<string, readonly string[]>>;

const STRETCHING: ReadonlySet<string> = new Set(Object.values(TYPES).flat());

type RopeType = keyof typeof TYPES;
const isType = (type: unknown): type is RopeType => typeof type === 'string' && Object.hasOwn(TYPES, type);

const KINDS = ['full_attention', 'sliding_attention'] as const;

/**
 * @param contextLength max_position_embeddings
 * @param notices gets a sentence for what transformers passes over
 */
export function ropesOf(keys: ConfigKeys, family: 1 | 2 | 3, contextLength: number, notices: string[]): Ropes {
  keys.only('partial_rotary_factor', [1], 'Gemma turns whole heads, so the other part is not known');
  const read = (parameters: Json, name: string, base: number, truncates: boolean) =>
    ropeOf(
      new ConfigKeys(parameters, keys.where, `${keys.prefix}${name}.`, { rope_theta: base }),
      contextLength,
      truncates,
      notices,
    );
  const parameters = keys.object('rope_parameters');
  const scaling = keys.object('rope_scaling');
  const theta = (key: string, otherwise: number) => keys.optionalNumber(key) ?? otherwise;

  if (family < 3) {
    const nested = parameters && KINDS.find(kind => isObject(parameters[kind]));
    if (nested) throw keys.bad(`has rope_parameters.${nested}, and a Gemma ${family} has one RoPE for all layers`);
    const stands = scaling && Object.keys(scaling).length > 0;
    const own = { ...(stands ? scaling : parameters) };
    own.rope_type ??= own.type;
    const original = keys.optionalNumber('original_max_position_embeddings');
    if (original !== null && ['yarn', 'llama3', 'longrope'].includes(String(own.rope_type))) {
      own.original_max_position_embeddings = original;
    }
    const base = theta('rope_theta', 1e4);
    const full = read(own, stands ? 'rope_scaling' : 'rope_parameters', base, own.truncate !== false);
    passedOver(keys, 'rope_theta', full.base, stands ? 'rope_scaling' : 'rope_parameters', notices);
    return { full, sliding: full };
  }

  const { full_attention: full, sliding_attention: sliding, ...flat } = parameters ?? {};
  const kinds = { full_attention: full ?? {}, sliding_attention: sliding ?? {} };
  const own = (kind: (typeof KINDS)[number], more: Json | null = null): Record<string, unknown> => {
    const value = kinds[kind];
    if (!isObject(value)) throw keys.bad(`has rope_parameters.${kind} = ${shownValue(value)}, and an object is needed`);
    const all: Record<string, unknown> = { ...value, ...more };
    return { ...all, rope_type: all.rope_type ?? all.type };
  };
  let stretched = own('full_attention', scaling);
  // Where there are no rope_parameters, transformers has put rope_type = default there before it looks for the old key `type`.
  const { type = null, rope_type = null } = scaling ?? {};
  if (parameters === null && type !== null && type !== 'default' && rope_type === null) {
    notices.push(
      `${keys.prefix}rope_scaling has type = ${shownValue(type)} and no rope_type, and transformers 5 reads only that for a Gemma 3: ` +
        "positions are not stretched. If they should be, call the key 'rope_type'.",
    );
    stretched = 'rope_theta' in stretched ? { rope_theta: stretched.rope_theta } : {};
  }
  if (stretched.truncate === false) {
    notices.push(
      `${keys.prefix}rope_parameters.full_attention has truncate = false, which transformers 5 does not read for a Gemma 3.`,
    );
  }
  const ropes = {
    full: read(
      stretched,
      scaling && !full ? 'rope_scaling' : 'rope_parameters.full_attention',
      theta('rope_theta', 1e6),
      true,
    ),
    sliding: read(
      own('sliding_attention'),
      'rope_parameters.sliding_attention',
      theta('rope_local_base_freq', 1e4),
      true,
    ),
  };
  passedOver(keys, 'rope_theta', ropes.full.base, 'rope_parameters.full_attention', notices);
  passedOver(keys, 'rope_local_base_freq', ropes.sliding.base, 'rope_parameters.sliding_attention', notices);
  const beside = new ConfigKeys(flat, keys.where, `${keys.prefix}rope_parameters.`);
  const reason = 'a Gemma 3 has rope_parameters for full_attention and for sliding_attention, and nothing beside these';
  beside.only('rope_type', ['default'], reason);
  beside.only('rope_theta', [ropes.full.base], reason);
  if (beside.raw('rope_type') === 'default') passOver(beside, notices);
  for (const key of beside.unread()) beside.only(key, [], reason);
  return ropes;
}

/** An old key whose number is not the one that is read: nobody would see that it does nothing. */
function passedOver(keys: ConfigKeys, key: string, read: number, where: string, notices: string[]): void {
  const said = keys.optionalNumber(key);
  if (said === null || said === read) return;
  notices.push(
    `${keys.prefix}${key} is ${said} and is passed over, as in transformers 5: ${where} says ${read}, and that is what counts.`,
  );
}

/** What a RoPE that says it is plain has of others: left over from one that was not, and read by nobody. */
function passOver(keys: ConfigKeys, notices: string[]): void {
  const left = keys.unread().filter(key => STRETCHING.has(key));
  for (const key of left) keys.raw(key);
  if (left.length === 0) return;
  notices.push(
    `${keys.prefix}rope_type is default, so ${left.join(', ')} beside it ${left.length === 1 ? 'is' : 'are'} passed over, as in transformers: positions are not stretched.`,
  );
}

/** @param truncates whether YaRN's range is rounded to whole pairs */
function ropeOf(keys: ConfigKeys, contextLength: number, truncates: boolean, notices: string[]): Rope {
  const type = keys.value('rope_type') ?? 'default';
  if (!isType(type)) {
    throw keys.bad(
      `has ${keys.prefix}rope_type = ${shownValue(type)}, and Loupe knows ${Object.keys(TYPES).join(', ')}`,
    );
  }
  keys.only('partial_rotary_factor', [1], 'Gemma turns whole heads, so the other part is not known');
  keys.raw('type');
  const base = keys.number('rope_theta');
  for (const key of TYPES[type]) keys.raw(key);
  if (type === 'default' && keys.says('rope_type')) passOver(keys, notices);
  keys.refuseUnread(() => false);
  const original = () => keys.optionalNumber('original_max_position_embeddings') ?? contextLength;
  switch (type) {
    case 'linear':
      return { base, factor: keys.number('factor') };
    case 'proportional':
      return { base, factor: keys.optionalNumber('factor') ?? 1 };
    case 'dynamic':
      if (original() !== contextLength) {
        notices.push(
          `${keys.prefix}original_max_position_embeddings is ${original()}, and a dynamic RoPE begins to stretch at max_position_embeddings, ${contextLength}, in transformers 5.`,
        );
      }
      return { base, factor: 1, scaling: { kind: type, factor: keys.number('factor'), original: contextLength } };
    case 'yarn': {
      // transformers fails without the key, and takes null for what the lengths say.
      const factor = keys.raw('factor') === null ? contextLength / original() : keys.number('factor');
      return {
        base,
        factor: 1,
        scaling: {
          kind: type,
          factor,
          original: original(),
          betaFast: keys.optionalNumber('beta_fast') || 32,
          betaSlow: keys.optionalNumber('beta_slow') || 1,
          truncates,
          attention: yarnAttention(keys, factor),
        },
      };
    }
    case 'llama3':
      return {
        base,
        factor: 1,
        scaling: {
          kind: type,
          factor: keys.number('factor'),
          original: original(),
          lowFactor: keys.number('low_freq_factor'),
          highFactor: keys.number('high_freq_factor'),
        },
      };
    case 'longrope': {
      const stretch = keys.optionalNumber('factor') ?? contextLength / original();
      const attention = stretch <= 1 ? 1 : Math.sqrt(1 + Math.log(stretch) / Math.log(original()));
      return {
        base,
        factor: 1,
        scaling: {
          kind: type,
          original: original(),
          short: numbers(keys, 'short_factor'),
          long: numbers(keys, 'long_factor'),
          attention: keys.optionalNumber('attention_factor') ?? attention,
        },
      };
    }
    default:
      return { base, factor: 1 };
  }
}

function yarnAttention(keys: ConfigKeys, factor: number): number {
  const given = keys.optionalNumber('attention_factor');
  if (given !== null) return given;
  const [mscale, allDim] = [keys.optionalNumber('mscale'), keys.optionalNumber('mscale_all_dim')];
  const by = (scale: number) => (factor <= 1 ? 1 : 0.1 * scale * Math.log(factor) + 1);
  return mscale && allDim ? by(mscale) / by(allDim) : by(1);
}

function numbers(keys: ConfigKeys, key: string): number[] {
  const list = keys.value(key);
  if (list === undefined) throw keys.bad(`has no list of numbers under '${keys.prefix}${key}'`);
  if (Array.isArray(list) && list.every((n): n is number => typeof n === 'number')) return list;
  throw keys.wrong(key, 'a list of numbers');
}
