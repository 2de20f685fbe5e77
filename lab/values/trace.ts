// Activations that another program wrote, under its own names: what is in the file, of which tokens it is, and what was said of its names. Which stages they are
// is known once there is a model.

import { TraceError } from '../../engine/errors.js';
import { parseJson } from '../../engine/json.js';
import { quoted } from '../../engine/tokenizer/quoted.js';
import { idsGiven, checkName, checkOptions, type OptionNames } from './arguments.js';
import { type ArrayFile, type ArrayInfo, openArrays } from './arrays/open.js';
import { said } from './dims.js';
import { isRecord } from './record.js';
import { Shown } from './shown.js';
import { checkLayout, NameMap, type NameSpec, readNames } from './trace-names.js';
import { isOurs, otherVersion } from './version.js';

/** What there is to say of a trace that its file does not say. */
export interface TraceOptions {
  /** Their names and the stages they are, or a JSON file of that: `{ 'l_out-{i}': 'layers.{i}.resid' }`. Names of Hugging Face, TransformerLens and llama.cpp are known without. */
  readonly names?: string | Readonly<Record<string, string | null | NameSpec>>;
  /** The order of dimensions where sizes do not tell, by their name or by stage: `{ 'layers.{i}.attn.q': 'head,token,dim' }`. */
  readonly layout?: Readonly<Record<string, string>>;
  /** Token ids, where the file has no `input_ids` or `ids`. */
  readonly ids?: readonly number[];
}

const OPTIONS: OptionNames<TraceOptions> = { names: true, layout: true, ids: true };

/** What ids are called in a file of arrays. */
const IDS = ['input_ids', 'ids', 'token_ids', 'tokens', 'inp_tokens'];
const MASKS = ['attention_mask'];
/** Inputs that are no activations. */
const INPUTS = new Set([...IDS, ...MASKS, 'position_ids', 'inp_pos', 'cache_position']);
const MOST_IDS = 1 << 20;

/** Another program's activations for one sequence. `trace()` makes one, `model.diff` compares it. */
export class Trace extends Shown {
  /** @internal */
  constructor(
    /** As it was given. */
    readonly name: string,
    /** Token ids; null where neither the file nor the options have them. */
    readonly ids: readonly number[] | null,
    /** What is in the file beside ids and masks, by their names. */
    readonly arrays: ReadonlyMap<string, ArrayInfo>,
    /** What the file says of itself. */
    readonly provenance: ReadonlyMap<string, string>,
    /** Where the tokens begin among padded rows, if the file says so. */
    readonly offset: number | null,
    /** How many rows the file's attention_mask tells of, padded ones among them; null without one. */
    readonly masked: number | null,
    private readonly file: ArrayFile,
    private readonly map: NameMap,
    private readonly layouts: NameMap,
  ) {
    super();
  }

  /** Values of an array, by their name, as f32 in the order of the file. Throws TraceError for what is not there. */
  async read(theirs: string): Promise<Float32Array> {
    checkName('An array of a trace', theirs);
    return await this.file.readF32(theirs);
  }

  /**
   * What was said of the names.
   * @internal
   */
  get names(): NameMap {
    return this.map;
  }

  /**
   * The order of an array's dimensions, where it was said.
   * @internal
   */
  layoutOf(theirs: string, stage: string): string | null {
    return (this.layouts.ruleOf(theirs) ?? this.layouts.ruleOf(stage))?.layout ?? null;
  }

  /**
   * What was said of names that nothing has: entries of the map and of the layouts.
   * @param stages which its arrays are
   * @internal
   */
  unusedNames(stages: Iterable<string>): string[] {
    const own = [...this.arrays.keys()];
    return [...new Set([...this.map.unused(own), ...this.layouts.unused([...own, ...stages])])];
  }
}

/**
 * Opens activations that another program wrote: .safetensors, NumPy's .npz or .npy, or Arrow. Throws TraceError for what is none, and for ids that are none.
 * @example const theirs = await trace('theirs.npz', { ids: [2, 818, 5279] }); await model.diff(theirs)
 */
export async function trace(path: string, given: TraceOptions = {}): Promise<Trace> {
  checkName('A trace', path);
  const options = checkOptions('trace', given, OPTIONS);
  const map = readNames(options.names);
  const layouts = layoutsOf(options.layout);
  const file = await openArrays(path);
  const slice = file.metadata.get('slice');
  if (slice !== undefined)
    throw new TraceError(
      `'${path}' is a trace of parts of its stages (${slice.slice(0, 80)} …), and whole ones are compared. Trace it again without --slice.`,
    );
  const other = otherVersion(path, file.metadata);
  if (other !== null) throw new TraceError(other);
  const form = 'The ids of a trace are a list of whole numbers, one a token';
  const asked = options.ids === undefined ? null : idsGiven(options.ids, form, TraceError);
  if (asked?.length === 0) throw new TraceError(`${form}, and this one is empty. Give them, or leave ids out.`);
  const mask = await maskOf(file);
  const real = await idsOf(file, mask);
  const ids = asked ?? real;
  if (asked && real && asked.join() !== real.join()) {
    const at = real.findIndex((id, i) => id !== asked[i]);
    const where =
      at < 0
        ? `${real.length} ids where ${asked.length} were given`
        : `${real[at]} at place ${at}, where ${asked[at] ?? 'none'} was given`;
    throw new TraceError(
      `${path} is of other tokens: it has ${where}. Leave the ids out, or give the trace that is of them.`,
    );
  }
  const unmasked = mask?.filter(bit => bit === 1).length;
  if (ids && unmasked !== undefined && unmasked !== ids.length)
    throw new TraceError(
      `${path} has an attention_mask of ${unmasked} tokens, and there are ${ids.length} ids. Give the ids of its tokens, or take it out.`,
    );
  if (ids && isOurs(file.metadata)) checkOwnLists(path, file.metadata, ids.length);
  const own = [...file.arrays].filter(([name]) => !INPUTS.has(name.toLowerCase()));
  if (own.length === 0)
    throw new TraceError(`${path} has no activations${ids ? ', only ids' : ''}. Save some beside them.`);
  const [offset, masked] = mask ? [mask.indexOf(1), mask.length] : [null, null];
  return new Trace(path, ids, new Map(own), file.metadata, offset, masked, file, map, layouts);
}

/** Token ids of the file, without padding: an array, or a list in its metadata. Throws TraceError where it has several that differ. */
async function idsOf(file: ArrayFile, mask: readonly number[] | null): Promise<number[] | null> {
  const lists: { readonly name: string; readonly ids: number[] }[] = [];
  const add = (name: string, ids: readonly number[]) => {
    const isPadded = mask !== null && ids.length === mask.length;
    lists.push({ name, ids: isPadded ? ids.filter((_, i) => mask[i]) : [...ids] });
  };
  const bad = () =>
    new TraceError(
      `${file.path} has ids that are no list of whole numbers from 0. Save them as whole numbers, or give --ids.`,
    );
  for (const name of file.arrays.keys()) {
    if (!IDS.includes(name.toLowerCase())) continue;
    const ids = await oneRow(file, name);
    if (!isIds(ids)) throw bad();
    add(name, ids);
  }
  for (const name of ['ids', 'input_ids']) {
    const list = file.metadata.get(name);
    if (list === undefined) continue;
    let ids: unknown;
    try {
      ids = parseJson(list);
    } catch {} // the same complaint below
    if (isIds(ids)) add(`${name} of its metadata`, ids);
    else if (lists.length === 0) throw bad();
  }
  const [first, ...more] = lists;
  const other = more.find(({ ids }) => ids.join() !== first.ids.join());
  if (!other) return first?.ids ?? null;
  const at = first.ids.findIndex((id, i) => id !== other.ids[i]);
  const apart =
    at < 0 || at >= other.ids.length
      ? `${first.ids.length} and ${other.ids.length} ids`
      : `${first.ids[at]} and ${other.ids[at]} at place ${at}`;
  throw new TraceError(
    `${file.path} has two lists of token ids that differ, '${first.name}' and '${other.name}': ${apart}. Take out the one that is wrong.`,
  );
}

/** Throws TraceError where a file of ours says of its tokens what they are not: nobody knows then what else was changed in it. */
function checkOwnLists(path: string, metadata: ReadonlyMap<string, string>, tokens: number): void {
  const lists = {
    chunks: (list: readonly unknown[]) =>
      list.every(n => Number.isSafeInteger(n) && (n as number) > 0) &&
      (list as readonly number[]).reduce((a, b) => a + b, 0) === tokens,
    pieces: (list: readonly unknown[]) => list.every(piece => typeof piece === 'string') && list.length === tokens,
  };
  for (const [key, fits] of Object.entries(lists)) {
    const text = metadata.get(key);
    if (text === undefined) continue;
    let list: unknown;
    try {
      list = parseJson(text);
    } catch {} // the same complaint below
    if (!Array.isArray(list) || !fits(list))
      throw new TraceError(
        `${path} has ${tokens} ids, and its ${key} are ${quoted(text)}, which do not go with them. Trace it again.`,
      );
  }
}

const isIds = (ids: unknown): ids is number[] =>
  Array.isArray(ids) && ids.length > 0 && ids.every(id => Number.isSafeInteger(id) && id >= 0);

async function maskOf(file: ArrayFile): Promise<number[] | null> {
  const name = [...file.arrays.keys()].find(one => MASKS.includes(one.toLowerCase()));
  if (name === undefined) return null;
  const mask = await oneRow(file, name);
  const first = mask.indexOf(1);
  const holes = mask.slice(first, mask.lastIndexOf(1) + 1).includes(0);
  if (first < 0 || holes || mask.some(bit => bit !== 0 && bit !== 1))
    throw new TraceError(
      `${file.path} has an attention_mask that is not one run of 1 among 0. Save one sequence, padded on one side.`,
    );
  return mask;
}

/** A list [T], or [1,T]. */
async function oneRow(file: ArrayFile, name: string): Promise<number[]> {
  const { shape } = file.arrays.get(name)!;
  if (shape.filter(size => size !== 1).length > 1)
    throw new TraceError(
      `${file.path} has '${name}' in the shape [${shape}]: a batch, and one sequence is compared. Save one row of it.`,
    );
  if (shape.some(size => size > MOST_IDS))
    throw new TraceError(`${file.path} has '${name}' in the shape [${shape}], which is no prompt.`);
  return await file.readWhole(name);
}

function layoutsOf(given: unknown): NameMap {
  if (given === undefined) return new NameMap({});
  if (!isRecord(given))
    throw new TraceError(`layout is an object such as { 'layers.{i}.attn.q': 'head,token,dim' }, not ${said(given)}.`);
  const rules = Object.entries(given).map(([name, layout]) => {
    const bad = (what: string) => new TraceError(`The option layout has for '${name.slice(0, 80)}' ${what}.`);
    return [name, { stage: null, layout: checkLayout(layout, bad) ?? undefined }];
  });
  return new NameMap(Object.fromEntries(rules));
}
