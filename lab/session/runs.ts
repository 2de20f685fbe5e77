// Many prompts, run one after the other or, where that gives the same bits, together; one at a time for who loops over them, or all of them into one data set. Neither the prompts nor
// what they gave are ever all in memory.

import type { Table } from 'apache-arrow';
import { BudgetError, LoupeError, OptionError, PromptError } from '../../engine/errors.js';
import { checkIds } from '../../engine/forward.js';
import type { Shaders } from '../../engine/kernel.js';
import { eitherSignal } from '../host/interrupt.js';
import { progressLine } from '../host/progress.js';
import { checkOptions, type OptionNames } from '../values/arguments.js';
import { addRows, DataSet, noRows, type RowWriter, ROWS_AT_ONCE, VALUES_AT_ONCE } from '../values/data-set.js';
import { arrowRows, tableOf } from '../values/data-set-arrow.js';
import { parquetRows } from '../values/data-set-parquet.js';
import { said } from '../values/dims.js';
import { inList, type Prompt, PromptFile } from '../values/prompt-file.js';
import { checkForm } from '../values/save.js';
import { tapped } from '../values/select.js';
import { Shown } from '../values/shown.js';
import { checkTarget, writeAside } from '../values/write-file.js';
import { bytesOf, CAPTURE_BUDGET, checkCapture } from './capture.js';
import { shadersNow } from './at-the-call.js';
import { checkLength } from './contexts.js';
import { type Asked, type ManyReader, readTogether, type RunsOptions } from './read-together.js';
import { checkPlan, RUN_OPTIONS } from './request.js';
import type { Run } from './run.js';
import { planTaps } from './slices.js';

/** A list of prompts, a file of them, or anything that gives one after the other. */
export type Prompts = Iterable<Prompt> | AsyncIterable<Prompt>;

const { chunks: _, shaders: __, ...names } = RUN_OPTIONS;
const OPTIONS: OptionNames<RunsOptions> = names;

/** Prompts that are looked at before the first of them is run, and values that they give, in bytes, unless one alone gives more. */
const AHEAD = { prompts: 64, bytes: 64 << 20 };

/**
 * Many prompts, none of which has been run yet. Loop over it for the runs, in the order of the prompts; `save` them all to one file; or make a table in memory of them. Each of these
 * runs the prompts anew.
 */
export class Runs extends Shown implements AsyncIterable<Run> {
  readonly #session: ManyReader;
  readonly #options: RunsOptions;

  constructor(
    session: ManyReader,
    /** As they were given. */
    readonly prompts: Prompts,
    options: RunsOptions,
  ) {
    super();
    this.#session = session;
    this.#options = options;
  }

  /** The runs, in the order of the prompts. What is wrong with a prompt is thrown with its place, `prompts[3]: …`, or its line of a file. */
  [Symbol.asyncIterator](): AsyncGenerator<Run, void, void> {
    return this.#each(eitherSignal(this.#options.signal), shadersNow(this.#session));
  }

  /**
   * Runs them all and writes what was tapped into one file, `.parquet` or `.arrow`: a row a (prompt, stage, token), with the columns prompt, token, id, text, stage, dims, shape and values,
   * and provenance as the file's metadata. It is written as the runs are made, and stands there whole or not at all. A list or a file of prompts is checked before the first is run.
   * Throws OptionError for another ending, without a tap, and where it cannot be written; PromptError with the place of a prompt that is none.
   * @example await model.runs(prompts, { tap: 'layers.5.resid' }).save('resid.parquet') // pandas.read_parquet('resid.parquet')
   */
  async save(path: string): Promise<DataSet> {
    const shaders = shadersNow(this.#session);
    const form = checkForm(path, 'a data set of many prompts', ['.parquet', '.arrow']);
    const stages = this.#stages();
    checkTarget(path);
    const signal = eitherSignal(this.#options.signal);
    const total = await this.#check(signal);
    using progress = progressLine('Running');
    const file = { bytes: 0, ...noCounts() };
    let rows = noRows();
    let held = 0;
    // The first run's provenance is that of all: they run the same shaders.
    let writer: RowWriter | null = null;
    using aside = writeAside(path);
    const out = {
      ...aside,
      write(part: string | Uint8Array) {
        aside.write(part);
        file.bytes += part.length;
      },
    };
    const flush = async () => {
      if (rows.prompt.length > 0) await writer!.write(rows);
      rows = noRows();
      held = 0;
    };
    for await (const run of this.#each(signal, shaders)) {
      writer ??= (form === '.parquet' ? parquetRows : arrowRows)(out, this.#metadata(run));
      held += addRows(rows, file.prompts, run);
      file.prompts += 1;
      file.tokens += run.ids.length;
      progress.count(file.prompts, total ?? file.prompts, 'prompts');
      if (held < VALUES_AT_ONCE && rows.prompt.length < ROWS_AT_ONCE) continue;
      file.rows += rows.prompt.length;
      await flush();
    }
    if (!writer) throw new PromptError('There are no prompts, so there is nothing to save. Give some.');
    file.rows += rows.prompt.length;
    await flush();
    await writer.finish();
    aside.commit();
    return new DataSet(path, file.prompts, file.tokens, stages, file.rows, file.bytes);
  }

  /**
   * The same rows as an apache-arrow Table in memory. Throws BudgetError where they are more than the budget, by default 1 GiB.
   * @example const table = await model.runs(prompts, { tap: 'layers.*.resid', slice: { token: -1 } }).toArrow()
   */
  async toArrow(): Promise<Table> {
    const shaders = shadersNow(this.#session);
    this.#stages();
    const signal = eitherSignal(this.#options.signal);
    const total = await this.#check(signal);
    using progress = progressLine('Running');
    const { budget = CAPTURE_BUDGET } = this.#options;
    const rows = noRows();
    let [place, values] = [0, 0];
    let metadata: Record<string, string> = {};
    for await (const run of this.#each(signal, shaders)) {
      if (place === 0) metadata = this.#metadata(run);
      values += addRows(rows, place++, run);
      if (4 * values > budget)
        throw new BudgetError(
          `The first ${place} prompts gave more than the ${budget} bytes of the budget. Write them to a file, which they need not fit: save('runs.parquet').`,
        );
      progress.count(place, total ?? place, 'prompts');
    }
    return tableOf(rows, metadata);
  }

  /** How many prompts of what, and what to do with them. */
  override toString(): string {
    const { prompts } = this;
    const what = Array.isArray(prompts)
      ? `${prompts.length} ${prompts.length === 1 ? 'prompt' : 'prompts'}`
      : prompts instanceof PromptFile
        ? prompts.path
        : 'Prompts';
    return `${what}, not run yet: loop over them with for await, or write what they give to a file with save('runs.parquet').`;
  }

  /** Names of what is tapped. Throws OptionError for nothing. */
  #stages(): string[] {
    const stages = tapped(this.#session.plan, this.#options.tap).map(({ name }) => name);
    if (stages.length > 0) return stages;
    throw new OptionError('Nothing is tapped in these runs, so there is nothing to save. Say which stages: { tap }.');
  }

  #metadata(run: Run): Record<string, string> {
    const { slice, logits = 'last' } = this.#options;
    return {
      loupe_runs: '1',
      stages: JSON.stringify(this.#stages()),
      ...(slice && { slice: JSON.stringify(slice) }),
      logits,
      ...run.provenance,
    };
  }

  /** Looks through prompts that can be read twice, so that what is wrong is told before anything runs. @returns how many there are, where that is known */
  async #check(signal: AbortSignal): Promise<number | null> {
    const { prompts } = this;
    if (!(Array.isArray(prompts) || prompts instanceof PromptFile)) return null;
    let place = 0;
    for await (const prompt of prompts as AsyncIterable<Prompt>) {
      this.#asked(prompt, place++);
      if (place % 256 === 0) await new Promise(setImmediate);
      signal.throwIfAborted();
    }
    return place;
  }

  async *#each(signal: AbortSignal, inForce: () => Promise<Shaders>): AsyncGenerator<Run, void, void> {
    const session = this.#session;
    const { signal: _, ...options } = this.#options;
    session.ready();
    const shaders = await inForce();
    const plan = checkPlan(options.plan, 'exact');
    const together = plan === 'exact' && options.patch === undefined && options.logits !== 'all';
    let window: Asked[] = [];
    let bytes = 0;
    let place = 0;
    // A patch is of tokens, and those of a prompt may be too few for it.
    const one = async (ids: readonly number[], place: number) => {
      try {
        return await session.run(ids, { ...options, shaders, signal });
      } catch (error) {
        throw error instanceof OptionError || error instanceof PromptError ? this.#told(error, place) : error;
      }
    };
    const runs = async function* () {
      const all = together
        ? await readTogether(session, window, { ...options, shaders, signal })
        : new Map<number, Run>();
      for (const { place, ids } of window) {
        signal.throwIfAborted();
        // Awaited here, so that what it throws is told with its place.
        yield all.get(place) ?? (await one(ids, place));
        all.delete(place);
      }
    };
    for await (const prompt of this.prompts as AsyncIterable<Prompt>) {
      const asked = this.#asked(prompt, place++);
      if (window.length === AHEAD.prompts || (window.length > 0 && bytes + asked.bytes > AHEAD.bytes)) {
        yield* runs();
        [window, bytes] = [[], 0];
      }
      window.push(asked);
      bytes += asked.bytes;
    }
    yield* runs();
  }

  /** What a prompt comes to. Throws with its place. */
  #asked(prompt: Prompt, place: number): Asked {
    const session = this.#session;
    const { tap, slice, logits = 'last', budget } = this.#options;
    try {
      const ids = session.encode(prompt);
      checkIds(ids, session.config.vocab);
      checkLength(session, ids.length);
      const planned = planTaps(tapped(session.plan, tap), slice, { tokens: ids.length, logits });
      const extent = { tokens: ids.length, keys: ids.length, rows: logits === 'all' ? ids.length : 1 };
      checkCapture(planned.taps, [extent], budget);
      return { place, ids, ...planned, bytes: bytesOf(planned.taps, extent) };
    } catch (error) {
      throw error instanceof LoupeError ? this.#told(error, place) : error;
    }
  }

  /** An error with the prompt that it is of. */
  #told(error: LoupeError, place: number): LoupeError {
    const { prompts } = this;
    error.message = `${prompts instanceof PromptFile ? prompts.where(place) : inList(place)}: ${error.message}`;
    return error;
  }
}

const noCounts = () => ({ prompts: 0, tokens: 0, rows: 0 });

/** Checks what can be checked before the first prompt. */
export function runs(session: ManyReader, prompts: Prompts, given: RunsOptions = {}): Runs {
  const options = checkOptions('runs', given, OPTIONS);
  session.ready();
  if (options.logits !== undefined && options.logits !== 'last' && options.logits !== 'all')
    throw new OptionError(`The option logits is 'last' or 'all', not ${said(options.logits)}.`);
  checkPlan(options.plan, 'exact');
  tapped(session.plan, options.tap);
  const many =
    typeof prompts === 'object' && prompts !== null && (Symbol.iterator in prompts || Symbol.asyncIterator in prompts);
  if (
    !many ||
    prompts instanceof String ||
    ArrayBuffer.isView(prompts) ||
    (Array.isArray(prompts) && typeof prompts[0] === 'number')
  )
    throw new PromptError(
      `runs() takes a list of prompts, texts or lists of ids, or a file of them, prompts('prompts.jsonl'), not ${said(prompts)}.`,
    );
  return new Runs(session, Array.isArray(prompts) ? [...prompts] : prompts, options);
}
