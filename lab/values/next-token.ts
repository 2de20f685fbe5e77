// What comes next, after one run and after two: the likeliest tokens with their probabilities.

import type { Values } from './dims.js';
import { Shown } from './shown.js';

/** One of the likeliest next tokens. */
export interface TopToken {
  /** In the vocabulary. */
  readonly id: number;
  /** Its piece. */
  readonly text: string;
  /** As the model gave it. */
  readonly logit: number;
  /** Softmax of the logits, 0 to 1. */
  readonly probability: number;
}

/** The k most likely next tokens. */
export class TopTokens extends Shown {
  constructor(
    /** The likeliest first. */
    readonly rows: readonly TopToken[],
    /** What they come after. */
    readonly prompt: string,
  ) {
    super();
  }
}

/** Natural logarithms of the probabilities that logits [V] stand for, in float64. */
export function logProbabilities({ data }: Pick<Values, 'data'>): Float64Array {
  const most = data.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  const sum = data.reduce((n, logit) => n + Math.exp(logit - most), 0);
  return Float64Array.from(data, logit => logit - most - Math.log(sum));
}

/** A next token after two prompts. */
export interface Compared {
  /** In the vocabulary. */
  readonly id: number;
  /** Its piece. */
  readonly text: string;
  /** After the first and after the second. */
  readonly probability: readonly [number, number];
  /** After the first and after the second. */
  readonly logit: readonly [number, number];
}

/** The next tokens of two runs side by side. */
export class Beside extends Shown {
  constructor(
    /** The likeliest first, after either. */
    readonly rows: readonly Compared[],
    /** Divergence of the second from the first, in bits. */
    readonly kl: number,
    /** Both prompts. */
    readonly prompts: readonly [string, string],
    /** What tells the runs apart, beside their prompts where these are the same. */
    readonly runs: readonly [string, string] = ['', ''],
  ) {
    super();
  }
}
