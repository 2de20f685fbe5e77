// Attention patterns of a run, layer by layer, and the three ways to look at them.

import type { Activation } from './activation.js';
import { Shown } from './shown.js';

export interface AttentionLayer {
  readonly layer: number;
  /** [A,T,S], or a part of it: its dimensions say which heads, queries and keys. */
  readonly pattern: Activation;
  readonly window: number | null;
}

export interface AttentionFigure {
  readonly layers: readonly AttentionLayer[];
  /** Heads and key/value heads of the model; a pattern may hold fewer. */
  readonly heads: number;
  readonly kvHeads: number;
}

/** A heatmap of query × key, with a selector for the heads, and one for the layers where there are several. */
export class AttentionView extends Shown {
  constructor(readonly patterns: AttentionFigure) {
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

export class AttentionHeads extends Shown {
  constructor(readonly patterns: AttentionFigure) {
    super();
  }
}

export class AttentionByToken extends Shown {
  constructor(readonly patterns: AttentionFigure) {
    super();
  }
}
