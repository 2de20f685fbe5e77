// What one run gave: its tokens, the activations that were tapped, and the logits after the last token.

import { StageError } from '../engine/errors.js';
import { nearest } from '../engine/plan.js';
import type { Activation } from './activation.js';
import { attentionBundle } from './display/attention.js';
import { type Bundle, DISPLAY, INSPECT, type Shown } from './display/bundle.js';
import { logitsBundle } from './display/logits.js';
import type { Session } from './session.js';

/** The k most likely next tokens. */
export interface TopTokens extends Shown {
  readonly rows: readonly {
    readonly id: number;
    readonly text: string;
    readonly logit: number;
    readonly probability: number;
  }[];
}

export interface Logits {
  /** [V] */
  readonly values: Activation;
  top(k?: number): TopTokens;
}

export class Run {
  constructor(
    readonly session: Session,
    readonly ids: readonly number[],
    /** Texts of the tokens. */
    readonly tokens: readonly string[],
    readonly activations: ReadonlyMap<string, Activation>,
    private readonly last: Activation,
  ) {}

  /** A tapped activation. Throws StageError when it was not tapped. */
  at(stage: string): Activation {
    const found = this.activations.get(stage);
    if (found) return found;
    throw new StageError(
      `'${stage}' was not tapped in this run. ${nearest(stage, [...this.activations.keys()])} Add it to the option tap.`,
    );
  }

  get logits(): Logits {
    const values = this.last;
    return {
      values,
      top: (k = 10) => {
        const max = values.data.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
        const sum = values.data.reduce((n, logit) => n + Math.exp(logit - max), 0);
        const rows = values.top(k).map(({ index, value }) => ({
          id: index,
          text: this.session.labels([index])[0],
          logit: value,
          probability: Math.exp(value - max) / sum,
        }));
        return shown(
          () =>
            logitsBundle({
              rows,
              prompt: this.tokens.slice(this.ids[0] === this.session.config.bosId ? 1 : 0).join(''),
            }),
          { rows },
        );
      },
    };
  }

  /** The attention of a layer as a figure; needs a tap on `layers.N.attn.pattern`. */
  attention(layer: number): Shown {
    const pattern = this.at(`layers.${layer}.attn.pattern`);
    const { config } = this.session;
    const window = config.layerKinds[layer] === 'sliding' ? config.slidingWindow : null;
    const figure = { pattern, layer, kvHeads: config.kvHeads, heads: config.heads, window };
    return shown(() => attentionBundle(figure), {});
  }

  [DISPLAY](): Bundle {
    return this.logits.top()[DISPLAY]();
  }

  [INSPECT](): string {
    const taps = [...this.activations.values()].map(a => `  ${a}`).join('\n');
    return `Run of ${this.ids.length} tokens: ${this.tokens.join('·')}\n${taps}`;
  }
}

function shown<T extends object>(make: () => Bundle, value: T): T & Shown {
  return Object.assign(value, { [DISPLAY]: make, [INSPECT]: () => make()['text/plain'] });
}
