// The grid of a plan: its models looked at without a GPU, what is kept of them as stages, and every combination with a number.

import type { CacheFormat } from '../../engine/cache-format.js';
import type { GemmaConfig } from '../../engine/config.js';
import type { Activations } from '../../engine/dispatch.js';
import { LoupeError } from '../../engine/errors.js';
import type { PlanKind } from '../../engine/fuse.js';
import { planOf } from '../../engine/gemma.js';
import type { Plan, Stage } from '../../engine/plan.js';
import { openTokenizer, openTokenizerFile } from '../../engine/tokenizer/open.js';
import type { Tokenizer } from '../../engine/tokenizer/tokenizer.js';
import { openModelFiles } from '../../engine/weights/open.js';
import { type Quantise, quantised } from '../../engine/weights/quantise.js';
import { modelPath } from '../session/open.js';
import { tapped } from '../values/select.js';
import { type Cut, type Cuts, rangeOf } from '../values/dims.js';
import type { Keep, SweepPlan, Wrong } from './plan.js';

/** One way of running all prompts. */
export interface Configuration {
  /** Its number, from 0, in the order of the grid; the last key of the plan turns fastest. */
  readonly configuration: number;
  /** As the plan calls it. */
  readonly model: string;
  /** Of its weights as they are computed with. */
  readonly fingerprint: string;
  readonly quantise: Quantise | null;
  readonly plan: PlanKind;
  readonly adapter: string | null;
  readonly activations: Activations;
  readonly cache: CacheFormat;
}

/** A model that was looked at. */
export interface Looked {
  readonly name: string;
  readonly config: GemmaConfig;
  readonly plan: Plan;
  readonly tokenizer: Tokenizer | null;
  /** Longest sequence that is read. */
  readonly longest: number;
  readonly kept: KeptStages;
}

/** Stages of a model that are kept, each in its way. */
export interface KeptStages {
  /** Of keep.slice what some prompt can have: of the rest the plan is told, and no prompt. */
  readonly slice: Cuts | null;
  readonly tap: readonly Stage[];
  readonly summaries: readonly Stage[];
  readonly against: readonly Stage[];
}

export interface Grid {
  readonly models: readonly Looked[];
  readonly configurations: readonly Configuration[];
}

/** Opens every model, without a GPU. What is wrong goes to `wrong`; the grid is then of those that are right. */
export async function gridOf(plan: SweepPlan, wrong: Wrong): Promise<Grid> {
  const models: Looked[] = [];
  const fingerprints = new Map<string, string>();
  for (const name of plan.model) {
    try {
      models.push(await look(name, plan, wrong, (quantise, print) => fingerprints.set(`${quantise} ${name}`, print)));
    } catch (error) {
      if (!(error instanceof LoupeError)) throw error;
      wrong(`model '${name}': ${error.message}`);
    }
  }
  const configurations: Configuration[] = [];
  for (const model of plan.model)
    for (const quantise of plan.quantise)
      for (const kind of plan.plan)
        for (const adapter of plan.adapter)
          for (const activations of plan.activations)
            for (const cache of plan.cache) {
              const fingerprint = fingerprints.get(`${quantise} ${model}`) ?? '';
              const one = { model, fingerprint, quantise, plan: kind, adapter, activations, cache };
              configurations.push({ configuration: configurations.length, ...one });
            }
  if (configurations.some(one => one.activations === 'int8' && one.plan === 'exact'))
    wrong(
      'activations \'int8\' are a matter of the fast plan, and the grid has them with the exact one. Give "plan": "fast".',
    );
  if (plan.keep.against.length > 0 && configurations.length === 1)
    wrong('keep.against holds configurations against the first, and there is one alone. Leave it out.');
  const [first, ...others] = models;
  if (first?.name === plan.model[0])
    for (const model of others) {
      const fault = apartFault(model, first);
      if (fault !== null) wrong(fault);
    }
  return { models, configurations };
}

async function look(
  name: string,
  plan: SweepPlan,
  wrong: Wrong,
  found: (quantise: Quantise | null, fingerprint: string) => void,
): Promise<Looked> {
  const files = await openModelFiles(modelPath(name));
  try {
    for (const quantise of plan.quantise)
      found(quantise, (quantise === null ? files : quantised(files, quantise)).fingerprint);
    const { config, vocabulary } = files;
    const tokenizer = plan.tokenizer
      ? await openTokenizerFile(plan.tokenizer)
      : vocabulary && (await openTokenizer(vocabulary));
    const stages = planOf(config);
    const { context } = plan;
    if (context !== null && context > config.contextLength)
      wrong(`context is ${context}, and model '${name}' was made for ${config.contextLength} tokens. Ask for that.`);
    const longest = Math.min(context ?? 2048, config.contextLength);
    return {
      name,
      config,
      plan: stages,
      tokenizer,
      longest,
      kept: keptStages(stages, plan.keep, { name, longest }, wrong),
    };
  } finally {
    await files.close();
  }
}

function keptStages(
  plan: Plan,
  keep: Keep,
  { name: model, longest }: Pick<Looked, 'name' | 'longest'>,
  wrong: Wrong,
): KeptStages {
  const of = (key: 'tap' | 'summaries' | 'against') => {
    // One by one, so that all that select nothing are told.
    const chosen = new Set(
      keep[key].flatMap(one => {
        try {
          return tapped(plan, [one]);
        } catch (error) {
          if (!(error instanceof LoupeError)) throw error;
          wrong(`keep.${key} of model '${model}': ${error.message}`);
          return [];
        }
      }),
    );
    return plan.stages.filter(stage => chosen.has(stage));
  };
  const kept = { tap: of('tap'), summaries: of('summaries'), against: of('against') };
  for (const stage of kept.tap)
    if (widthOf(stage, keep.slice) === null)
      wrong(
        `keep.tap of model '${model}': '${stage.name}' has a value for every key, as many as the prompt has tokens, and rows are of one length. Give keep.slice the keys, { "key": 0 }.`,
      );
  const axes = new Set(kept.tap.flatMap(stage => stage.axes.map(({ name }) => name)));
  const slice: Cuts = {};
  for (const [name, cut] of Object.entries(keep.slice ?? {})) {
    const axis = name as keyof Cuts;
    const none = kept.tap.length > 0 && !axes.has(axis);
    const fault = none
      ? `no stage of keep.tap has a dimension '${axis}'; there is ${[...axes].join(', ')}.`
      : sliceFault(kept.tap, axis, cut, longest);
    if (fault === null) slice[axis] = cut;
    else wrong(`keep.slice of model '${model}': ${fault}`);
  }
  return { ...kept, slice: Object.keys(slice).length > 0 ? slice : null };
}

/** Why no prompt can have a slice, whatever its length; null where one can. */
function sliceFault(stages: readonly Stage[], axis: keyof Cuts, cut: Cut, longest: number): string | null {
  for (const stage of stages) {
    const size = stage.axes.find(({ name }) => name === axis)?.size;
    if (size === undefined) continue;
    const faultOf = (of: number) => {
      try {
        rangeOf(`'${stage.name}'`, { name: axis, size: of, from: 0, of }, cut);
        return null;
      } catch (error) {
        if (!(error instanceof LoupeError)) throw error;
        return error.message;
      }
    };
    if (typeof size === 'number') {
      const fault = faultOf(size);
      if (fault !== null) return fault;
      continue;
    }
    // As many as the prompt has tokens: from either end, so that a short one may have what a long one has not.
    const fault = faultOf(longest);
    if (fault === null) continue;
    let shorter = longest - 1;
    while (shorter > 0 && faultOf(shorter) !== null) shorter -= 1;
    if (shorter === 0) return `of no prompt of 1 to ${longest} tokens. Of the longest, ${fault}`;
  }
  return null;
}

/** Why stages of a model cannot be held against those of the first, by their plans; null where they can. */
function apartFault(model: Looked, first: Looked): string | null {
  const theirs = new Map(first.plan.stages.map(stage => [stage.name, stage]));
  const shape = ({ axes }: Stage) => `[${axes.map(({ name, size }) => `${name} ${size}`).join(', ')}]`;
  const wrong = model.kept.against.flatMap(stage => {
    const other = theirs.get(stage.name);
    if (other === undefined) return [`'${stage.name}' is no stage of '${first.name}'`];
    if (shape(stage) === shape(other)) return [];
    return [`'${stage.name}' is ${shape(stage)}, and ${shape(other)} in '${first.name}'`];
  });
  if (wrong.length === 0) return null;
  const more = wrong.length > 1 ? `; ${wrong.length - 1} more of its stages are not there or not of one shape` : '';
  return `keep.against of model '${model.name}': ${wrong[0]}${more}. Stages are held against those of the first model: give such as are alike in both, or make it two sweeps.`;
}

/** Values of a row; null where that is another matter for each prompt. */
export function widthOf(stage: Stage, slice: Cuts | null): number | null {
  let width = 1;
  for (const { name, size } of stage.axes) {
    if (name === 'token' || name === 'query') continue;
    const cut = slice?.[name];
    const whole = typeof size === 'number' ? size : null;
    if (cut === undefined) {
      if (whole === null) return null;
      width *= whole;
    } else if (typeof cut === 'number') continue;
    else {
      const [from, to] = cut.map(n => (whole !== null && n < 0 ? n + whole : n));
      if (from < 0 !== to < 0) return null;
      width *= to - from;
    }
  }
  return width;
}

/** Which logits a run must have. */
export const logitsOf = (keep: Keep, tap: readonly Stage[]): 'last' | 'all' =>
  keep.top > 0 || keep.loss || tap.some(({ name }) => name === 'logits') ? 'all' : 'last';

/** What configurations are called, each by what sets it apart; of one alone its model. */
export function namesOf(configurations: readonly Configuration[]): string[] {
  const parts = configurations.map(({ model, quantise, plan, adapter, activations, cache }) => [
    ...[model, quantise ?? 'as stored', plan, adapter ?? 'any adapter', `activations ${activations}`, `cache ${cache}`],
  ]);
  const apart = parts[0].map((first, i) => parts.some(one => one[i] !== first));
  return parts.map(one => one.filter((_, i) => apart[i]).join(', ') || one[0]);
}
