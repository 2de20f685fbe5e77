// A trace read as a model's stages: names matched, layouts settled by shape or by what agrees with a run of the model, and asked for where neither tells.

import { TraceError } from '../../engine/errors.js';
import type { Plan, Stage } from '../../engine/plan.js';
import { layerOf } from '../diff/layers.js';
import { matchNames, type Unmatched } from '../diff/match.js';
import { compare } from '../diff/metrics.js';
import { outlineOf } from '../diff/outline.js';
import { chosenForm, type Distance, distance, type Gains, type Reading, readingsOf, valuesOf } from '../diff/theirs.js';
import { twoOfOne } from '../diff/two-traces.js';
import type { Trace } from '../values/trace.js';

/** Their values as stages of the model. */
export interface Resolved {
  readonly ids: readonly number[];
  /** In the plan's order. */
  readonly readings: ReadonlyMap<string, Reading>;
  readonly others: readonly Unmatched[];
  /** Second names of a stage, with the same values. */
  readonly twice: ReadonlyMap<string, string>;
  /** Values of a stage, of the rows that are there. */
  read(stage: string): Promise<Float32Array>;
}

/** The rows of a stage that a reading has, out of all of ours. */
export function rowsOf<T extends Float32Array | Float64Array>(data: T, { stage, layout }: Reading, tokens: number): T {
  const axis = stage.axes.findIndex(({ size }) => size === 'tokens' || size === 'rows');
  const rows = layout.shape[axis];
  const inner = layout.shape.slice(axis + 1).reduce((a, b) => a * b, 1);
  const outer = layout.shape.slice(0, axis).reduce((a, b) => a * b, 1);
  const have = data.length / inner / outer;
  if (rows === have || rows >= tokens) return data;
  const out = new (data.constructor as new (n: number) => T)(outer * rows * inner);
  for (let i = 0; i < outer; i++)
    out.set(data.subarray(((i + 1) * have - rows) * inner, (i + 1) * have * inner), i * rows * inner);
  return out;
}

/** Throws TraceError for a trace with layers that the model has not: whatever its last stages read, these do not read it. */
function refuseDeeper(plan: Plan, trace: Trace): void {
  const names = [...trace.arrays.keys()].filter(name => !trace.names.ruleOf(name)); // what was said of a name is checked
  const layersOf = ({ stages }: Plan) => 1 + Math.max(...stages.map(({ name }) => layerOf(name)));
  const layers = layersOf(plan);
  const deeper = matchNames(outlineOf(names), names, trace.names, false).matched.find(
    ({ stages }) => stages.every(({ name }) => layerOf(name) === layers), // what is far beyond is told as not compared
  );
  if (deeper)
    throw new TraceError(
      `'${trace.name}' has '${deeper.theirs}', and this model has ${layers} ${layers === 1 ? 'layer' : 'layers'}, so they are of different models. Give one of this model, or leave the layers out that it has not.`,
    );
}

/** What our stage makes of theirs, of all tokens: of the values whose reading is settled, the nearest before it. */
export type FromTheirs = (
  stage: Stage,
  settled: ReadonlyMap<string, Reading>,
  read: (stage: string) => Promise<Float32Array>,
) => Promise<Float32Array>;

/** Layers in which what is not settled by our run is made from theirs. */
const ASKED_AGAIN = 2;

/**
 * @param oursOf our own values of stages, in the plan's order where order is free
 * @param fromTheirs asked where nothing agrees with our run, as behind a fault in every layer: what a stage makes of what they gave it agrees all the same
 */
export async function resolve(
  plan: Plan,
  trace: Trace,
  ids: readonly number[],
  gains: Gains,
  oursOf: (stages: readonly Stage[]) => { read(stage: string): Promise<Float32Array> },
  fromTheirs: FromTheirs | null = null,
): Promise<Resolved> {
  const { matched, others } = matchNames(plan, [...trace.arrays.keys()], trace.names);
  if (matched.length === 0) {
    const [first] = others;
    throw new TraceError(
      `None of the ${trace.arrays.size} arrays of '${trace.name}' is called as a stage of this model, by the names of Loupe, Hugging Face, TransformerLens or llama.cpp; the first is '${first?.theirs ?? ''}'. Give a map of names, e.g. { "${first?.theirs ?? 'l_out-{i}'}": "layers.0.resid" }, in a terminal --names map.json.`,
    );
  }
  refuseDeeper(plan, trace);
  const all = matched.map(match => readingsOf(trace, match, ids.length));
  const place = new Map(plan.stages.map(({ name }, i) => [name, i]));
  const unclear = all.filter(readings => readings.length > 1);
  const chosen = new Map(
    all.flatMap(readings => (readings.length === 1 ? [[readings[0].match.theirs, readings[0]] as const] : [])),
  );
  if (unclear.length > 0) {
    const stages = [...new Set(unclear.flat().map(({ stage }) => stage))].sort(
      (a, b) => place.get(a.name)! - place.get(b.name)!,
    );
    const ours = oursOf(stages);
    for (const readings of groups(unclear)) {
      const distances: Distance[][] = [];
      for (const forms of readings) {
        const of: Distance[] = [];
        for (const form of forms) of.push(await away(form, ours));
        distances.push(of);
      }
      const [forms] = readings;
      const names = forms.map(nameOf);
      const form =
        chosenForm(names, distances, false) ??
        (fromTheirs && chosenForm(names, await made(readings.slice(0, ASKED_AGAIN), fromTheirs), false)) ??
        chosenForm(names, distances, isNatural(forms));
      if (form === null) throw askFor(forms);
      for (const forms of readings) chosen.set(forms[form].match.theirs, forms[form]);
    }
  }
  const readings = new Map<string, Reading>();
  const twice = new Map<string, string>();
  for (const { match } of all.map(([first]) => first)) {
    const reading = chosen.get(match.theirs)!;
    const { name } = reading.stage;
    const before = readings.get(name);
    if (!before) readings.set(name, reading);
    else {
      await mustBeSame(before, reading);
      twice.set(match.theirs, name);
    }
  }
  const inOrder = [...readings].sort(([a], [b]) => place.get(a)! - place.get(b)!);
  return {
    ids,
    readings: new Map(inOrder),
    others,
    twice,
    read: stage => valuesOf(trace, readings.get(stage)!, gains),
  };

  async function away(form: Reading, ours: { read(stage: string): Promise<Float32Array> }): Promise<Distance> {
    const values = await valuesOf(trace, form, gains);
    return distance(values, rowsOf(await ours.read(form.stage.name), form, ids.length), form, ids.length);
  }

  /** How far each form is from what our stage makes of theirs. */
  async function made(readings: readonly (readonly Reading[])[], from: FromTheirs): Promise<Distance[][]> {
    const settled = new Map([...chosen.values()].map(reading => [reading.stage.name, reading]));
    const read = (stage: string) => valuesOf(trace, settled.get(stage)!, gains);
    const distances: Distance[][] = [];
    for (const forms of readings) {
      const of: Distance[] = [];
      for (const form of forms) {
        const ours = await from(form.stage, settled, read);
        of.push(distance(await valuesOf(trace, form, gains), rowsOf(ours, form, ids.length), form, ids.length));
      }
      distances.push(of);
    }
    return distances;
  }

  async function mustBeSame(a: Reading, b: Reading): Promise<void> {
    const same = a.layout.shape.join() === b.layout.shape.join();
    const apart = same
      ? compare(await valuesOf(trace, b, gains), await valuesOf(trace, a, gains), a.layout.shape)
      : null;
    if (apart && (apart.relL2 <= 1e-6 || apart.nonFinite > 0)) return;
    throw twoOfOne(trace.name, a.match.theirs, b.match.theirs, a.stage.name);
  }
}

const nameOf = ({ stage, layout }: Reading): string =>
  `${stage.name.replace(/^layers\.\d+\./, '')} ${layout.order} ${layout.from}`;

/** Arrays that may be read in the same ways: those of a kind, a layer each. */
function groups(unclear: readonly (readonly Reading[])[]): (readonly Reading[])[][] {
  const byKind = new Map<string, (readonly Reading[])[]>();
  for (const forms of unclear) {
    const key = `${forms[0].match.theirs.replace(/\d+/g, '#')}: ${forms.map(nameOf).join('; ')}`;
    byKind.set(key, [...(byKind.get(key) ?? []), forms]);
  }
  return [...byKind.values()];
}

/** Queries before keys, the stage that a name stands for first: what nobody writes otherwise is not asked for. */
function isNatural(forms: readonly Reading[]): boolean {
  const [first] = forms;
  return forms.every(({ stage, layout }) => {
    if (stage !== first.stage) return true;
    const places = (axes: Reading['layout']['order']) =>
      axes
        .split(',')
        .filter(axis => axis !== 'query' && axis !== 'key')
        .join();
    return (
      places(layout.order) === places(first.layout.order) &&
      first.layout.order.indexOf('query') < first.layout.order.indexOf('key')
    );
  });
}

function askFor(forms: readonly Reading[]): TraceError {
  const [{ match, stage, layout }] = forms;
  const stages = [...new Set(forms.map(form => form.stage.name))];
  if (stages.length > 1) {
    const ofLayer = (name: string) => name.replace(/\d+/, '{i}');
    return new TraceError(
      `'${match.theirs}' [${layout.sizes}] may be ${stages.join(' or ')}, and neither agrees with this model. Say which in a map of names: { "${ofLayer(match.theirs)}": "${ofLayer(stage.name)}" }.`,
    );
  }
  const orders = [...new Set(forms.map(form => `'${form.layout.order}'`))];
  const same = orders.length === 1;
  const what = same ? 'its rows may begin in several places' : `its dimensions may be ${orders.join(' or ')}`;
  const cure = same
    ? 'Save an attention_mask beside it, or no padding.'
    : `Say which: { layout: { '${match.theirs}': '${layout.order}' } }, in a map of names "layout".`;
  return new TraceError(`Of '${match.theirs}' [${layout.sizes}] ${what}, and none agrees with this model. ${cure}`);
}
