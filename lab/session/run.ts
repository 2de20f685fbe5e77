// What one run gave: its tokens, the activations that were tapped, and the logits after the last token.

import { type NumberError, OptionError, StageError } from '../../engine/errors.js';
import type { Shaders } from '../../engine/kernel.js';
import type { Model } from '../../engine/model.js';
import { nearest } from '../../engine/plan.js';
import { printable, visible } from '../../engine/printable.js';
import type { Activation } from '../values/activation.js';
import { apart } from '../values/apart.js';
import { AttentionView } from '../values/attention.js';
import { checkMany, said } from '../values/dims.js';
import { Beside, logProbabilities, TopTokens } from '../values/next-token.js';
import { saveTrace } from '../values/save.js';
import { namesOf, type Selector, select } from '../values/select.js';
import { Shown } from '../values/shown.js';
import { Headroom } from '../values/headroom.js';
import { Norms } from '../values/spread.js';
import { foresee, Surprisal } from '../values/surprisal.js';
import type { RunOptions } from './request.js';

/** What the model says after the last token. */
export interface Logits {
  /** All of them, [V]. */
  readonly values: Activation;
  /** The k likeliest next tokens, 10 by default. Throws NumberError where a logit is NaN or ±∞, OptionError for a k outside the vocabulary. */
  top(k?: number): TopTokens;
}

/** Logits that show the likeliest of them. */
export class LastLogits extends Shown implements Logits {
  constructor(
    readonly values: Activation,
    private readonly run: Pick<Run, 'session' | 'prompt'>,
    /** Throws where one is NaN or ±∞. */
    private readonly finite: () => void,
  ) {
    super();
  }

  top(k?: number): TopTokens {
    const { session, prompt } = this.run;
    const { data } = this.values;
    this.finite();
    const max = data.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
    const sum = data.reduce((n, logit) => n + Math.exp(logit - max), 0);
    const rows = this.values.top(k).map(({ index, value }) => ({
      id: index,
      text: session.labels([index])[0],
      logit: value,
      probability: Math.exp(value - max) / sum,
    }));
    return new TopTokens(rows, prompt);
  }
}

/** What a run asks of the session that it came from. */
export interface Origin {
  readonly model: Model;
  readonly config: Model['config'];
  readonly plan: Model['plan'];
  /** Texts of ids. */
  labels(ids: readonly number[]): string[];
  provenance(): Record<string, string>;
}

/** How a run came about, for those who look at it later. */
export interface Made {
  /** Why stages that were selected were not brought back. */
  readonly absent?: ReadonlyMap<string, string>;
  readonly budget?: number;
  /** The shaders that it ran. */
  readonly shaders?: Shaders;
  readonly provenance?: Readonly<Record<string, string>>;
  /** Sizes of the chunks that were asked for. */
  readonly chunks?: readonly number[];
  /** Stages that were patched. */
  readonly patched?: readonly string[];
  /** The same run again, with other taps. */
  again?(wanted: Pick<RunOptions, 'tap' | 'slice' | 'logits'>): Promise<Run>;
}

/** What is written of a run as JSON. */
export interface RunJson {
  /** Token ids. */
  readonly ids: readonly number[];
  /** Their texts. */
  readonly tokens: readonly string[];
  /** What was tapped, and its shape. */
  readonly stages: Readonly<Record<string, readonly number[]>>;
  /** Model, adapter and the shaders that ran. */
  readonly provenance: Readonly<Record<string, string>>;
}

/**
 * What one run gave: its tokens, the activations that were tapped, and the logits after the last token. `session.run()` makes one.
 * @example run.at('layers.5.resid'), run.attention(5), run.logits.top(5)
 */
export class Run extends Shown {
  constructor(
    /** The session that it came from. */
    readonly session: Origin,
    /** Token ids, as they were read. */
    readonly ids: readonly number[],
    /** Texts of the tokens. */
    readonly tokens: readonly string[],
    /** What was tapped, by stage; `at` knows other names of a stage too. */
    readonly activations: ReadonlyMap<string, Activation>,
    private readonly last: Activation,
    /** @internal */
    readonly made: Made = {},
    /** Why the logits hold NaN or ±∞, where they do. The activations are as they were computed; what is read out of the logits throws it. */
    readonly fault: NumberError | null = null,
  ) {
    super();
  }

  private finite(): void {
    if (this.fault) throw this.fault;
  }

  /** Model, adapter and the shaders that ran. */
  get provenance(): Readonly<Record<string, string>> {
    return this.made.provenance ?? this.session.provenance();
  }

  /**
   * A tapped activation, by any name of its stage. Throws StageError when it was not tapped.
   * @example run.at('layers.5.resid') // [T,H]; also run.at('blocks.5.hook_resid_post')
   */
  at(stage: string): Activation {
    const known = this.activations.get(stage);
    if (known) return known;
    const names = namesOf(this.session.plan);
    const name = names.one(stage);
    const found = this.activations.get(name);
    if (found) return found;
    const told = this.made.absent?.get(name);
    if (told) throw new StageError(told);
    const tapped = names.like(stage, [...this.activations.keys()]);
    const others = tapped.length > 0 ? nearest(stage, tapped) : 'Nothing was.';
    throw new StageError(
      `'${stage}'${name === stage ? '' : `, '${name}',`} was not tapped in this run. ${others} Add it to the option tap.`,
    );
  }

  /** Logits after the last token, [V], and the likeliest next tokens. */
  get logits(): Logits {
    return new LastLogits(this.last, this, () => this.finite());
  }

  /**
   * Attention as a figure with a selector for the heads, and one for the layers when none is given; `heads()` shows all heads of the
   * layer side by side, `byToken()` what each token reads as it is pointed at. Needs a tap on `layers.N.attn.pattern`. Heads, queries and
   * keys are called by their number in the model, also where the tap was sliced.
   * @param layer its number, or a selector of patterns. Throws OptionError for a layer that the model has not
   * @example run.attention(5).byToken()
   */
  attention(layer?: number | Selector): AttentionView {
    const { config, plan } = this.session;
    const patterns = typeof layer === 'number' || layer === undefined ? null : select(plan, layer);
    const other = patterns?.find(({ name }) => !/^layers\.\d+\.attn\.pattern$/.test(name));
    if (other) throw new StageError(`'${other.name}' is no attention pattern. Select layers.N.attn.pattern.`);
    const wanted =
      patterns?.map(({ name }) => Number(name.split('.')[1])) ??
      (layer === undefined
        ? config.layerKinds.map((_, i) => i).filter(i => this.activations.has(`layers.${i}.attn.pattern`))
        : [this.#layer(layer as number)]);
    if (wanted.length === 0) this.at('layers.0.attn.pattern'); // throws
    const layers = wanted.map(i => ({
      layer: i,
      pattern: this.at(`layers.${i}.attn.pattern`),
      window: config.layerKinds[i] === 'sliding' ? config.slidingWindow : null,
    }));
    return new AttentionView({ layers, kvHeads: config.kvHeads, heads: config.heads });
  }

  /**
   * L2 norms by layer, a line a token; `stages` selects the same stage of several layers. Needs a tap on them: throws StageError without, OptionError for stages whose rows differ.
   * @example run.norms('layers.*.attn.out')
   */
  norms(stages: Selector = 'layers.*.resid'): Norms {
    const found = select(this.session.plan, stages).map(({ name }) => this.at(name));
    const [first] = found;
    const rows = (a: Activation) => a.dims.slice(0, -1).map(({ name, size, from }) => `${name} ${from}+${size}`);
    const other = found.find(a => rows(a).join() !== rows(first).join());
    if (other) {
      throw new OptionError(
        `The norms of stages with the same rows can be drawn together, and '${first.name}' is [${first.shape}], '${other.name}' [${other.shape}]. Select one kind, e.g. layers.*.resid.`,
      );
    }
    return new Norms(found);
  }

  /**
   * The largest |value| of each tapped stage beside 65504, where f16 ends, and bf16's spacing there; names what could not be f16. Throws StageError where nothing was tapped.
   * @example (await model.run('The capital of France is', { tap: '**' })).headroom()
   */
  headroom(): Headroom {
    if (this.activations.size === 0)
      throw new StageError(
        "Nothing was tapped in this run, so there is no headroom to tell. Run it with { tap: '**' }.",
      );
    return Headroom.of([...this.activations.values()], this.ids.length, this.provenance);
  }

  /**
   * Surprisal of every token and entropy before it, in bits. Needs `{ tap: 'logits', logits: 'all' }`, and throws OptionError without.
   * @example (await model.run(text, { tap: 'logits', logits: 'all' })).surprisal()
   */
  surprisal(): Surprisal {
    this.finite();
    const { length } = this.ids;
    if (length < 2)
      throw new OptionError(
        'Surprisal is of every token but the first, which nothing foresees, and this run has one token. Give a longer prompt.',
      );
    const logits = this.activations.get('logits');
    const [rows, vocab] = logits?.shape ?? [];
    if (!logits || rows !== length || vocab !== this.session.config.vocab) {
      throw new OptionError(
        `Surprisal needs all logits of every token, and this run has ${logits ? `[${logits.shape}]` : 'none'} for ${length}. Run with { tap: 'logits', logits: 'all' }, unsliced.`,
      );
    }
    return new Surprisal(foresee(logits, this.ids, id => this.session.labels([id])[0]));
  }

  /**
   * The next tokens of this run and another side by side, k of them, 8 by default; `kl` is the divergence of the second from the first, in bits. Throws OptionError for runs of
   * different vocabularies, NumberError where a logit is NaN or ±∞.
   * @example run.beside(await model.run(prompt, { patch: { stage: 'layers.3.attn.mix', values: 0, slice: { head: 2 } } }))
   */
  beside(other: Run, k?: number): Beside {
    if (!(other instanceof Run)) throw new OptionError(`beside() takes another run, not ${said(other)}.`);
    this.finite();
    other.finite();
    const values = [this.logits.values, other.logits.values] as const;
    const [vocab, others] = values.map(({ data }) => data.length);
    if (vocab !== others) {
      throw new OptionError(
        `The runs have ${vocab} and ${others} logits, so they are of models that cannot be compared.`,
      );
    }
    const many = checkMany(k ?? Math.min(8, vocab), vocab, 'beside()');
    const log = values.map(logProbabilities);
    const kl = log[0].reduce((n, p, i) => n + Math.exp(p) * (p - log[1][i]), 0) / Math.LN2;
    const ids = new Set(values.flatMap(v => v.top(many).map(({ index }) => index)));
    const rows = [...ids]
      .map(id => ({
        id,
        text: this.session.labels([id])[0],
        probability: [Math.exp(log[0][id]), Math.exp(log[1][id])] as const,
        logit: [values[0].data[id], values[1].data[id]] as const,
      }))
      .sort((a, b) => Math.max(...b.probability) - Math.max(...a.probability))
      .slice(0, many);
    const [one, another] = [this.last.ran, other.last.ran];
    return new Beside(rows, kl, [this.prompt, other.prompt], one && another ? apart(one, another) : undefined);
  }

  /** What `JSON.stringify` writes of it: ids, texts of tokens, shapes of what was tapped, and its provenance. Values go into files by `save`, or one stage at a time. */
  toJSON(): RunJson {
    const { ids, tokens, activations, provenance } = this;
    return {
      ids,
      tokens,
      stages: Object.fromEntries([...activations].map(([name, { shape }]) => [name, shape])),
      provenance,
    };
  }

  /**
   * Writes what was tapped to a file, as `loupe trace` does, by the ending of `path`: `.safetensors`, `.arrow` or `.parquet`, with ids, texts of tokens and provenance. A safetensors file with
   * every stage whole is a golden. Throws OptionError for another ending, for a run without taps, and where it cannot be written.
   * @example run.save('run.arrow')
   */
  save(path: string): void {
    if (this.activations.size === 0)
      throw new OptionError('Nothing was tapped in this run, so there is nothing to save. Say which stages: { tap }.');
    saveTrace(path, [...this.activations.values()], {
      loupe_trace: '1',
      ids: JSON.stringify(this.ids),
      chunks: JSON.stringify(this.made.chunks ?? [this.ids.length]),
      pieces: JSON.stringify(this.tokens),
      ...this.provenance,
    });
  }

  /** The text that was read, without its bos. */
  get prompt(): string {
    return this.tokens.slice(this.ids[0] === this.session.config.bosId ? 1 : 0).join('');
  }

  /** Tokens, shaders that were edited, what is wrong with the logits, and the taps, a line each. */
  override toString(): string {
    const taps = [...this.activations.values()].map(a => `  ${printable(String(a))}`).join('\n');
    return `Run of ${this.ids.length} ${this.ids.length === 1 ? 'token' : 'tokens'}: ${this.tokens.map(visible).join('·')}\n${editedNote(this.provenance)}${this.fault ? `${this.fault.message}\n` : ''}${taps}`;
  }

  #layer(layer: number): number {
    const { layerKinds } = this.session.config;
    if (Number.isInteger(layer) && layer >= 0 && layer < layerKinds.length) return layer;
    throw new OptionError(
      `The model has ${layerKinds.length} layers, 0 to ${layerKinds.length - 1}, so layer ${said(layer)} is outside. Give one of them.`,
    );
  }
}

const editedNote = ({ edited_shaders, refused_edits, opened_steps }: Readonly<Record<string, string>>): string =>
  (edited_shaders ? `Edited shaders: ${edited_shaders}\n` : '') +
  (refused_edits ? `Refused edits: ${refused_edits}\n` : '') +
  (opened_steps ? `Steps that ran stage by stage: ${opened_steps}\n` : '');
