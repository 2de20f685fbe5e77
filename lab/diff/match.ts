// Which stage an array of another program is of: by Loupe's own name, by TransformerLens', Hugging Face's or llama.cpp's, or by a map of the user's.

import { TraceError } from '../../engine/errors.js';
import { nearest, type Plan, type Stage } from '../../engine/plan.js';
import type { Before } from '../values/alias.js';
import { namesOf } from '../values/select.js';
import type { NameMap, NameRule } from '../values/trace-names.js';

/** An array that is of a stage. */
export interface Match {
  /** Their name of it. */
  readonly theirs: string;
  /** The stage, or the stages it may be of: the values say which. */
  readonly stages: readonly Stage[];
  /** What the stage does last, and the array lacks. */
  readonly before: Before | null;
  readonly factor: number;
  /** The order of its dimensions, where it was told. */
  readonly layout: string | null;
}

/** An array of no stage. */
export interface Unmatched {
  readonly theirs: string;
  /** Why, and what is near. */
  readonly why: string;
}

/**
 * Throws TraceError for a map with a stage that the model has not, or one that does not do what the array is said to be before.
 * @param isModel false for a plan made of names alone, whose soft-caps are not known
 */
export function matchNames(
  plan: Plan,
  names: readonly string[],
  map: NameMap,
  isModel = true,
): { readonly matched: Match[]; readonly others: Unmatched[] } {
  const known = namesOf(plan);
  const own = new Map(plan.stages.filter(({ state }) => !state).map(stage => [stage.name, stage]));
  const matched: Match[] = [];
  const others: Unmatched[] = [];
  for (const theirs of names) {
    const rule = map.ruleOf(theirs);
    if (rule) {
      if (rule.stage === null) continue;
      matched.push(byRule(theirs, rule, rule.stage));
      continue;
    }
    const alias = known.known(theirs) ?? known.known(bare(theirs)) ?? ofLists(theirs);
    const stage = alias?.stage ?? alias?.made?.stage;
    if (alias && stage && own.has(stage)) {
      const stages = [stage, ...(alias.or ?? [])].map(name => own.get(name)!);
      const before = alias.stage === null ? alias.made!.before : null;
      matched.push({ theirs, stages, before, factor: 1, layout: null });
    } else {
      others.push({ theirs, why: alias ? alias.refusal : nearest(theirs, known.namesLike(theirs), 1) });
    }
  }
  return { matched, others };

  function byRule(theirs: string, { layout, factor, before }: NameRule, name: string): Match {
    const alias = known.known(name);
    const stage = own.get(alias?.stage ?? alias?.made?.stage ?? '');
    if (stage && before !== null) {
      const has = lastOf(stage, isModel);
      if (!has.includes(before))
        throw new TraceError(
          `The map of names says that '${theirs}' is before the ${before} of '${stage.name}', which has ${has.length > 0 ? `only ${has.join(' and ')}` : 'no gain, scale or softcap'}. Leave before out, or name the stage that has it.`,
        );
    }
    if (stage) return { theirs, stages: [stage], before: before ?? alias?.made?.before ?? null, factor, layout };
    throw new TraceError(
      `The map of names says that '${theirs}' is '${name}', which is no stage of this model. ${nearest(name, [...own.keys()])}`,
    );
  }

  /**
   * Of Hugging Face's lists: `hidden_states.3` of output_hidden_states is what goes into layer 3, and the last is after the final norm; `attentions.3` of output_attentions is what
   * layer 3 attends with.
   */
  function ofLists(theirs: string) {
    const [, list, at] = /(?:^|\.)(hidden_states|attentions)[._[](\d+)\]?$/.exec(theirs) ?? [];
    if (at === undefined) return null;
    const index = Number(at);
    const layers = [...own.keys()].filter(name => /^layers\.\d+\.resid$/.test(name)).length;
    const hidden = index === 0 ? 'embed' : index === layers ? 'final_norm' : `layers.${index - 1}.resid`;
    const stage = list === 'attentions' ? `layers.${index}.attn.pattern` : hidden;
    return own.has(stage) ? { name: theirs, stage, refusal: '', or: [], made: undefined } : null;
  }
}

/** What a stage does last, of what an array may be before. */
function lastOf({ operation, weight }: Stage, isModel: boolean): Before[] {
  const caps = (softcap: number | null): Before[] => (softcap !== null || !isModel ? ['softcap'] : []);
  if (operation.kind === 'rmsNorm') return weight ? ['gain'] : [];
  if (operation.kind === 'embed') return ['scale'];
  if (operation.kind === 'scores') return ['scale', ...caps(operation.softcap)];
  return operation.kind === 'head' ? caps(operation.softcap) : [];
}

/** Without what hooks put behind a module's name, and without the wrapper before it. */
const bare = (name: string): string =>
  name.replace(/^(module\.|_orig_mod\.)+/, '').replace(/([._](output|out|outputs|result)([._]?0)?|\.0)$/, '');
