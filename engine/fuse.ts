// The fast plan: the recorded plan rewritten, by a short list of rules. A rule looks at the stages that come next and says which of them one step
// does, which of their values it writes and how; or that it does not apply. Where none does, the stage stays as it is: what no rule
// applied to is the exact plan.

import { partsForCache } from './cache-format.js';
import { attend } from './attend.js';
import type { Join } from './joins.js';
import { chunk, type Dispatch, placed, type Setting, type Source, sizeOf, treeLanes, value } from './dispatch.js';
import type { Extent, Operation, OperationKind, Plan, Ref, Stage } from './plan.js';
import { canMake, type Given, type Product, product, productIn, type Results } from './products.js';
import { valuesPerToken } from './recorder.js';
import type { Activations } from './dispatch.js';
import { roundedOf } from './rounding.js';
import { exactStep, nameOf, type Step, type Work } from './step.js';
import type { Traits } from './traits.js';

/** `exact`: every stage's value is written, by the operations of the plan. `fast`: steps that write only what others read. */
export type PlanKind = 'exact' | 'fast';

/** What rules ask of a model on an adapter. */
export interface Fusing {
  readonly traits: Traits;
  /** How products are given their inputs, in the fast plan. */
  readonly activations: Activations;
  /** Several sequences at once. */
  readonly many?: boolean;
  /** How weights lie together under this name (joins.ts), or null. */
  joined(name: string): Join['order'] | null;
}

type Of<K extends OperationKind> = Stage & { readonly operation: Extract<Operation, { kind: K }> };
type Made = Pick<Step, 'writes' | 'work'> & Partial<Pick<Step, 'cached'>>;
type Taking<T> = (next: Upcoming, fusing: Fusing) => T | null;
type Rule = Taking<Made>;
/** A product, and the stages whose values it writes. */
interface Multiplied {
  readonly writes: readonly Stage[];
  readonly whole: Product;
}

/** The stages from one on, taken in order. */
class Upcoming {
  readonly taken: Stage[] = [];

  constructor(
    private readonly stages: readonly Stage[],
    private readonly from: number,
  ) {}

  /** The next stage, if it is of this kind and its first inputs are these; `undefined` stands for any. */
  take<K extends OperationKind>(kind: K, ...inputs: (Ref | undefined)[]): Of<K> | null {
    const next = this.stages[this.from + this.taken.length];
    if (next?.operation.kind !== kind) return null;
    if (inputs.some((input, i) => input !== undefined && next.inputs[i].name !== input.name)) return null;
    this.taken.push(next);
    return next as Of<K>;
  }
}

const only = (dispatch: Work['dispatches'][number]): Work => ({ dispatches: [dispatch], scratch: [] });
const weightOf = ({ weight }: Stage): Source => ({ weight: weight!.name, shard: 0 });

/** Matrices that lie together and are given the same input: q, k, v; gate, up. All of them are written. */
const takeProducts: Taking<Multiplied> = (next, { joined }) => {
  const first = next.take('linear');
  if (!first) return null;
  const [x] = first.inputs;
  const parts: Stage[] = [first];
  for (let part = next.take('linear', x); part; part = next.take('linear', x)) parts.push(part);
  // Of q, k and v, the last may be stored in another format.
  while (parts.length > 1 && !joined(weightName(parts))) {
    parts.pop();
    next.taken.pop();
  }
  const inTurn = joined(weightName(parts)) === 'in turn';
  const place = inTurn ? 'pair' : ['two', 'three'][parts.length - 2];
  if (!place) return null;
  const columns = parts.map((part, i) => [inTurn ? 'COLS' : `COLS${i}`, valuesPerToken(part.axes)]);
  const results: Results = {
    part: `results/${place}`,
    constants: Object.fromEntries(columns),
    writes: Object.fromEntries(parts.map((part, i) => [`y${i}`, value(part)])),
  };
  return { writes: parts, whole: together(first, parts, results) };
};

/** One product with all of some weights, given what the first of them is given. */
function together({ inputs: [x], weight }: Stage, parts: readonly Stage[], results: Results): Product {
  const [, columns] = weight!.shape;
  return { x, weight: weightName(parts), columns, last: false, results: () => results };
}

function multiply(whole: Product, s: Setting): Work {
  const to = roundedOf(whole.x, s);
  return { dispatches: product(whole, s), scratch: to ? [to] : [] };
}

const multiplied = (taken: Multiplied | null): Made | null =>
  taken && { writes: taken.writes, work: s => multiply(taken.whole, s) };

const products: Rule = (next, fusing) => multiplied(takeProducts(next, fusing));

/** The gated half of the feed-forward: gelu(gate x) × up x, two matrices that lie in turn. */
const takeGated: Taking<Multiplied> = (next, { joined }) => {
  const gate = next.take('linear');
  const up = gate && next.take('linear', gate.inputs[0]);
  const act = up && next.take('geluTanh', gate);
  const mul = act && next.take('mul', act, up);
  if (!mul || joined(weightName([gate, up])) !== 'in turn') return null;
  const [COLS] = gate.weight!.shape;
  const results: Results = { part: 'results/gated', constants: { COLS }, writes: { y: value(mul) } };
  return { writes: [mul], whole: together(gate, [gate, up], results) };
};

const gated: Rule = (next, fusing) => multiplied(takeGated(next, fusing));

const weightName = (parts: readonly Stage[]): string => parts.map(({ weight }) => weight!.name).join(' + ');

/** Bindings of heads.wgsl that are storage buffers, and the one of sequences/many.wgsl. */
const OF_HEADS = 9;
const OF_ROWS = 1;

/** What queries, keys and values pass through: norms, RoPE, the cache. */
const heads: Rule = (next, { traits, many }) => {
  const qNorm = next.take('rmsNorm');
  const query = next.take('rope', qNorm ?? undefined);
  const kNorm = query && qNorm && next.take('rmsNorm');
  const key = query && next.take('rope', kNorm ?? undefined);
  const keys = key && next.take('cache', key);
  const values = keys && next.take('cache');
  if (!values || !!qNorm !== !!kNorm || traits.maxStorageBuffers < OF_HEADS + (many ? OF_ROWS : 0)) return null;
  const { kind: _, ...rope } = query.operation;
  const same = JSON.stringify(query.operation) === JSON.stringify(key.operation);
  const eps = qNorm?.operation.eps ?? 0;
  if (!same || (kNorm && kNorm.operation.eps !== eps)) return null;
  const [q, k, v] = [(qNorm ?? query).inputs[0], (kNorm ?? key).inputs[0], values.inputs[0]];
  const [A, K, D] = [sizeOf(query, 'A'), sizeOf(key, 'K'), sizeOf(query, 'D')];
  const turns: Source = { turns: { ...rope, dim: D } };
  // Without norms there are no gains; what is bound in their place is not read.
  const gains =
    qNorm && kNorm ? { q_gain: weightOf(qNorm), k_gain: weightOf(kNorm) } : { q_gain: turns, k_gain: turns };
  const work = (s: Setting): Work =>
    only({
      shader: 'heads',
      parts: [...placed(s).parts, ...partsForCache(s.cache)],
      constants: { WG: treeLanes(s), A, K, D, NORM: qNorm ? 1 : 0, EPS: eps, RING: s.ring(keys.name) },
      reads: { chunk, ...placed(s).reads, q: value(q), k: value(k), v: value(v), ...gains, turns },
      writes: { y: value(query), keys: value(keys), values: value(values) },
      grid: e => [A + 2 * K, e.tokens, 1],
    });
  return { writes: [query, keys, values], cached: new Map([[key, keys]]), work };
};

/** Scores, softmax and the mix of values, without the whole of the pattern. */
const takeAttention = (next: Upcoming) => {
  const scores = next.take('scores');
  const pattern = scores && next.take('softmax', scores);
  const mix = pattern && next.take('mix', pattern);
  if (!mix) return null;
  const [query, keys] = scores.inputs;
  const [, values] = mix.inputs;
  return { query, keys, values, scores, mix };
};

const attention: Rule = next => {
  const taken = takeAttention(next);
  return taken && { writes: [taken.mix], work: s => attend(taken, s) };
};

/** Attention with the product that takes it back to the residual stream: on a GPU, of one token, what joins its parts. */
const attentionOut: Rule = (next, fusing) => {
  const taken = takesMore(fusing) ? takeAttention(next) : null;
  const out = taken && next.take('linear', taken.mix);
  if (!out) return null;
  const whole = productIn(out, false);
  const work = (s: Setting): Work => {
    const { dispatches, scratch, given } = attend(taken, s);
    const plain = multiply(whole, s);
    if (!canMake(whole, given, s)) {
      return { dispatches: [...dispatches, ...plain.dispatches], scratch: [...scratch, ...plain.scratch] };
    }
    const [one, several, join] = dispatches;
    const joins = (e: Extent) => join.grid(e).every(n => n > 0);
    return {
      dispatches: [
        one,
        several,
        ...plain.dispatches.map(dispatch => where(dispatch, e => !joins(e))),
        ...product(whole, s, given).map(dispatch => where(dispatch, joins)),
      ],
      scratch,
    };
  };
  return { writes: [taken.mix, out], work };
};

/** A dispatch that some chunks need. */
const where = (dispatch: Dispatch, needed: (e: Extent) => boolean): Dispatch => ({
  ...dispatch,
  grid: e => (needed(e) ? dispatch.grid(e) : [0, 0, 0]),
});

/** Whether products may make what they are given: it costs a GPU less than a dispatch, and a software adapter more. */
const takesMore = ({ traits, activations, many }: Fusing) => !traits.software && activations === 'f32' && !many;

/** The sum of the residual stream, with the norm before it, if there is one, and the one after. */
const takeSums = (next: Upcoming) => {
  const post = next.take('rmsNorm');
  const sum = next.take('add', undefined, post ?? undefined);
  const norm = sum && next.take('rmsNorm', sum);
  if (!norm) return null;
  const [a, b] = sum.inputs;
  const N = valuesPerToken(sum.axes);
  if (norm.weight!.shape[0] !== N || (post && post.weight!.shape[0] !== N)) return null;
  const constants = { POST: post ? 1 : 0, POST_EPS: post?.operation.eps ?? 0, EPS: norm.operation.eps };
  const from = post ? post.inputs[0] : b;
  const reads = { a: value(a), b: value(from), post_gain: weightOf(post ?? norm), gain: weightOf(norm) };
  const dispatch = (s: Setting): Dispatch => ({
    shader: 'add_norm',
    constants: { WG: treeLanes(s), N, ...constants },
    reads: { chunk, ...reads },
    writes: { sum: value(sum), y: value(norm) },
    grid: e => [1, e.tokens, 1],
  });
  const writes = { sum: value(sum), normed: value(norm) };
  const given: Given = { part: 'givens/normed', constants, reads, writes, bytes: 4 * N };
  return { sum, norm, dispatch, given };
};

const sums: Rule = next => {
  const taken = takeSums(next);
  return taken && { writes: [taken.sum, taken.norm], work: s => only(taken.dispatch(s)) };
};

/** The sum and its norms with the products that read them: on a GPU, of one token, one dispatch. */
const sumsThen =
  (take: Taking<Multiplied>): Rule =>
  (next, fusing) => {
    const taken = takesMore(fusing) ? takeSums(next) : null;
    const read = taken && take(next, fusing);
    if (!read || read.whole.x.name !== taken.norm.name) return null;
    const work = (s: Setting): Work => {
      if (canMake(read.whole, taken.given, s)) return { dispatches: product(read.whole, s, taken.given), scratch: [] };
      const { dispatches, scratch } = multiply(read.whole, s);
      return { dispatches: [taken.dispatch(s), ...dispatches], scratch };
    };
    return { writes: [taken.sum, taken.norm, ...read.writes], work };
  };

/** A step of the exact plan writes all that it stands for. */
const EXACT: Rules = { products };
const FAST: Rules = {
  gated,
  products,
  heads,
  'attention + out': attentionOut,
  attention,
  'sums + gated': sumsThen(takeGated),
  'sums + products': sumsThen(takeProducts),
  sums,
};
type Rules = Readonly<Record<string, Rule>>;

/** The steps that do what the plan's stages do, in order. */
export function fuse({ stages }: Pick<Plan, 'stages'>, plan: PlanKind, fusing: Fusing): Step[] {
  const activations = plan === 'fast' ? fusing.activations : 'f32';
  const readers = new Map<string, Stage[]>();
  for (const stage of stages) {
    for (const { name } of stage.inputs) readers.set(name, [...(readers.get(name) ?? []), stage]);
  }
  return stepsOf(stages, plan === 'fast' ? FAST : EXACT);

  function stepsOf(stages: readonly Stage[], rules: Rules): Step[] {
    const steps: Step[] = [];
    for (let i = 0; i < stages.length; i += steps.at(-1)!.stages.length) {
      steps.push(firstThatApplies(stages, i, rules) ?? exactStep(stages[i], activations));
    }
    return steps;
  }

  function firstThatApplies(stages: readonly Stage[], from: number, rules: Rules): Step | null {
    for (const [rule, apply] of Object.entries(rules)) {
      const next = new Upcoming(stages, from);
      const made = apply(next, fusing);
      if (!made || !closed(next.taken, made.writes)) continue;
      const work: Step['work'] = s => made.work({ ...s, activations });
      const inside = rule in EXACT ? next.taken.map(one => exactStep(one, activations)) : stepsOf(next.taken, EXACT);
      const [name, cached] = [nameOf(next.taken), new Map()];
      return { name, rule, stages: next.taken, cached, ...made, activations, inside, work };
    }
    return null;
  }

  /** Whether nobody outside reads what is not written. */
  function closed(taken: readonly Stage[], writes: readonly Stage[]): boolean {
    return taken.every(
      stage => writes.includes(stage) || (readers.get(stage.name) ?? []).every(reader => taken.includes(reader)),
    );
  }
}
