// A text run as a cell, and what came of it: what its value shows, or what ended it.

import { Interrupted } from '../../engine/errors.js';
import { isDisplay, isLive, type Presented, prepared, present, show } from '../host/show.js';
import { restGenerations } from '../session/generation.js';
import { CellCompiler } from './compile.js';
import { type Failure, failureOf, isInterrupted } from './failure.js';
import { Foundations, putBackText } from './foundations.js';
import { Interrupts } from './interrupts.js';
import { listenAgain } from './lifeline.js';
import { Modules } from './modules.js';
import type { CellOutput } from './output.js';
import { CellRunner } from './scope.js';
import { writeStacks } from './stacks.js';

/** What every notebook has without an import line. */
const PRELUDE = `import { Activation, ask, bar, clearOutput, compare, compareModels, dataset, fromArrow, golden, heatmap, open, plot, prompts, report, select, show, sweep, toArrow, trace } from 'gemma-loupe';`;

export type Outcome =
  | { readonly ok: true; readonly shown: Presented | null }
  | { readonly ok: false; readonly failure: Failure };

export class Evaluation {
  readonly compiler = new CellCompiler(process.cwd());
  readonly runner: CellRunner;
  readonly interrupts: Interrupts;
  readonly #writeStacksAgain: () => void;
  #silent = 0;
  #foundations: Foundations | null = null;
  /** What the next output is to say of them. */
  #changed: string | null = null;

  /** @param state the courier's memory */
  constructor(private readonly state: Int32Array) {
    const modules = new Modules(process.cwd(), file => this.compiler.remember(file));
    this.runner = new CellRunner(this.compiler, modules, state);
    this.interrupts = new Interrupts(state, () => this.runner.interrupt());
    this.#writeStacksAgain = writeStacks(this.compiler.cells);
  }

  /** What the kernel runs on is as it is now after every cell. */
  keepFoundations(): void {
    this.#foundations = new Foundations();
    this.runner.onEnd = () => this.mend(true);
  }

  /** @param all see Foundations.putBack */
  mend(all: boolean): void {
    const changed = this.#foundations && putBackText(this.#foundations.putBack(all));
    this.#changed = changed ?? this.#changed;
  }

  /** Loading the lab is a cell like any other, before the first: it warms the compiler too. Throws what went wrong, as text. */
  async loadLab(): Promise<void> {
    this.compiler.begin('cell-0');
    let thrown: unknown = null;
    const ran = await this.runner.run(PRELUDE).catch(error => {
      thrown = error;
    });
    this.compiler.signals = this.state; // Stop before the first cell is not for the lab
    if (!ran) throw failureOf(thrown, this.compiler).traceback.join('\n');
  }

  /**
   * @param name null for what no notebook shows
   * @param stopped before it began
   */
  async run(name: string | null, code: string, output: CellOutput, stopped = false): Promise<Outcome> {
    this.mend(true); // what a timer did since
    this.compiler.begin(name ?? `silent-${++this.#silent}`);
    try {
      if (stopped) throw new Interrupted();
      return await this.interrupts.running(output, () => this.#evaluate(code, output));
    } catch (error) {
      return this.#failed(error);
    } finally {
      this.mend(true);
      if (this.#changed !== null) output.write('stderr', `${this.#changed}\n`);
      this.#changed = null;
      restGenerations();
      listenAgain();
      this.#writeStacksAgain();
    }
  }

  /** Showing a value, or what was thrown, is part of the cell: it may take its time, never end, and be stopped. */
  async #evaluate(code: string, output: CellOutput): Promise<Outcome> {
    try {
      const ran = await this.runner.run(code);
      if (!ran) return this.#failed(undefined);
      const { value } = ran;
      const live = isLive(value);
      if (live) show(value); // into a place that it can put itself into anew
      const isShown = value !== undefined && !live && !isDisplay(value);
      if (isShown) await prepared(value);
      const shown = isShown ? await present(value) : null;
      await output.settled();
      return { ok: true, shown };
    } catch (error) {
      if (isInterrupted(error)) throw error;
      return this.#failed(error);
    }
  }

  #failed(thrown: unknown): Outcome {
    return { ok: false, failure: failureOf(thrown, this.compiler) };
  }
}
