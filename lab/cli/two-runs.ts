// loupe diff --against A --and B: two runs, each a saved trace or a model that reads the tokens.

import { existsSync, statSync } from 'node:fs';
import { OptionError } from '../../engine/errors.js';
import { openSafetensors } from '../../engine/weights/safetensors.js';
import type { Diff, DiffOptions } from '../diff/diff.js';
import { compare } from '../session/compare.js';
import type { Run } from '../session/run.js';
import type { Session } from '../session/session.js';
import { type Trace, trace } from '../values/trace.js';
import { type ModelOptions, openModel, promptOf } from './options.js';

export interface TwoRuns extends ModelOptions {
  readonly against: string;
  readonly and: string;
  readonly ids?: number[];
  readonly prompt?: string;
}

/** @param model whether --model was typed: the model that saved traces are run alone by */
export async function diffOfTwo(options: TwoRuns, model: boolean, how: DiffOptions): Promise<Diff> {
  const { against, and, ids, prompt } = options;
  const names = [against, and];
  const saved = await Promise.all(names.map(isTrace));
  const traces = await Promise.all(names.map((name, i) => (saved[i] ? trace(name, { ids }) : null)));
  if (model && !saved[0])
    throw new OptionError(
      `--model is of a saved trace that comes first, and --against is the model '${against}'. Leave it out.`,
    );
  if (prompt !== undefined && saved.includes(true))
    throw new OptionError('--prompt is what two models read, and a trace has its tokens. Leave it out.');
  const opened: Session[] = [];
  const opening = async (one: ModelOptions): Promise<Session> => {
    const session = await openModel(one, true);
    opened.push(session);
    return session;
  };
  const tokens = ids ?? traces.find(one => one?.ids)?.ids;
  const read = async (i: number): Promise<Run | Trace> => {
    const one = traces[i];
    if (one) return one;
    const session = await opening({ ...options, model: names[i] });
    const taken = tokens ? [...tokens] : promptOf(options);
    return session.run(taken, { logits: 'all', plan: options.plan });
  };
  try {
    const [first, second] = [await read(0), await read(1)];
    return await compare(first, second, { ...how, ...(model && { model: await opening(options) }) });
  } finally {
    for (const session of opened) session[Symbol.dispose]();
  }
}

/** Whether a name is of a file of activations: any that is no model. */
async function isTrace(name: string): Promise<boolean> {
  if (/\.(npz|npy|arrow|feather)$/i.test(name)) return true;
  if (/\.parquet$/i.test(name))
    throw new OptionError(
      `${name} is Parquet, a row a value, which is not read back as a trace. Trace it again into .safetensors or .arrow.`,
    );
  if (/\.gguf$/i.test(name) || !existsSync(name) || statSync(name).isDirectory())
    return /\.safetensors$/i.test(name) && !existsSync(name);
  if (!/\.safetensors$/i.test(name)) return true;
  const file = await openSafetensors(name);
  await file.close();
  return ![...file.tensors.keys()].some(tensor => tensor.endsWith('.weight'));
}
