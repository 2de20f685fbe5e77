// A user's map of names: what another program calls a value, which stage that is, and in what form it has it. A rule may stand for all layers: `{i}` is a number
// on both sides.

import { TraceError } from '../../engine/errors.js';
import { readText } from '../../engine/files.js';
import { keyTwice, parseJson } from '../../engine/json.js';
import { AXIS_NAMES } from '../../engine/plan.js';
import type { Before } from './alias.js';
import { said } from './dims.js';
import { isRecord } from './record.js';

/** What one of their names is. */
export interface NameSpec {
  /** The stage, by any of its names; null to leave the array out. */
  readonly stage: string | null;
  /** The order of its dimensions, from the outermost: `head,token,dim`. Needed where their sizes do not tell. */
  readonly layout?: string;
  /** What its values are multiplied by to be the stage's. */
  readonly factor?: number;
  /** What the stage does last, where the array is before it: `gain` of a norm, `scale` of scores or of the embedding, `softcap` of scores or logits. */
  readonly before?: 'gain' | 'scale' | 'softcap';
}

/** A rule of a map, read. */
export interface NameRule {
  readonly stage: string | null;
  readonly layout: string | null;
  readonly factor: number;
  readonly before: Before | null;
}

const KEYS = ['stage', 'layout', 'factor', 'before'];
const AXES: readonly string[] = AXIS_NAMES.filter(name => name !== 'slot'); // caches are no activations
const MOST_MAP = 16 << 20;

/** Rules by name, and by names with `{i}` in them. */
export class NameMap {
  readonly #exact = new Map<string, NameRule>();
  readonly #layered: { readonly theirs: string; readonly pattern: RegExp; readonly rule: NameRule }[] = [];

  /** @param rules each their name and what it is */
  constructor(rules: Readonly<Record<string, unknown>>) {
    for (const [theirs, given] of Object.entries(rules)) {
      const rule = readRule(theirs, given);
      if (!theirs.includes('{i}')) this.#exact.set(theirs, rule);
      else {
        const parts = theirs.split('{i}').map(part => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
        const pattern = new RegExp(`^${parts[0]}(\\d+)${parts.slice(1).join('(?:\\1)')}$`);
        this.#layered.push({ theirs, pattern, rule });
      }
    }
  }

  /** What is said of a name, with its layer put in; null where nothing is. */
  ruleOf(theirs: string): NameRule | null {
    const exact = this.#exact.get(theirs);
    if (exact) return exact;
    for (const { pattern, rule } of this.#layered) {
      const layer = pattern.exec(theirs)?.[1];
      if (layer !== undefined) return { ...rule, stage: rule.stage?.replaceAll('{i}', String(Number(layer))) ?? null };
    }
    return null;
  }

  /** Entries that say something of none of these names, as they are written. One that another goes before says nothing. */
  unused(names: Iterable<string>): string[] {
    const used = new Set<string>();
    for (const name of names) {
      if (this.#exact.has(name)) used.add(name);
      else used.add(this.#layered.find(({ pattern }) => pattern.test(name))?.theirs ?? '');
    }
    const entries = [...this.#exact.keys(), ...this.#layered.map(({ theirs }) => theirs)];
    return entries.filter(entry => !used.has(entry));
  }
}

/** The map that was given: an object, or a JSON file of one. Throws TraceError. */
export function readNames(names: unknown): NameMap {
  if (names === undefined) return new NameMap({});
  if (typeof names !== 'string') {
    if (isRecord(names)) return new NameMap({ ...names });
    throw new TraceError(
      `A map of names is an object of their names, such as { 'l_out-{i}': 'layers.{i}.resid' }, or a JSON file of one, not ${said(names)}.`,
    );
  }
  const fault = (what: string) => new TraceError(`The map of names ${names} cannot be read: ${what}.`);
  const text = readText(names, MOST_MAP, fault);
  let value: unknown;
  try {
    value = parseJson(text);
  } catch (error) {
    throw fault(`it is no JSON (${(error as Error).message.slice(0, 100)})`);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw fault('it is no object of their names, such as { "l_out-{i}": "layers.{i}.resid" }');
  const twice = keyTwice(text);
  if (twice !== null) throw fault(`it has the key ${twice} twice, and one of them would be lost`);
  return new NameMap(value as Record<string, unknown>);
}

function readRule(theirs: string, given: unknown): NameRule {
  const bad = (what: string) => new TraceError(`The map of names has for '${theirs.slice(0, 80)}' ${what}.`);
  if (typeof given === 'string' || given === null) return { stage: given, layout: null, factor: 1, before: null };
  if (!isRecord(given)) throw bad(`no name of a stage: ${said(given)}`);
  const { stage, layout = null, factor = 1, before = null } = given;
  const other = Object.keys(given).find(key => !KEYS.includes(key));
  if (other !== undefined) throw bad(`a key '${other}', and there are ${KEYS.join(', ')}`);
  if (stage === undefined || (typeof stage !== 'string' && stage !== null))
    throw bad(`no name of a stage: ${said(stage)}`);
  if (typeof factor !== 'number' || !Number.isFinite(factor) || factor === 0)
    throw bad(`a factor that is no number: ${said(factor)}`);
  if (before !== null && !['gain', 'scale', 'softcap'].includes(before as string))
    throw bad(`before ${said(before)}, and there are 'gain', 'scale' and 'softcap'`);
  return { stage, layout: checkLayout(layout, bad), factor, before: before as Before | null };
}

/** `head,token,dim` and the like. Throws what `bad` makes of a clause. */
export function checkLayout(layout: unknown, bad: (what: string) => Error): string | null {
  if (layout === null || layout === undefined) return null;
  const axes = typeof layout === 'string' ? layout.split(/[\s,]+/) : [];
  if (axes.length > 0 && axes.every((axis, i) => AXES.includes(axis) && axes.indexOf(axis) === i))
    return axes.join(',');
  throw bad(
    `the layout ${said(layout)}, and dimensions are named from the outermost, e.g. 'head,token,dim': ${AXES.join(', ')}`,
  );
}
