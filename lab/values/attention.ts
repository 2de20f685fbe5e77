// Attention patterns of a run, layer by layer, and the three ways to look at them.

import type { Activation } from './activation.js';
import { Shown } from './shown.js';

/** The pattern of one layer. */
export interface AttentionLayer {
  /** Its number in the model. */
  readonly layer: number;
  /** [A,T,S], or a part of it: its dimensions say which heads, queries and keys. */
  readonly pattern: Activation;
  /** Tokens that a sliding layer sees; null where it sees all. */
  readonly window: number | null;
}

/** Patterns, and the heads that the model has. */
export interface AttentionFigure {
  /** One a layer. */
  readonly layers: readonly AttentionLayer[];
  /** Heads and key/value heads of the model; a pattern may hold fewer. */
  readonly heads: number;
  /** Heads of keys and values; several query heads share one. */
  readonly kvHeads: number;
}

/** A heatmap of query × key, with a selector for the heads, and one for the layers where there are several. */
export class AttentionView extends Shown {
  constructor(
    /** The patterns. */
    readonly patterns: AttentionFigure,
  ) {
    super();
  }

  /** All heads of the first layer side by side. */
  heads(): AttentionHeads {
    return new AttentionHeads(this.patterns);
  }

  /** What each token of the first layer reads, as it is pointed at. */
  byToken(): AttentionByToken {
    return new AttentionByToken(this.patterns);
  }
}

/** All heads of a layer side by side. */
export class AttentionHeads extends Shown {
  constructor(
    /** The patterns. */
    readonly patterns: AttentionFigure,
  ) {
    super();
  }
}

/** What each token reads, as it is pointed at. */
export class AttentionByToken extends Shown {
  constructor(
    /** The patterns. */
    readonly patterns: AttentionFigure,
  ) {
    super();
  }
}
