// What distinguishes one Gemma from another. Detected from config.json or from GGUF metadata (weights/detect.ts), never
// asked for; validated once; read by gemma.ts and by nothing that runs on the GPU.

/** No context is longer, and no sliding window needs to be. */
export const LONGEST_CONTEXT = 1 << 24;

/** `sliding` layers see the last `slidingWindow` tokens, `full` layers all of them. */
export type LayerKind = 'sliding' | 'full';

/** RoPE of one kind of layer: angle(pos, i) = pos / factor · base^(−2i/D), unless a scaling says otherwise. */
export interface Rope {
  readonly base: number;
  /** Linear position scaling: 1 for 270M and 1B, 8 on the full layers of 4B and up. */
  readonly factor: number;
  /** What stretches the frequencies other than evenly; rope-table.ts computes it. */
  readonly scaling?: RopeScaling;
}

/** The ways to stretch RoPE that transformers has beside linear, by their `rope_type` there. Lengths are in tokens. */
export type RopeScaling =
  | {
      readonly kind: 'yarn';
      readonly factor: number;
      /** Length before the stretch. */
      readonly original: number;
      /** Turns within the original length above which a pair stays as it is, and below which it is stretched whole. */
      readonly betaFast: number;
      readonly betaSlow: number;
      /** Whether the range in between is rounded to whole pairs. */
      readonly truncates: boolean;
      /** Factor on cos and sin. */
      readonly attention: number;
    }
  | {
      readonly kind: 'llama3';
      readonly factor: number;
      readonly original: number;
      readonly lowFactor: number;
      readonly highFactor: number;
    }
  /** The base grows with the sequence once that is longer than `original`. */
  | { readonly kind: 'dynamic'; readonly factor: number; readonly original: number }
  /** A divisor a pair, from one list up to the original length and from another beyond it. */
  | {
      readonly kind: 'longrope';
      readonly original: number;
      readonly short: readonly number[];
      readonly long: readonly number[];
      readonly attention: number;
    };

/** The geometry of a Gemma text model. Letters in brackets are those used for shapes all over the project. */
export interface GemmaConfig {
  /** Gemma 1, 2 or 3. */
  readonly family: 1 | 2 | 3;
  /** How many layers there are. */
  readonly layers: number;
  /** [H] width of the residual stream. */
  readonly hidden: number;
  /** [A] query heads. */
  readonly heads: number;
  /** [K] key/value heads; A is a multiple of K. */
  readonly kvHeads: number;
  /** [D] size of a head; given separately, not H / A. */
  readonly headDim: number;
  /** [F] feed-forward width. */
  readonly feedForward: number;
  /** [V] vocabulary. */
  readonly vocab: number;
  /** Longest sequence the model was made for, in tokens. */
  readonly contextLength: number;
  /** Added to the mean square in every RMSNorm. */
  readonly rmsEps: number;
  /** Factor on q·k: query_pre_attn_scalar^−½ (Gemma 2, 3) or D^−½ (Gemma 1). */
  readonly queryScale: number;
  /** tanh soft-cap on attention scores (Gemma 2: 50), or null. */
  readonly attnSoftcap: number | null;
  /** tanh soft-cap on logits (Gemma 2: 30), or null. */
  readonly finalSoftcap: number | null;
  /** Factor on the embedding rows: √H in f32. */
  readonly embedScale: number;
  /** One entry a layer. */
  readonly layerKinds: readonly LayerKind[];
  /** Tokens a sliding layer sees, the current one included: key j is seen from query i when i − W < j ≤ i. */
  readonly slidingWindow: number | null;
  /** RoPE of either kind of layer. */
  readonly rope: {
    /** Of sliding layers. */
    readonly sliding: Rope;
    /** Of full layers. */
    readonly full: Rope;
  };
  /** RMSNorm on q and k before RoPE (Gemma 3). */
  readonly qkNorm: boolean;
  /** Norms after attention and after the MLP as well as before (Gemma 2, 3). */
  readonly postNorms: boolean;
  /** The head is the embedding matrix. */
  readonly tiedHead: boolean;
  /** Id that a sequence begins with. */
  readonly bosId: number;
  /** Generation stops on any of these. */
  readonly eosIds: readonly number[];
}
