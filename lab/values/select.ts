// One way to say which stages: a name, a glob, a list, or a predicate. Names that TransformerLens and Hugging Face users know are
// understood too, wherever a name is taken.

import { StageError } from '../../engine/errors.js';
import { nearest, type Plan, type Stage } from '../../engine/plan.js';
import type { Alias } from './alias.js';
import { type Aliases, aliasesOf } from './aliases.js';
import { called, looked } from './arguments.js';
import { said } from './dims.js';

/** `layers.*.attn.pattern`, `layers.{0,5}.**`, `blocks.3.attn.hook_pattern`, a list of such, or a function of the stage. */
export type Selector = string | readonly string[] | ((stage: Stage) => boolean);

/** The stages selected, in the plan's order; caches are none. Throws StageError, with the nearest names, for what selects nothing. */
export function select(plan: Plan, selector: Selector): Stage[] {
  const stages = stagesOf(plan).filter(({ state }) => !state);
  if (typeof selector === 'function') {
    const found = stages.filter(stage => {
      const answer: unknown = called(`The predicate of stages, given '${stage.name}',`, () => selector(stage));
      if (typeof answer === 'boolean') return answer;
      throw new StageError(
        `A predicate of stages answers true or false, and for '${stage.name}' it gave ${said(answer)}. Compare, e.g. stage => stage.name.startsWith('layers.0.').`,
      );
    });
    if (found.length > 0) return found;
    throw new StageError('The predicate selects no stage; `loupe plan` lists them all.');
  }
  const patterns = typeof selector === 'string' ? [selector] : selector;
  if (!Array.isArray(patterns) || patterns.length === 0 || patterns.some(pattern => typeof pattern !== 'string')) {
    throw new StageError(
      `Stages are selected by a name, a glob, a list of such or a function of the stage, not by ${said(selector)}. Give e.g. 'layers.*.resid'.`,
    );
  }
  const names = namesOf(plan);
  const chosen = new Set(patterns.flatMap(pattern => names.all(pattern)));
  return stages.filter(({ name }) => chosen.has(name));
}

function stagesOf(plan: Plan): readonly Stage[] {
  const stages = looked('The plan', StageError, () => plan?.stages);
  if (Array.isArray(stages)) return stages;
  throw new StageError(
    `Stages are selected from a plan, not from ${said(plan)}. Give select(model.plan, 'layers.*.resid').`,
  );
}

/** The stages of the option `tap`: none for none, and for an empty list. */
export const tapped = (plan: Plan, tap: Selector | undefined): Stage[] =>
  tap === undefined || (Array.isArray(tap) && tap.length === 0) ? [] : select(plan, tap);

/** The one stage of a name. Throws StageError for none, and for several. */
export const selectOne = (plan: Plan, name: string): Stage => plan.stage(namesOf(plan).one(name));

const known = new WeakMap<Plan, Names>();

/** The names of a plan's stages, own and others'. */
export function namesOf(plan: Plan): Names {
  let names = known.get(plan);
  if (!names) {
    const softcapped = plan.stages.some(({ operation }) => operation.kind === 'head' && operation.softcap !== null);
    const own = plan.stages.filter(({ state }) => !state).map(({ name }) => name);
    const caches = plan.stages.filter(({ state }) => state).map(({ name, inputs }) => [name, inputs[0].name] as const);
    names = new Names(own, softcapped, new Map(caches));
    known.set(plan, names);
  }
  return names;
}

/** Resolves names and globs, whoever's they are, to Loupe's names of stages. */
export class Names {
  readonly #aliases: Aliases;

  /**
   * @param softcapped whether the logits are; of stages without a plan, Gemma 2's are: post-norms, and none on queries
   * @param caches of a plan, with the stage that each keeps: no activations, and told so by name
   */
  constructor(
    readonly own: readonly string[],
    softcapped = own.includes('layers.0.post_attn_norm') && !own.includes('layers.0.attn.q_norm'),
    readonly caches: ReadonlyMap<string, string> = new Map(),
  ) {
    this.#aliases = aliasesOf(own, softcapped);
  }

  /**
   * Every stage that a name or glob stands for; a glob leaves out what Loupe has not. Throws StageError, with the nearest in the same naming,
   * for none, and for an alternative in braces that stands for none.
   */
  all(pattern: string): string[] {
    const groups = [...pattern.matchAll(/\{([^{}]*)\}/g)];
    if (groups.length === 0) return this.#all(pattern);
    // Whole first: what is wrong with all of it is told of all of it.
    const chosen = new Set(this.#all(pattern));
    for (const { 0: group, 1: list, index } of groups) {
      for (const alternative of list.split(',')) {
        const alone = pattern.slice(0, index) + alternative + pattern.slice(index + group.length);
        try {
          // One may be in another naming than the rest.
          for (const stage of this.#all(alone)) chosen.add(stage);
        } catch (error) {
          throw new StageError(`'${alternative}' in '${group}' selects nothing. ${(error as Error).message}`);
        }
      }
    }
    return this.own.filter(stage => chosen.has(stage));
  }

  #all(pattern: string): string[] {
    const own = this.own.filter(matcher(pattern));
    if (own.length > 0) return own;
    const { naming, canonical, written } = this.#naming(pattern);
    const found = naming.filter(({ name }) => matcher(canonical)(name));
    const stages = found.flatMap(({ stage }) => stage ?? []);
    if (stages.length > 0) return stages;
    if (found.length > 0) throw new StageError(`'${pattern}' is no stage of Loupe: ${found[0].refusal}`);
    const cache = [...this.caches].find(([name]) => matcher(pattern)(name));
    if (cache)
      throw new StageError(
        `'${cache[0]}' is a cache, which outlives a run, and no activation that could be read or replaced. Take '${cache[1]}', which it keeps.`,
      );
    const like = naming.length > 0 ? naming.filter(({ stage }) => stage).map(({ name }) => written(name)) : this.own;
    throw new StageError(`No stage matches '${pattern}'. ${nearest(pattern, like)} \`loupe plan\` lists them all.`);
  }

  /** These stages as a name's writer would call them, so that what is near can be told. */
  like(pattern: string, stages: readonly string[]): string[] {
    const { naming, written } = this.#naming(pattern);
    return stages.map(stage => {
      const alias = naming.find(known => known.stage === stage);
      return alias ? written(alias.name) : stage;
    });
  }

  /** The stage of a name; what several stages match is refused. */
  one(name: string): string {
    if (typeof name !== 'string')
      throw new StageError(`A stage is given by its name, not by ${said(name)}. Give e.g. 'layers.0.resid'.`);
    const found = this.all(name);
    if (found.length === 1) return found[0];
    throw new StageError(`'${name}' selects ${found.length} stages, and one is needed. ${nearest(name, found)}`);
  }

  /** What is known of one name, whoever's it is; null for one that nobody calls a stage by. A name is taken as it is, with its stars and braces. */
  known(name: string): Alias | null {
    if (this.own.includes(name)) return { name, stage: name, refusal: '' };
    const { naming, canonical } = this.#naming(name);
    return naming.find(alias => alias.name === canonical) ?? null;
  }

  /** Names in the naming of `name`, of stages that there are. */
  namesLike(name: string): string[] {
    const { naming, written } = this.#naming(name);
    return naming.length > 0 ? naming.filter(({ stage }) => stage).map(alias => written(alias.name)) : [...this.own];
  }

  /** Whose naming a pattern is in: the list to look it up in, how it is written there, and how the reader writes what is in it. */
  #naming(pattern: string): { naming: readonly Alias[]; canonical: string; written: (name: string) => string } {
    const dotted = pattern.replace(/\[(\d+|\*)\]/g, '.$1');
    if (/^(blocks|hook_|ln_final|unembed)/.test(dotted))
      return { naming: this.#aliases.transformerLens, canonical: dotted, written: name => name };
    if (/^(inp_|embd$|result_)|-(\d+|\*|\{.*\})$/.test(pattern))
      return { naming: this.#aliases.llamaCpp, canonical: pattern, written: name => name };
    // `model.language_model.layers…` and `language_model.model.layers…`: where a text model sits in one with a picture tower.
    const path = /^((?:(?:base_model|model|language_model|text_model)\.)*)(.*)$/.exec(dotted)!;
    const [, prefix, rest] = path;
    if (prefix === '' && !rest.startsWith('lm_head')) return { naming: [], canonical: pattern, written: name => name };
    const canonical = rest.startsWith('lm_head') ? rest : `model.${rest}`;
    return {
      naming: this.#aliases.huggingFace,
      canonical,
      written: name => (name.startsWith('model.') ? `${prefix || 'model.'}${name.slice('model.'.length)}` : name),
    };
  }
}

function matcher(pattern: string): (name: string) => boolean {
  if (!/[*{]/.test(pattern)) return name => name === pattern;
  const glob = globToRegExp(pattern);
  return name => glob.test(name);
}

/** `*` stays within one part of a name, `**` crosses parts, `{a,b}` is either. */
export function globToRegExp(glob: string): RegExp {
  const escaped = glob.replace(/[.+^$()|[\]\\?]/g, '\\$&');
  const pattern = escaped
    .replace(/\{([^{}]*)\}/g, (_, list: string) => `(?:${list.split(',').join('|')})`)
    .replace(/\*\*|\*/g, star => (star === '**' ? '.*' : '[^.]*'));
  return new RegExp(`^${pattern}$`);
}
