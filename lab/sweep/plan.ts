// A sweep as a file says it: a grid of models × formats × plans × adapters over the prompts of a file, what to keep of each run, and where. Everything that is wrong with it is told at once.

import { dirname, resolve } from 'node:path';
import { ADAPTER_CHOICES } from '../../engine/adapter.js';
import { CACHE_FORMATS, type CacheFormat } from '../../engine/cache-format.js';
import type { Activations } from '../../engine/dispatch.js';
import { OptionError } from '../../engine/errors.js';
import { readText } from '../../engine/files.js';
import type { PlanKind } from '../../engine/fuse.js';
import { keyTwice, parseJson } from '../../engine/json.js';
import { AXIS_NAMES, nearest } from '../../engine/plan.js';
import { QUANTISED, type Quantise } from '../../engine/weights/quantise.js';
import { type Cuts, said } from '../values/dims.js';
import { isRecord } from '../values/record.js';
import { addressFault } from './bucket.js';
import { isAddress } from './place.js';

/** What is kept of each run, beside its row of the ledger. */
export interface Keep {
  /** Stages whose values are kept, a row a token. */
  readonly tap: readonly string[];
  /** Parts of them. */
  readonly slice: Cuts | null;
  /** How their values are stored. */
  readonly values: 'f32' | 'f16';
  /** The so many largest logits of every token; 0: none. */
  readonly top: number;
  /** Whether the ledger has how well each prompt was foreseen. */
  readonly loss: boolean;
  /** Stages of which a row a run says what they come to. */
  readonly summaries: readonly string[];
  /** Stages that are held, run by run, against those of the first configuration. */
  readonly against: readonly string[];
}

/** A plan whose form is right. Whether models, stages and prompts are there is another matter. */
export interface SweepPlan {
  /** Of the file. */
  readonly path: string;
  readonly model: readonly string[];
  /** Null: as the model is stored. */
  readonly quantise: readonly (Quantise | null)[];
  readonly plan: readonly PlanKind[];
  /** Null: the best there is where it runs. */
  readonly adapter: readonly (string | null)[];
  readonly activations: readonly Activations[];
  readonly cache: readonly CacheFormat[];
  readonly context: number | null;
  readonly tokenizer: string | null;
  /** File of prompts. */
  readonly prompts: string;
  readonly column: string | null;
  readonly keep: Keep;
  /** Prompts of a shard. */
  readonly shard: number;
  /** Folder of the data set, or s3://bucket/prefix. */
  readonly out: string;
}

const KEYS = [
  'model',
  'quantise',
  'plan',
  'adapter',
  'activations',
  'cache',
  'context',
  'tokenizer',
  'prompts',
  'column',
  'keep',
  'shard',
  'out',
] as const;
const KEPT = ['tap', 'slice', 'values', 'top', 'loss', 'summaries', 'against'] as const;
const MOST_PLAN = 1 << 20;
/** Prompts of a shard where the plan does not say. */
export const SHARD = 256;
/** Most logits that are kept of a token: what a GPU finds at once. */
const MOST_TOP = 256;

/** Takes a problem down. */
export type Wrong = (problem: string) => void;

/** Throws OptionError that lists all problems, one a line. */
export function refuse(path: string, problems: readonly string[]): void {
  if (problems.length === 0) return;
  if (problems.length === 1) throw new OptionError(`${path}: ${problems[0]}`);
  throw new OptionError(`${path} has ${problems.length} problems.\n${problems.map(one => `  ${one}`).join('\n')}`);
}

/** Reads a plan; what is wrong with its form goes to `wrong`, and something that can be gone on with into its place. Throws OptionError for what is no JSON object. */
export function readPlan(path: string, wrong: Wrong): SweepPlan {
  const text = readText(path, MOST_PLAN, why => new OptionError(`The plan ${path} cannot be read: ${why}.`));
  let given: unknown;
  try {
    given = parseJson(text);
  } catch (error) {
    throw new OptionError(`The plan ${path} is no JSON: ${(error as Error).message}. Write it as JSON.`);
  }
  if (!isRecord(given))
    throw new OptionError(
      `The plan ${path} is a JSON object, such as { "model": "atlas", "prompts": "prompts.jsonl", "keep": { "tap": "layers.*.resid" }, "out": "sweep" }, not ${said(given)}.`,
    );
  const twice = keyTwice(text);
  if (twice !== null) wrong(`The key '${twice}' is there twice, and one of them would not be read. Take one out.`);
  return planIn(path, given, wrong);
}

function planIn(path: string, given: Readonly<Record<string, unknown>>, wrong: Wrong): SweepPlan {
  known(given, KEYS, 'A plan', wrong);
  const from = dirname(resolve(path));
  const text = (key: string) => {
    const value = given[key];
    if (value === undefined) return null;
    if (typeof value === 'string' && value !== '' && !value.includes('\0')) return value;
    wrong(`${key} is a text, not ${said(value)}.`);
    return null;
  };
  const whole = (key: string, value: unknown, least: number, most = Number.MAX_SAFE_INTEGER) => {
    if (value === undefined) return null;
    if (Number.isSafeInteger(value) && (value as number) >= least && (value as number) <= most) return value as number;
    const range = most === Number.MAX_SAFE_INTEGER ? `from ${least}` : `from ${least} to ${most}`;
    wrong(`${key} is a whole number ${range}, not ${said(value)}.`);
    return null;
  };
  const needed = (key: string, what: string) => {
    if (given[key] === undefined) wrong(`There is no '${key}': ${what}.`);
    return text(key) ?? '';
  };
  /** A path from where the plan lies. */
  const placed = (key: 'tokenizer' | 'prompts', path: string | null) => {
    if (path !== null && isAddress(path))
      wrong(
        `${key} is a file that every worker finds, and '${path}' is an address. Copy it, as by aws s3 cp ${path} ., and give its path.`,
      );
    return path === null || path === '' || isAddress(path) ? null : resolve(from, path);
  };
  const outIn = (out: string) => {
    if (!isAddress(out)) return out === '' ? out : resolve(from, out);
    const fault = addressFault(out);
    if (fault === null) return out;
    wrong(`out: ${fault}`);
    return '';
  };
  const kept = given.keep ?? {};
  if (!isRecord(kept)) wrong(`keep is an object, such as { "tap": "layers.*.resid" }, not ${said(kept)}.`);
  return {
    path,
    model: texts(given.model ?? 'atlas', 'model', wrong),
    quantise: choices(given.quantise, 'quantise', [null, ...QUANTISED], null, wrong),
    plan: choices(given.plan, 'plan', ['exact', 'fast'], 'exact', wrong),
    adapter: choices(given.adapter, 'adapter', [null, ...ADAPTER_CHOICES], null, wrong),
    activations: choices(given.activations, 'activations', ['f32', 'int8'], 'f32', wrong),
    cache: choices(given.cache, 'cache', CACHE_FORMATS, 'f32', wrong),
    context: whole('context', given.context, 1),
    tokenizer: placed('tokenizer', text('tokenizer')),
    prompts: placed('prompts', needed('prompts', 'a file of them, a .jsonl, a .parquet, or a line each')) ?? '',
    column: text('column'),
    keep: keepIn(isRecord(kept) ? kept : {}, wrong, whole),
    shard: whole('shard', given.shard, 1) ?? SHARD,
    out: outIn(needed('out', 'the folder, or s3://bucket/prefix, that the data set is written to')),
  };
}

function keepIn(
  given: Readonly<Record<string, unknown>>,
  wrong: Wrong,
  whole: (key: string, value: unknown, least: number, most?: number) => number | null,
): Keep {
  known(given, KEPT, 'keep', wrong);
  const stages = (key: 'tap' | 'summaries' | 'against') => {
    const value = given[key];
    if (value === undefined || (Array.isArray(value) && value.length === 0)) return [];
    return texts(value, `keep.${key}`, wrong);
  };
  const { slice, loss = false } = given;
  const tap = stages('tap');
  if (slice !== undefined && tap.length === 0)
    wrong('keep.slice is a part of what keep.tap keeps, and there is no keep.tap. Give it, or leave the slice out.');
  if (typeof loss !== 'boolean') wrong(`keep.loss is true or false, not ${said(loss)}.`);
  return {
    tap,
    slice: slice === undefined ? null : sliceIn(slice, wrong),
    values: choices(given.values, 'keep.values', ['f32', 'f16'], 'f32', wrong)[0],
    top: whole('keep.top', given.top, 0, MOST_TOP) ?? 0,
    loss: loss === true,
    summaries: stages('summaries'),
    against: stages('against'),
  };
}

function sliceIn(slice: unknown, wrong: Wrong): Cuts | null {
  const isCut = (cut: unknown) =>
    Number.isSafeInteger(cut) || (Array.isArray(cut) && cut.length === 2 && cut.every(Number.isSafeInteger));
  if (!isRecord(slice)) {
    wrong(`keep.slice is an object, such as { "token": -1 }, not ${said(slice)}.`);
    return null;
  }
  const good = new Map<string, unknown>();
  for (const [axis, cut] of Object.entries(slice)) {
    if (!(AXIS_NAMES as readonly string[]).includes(axis))
      wrong(`keep.slice has no dimension '${axis}'. ${nearest(axis, AXIS_NAMES, 1)}`);
    else if (!isCut(cut))
      wrong(
        `keep.slice is an index or a range [first, one past the last] of whole numbers along '${axis}', not ${said(cut)}.`,
      );
    else good.set(axis, cut);
  }
  return Object.fromEntries(good) as Cuts;
}

function known(given: object, keys: readonly string[], who: string, wrong: Wrong): void {
  for (const key of Object.keys(given))
    if (!keys.includes(key))
      wrong(`${who} has no key '${key}'. ${nearest(key, keys, 1)} There are ${keys.join(', ')}.`);
}

/** One or several. */
function texts(given: unknown, key: string, wrong: Wrong): string[] {
  const all = [given].flat();
  const good = all.filter((one): one is string => typeof one === 'string' && one !== '');
  if (all.length === 0) wrong(`${key} is an empty list. Give one, or leave it out.`);
  for (const one of all)
    if (!good.includes(one as string)) wrong(`${key} is a text or a list of them, not ${said(one)}.`);
  for (const [i, one] of good.entries()) if (good.indexOf(one) < i) wrong(`${key} has '${one}' twice. Take one out.`);
  return [...new Set(good)];
}

function choices<T extends string | null>(
  given: unknown,
  key: string,
  known: readonly T[],
  otherwise: T,
  wrong: Wrong,
): T[] {
  if (given === undefined) return [otherwise];
  const all = [given].flat();
  const told = known.map(one => JSON.stringify(one)).join(', ');
  if (all.length === 0) wrong(`${key} is an empty list. Give one of ${told}, or leave it out.`);
  for (const one of all) if (!known.includes(one as T)) wrong(`${key} is one of ${told}, and not ${said(one)}.`);
  const good = all.filter((one): one is T => known.includes(one as T));
  for (const [i, one] of good.entries())
    if (good.indexOf(one) < i) wrong(`${key} has ${JSON.stringify(one)} twice. Take one out.`);
  return good.length > 0 ? [...new Set(good)] : [otherwise];
}
