// Where the time of a chunk goes, against what the adapter can do: GPU timestamps around every step, medians of several chunks, with the bytes that a
// step moves and the operations that it does at least, and what share of the measured ceilings it reaches.

import { CACHE_BYTES } from '../../engine/cache-format.js';
import { type Ceilings, Yardstick } from '../../engine/ceilings.js';
import { type Cost, costOfStep } from '../../engine/cost.js';
import { OptionError, PromptError } from '../../engine/errors.js';
import type { PlanKind } from '../../engine/fuse.js';
import type { Shaders } from '../../engine/kernel.js';
import type { Model } from '../../engine/model.js';
import type { Extent } from '../../engine/plan.js';
import type { Step } from '../../engine/step.js';
import { checkOptions, type OptionNames } from '../values/arguments.js';
import { said } from '../values/dims.js';
import { Shown } from '../values/shown.js';
import { progressLine } from '../host/progress.js';
import { eitherSignal } from '../host/interrupt.js';
import { checkPlan } from '../session/request.js';
import type { Session } from '../session/session.js';
import { spread } from './spread.js';

/** What to measure. */
export interface RooflineOptions {
  /** Default fast: the steps that generate. */
  readonly plan?: PlanKind;
  /** Tokens of the chunk. Default 1, a decoded token. */
  readonly tokens?: number;
  /** Tokens that there are before it. Default 64, or as many as fit. */
  readonly context?: number;
  /** Chunks, and measurements of the ceilings. Default 5. */
  readonly rounds?: number;
  /** Stops it; it then rejects with the signal's reason. */
  readonly signal?: AbortSignal;
}

export const ROOFLINE_OPTIONS: OptionNames<RooflineOptions> = {
  plan: true,
  tokens: true,
  context: true,
  rounds: true,
  signal: true,
};

/** What is measured of a step, or of all that one rule made. */
export interface Reached {
  /** Microseconds: the median over the rounds. */
  readonly us: number;
  /** Of the time of all steps. */
  readonly share: number;
  /** Weights and values that are read, each once. */
  readonly bytesRead: number;
  /** Values that are written, each once. */
  readonly bytesWritten: number;
  /** Multiplications, additions and the like, of f32. */
  readonly operations: number;
  /** Read and written, over its time. */
  readonly bytesPerSecond: number;
  /** Over its time. */
  readonly operationsPerSecond: number;
  /** Of the measured bandwidth. */
  readonly ofBandwidth: number;
  /** Of the measured arithmetic. */
  readonly ofArithmetic: number;
  /** Which of the two ceilings is the lower for it, and so how fast it could be. */
  readonly bound: 'bandwidth' | 'arithmetic';
  /** What it reaches of that one. */
  readonly reached: number;
}

/** One step of the plan. */
export interface StepReached extends Reached {
  /** Its place in the plan, from 0. */
  readonly index: number;
  /** The stages that it stands for. */
  readonly step: string;
  /** The rule that made it (fuse.ts), or what its stage does. */
  readonly operation: string;
}

/** All steps that do the same. */
export interface OperationReached extends Reached {
  /** The rule that made them, or what their stages do. */
  readonly operation: string;
  /** How many there are. */
  readonly steps: number;
}

/** Shows itself as a roofline. */
export class Roofline extends Shown {
  constructor(
    /** Name of the model. */
    readonly model: string,
    /** Where it ran. */
    readonly adapter: string,
    /** By which plan. */
    readonly plan: PlanKind,
    /** How many tokens. */
    readonly extent: {
      /** Of the chunk. */
      readonly tokens: number;
      /** Before it. */
      readonly context: number;
    },
    /** What the adapter does at most, measured in turn with the steps. */
    readonly ceilings: Ceilings,
    /** What takes longest first. */
    readonly steps: readonly StepReached[],
    /** The same by what steps do, what takes longest first. */
    readonly operations: readonly OperationReached[],
    /** Shaders that were edited. */
    readonly edited: readonly string[],
    /** Model, adapter and the shaders that ran. */
    readonly provenance: Readonly<Record<string, string>>,
  ) {
    super();
  }
}

/** Throws DeviceError where the adapter has no timestamps, PromptError where the tokens do not fit. */
export async function roofline(session: Session, given: RooflineOptions = {}): Promise<Roofline> {
  const options = checkOptions('roofline', given, ROOFLINE_OPTIONS);
  const plan = checkPlan(options.plan, 'fast');
  const rounds = checkCount('rounds', options.rounds ?? 5, 1);
  const tokens = checkCount('tokens', options.tokens ?? 1, 1);
  const { model } = session;
  const shaders = await model.kernels.inForce(); // those of now, before anything is waited for
  const most = model.config.contextLength - tokens;
  const context = checkCount('context', options.context ?? Math.max(0, Math.min(64, most)), 0);
  if (context > most) {
    throw new PromptError(
      `${context} tokens before and ${tokens} after them are more than the ${model.config.contextLength} that this model was made for. Ask for less.`,
    );
  }
  const signal = eitherSignal(options.signal);
  using progress = progressLine('Measuring');
  progress.count(0, rounds + 1, 'chunks');
  using yardstick = await Yardstick.make(session.gpu);
  const done = (n: number) => progress.count(n, rounds + 1, 'chunks');
  const { edited } = shaders;
  const { times, chunks } = await timesOf(model, { shaders, plan, tokens, context, rounds, signal, done, yardstick });
  const { ceilings } = yardstick;
  const total = [...times.values()].reduce((a, b) => a + b, 0);
  const steps = model.steps(plan).map((step, index): StepReached => {
    const costs = chunks.map(extent =>
      costOfStep(step, extent, weight => model.bytesOf(weight), CACHE_BYTES[model.cache]),
    );
    const sum = (of: (cost: Cost) => number) => costs.reduce((n, cost) => n + of(cost), 0);
    const sums = {
      ns: times.get(step.name)!,
      read: sum(({ bytes, bytesWritten }) => bytes - bytesWritten),
      written: sum(({ bytesWritten }) => bytesWritten),
      flops: sum(({ flops }) => flops),
    };
    return { index, step: step.name, operation: operationOf(step), ...reached(sums, total, ceilings) };
  });
  const longest = <T extends Reached>(all: T[]) => all.sort((a, b) => b.us - a.us);
  return new Roofline(
    session.name,
    session.provenance().adapter,
    plan,
    { tokens, context },
    ceilings,
    longest([...steps]),
    longest(byOperation(steps, total, ceilings)),
    edited,
    { ...session.provenance(shaders), plan },
  );
}

function checkCount(name: string, value: unknown, least: number): number {
  if (Number.isSafeInteger(value) && (value as number) >= least) return value as number;
  throw new OptionError(`The option ${name} of roofline is a whole number from ${least}, not ${said(value)}.`);
}

const operationOf = ({ rule, stages }: Step) => rule ?? stages[0].operation.kind;

/**
 * Nanoseconds of every step, medians of `rounds`, after one that is not counted; each round reads the same tokens at the same place. And the chunks that
 * they were read in: one, where that fits.
 */
async function timesOf(
  model: Model,
  {
    shaders,
    plan,
    tokens,
    context: before,
    rounds,
    signal,
    done,
    yardstick,
  }: {
    shaders: Shaders;
    plan: PlanKind;
    tokens: number;
    context: number;
    rounds: number;
    signal?: AbortSignal;
    done: (rounds: number) => void;
    yardstick: Yardstick;
  },
): Promise<{ times: Map<string, number>; chunks: Extent[] }> {
  const length = before + tokens;
  using context = model.context({ length, plan, chunk: Math.max(64, tokens) });
  const ids = Array.from({ length }, (_, i) => (i * 37) % model.config.vocab);
  const all = new Map<string, number[]>();
  for (let round = 0; round <= rounds; round++) {
    context.rewind(context.canRewindTo(before) ? before : 0);
    const held = context.ids.length;
    if (held < before) await context.forward(ids.slice(held, before), { shaders, logits: 'none', signal });
    const { times } = await context.forward(ids.slice(before), { shaders, profile: true, signal });
    if (round > 0) await yardstick.round();
    // What an edit opened into its stages is told as the step that they are.
    for (const step of round === 0 ? [] : model.steps(plan)) {
      const own = times!.get(step.name) ?? step.stages.reduce((n, { name }) => n + (times!.get(name) ?? 0), 0);
      all.set(step.name, [...(all.get(step.name) ?? []), own]);
    }
    done(round + 1);
  }
  const chunks: Extent[] = [];
  for (let keys = before; keys < length; ) {
    const part = Math.min(context.chunk, length - keys);
    keys += part;
    chunks.push({ tokens: part, keys, rows: keys === length ? 1 : 0 });
  }
  return { times: new Map([...all].map(([name, each]) => [name, spread(each).median])), chunks };
}

interface Sums {
  readonly ns: number;
  readonly read: number;
  readonly written: number;
  readonly flops: number;
}

function reached({ ns, read, written, flops }: Sums, total: number, ceilings: Ceilings): Reached {
  const bytesPerSecond = ns > 0 ? (1e9 * (read + written)) / ns : 0;
  const operationsPerSecond = ns > 0 ? (1e9 * flops) / ns : 0;
  const ofBandwidth = bytesPerSecond / ceilings.bytesPerSecond;
  const ofArithmetic = operationsPerSecond / ceilings.operationsPerSecond;
  return {
    us: ns / 1000,
    share: total > 0 ? ns / total : 0,
    bytesRead: read,
    bytesWritten: written,
    operations: flops,
    bytesPerSecond,
    operationsPerSecond,
    ofBandwidth,
    ofArithmetic,
    bound: ofBandwidth >= ofArithmetic ? 'bandwidth' : 'arithmetic',
    reached: Math.max(ofBandwidth, ofArithmetic),
  };
}

function byOperation(steps: readonly StepReached[], total: number, ceilings: Ceilings): OperationReached[] {
  const groups = new Map<string, StepReached[]>();
  for (const step of steps) groups.set(step.operation, [...(groups.get(step.operation) ?? []), step]);
  return [...groups].map(([operation, own]) => {
    const sum = (of: (step: StepReached) => number) => own.reduce((n, step) => n + of(step), 0);
    const sums = {
      ns: 1000 * sum(({ us }) => us),
      read: sum(({ bytesRead }) => bytesRead),
      written: sum(({ bytesWritten }) => bytesWritten),
      flops: sum(({ operations }) => operations),
    };
    return { operation, steps: own.length, ...reached(sums, total, ceilings) };
  });
}
