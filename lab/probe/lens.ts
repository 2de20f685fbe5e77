// The logit lens: what the model would say if it stopped after a layer. The final norm and the head are run on the residual stream of
// every layer (nostalgebraist, "interpreting GPT: the logit lens", 2020). Logits of a real vocabulary are a megabyte a token: they are made
// for a few tokens at a time, and what stays of them is a cell.

import type { Table } from 'apache-arrow';
import { BudgetError, NumberError, OptionError, StageError } from '../../engine/errors.js';
import { Executor } from '../../engine/execute.js';
import { allFinite } from '../../engine/finite.js';
import type { Shaders } from '../../engine/kernel.js';
import { likeliest } from '../../engine/likeliest.js';
import type { Stage } from '../../engine/plan.js';
import type { Activation } from '../values/activation.js';
import { checkOptions } from '../values/arguments.js';
import { CAPTURE_BUDGET } from '../session/capture.js';
import { checkMany, isWhole } from '../values/dims.js';
import type { TopToken } from '../values/next-token.js';
import { Shown } from '../values/shown.js';
import { progressLine } from '../host/progress.js';
import { interruptSignal } from '../host/interrupt.js';
import type { Run } from '../session/run.js';
import { type Selector, select } from '../values/select.js';
import { lensToArrow } from './lens-arrow.js';

/** What the lens sees at one layer and token. */
export interface LensCell {
  /** Whose residual stream. */
  readonly stage: string;
  /** Position in the sequence. */
  readonly token: number;
  /** The likeliest next token there. */
  readonly id: number;
  /** Its piece. */
  readonly text: string;
  /** What the lens gives it, 0 to 1. */
  readonly probability: number;
  /** Probability there of the token that the model itself says after this one, whatever stages were selected. */
  readonly finalProbability: number;
  /** Rank there of that token; 1: it is the likeliest already. */
  readonly finalRank: number;
  /** That token. */
  readonly finalId: number;
  /** Its piece. */
  readonly finalText: string;
  /** The likeliest tokens there, as many as were asked for. */
  readonly top: readonly TopToken[];
}

/**
 * What each layer would say if the model stopped there: its residual stream through the model's last norm and its unembedding, a cell for
 * each layer and token. `run.lens()` makes one.
 * @example lens.cells[3][5].text, lens.table().rows
 */
export class Lens extends Shown {
  constructor(
    /** By stage, then by token. */
    readonly cells: readonly (readonly LensCell[])[],
    /** Texts of the tokens. */
    readonly tokens: readonly string[],
  ) {
    super();
  }

  /** The same as a table: a row a token and layer, with the likeliest tokens there and where the model's own answer stands. */
  table(): LensTable {
    return new LensTable(this);
  }

  /**
   * As an apache-arrow Table, a row a stage, token and rank: stage, token, token_text, rank (from 1), id, text, logit, probability, and of the model's own answer final_id, final_text,
   * final_probability and final_rank.
   * @example (await run.lens({ top: 5 })).toArrow()
   */
  toArrow(): Table {
    return lensToArrow(this);
  }
}

/** A lens in rows. */
export class LensTable extends Shown {
  constructor(
    /** What it shows. */
    readonly lens: Lens,
  ) {
    super();
  }
}

/** How the lens looks. */
export interface LensOptions {
  /** How many of the likeliest tokens of each layer and token are kept; default 1. */
  readonly top?: number;
  /** Most bytes of logits at a time; default: the run's. */
  readonly budget?: number;
}

/** Most tokens whose logits are made at a time. */
const BLOCK = 64;

/**
 * Needs a tap on the stages, [T,H] each. Throws StageError for stages of another width, BudgetError where one token's logits are more than
 * the budget.
 */
export async function lens(run: Run, stages: Selector = 'layers.*.resid', given: LensOptions = {}): Promise<Lens> {
  const options = checkOptions('lens', given, { top: true, budget: true });
  const { session } = run;
  const { config } = session;
  const many = checkMany(options.top ?? 1, config.vocab, 'top of lens()');
  const budget = options.budget ?? run.made.budget ?? CAPTURE_BUDGET;
  const seen = select(session.plan, stages).map(stage => residual(stage, run.at(stage.name), config.hidden));
  const [tokens] = seen[0].dims;
  const bytes = 4 * config.vocab;
  const fit = Math.floor(Math.min(budget, session.model.gpu.traits.maxBinding) / bytes);
  if (!(fit >= 1)) {
    throw new BudgetError(
      `The lens makes ${bytes} bytes of logits for a token, and the budget is ${budget}. Raise it: lens(stages, { budget }).`,
    );
  }
  if (run.fault) throw run.fault;
  const shaders = await session.model.kernels.inForce();
  using progress = progressLine('Looking through the lens');
  using head = new Head(run, shaders, Math.min(BLOCK, tokens.size, fit));
  const finals = await answers(run, head, tokens.from, tokens.from + tokens.size);
  const cells: LensCell[][] = [];
  for (const [i, activation] of seen.entries()) {
    const row: LensCell[] = [];
    await head.each(activation, (logits, token) => {
      row.push(cellOf(logits, activation.name, token, finals.get(token)!, many, id => session.labels([id])[0]));
      progress.count(i * tokens.size + row.length, seen.length * tokens.size, 'cells');
    });
    cells.push(row);
  }
  const labels = tokens.labels ?? run.tokens.slice(tokens.from, tokens.from + tokens.size);
  return new Lens(cells, labels);
}

function residual(stage: Stage, activation: Activation, hidden: number): Activation {
  const { name, shape, dims } = activation;
  const wide = stage.axes.length === 2 && stage.axes[1].letter === 'H';
  if (!wide) {
    throw new StageError(
      `The lens reads residual streams, [T,${hidden}], and '${name}' is [${shape}]. Select layers.*.resid.`,
    );
  }
  if (shape.length === 2 && isWhole(dims[1])) return activation;
  throw new StageError(
    `The lens reads whole residual streams, [T,${hidden}], and '${name}' was cut to [${shape}]. Run without a slice of its channels.`,
  );
}

function cellOf(
  logits: Float32Array,
  stage: string,
  token: number,
  final: number,
  many: number,
  textOf: (id: number) => string,
): LensCell {
  const ids = likeliest(logits, many);
  const [id] = ids;
  const most = logits[id];
  const wanted = logits[final];
  let [sum, rank] = [0, 1];
  for (const logit of logits) {
    sum += Math.exp(logit - most);
    if (logit > wanted) rank += 1;
  }
  const finalProbability = Math.exp(wanted - most) / sum;
  const top = Array.from(ids, (id): TopToken => {
    return { id, text: textOf(id), logit: logits[id], probability: Math.exp(logits[id] - most) / sum };
  });
  const found = { stage, token, id, text: top[0].text, probability: 1 / sum, top };
  return { ...found, finalProbability, finalRank: rank, finalId: final, finalText: textOf(final) };
}

/** The final norm and the head alone, on rows that are fed. */
class Head implements Disposable {
  readonly #executor: Executor;
  readonly #feed: string;

  constructor(
    run: Run,
    readonly shaders: Shaders,
    /** Rows at a time. */
    readonly most: number,
  ) {
    const { model } = run.session;
    const norm = model.plan.stage('final_norm');
    const head = model.plan.stage('logits');
    this.#feed = norm.inputs[0].name;
    this.#executor = new Executor(
      model.gpu,
      model.kernels,
      model,
      [norm, head],
      { tokens: most, positions: most, rows: most },
      { feeds: norm.inputs, keep: [head.name] },
    );
  }

  /** Calls `look` with the logits [V] of every token of a residual stream, a few of which exist at a time. */
  async each({ name, data, dims }: Activation, look: (logits: Float32Array, token: number) => void): Promise<void> {
    const [{ size: tokens, from }, { size: hidden }] = dims;
    const head = this.#executor.stages[1];
    for (let at = 0; at < tokens; at += this.most) {
      interruptSignal().throwIfAborted();
      const n = Math.min(this.most, tokens - at);
      this.#executor.feed(this.#feed, data.subarray(at * hidden, (at + n) * hidden));
      const extent = { tokens: n, keys: n, rows: n };
      const { captured } = await this.#executor.run({ extent, shaders: this.shaders, taps: [{ stage: head }] });
      const given = data.subarray(at * hidden, (at + n) * hidden);
      if (!allFinite(captured[0].data)) throw notSeen(name, given, from + at, hidden);
      const vocab = captured[0].shape[1];
      for (let row = 0; row < n; row++)
        look(captured[0].data.subarray(row * vocab, (row + 1) * vocab), from + at + row);
    }
  }

  [Symbol.dispose](): void {
    this.#executor[Symbol.dispose]();
  }
}

/**
 * What the model itself says after each of the tokens [from, to): by the logits of the run where there are any, else by the last residual
 * stream, for which the run is made again where it was not tapped.
 */
async function answers(run: Run, head: Head, from: number, to: number): Promise<Map<number, number>> {
  const { session, made } = run;
  const out = new Map<number, number>([[run.ids.length - 1, best(run.logits.values.data)]]);
  const missing = () => {
    for (let token = from; token < to; token++) if (!out.has(token)) return true;
    return false;
  };
  const read = ({ data, dims: [token, vocab] }: Activation) => {
    if (!isWhole(vocab)) return;
    for (let i = 0; i < token.size; i++) {
      if (!out.has(token.from + i)) out.set(token.from + i, best(data.subarray(i * vocab.size, (i + 1) * vocab.size)));
    }
  };
  const logits = run.activations.get('logits');
  if (logits) read(logits);
  if (!missing()) return out;
  const changed = made.shaders ? head.shaders.changedSince(made.shaders) : [];
  if (changed.length > 0) {
    throw new OptionError(
      `A shader was edited after this run (${changed.join(', ')}), so what it said after each token is not known any more. Run again, or run with { tap: ['layers.*.resid', 'logits'], logits: 'all' }.`,
    );
  }
  const slice = { token: [from, to] as const };
  // What was put into the norm or the logits themselves is no function of the residual stream.
  if (made.patched?.some(name => name === 'final_norm' || name === 'logits')) {
    const again = await made.again?.({ tap: 'logits', logits: 'all', slice });
    if (again) read(again.at('logits'));
    return out;
  }
  const last = session.model.plan.stage('final_norm').inputs[0].name;
  let stream = run.activations.get(last);
  const covers = ({ dims: [token, channel] }: Activation) =>
    token.from <= from && token.from + token.size >= to && isWhole(channel);
  if (!stream || !covers(stream)) stream = (await made.again?.({ tap: last, slice }))?.at(last);
  if (!stream)
    throw new StageError(`'${last}' was not tapped in this run, and the lens needs it. Add it to the option tap.`);
  await head.each(stream, (row, token) => {
    if (!out.has(token)) out.set(token, best(row));
  });
  return out;
}

function notSeen(name: string, rows: Float32Array, from: number, hidden: number): NumberError {
  const at = rows.findIndex(value => !Number.isFinite(value));
  const where =
    at < 0 ? '' : ` (the first, ${rows[at]}, is at token ${from + Math.floor(at / hidden)}, channel ${at % hidden})`;
  return new NumberError(
    at < 0
      ? `The lens at '${name}' gives logits that are no numbers, though the stage is finite. Look at the shaders and weights of the final norm and the head.`
      : `The lens cannot read '${name}', because it holds values that are no numbers${where}. Tap the stages before it, or compare with PyTorch by diff.`,
  );
}

function best(logits: Float32Array): number {
  let at = 0;
  for (let i = 1; i < logits.length; i++) if (logits[i] > logits[at]) at = i;
  return at;
}
