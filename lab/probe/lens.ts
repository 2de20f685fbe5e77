// The logit lens: what the model would say if it stopped after a layer. The final norm and the head are run on the residual stream of
// every layer (nostalgebraist, "interpreting GPT: the logit lens", 2020).

import { StageError } from '../../engine/errors.js';
import { Executor } from '../../engine/execute.js';
import type { Activation } from '../activation.js';
import type { Shown } from '../display/bundle.js';
import { shown } from '../display/bundle.js';
import { lensBundle } from '../display/lens.js';
import { progressLine } from '../display/progress.js';
import { interruptSignal } from '../interrupt.js';
import type { Run } from '../run.js';
import { type Selector, select } from '../select.js';

/** What the lens sees at one layer and token. */
export interface LensCell {
  readonly stage: string;
  readonly token: number;
  /** The likeliest next token there, and its probability. */
  readonly id: number;
  readonly text: string;
  readonly probability: number;
  /** Probability and rank of the token that the whole model says. */
  readonly finalProbability: number;
  readonly finalRank: number;
}

export interface Lens extends Shown {
  /** By stage, then by token. */
  readonly cells: readonly (readonly LensCell[])[];
}

/** Needs a tap on the stages, [T,H] each. Throws StageError for stages of another width. */
export async function lens(run: Run, stages: Selector = 'layers.*.resid'): Promise<Lens> {
  const { session } = run;
  const { model, config } = session;
  const seen = select(session.plan, stages).map(({ name }) => run.at(name));
  const norm = model.plan.stages.find(({ name }) => name === 'final_norm')!;
  const head = model.plan.stages.find(({ name }) => name === 'logits')!;
  const [feed] = norm.inputs;
  for (const { name, shape } of seen) {
    if (shape.length === 2 && shape[1] === config.hidden) continue;
    throw new StageError(
      `The lens reads residual streams, [T,${config.hidden}], and '${name}' is [${shape}]. Select layers.*.resid.`,
    );
  }
  const tokens = Math.max(...seen.map(({ shape }) => shape[0]));
  const most = Math.max(1, Math.min(64, tokens, Math.floor(session.gpu.traits.maxBinding / (4 * config.vocab))));
  using executor = new Executor(
    session.gpu,
    model.kernels,
    model,
    [norm, head],
    { tokens: most, positions: most, rows: most },
    { feeds: [feed], keep: [head.name] },
  );
  using progress = progressLine('Looking through the lens', tokens * seen.length < 200);
  const all: Float32Array[][] = [];
  for (const [i, activation] of seen.entries()) {
    all.push(await logitsOf(executor, feed.name, activation, most));
    progress.count(i + 1, seen.length, 'layers');
  }
  const finals = all[all.length - 1].map(best);
  const cells = all.map((rows, i) =>
    rows.map((logits, token) => {
      const id = best(logits);
      const top = logits[id];
      const sum = logits.reduce((n, logit) => n + Math.exp(logit - top), 0);
      const final = logits[finals[token]];
      return {
        stage: seen[i].name,
        token,
        id,
        text: session.labels([id])[0],
        probability: 1 / sum,
        finalProbability: Math.exp(final - top) / sum,
        finalRank: 1 + logits.reduce((n, logit) => n + Number(logit > final), 0),
      };
    }),
  );
  const labels = seen[0].dims[0].labels ?? run.tokens;
  return shown(() => lensBundle(cells, labels), { cells });
}

/** Logits [V] of every token of a residual stream. */
async function logitsOf(
  executor: Executor,
  feed: string,
  { data, shape }: Activation,
  most: number,
): Promise<Float32Array[]> {
  const [tokens, hidden] = shape;
  const out: Float32Array[] = [];
  const head = executor.stages[executor.stages.length - 1];
  for (let at = 0; at < tokens; at += most) {
    interruptSignal().throwIfAborted();
    const n = Math.min(most, tokens - at);
    executor.feed(feed, data.subarray(at * hidden, (at + n) * hidden));
    const extent = { tokens: n, keys: n, rows: n };
    const { captured } = await executor.run({ extent, taps: [{ stage: head }] });
    const vocab = captured[0].shape[1];
    for (let row = 0; row < n; row++) out.push(captured[0].data.subarray(row * vocab, (row + 1) * vocab));
  }
  return out;
}

function best(logits: Float32Array): number {
  let at = 0;
  for (let i = 1; i < logits.length; i++) if (logits[i] > logits[at]) at = i;
  return at;
}
