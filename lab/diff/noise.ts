// Rounding told apart from faults. An engine that computes in bf16 or multiplies quantised weights is off at every stage by what its format explains: by size, and by
// shape, for rounding is even over channels, heads and positions and is no function of the value. A fault is larger, or sits somewhere, or follows the value.

import { OptionError } from '../../engine/errors.js';
import { said } from '../values/dims.js';
import { FOLLOWS, LOOKED_UP, STICKS_OUT, type Unevenness } from './unevenness.js';

/** A format, and how far it may put a value off: what a stage rounds, what rounding of its constants does, and what a product makes of rounded weights. Relative L2. */
interface Format {
  readonly name: string;
  readonly values: number;
  readonly constants: number;
  readonly products: number;
  readonly run: number;
}

/**
 * From the finest. Values: twice the spacing of the mantissa, for the few roundings within a stage. Constants: √H and the like, once. Products: what quantised weights, and activations in 8 bits
 * beside them, did at most to matrices of atlas and the 270M, and half as much again. Run: all products of a model one behind the other, four times what they came to of atlas at least.
 */
const FORMATS: readonly Format[] = [
  { name: 'F16', values: 2 ** -10, constants: 2 ** -11, products: 2 ** -10, run: 2 ** -7 },
  { name: 'BF16', values: 2 ** -7, constants: 2 ** -8, products: 2 ** -7, run: 2 ** -4 },
  { name: 'Q8_0', values: 2 ** -7, constants: 2 ** -8, products: 4.5e-2, run: 2 ** -3 },
  { name: 'Q5_K', values: 2 ** -7, constants: 2 ** -8, products: 9e-2, run: 2 ** -2 },
  { name: 'Q4_K', values: 2 ** -7, constants: 2 ** -8, products: 0.18, run: 2 ** -1 },
];

/** What an engine can be told to compute in, and the place of what rounds as much among the formats; F32 is none of them. */
const ROUNDS = {
  F32: -1,
  F16: 0,
  BF16: 1,
  Q8_0: 2,
  Q6_K: 3,
  Q5_K: 3,
  Q5_1: 3,
  Q5_0: 3,
  Q4_K: 4,
  Q4_1: 4,
  Q4_0: 4,
} as const;

/** What another engine computes in, where its values are too few to say it. */
export type Rounds = keyof typeof ROUNDS;
export const ROUNDS_NAMES = Object.keys(ROUNDS) as readonly Rounds[];

/** Throws OptionError for what is no such name. */
export function checkRounds(rounds: unknown): void {
  if (rounds === undefined || (typeof rounds === 'string' && Object.hasOwn(ROUNDS, rounds))) return;
  throw new OptionError(`rounds is what another engine computes in, ${ROUNDS_NAMES.join(', ')}, not ${said(rounds)}.`);
}

/** The place of a format that an array is stored in, or -1: storing rounds too. */
const storedAs = (dtype: string): number => (dtype === 'F16' || dtype === 'BF16' ? ROUNDS[dtype] : -1);

/** What is known of a stage's difference. */
export interface Difference {
  /** Stages of the same kind, which an engine rounds alike. */
  readonly group: string;
  /** A wider group, where too few are of that one; null for none. */
  readonly wider: string | null;
  /** Stages that weights are multiplied in. */
  readonly products: number;
  /** Whether it would be off if any of them were rounded: a weight of attention is 1 where a query sees one key, whatever its score. */
  readonly tells: boolean;
  /** What it and what it is computed from are stored in, as the file says: `F32`, `BF16` …. */
  readonly stored: readonly string[];
  /** Relative L2 of it alone. */
  readonly alone: number;
  /** Null where it is within the limit. */
  readonly shape: Unevenness | null;
}

/** An entry may be this much worse than the middle of its group. */
const BESIDE = 8;
/** A group that has fewer says nothing of an engine. */
export const LEAST_GROUP = 3;

/** What is known of the engine as a whole. */
export interface Engine {
  /** Whether it has NaN somewhere: that is its fault, and what little stands before it is taken by its size and shape alone. */
  readonly isBroken?: boolean;
  /** What it computes in, where that was told: then nothing else rounds. */
  readonly rounds?: Rounds;
}

type LimitOf = (i: number) => number;

/** Through several matrices and right to f32: that engine rounds no weight. What it may round is its cache, to f16. */
const isExact = (given: readonly Difference[], limitOf: LimitOf): boolean =>
  given.some(({ products, tells, alone }, i) => products >= 2 && tells && alone <= limitOf(i));

/** For each difference whether there are others enough to say what it may be rounded to. */
export function witnessedBy(given: readonly Difference[], limitOf: LimitOf): boolean[] {
  const many = (which: (one: Difference) => boolean) => given.filter(which).length >= LEAST_GROUP;
  const exact = isExact(given, limitOf);
  return given.map(
    one =>
      exact ||
      many(({ group }) => group === one.group) ||
      many(({ products }) => products > 0) ||
      (one.products === 0 &&
        given.some(({ group, products }) => products === 0 && many(other => other.group === group))),
  );
}

/**
 * For each difference the format that explains it, or null.
 * @param limitOf of each, below which a difference is none
 */
export function explained(
  given: readonly Difference[],
  limitOf: LimitOf,
  { isBroken = false, rounds }: Engine = {},
): (string | null)[] {
  const least = isBroken ? 1 : LEAST_GROUP;
  // What differs without end, a mask or NaN everywhere, is no rounding and says nothing of it.
  const many = (name: string) => given.filter(({ group, alone }) => group === name && Number.isFinite(alone)).length;
  const all = given.map(one => (one.wider !== null && many(one.group) < least ? { ...one, group: one.wider } : one));
  const off = all.map(({ alone }, i) => alone > limitOf(i));
  const finest = rounds === undefined && isExact(given, limitOf) ? ROUNDS.F16 : FORMATS.length;
  const groups = new Map<
    string,
    { readonly middle: number; readonly format: number; readonly product: boolean; readonly even: boolean }
  >();
  for (const group of new Set(all.map(one => one.group))) {
    // A wider group is of all that it is wider than: a fault's neighbours are often the few that have no group of their own.
    const members = all.filter(one => (one.group === group || one.wider === group) && Number.isFinite(one.alone));
    if (members.length < least) continue;
    const isWider = members[0].wider === group;
    const sizes = (one: Difference) => one.alone / (isWider ? 1 : lengthOf(one)); // through the residual stream it grows less
    const sorted = [...members].sort((a, b) => sizes(a) - sizes(b));
    const at = (share: number) => sorted[Math.floor((sorted.length - 1) * share)];
    // Small matrices are often left as they are. Of a wider group the ordinary is its half: what a fault made are many of a few.
    const most = at(sorted[0].products > 0 ? 0.75 : 0.5);
    const differs = off[all.indexOf(most)];
    const plain = members.filter(one => one.shape !== null && isPlain(one)).length;
    const one = { ...most, products: isWider ? Math.min(1, most.products) : most.products };
    const format = FORMATS.findIndex(each => most.alone <= mostOf(each, one));
    groups.set(group, {
      middle: sizes(isWider ? at(0.5) : most),
      format: differs ? Math.min(finest, format) : -1,
      product: most.products > 0,
      even: plain * 2 > members.length,
    });
  }
  /** The coarsest format that other groups bear witness of. */
  const witnessed = (but: string, by: (product: boolean) => boolean): number =>
    Math.max(
      -1,
      ...[...groups].flatMap(([name, one]) => (name !== but && one.even && by(one.product) ? [one.format] : [])),
    );
  return all.map((one, i) => {
    if (!off[i] || one.shape === null) return null;
    const group = groups.get(one.group);
    // Without another's witness: what was told, and what the file rounds.
    const known = Math.max(rounds === undefined ? -1 : ROUNDS[rounds], ...one.stored.map(storedAs));
    const other = (by: (product: boolean) => boolean) =>
      rounds === undefined ? Math.max(known, witnessed(one.group, by)) : known;
    const others = other(product => product || one.products === 0);
    // Weights that are quantised say nothing of a constant in what multiplies none: there GELU by erf is a fault.
    const constants = one.products > 0 || !group ? others : other(product => !product);
    const own = rounds === undefined && group?.even ? group.format : -1;
    // What rounds its values at all rounds them as the rest of the engine does; of few values the middle may come to less.
    const at =
      one.products > 0 || own >= 0 || rounds !== undefined
        ? Math.max(own, others)
        : group
          ? Math.max(own, known)
          : others;
    if (at < 0) return followsConstants(one, constants);
    const format = FORMATS[at];
    const length = one.group === one.wider ? 1 : lengthOf(one);
    if (group && group.middle > 0 && one.alone > BESIDE * group.middle * length && one.alone > format.constants)
      return null;
    // Some matrices take it worse than others, and spans that begin and end elsewhere differ more. Of what was told no other witness says how much.
    if (rounds !== undefined && one.products > 0 && one.alone > format.run) return null;
    const times = one.group === one.wider ? 4 : one.products > 0 ? 2 : 1;
    if (one.alone > times * mostOf(format, one)) return null;
    // What no other group bears witness of is no rounding when it follows the value: GELU by erf, in every layer alike.
    return isPlain(one)
      ? rounds && at === ROUNDS[rounds]
        ? rounds
        : smallest(one, at)
      : followsConstants(one, others < 0 && one.products === 0 ? others : at);
  });

  /** A factor that was rounded follows the value: by no more than the rounding of one, in an engine that rounds. */
  function followsConstants(one: Difference, others: number): string | null {
    const at = FORMATS.findIndex(({ constants }) => one.alone <= constants);
    return at >= 0 && at <= others && one.shape!.worst <= 4 * FORMATS[at].constants ? FORMATS[at].name : null;
  }
}

const smallest = (one: Difference, upTo: number): string =>
  FORMATS[FORMATS.findIndex((format, i) => i === upTo || one.alone <= mostOf(format, one))].name;

/** Through several products the error of each goes on. */
const lengthOf = ({ products }: Difference): number => Math.sqrt(Math.max(1, products));
const mostOf = (format: Format, one: Difference): number =>
  one.products > 0 ? Math.min(0.5, format.products * lengthOf(one)) : format.values;

/** Even, and no function of the value. What rounds values alone leaves some as they are: there the worst entry counts. */
function isPlain({ group, products, shape }: Difference): boolean {
  const { sticksOut, worst, follows } = shape!;
  return (
    follows <= (group === 'embed' ? LOOKED_UP : FOLLOWS) &&
    (products > 0 ? sticksOut <= STICKS_OUT : worst <= 4 * FORMATS[1].values)
  );
}
