// What one run gave: its tokens, the activations that were tapped, and the logits after the last token.

import { OptionError, StageError } from '../engine/errors.js';
import { nearest } from '../engine/plan.js';
import type { Activation } from './activation.js';
import { attentionBundle } from './display/attention.js';
import { headsBundle } from './display/attention-heads.js';
import { tokensBundle } from './display/attention-tokens.js';
import { besideBundle, type Compared } from './display/beside.js';
import { type Bundle, DISPLAY, INSPECT, type Shown, shown } from './display/bundle.js';
import { logitsBundle } from './display/logits.js';
import { type Foreseen, foresee, promptBundle } from './display/prompt.js';
import { normsBundle } from './display/spread.js';
import { type Lens, lens } from './probe/lens.js';
import { type Selector, select } from './select.js';
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

export interface AttentionView extends Shown {
  heads(): Shown;
  byToken(): Shown;
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
        return shown(() => logitsBundle({ rows, prompt: this.prompt }), { rows });
      },
    };
  }

  /**
   * Attention as a figure with a selector for the heads, and one for the layers when none is given; `heads()` shows all heads of the
   * layer side by side, `byToken()` what each token reads as it is pointed at. Needs a tap on `layers.N.attn.pattern`.
   */
  attention(layer?: number): AttentionView {
    const { config } = this.session;
    const wanted =
      layer === undefined
        ? config.layerKinds.map((_, i) => i).filter(i => this.activations.has(`layers.${i}.attn.pattern`))
        : [layer];
    if (wanted.length === 0) this.at('layers.0.attn.pattern'); // throws
    const layers = wanted.map(i => ({
      layer: i,
      pattern: this.at(`layers.${i}.attn.pattern`),
      window: config.layerKinds[i] === 'sliding' ? config.slidingWindow : null,
    }));
    const figure = { layers, kvHeads: config.kvHeads, heads: layers[0].pattern.shape[0] };
    return shown(() => attentionBundle(figure), {
      heads: () => shown(() => headsBundle(figure), {}),
      byToken: () => shown(() => tokensBundle(figure), {}),
    });
  }

  /** L2 norms by layer, a line a token; `stages` selects the same stage of several layers. Needs a tap on them. */
  norms(stages: Selector = 'layers.*.resid'): Shown {
    const found = select(this.session.plan, stages).map(({ name }) => this.at(name));
    return shown(() => normsBundle(found), {});
  }

  /** Surprisal of every token and entropy before it, in bits. Needs `{ tap: 'logits', logits: 'all' }`. */
  surprisal(): Shown & { readonly tokens: readonly Foreseen[] } {
    const logits = this.at('logits');
    if (logits.shape[0] !== this.ids.length || this.ids.length < 2) {
      throw new OptionError(
        `Surprisal needs the logits of every token of at least two, and this run has ${logits.shape[0]} for ${this.ids.length}. Run with { tap: 'logits', logits: 'all' }.`,
      );
    }
    const tokens = foresee(logits, this.ids, id => this.session.labels([id])[0]);
    return shown(() => promptBundle(tokens), { tokens });
  }

  /** The next tokens of this run and another side by side; `kl` is the divergence of the second from the first, in bits. */
  beside(other: Run, k = 8): Shown & { readonly rows: readonly Compared[]; readonly kl: number } {
    const values = [this.logits.values, other.logits.values] as const;
    const [vocab, others] = values.map(({ data }) => data.length);
    if (vocab !== others) {
      throw new OptionError(
        `The runs have ${vocab} and ${others} logits, so they are of models that cannot be compared.`,
      );
    }
    const log = values.map(({ data }) => {
      const most = data.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
      const sum = data.reduce((n, logit) => n + Math.exp(logit - most), 0);
      return data.map(logit => logit - most - Math.log(sum));
    });
    const kl = log[0].reduce((n, p, i) => n + Math.exp(p) * (p - log[1][i]), 0) / Math.LN2;
    const ids = new Set(values.flatMap(v => v.top(k).map(({ index }) => index)));
    const rows = [...ids]
      .map(id => ({
        id,
        text: this.session.labels([id])[0],
        probability: [Math.exp(log[0][id]), Math.exp(log[1][id])] as const,
        logit: [values[0].data[id], values[1].data[id]] as const,
      }))
      .sort((a, b) => Math.max(...b.probability) - Math.max(...a.probability))
      .slice(0, k);
    return shown(() => besideBundle(rows, [this.prompt, other.prompt], kl), { rows, kl });
  }

  /** What each layer would say if the model stopped there. Needs a tap on the residual stream, `layers.*.resid`. */
  lens(stages: Selector = 'layers.*.resid'): Promise<Lens> {
    return lens(this, stages);
  }

  /** The text that was read, without its bos. */
  get prompt(): string {
    return this.tokens.slice(this.ids[0] === this.session.config.bosId ? 1 : 0).join('');
  }

  [DISPLAY](): Bundle {
    return this.logits.top()[DISPLAY]();
  }

  [INSPECT](): string {
    const taps = [...this.activations.values()].map(a => `  ${a}`).join('\n');
    return `Run of ${this.ids.length} tokens: ${this.tokens.join('·')}\n${taps}`;
  }
}
