// What adds up over a text while two models read it: a divergence a token, sums by place and by layer. It grows by eight bytes a token.

import { divergence, logNorm } from './distribution.js';

/** How far the second model is from the first in bits, over all tokens that were foreseen. Quantiles are between neighbours, as numpy's. */
export interface KlSpread {
  /** Over the tokens. */
  readonly mean: number;
  /** Half of the tokens are below. */
  readonly median: number;
  /** 90 % are below. */
  readonly p90: number;
  /** 99 % are below. */
  readonly p99: number;
  /** 99.9 % are below. */
  readonly p999: number;
  /** The largest. */
  readonly most: number;
  /** Which of the foreseen tokens, from 0, that is before. */
  readonly mostAt: number;
}

/** Tokens at places that lie together in their windows. */
export interface PlaceApart {
  /** Place in the window of the first, from 0. */
  readonly from: number;
  /** One past the last. */
  readonly to: number;
  /** Tokens that were foreseen there. */
  readonly tokens: number;
  /** Mean divergence there, bits. */
  readonly kl: number;
  /** Perplexity of the first and of the second there. */
  readonly perplexity: readonly [number, number];
  /** Share of places where both find the same token the likeliest. */
  readonly sameTop: number;
}

/** How far the residual streams of a layer are apart. */
export interface LayerApart {
  /** Its number. */
  readonly layer: number;
  /** Cosine of the angle between a token's two streams, mean over the tokens. */
  readonly mean: number;
  /** The least of them. */
  readonly least: number;
}

const GROUPS = 16;

export class Distances {
  #kl = new Float64Array(1024);
  #tokens = 0;
  readonly #nats = [0, 0];
  #same = 0;
  #square = 0;
  readonly #groups: { tokens: number; kl: number; same: number; nats: [number, number] }[];
  readonly #each: number;
  readonly #layers: { sum: number; least: number; rows: number }[];

  constructor(
    private readonly window: number,
    layers: number,
  ) {
    this.#each = Math.max(1, Math.ceil(window / GROUPS));
    const groups = Math.ceil(window / this.#each);
    this.#groups = Array.from({ length: groups }, () => ({ tokens: 0, kl: 0, same: 0, nats: [0, 0] }));
    this.#layers = Array.from({ length: layers }, () => ({ sum: 0, least: Number.POSITIVE_INFINITY, rows: 0 }));
  }

  get tokens(): number {
    return this.#tokens;
  }

  /**
   * The distribution before a token, by both: logits [V] each.
   * @returns which of the two holds NaN or ±∞, and is not counted; null where neither does
   */
  add(a: Float32Array, b: Float32Array, next: number, place: number): 0 | 1 | null {
    const [p, q] = [logNorm(a), logNorm(b)];
    if (!Number.isFinite(p.log)) return 0;
    if (!Number.isFinite(q.log)) return 1;
    const kl = divergence(a, p.log, b, q.log) / Math.LN2;
    if (this.#tokens === this.#kl.length) {
      const longer = new Float64Array(2 * this.#tokens);
      longer.set(this.#kl);
      this.#kl = longer;
    }
    this.#kl[this.#tokens++] = kl;
    const nats = [p.log - a[next], q.log - b[next]];
    const same = Number(p.best === q.best);
    const group = this.#groups[Math.floor(place / this.#each)];
    for (const i of [0, 1]) {
      this.#nats[i] += nats[i];
      group.nats[i] += nats[i];
    }
    this.#same += same;
    this.#square += (Math.exp(b[p.best] - q.log) - Math.exp(a[p.best] - p.log)) ** 2;
    group.tokens += 1;
    group.kl += kl;
    group.same += same;
    return null;
  }

  /** A token's residual stream after a layer, by both: [H] each. */
  addStream(layer: number, a: Float32Array, b: Float32Array): void {
    let [dot, one, other] = [0, 0, 0];
    for (let i = 0; i < a.length; i++) {
      dot += a[i] * b[i];
      one += a[i] * a[i];
      other += b[i] * b[i];
    }
    const cosine = dot / Math.sqrt(one * other);
    const sums = this.#layers[layer];
    sums.sum += cosine;
    sums.rows += 1;
    if (!(cosine >= sums.least)) sums.least = cosine;
  }

  /** Perplexity of the first and of the second. */
  get perplexity(): readonly [number, number] {
    const [a, b] = this.#nats;
    return [Math.exp(a / this.#tokens), Math.exp(b / this.#tokens)];
  }

  get sameTop(): number {
    return this.#same / this.#tokens;
  }

  get topChange(): number {
    return Math.sqrt(this.#square / this.#tokens);
  }

  get kl(): KlSpread {
    const all = this.#kl.subarray(0, this.#tokens);
    const sorted = all.slice().sort();
    const quantile = (share: number) => {
      const at = share * (sorted.length - 1);
      const [low, high] = [sorted[Math.floor(at)], sorted[Math.ceil(at)]];
      return low + (high - low) * (at - Math.floor(at));
    };
    const most = sorted[sorted.length - 1];
    return {
      mean: all.reduce((sum, one) => sum + one, 0) / all.length,
      median: quantile(0.5),
      p90: quantile(0.9),
      p99: quantile(0.99),
      p999: quantile(0.999),
      most,
      mostAt: all.indexOf(most),
    };
  }

  get places(): PlaceApart[] {
    return this.#groups.flatMap(({ tokens, kl, same, nats }, i) =>
      tokens === 0
        ? []
        : {
            from: i * this.#each,
            to: Math.min(this.window, (i + 1) * this.#each),
            tokens,
            kl: kl / tokens,
            perplexity: [Math.exp(nats[0] / tokens), Math.exp(nats[1] / tokens)] as const,
            sameTop: same / tokens,
          },
    );
  }

  get layers(): LayerApart[] {
    return this.#layers.map(({ sum, least, rows }, layer) => ({ layer, mean: sum / rows, least }));
  }
}
