// How well a model foresaw a prompt: surprisal of every token and entropy before it, in bits.

import type { Activation } from './activation.js';
import { Shown } from './shown.js';

/** How one token was foreseen. */
export interface Foreseen {
  /** In the sequence. */
  readonly position: number;
  /** In the vocabulary. */
  readonly id: number;
  /** Its piece. */
  readonly text: string;
  /** −log2 of the probability it was given. */
  readonly surprisal: number;
  /** Of the whole distribution it was drawn from. */
  readonly entropy: number;
  /** What it was given before it came. */
  readonly probability: number;
  /** 1: it was the most likely one. */
  readonly rank: number;
  /** What was most likely instead. */
  readonly likeliest: string;
}

/** @param logits [T,V]; the first token was foreseen by nothing and is left out */
export function foresee(logits: Activation, ids: readonly number[], textOf: (id: number) => string): Foreseen[] {
  const [rows, vocab] = logits.shape;
  return Array.from({ length: rows - 1 }, (_, row) => {
    const line = logits.data.subarray(row * vocab, (row + 1) * vocab);
    const id = ids[row + 1];
    let [most, best] = [Number.NEGATIVE_INFINITY, 0];
    line.forEach((logit, i) => {
      if (logit > most) [most, best] = [logit, i];
    });
    let [sum, weighted, rank] = [0, 0, 1];
    for (const logit of line) {
      const weight = Math.exp(logit - most);
      sum += weight;
      weighted += weight * (logit - most);
      if (logit > line[id]) rank += 1;
    }
    const logProbability = line[id] - most - Math.log(sum);
    return {
      position: row + 1,
      id,
      text: textOf(id),
      surprisal: -logProbability / Math.LN2,
      entropy: (Math.log(sum) - weighted / sum) / Math.LN2,
      probability: Math.exp(logProbability),
      rank,
      likeliest: textOf(best),
    };
  });
}

/** Every token of a prompt but the first, as it was foreseen. */
export class Surprisal extends Shown {
  constructor(
    /** From the second token on. */
    readonly tokens: readonly Foreseen[],
  ) {
    super();
  }
}
