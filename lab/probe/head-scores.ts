// What heads do where tokens come again: whether they read what came after a token's earlier copy (induction), the token before, or the copy itself, and what a prediction loses without
// them. Definitions: Olsson et al. 2022, "In-context Learning and Induction Heads" (prefix matching on repeated random tokens), and TransformerLens' head_detector (previous_token_head,
// duplicate_token_head, induction_head). golden/head_scores.py has them in NumPy, on transformers' attentions.

import { NumberError, OptionError, PromptError } from '../../engine/errors.js';
import type { PlanKind } from '../../engine/fuse.js';
import { uniform } from '../../engine/sample.js';
import { interruptSignal } from '../host/interrupt.js';
import { progressLine } from '../host/progress.js';
import { checkPlan } from '../session/request.js';
import type { Run } from '../session/run.js';
import type { Session } from '../session/session.js';
import type { Activation } from '../values/activation.js';
import { checkOptions, type OptionNames } from '../values/arguments.js';
import { AttentionView } from '../values/attention.js';
import { checkMany, said } from '../values/dims.js';
import { logProbabilities } from '../values/next-token.js';
import { Shown } from '../values/shown.js';

/** What a head is scored for. */
export type HeadScore = 'induction' | 'previous' | 'duplicate' | 'ablation';
export const HEAD_SCORES: readonly HeadScore[] = ['induction', 'previous', 'duplicate', 'ablation'];

/** How heads are scored. */
export interface HeadScoresOptions {
  /** Text or ids to score them on; default: `period` random tokens, `times` times one after the other, behind the bos. */
  readonly prompt?: string | readonly number[];
  /** Different tokens until they come again; default 25, or what two thirds of a sliding window hold. */
  readonly period?: number;
  /** How often they come; default 4. */
  readonly times?: number;
  /** The same seed gives the same tokens; default 0. */
  readonly seed?: number;
  /** Whether each head is left out once, a run each; default true. */
  readonly ablation?: boolean;
  /** Default exact. Of the fast plan patterns are made once more beside it, and attention runs as its stages where a head is left out. */
  readonly plan?: PlanKind;
}

/** A head and its score. */
export interface ScoredHead {
  /** Its number in the model. */
  readonly layer: number;
  /** Its number in the layer. */
  readonly head: number;
  /** As in the grid that was asked for. */
  readonly score: number;
}

/** Scores of all heads, layer × head; NaN where the prompt cannot tell. */
export class HeadScores extends Shown {
  constructor(
    /** What was read, with its attention patterns. */
    readonly run: Run,
    /** Of the attention of tokens that were there before, how much goes to what came after an earlier copy, 0 to 1. NaN without such tokens. */
    readonly induction: readonly (readonly number[])[],
    /** How much of it goes to the token before, 0 to 1. */
    readonly previous: readonly (readonly number[])[],
    /** Of the attention of tokens that were there before, how much goes to earlier copies, 0 to 1. NaN without such tokens. */
    readonly duplicate: readonly (readonly number[])[],
    /** By how many bits a token the surprisal of tokens that could be foreseen rises without the head; null where that was not asked for. */
    readonly ablation: readonly (readonly number[])[] | null,
  ) {
    super();
  }

  /**
   * The heads with the highest score, in order. Throws OptionError for a score that there is not.
   * @param of induction, previous, duplicate or ablation @param many how many; 5 by default
   * @example scores.top('induction', 3)
   */
  top(of: HeadScore = 'induction', many?: number): ScoredHead[] {
    const grid = HEAD_SCORES.includes(of) ? this[of] : undefined;
    if (!grid) {
      const names = HEAD_SCORES.filter(name => this[name] !== null);
      throw new OptionError(`There is no score ${said(of)} here. Take one of ${names.join(', ')}.`);
    }
    const all = grid.flatMap((row, layer) => row.map((score, head) => ({ layer, head, score })));
    const known = all.filter(({ score }) => !Number.isNaN(score));
    const most = checkMany(many === undefined ? Math.min(5, all.length) : many, all.length, 'top()');
    return known.sort((a, b) => b.score - a.score).slice(0, most);
  }

  /**
   * The attention of one head while the prompt was read. Throws OptionError for a layer or a head that the model has not.
   * @example scores.pattern(1, 0)
   */
  pattern(layer: number, head: number): AttentionView {
    if (layer === undefined || layer === null)
      throw new OptionError('pattern() is of one head: give its layer and its number, pattern(1, 0).');
    const [found] = this.run.attention(layer).patterns.layers;
    const { heads, kvHeads } = this.run.session.config;
    if (!Number.isInteger(head) || head < 0 || head >= heads)
      throw new OptionError(
        `The model has ${heads} heads a layer, 0 to ${heads - 1}, so head ${said(head)} is outside.`,
      );
    const pattern = found.pattern.slice({ head: [head, head + 1] });
    return new AttentionView({ layers: [{ ...found, pattern }], heads, kvHeads });
  }
}

const OPTIONS: OptionNames<HeadScoresOptions> = {
  ...{ prompt: true, period: true, times: true, seed: true, ablation: true, plan: true },
};

export async function headScores(session: Session, given: HeadScoresOptions = {}): Promise<HeadScores> {
  const options = checkOptions('headScores', given, OPTIONS);
  const ids = options.prompt === undefined ? repeated(session, options) : ofPrompt(session, options);
  if (ids.length < 2)
    throw new PromptError('Heads are scored on how tokens read each other, and the prompt has one. Give two and more.');
  const shaders = await session.model.kernels.inForce(); // the same for all the runs
  const plan = checkPlan(options.plan, 'exact');
  const run = await session.run(ids, { tap: 'layers.*.attn.pattern', shaders, plan });
  if (run.fault) throw run.fault;
  const { layers, heads } = session.config;
  const patterns = Array.from({ length: layers }, (_, layer) => run.at(`layers.${layer}.attn.pattern`));
  const keys = keysOf(ids);
  const grid = (of: readonly (readonly number[])[]) => patterns.map(pattern => scoresOf(pattern, of));
  const [induction, previous, duplicate] = [grid(keys.induction), grid(keys.previous), grid(keys.duplicate)];
  if (options.ablation === false) return new HeadScores(run, induction, previous, duplicate, null);
  const foreseen = keys.induction.flatMap((of, query) => (of.length > 0 && query + 1 < ids.length ? [query] : []));
  const rows = foreseen.length > 0 ? foreseen : ids.slice(1).map((_, query) => query);
  const bits = async (patch?: object) => {
    interruptSignal().throwIfAborted();
    const slice = { token: [rows[0], rows[rows.length - 1] + 1] as const };
    const seen = await session.run(ids, { tap: 'logits', logits: 'all', slice, shaders, plan, ...patch });
    if (seen.fault) throw seen.fault;
    return surprisalOf(seen.at('logits'), ids, rows);
  };
  using progress = progressLine('Leaving out each head');
  const whole = await bits();
  const ablation: number[][] = [];
  for (let layer = 0; layer < layers; layer++) {
    ablation.push([]);
    for (let head = 0; head < heads; head++) {
      const patch = { stage: `layers.${layer}.attn.mix`, values: 0, slice: { head: [head, head + 1] as const } };
      ablation[layer].push((await bits({ patch })) - whole);
      progress.count(layer * heads + head + 1, layers * heads, 'heads');
    }
  }
  return new HeadScores(run, induction, previous, duplicate, ablation);
}

/** For each query, the keys whose attention counts. */
function keysOf(
  ids: readonly number[],
): Record<'induction' | 'previous' | 'duplicate', readonly (readonly number[])[]> {
  const places = new Map<number, number[]>();
  const duplicate = ids.map((id, query) => {
    const earlier = places.get(id) ?? [];
    places.set(id, [...earlier, query]);
    return earlier;
  });
  return {
    duplicate,
    // What follows the copy right before a token is that token itself, as in TransformerLens.
    induction: duplicate.map(earlier => earlier.map(key => key + 1)),
    previous: ids.map((_, query) => (query > 0 ? [query - 1] : [])),
  };
}

/** The mean over the queries that have such keys, a number a head. */
function scoresOf({ shape: [heads, T, S], data }: Activation, keys: readonly (readonly number[])[]): number[] {
  const queries = keys.flatMap((of, query) => (of.length > 0 ? [query] : []));
  return Array.from({ length: heads }, (_, head) => {
    const given = (query: number) => keys[query].reduce((n, key) => n + data[(head * T + query) * S + key], 0);
    return queries.reduce((n, query) => n + given(query), 0) / queries.length;
  });
}

/** The mean over some rows of the bits that the next token takes. */
function surprisalOf(
  { dims: [{ from }, { size }], data }: Activation,
  ids: readonly number[],
  rows: readonly number[],
): number {
  const bits = rows.map(row => {
    const log = logProbabilities({ data: data.subarray((row - from) * size, (row - from + 1) * size) });
    return -log[ids[row + 1]] / Math.LN2;
  });
  const mean = bits.reduce((a, b) => a + b, 0) / bits.length;
  if (Number.isFinite(mean)) return mean;
  throw new NumberError('The surprisal of the prompt is no number, so no head can be scored by it. See run.logits.');
}

function ofPrompt(session: Session, { prompt, period, times, seed }: HeadScoresOptions): number[] {
  const other = Object.entries({ period, times, seed }).find(([, value]) => value !== undefined);
  if (other)
    throw new OptionError(`The option ${other[0]} is of random tokens, and there is a prompt. Leave one of them out.`);
  return session.encode(prompt!);
}

/** Random tokens that are repeated, behind the bos: pieces of text of the middle three quarters of the vocabulary, neither the commonest nor the rarest. */
function repeated(session: Session, options: HeadScoresOptions): number[] {
  const { vocab, bosId, slidingWindow } = session.config;
  const window = slidingWindow ?? Number.POSITIVE_INFINITY;
  const { period = Math.min(25, Math.max(2, Math.floor((2 * window) / 3))), times = 4, seed = 0 } = options;
  for (const [name, value, least] of [
    ['period', period, 1],
    ['times', times, 2],
    ['seed', seed, Number.MIN_SAFE_INTEGER],
  ] as const) {
    if (Number.isSafeInteger(value) && value >= least) continue;
    throw new OptionError(`${name} is a whole number${name === 'seed' ? '' : ` from ${least}`}, not ${said(value)}.`);
  }
  const eighth = Math.floor(vocab / 8);
  const middle = Array.from({ length: vocab - 2 * eighth }, (_, i) => eighth + i);
  const texts = session.labels(middle);
  const left = middle.filter((_, i) => !/^<.*>$/.test(texts[i]));
  if (left.length < period)
    throw new OptionError(`period is ${period}, and there are ${left.length} tokens to draw from. Give a smaller one.`);
  const draw = uniform(seed);
  const tokens = Array.from({ length: period }, () => left.splice(Math.floor(draw() * left.length), 1)[0]);
  return [bosId, ...Array.from({ length: times }, () => tokens).flat()];
}
