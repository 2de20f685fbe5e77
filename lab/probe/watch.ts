// Shaders that are edited in an editor: what is saved is taken up by an open model, as `edit` takes it, and the diff's first stages are run again.

import { LoupeError, OptionError } from '../../engine/errors.js';
import type { PlanKind } from '../../engine/fuse.js';
import { wanted } from '../diff/compare.js';
import type { Diff } from '../diff/diff.js';
import { eitherSignal } from '../host/interrupt.js';
import { progressLine } from '../host/progress.js';
import { Saves, type Save } from '../host/saves.js';
import { LIVE } from '../host/show.js';
import { against } from '../session/against.js';
import { checkPlan } from '../session/request.js';
import type { Run } from '../session/run.js';
import type { Session } from '../session/session.js';
import { checkOptions, type OptionNames } from '../values/arguments.js';
import { briefly } from '../values/plain.js';
import type { Golden } from '../values/golden.js';
import type { Selector } from '../values/select.js';
import { Shown } from '../values/shown.js';
import { type ChangedRow, changedRows } from './before-after.js';
import { firstStages, type Reference, referenceOf } from './reference.js';
import { type ShaderFiles, shaderFiles, textOfShader } from './shader-files.js';
import { useText, type WatchEvent } from './watch-event.js';

/** What to do once a shader was saved. */
export interface WatchOptions {
  /** What is right: a golden, or a run of this model from before, `await model.run(prompt)`. Without, a save is taken and nothing compared. */
  readonly against?: Golden | Run;
  /** The stages to compare again; default: those outside the layers, and the first sliding and the first full layer. `'**'`: all. */
  readonly stages?: Selector;
  /** Default exact. `fast`: what the steps of the fast plan leave, for the shaders that it alone runs. */
  readonly plan?: PlanKind;
  /** Ends it, as `stop()` does. */
  readonly signal?: AbortSignal;
}

const OPTIONS: OptionNames<WatchOptions> = { against: true, stages: true, plan: true, signal: true };

/** ms after which what was saved is shown before it is compared. */
const PATIENCE = 1000;
/** Events that are kept. */
const KEPT = 64;

/** Shaders that are taken up as they are saved. `session.watch()` makes one. Shown, it is kept up to date. */
export class Watch extends Shown {
  /** What came of what was saved, the latest last; at most 64. */
  readonly events: WatchEvent[] = [];
  /** The diff as it is; null without something to compare with, and until it was made. */
  diff: Diff | null = null;
  /** Stages whose error the last save changed, in the plan's order. */
  changed: readonly ChangedRow[] = [];
  /** Why the last diff could not be made; null where it was. */
  trouble: string | null = null;
  /** How many files were taken. */
  taken = 0;
  /** Resolves when it has ended. Awaited in a cell, the cell runs until Stop. */
  readonly ended: Promise<void>;
  readonly #over = new AbortController();
  readonly #shown = new Set<() => void>();
  readonly #next = new Set<(events: readonly WatchEvent[]) => void>();
  /** Files that were refused and are still as they were: they may fit once others are saved. */
  readonly #refused = new Set<string>();
  readonly #untold: WatchEvent[] = [];
  #working: Promise<void> = Promise.resolve();
  /** Whether something was taken since the last diff. */
  #stale = false;
  #comparing: AbortController | null = null;
  #saves: Saves | null = null;
  #tell!: () => void;

  constructor(
    private readonly session: Session,
    private readonly files: ShaderFiles,
    private readonly stages: Selector,
    private readonly plan: PlanKind,
    private readonly reference: Reference | null,
  ) {
    super();
    this.ended = new Promise(resolve => {
      this.#tell = resolve;
    });
  }

  /** What is watched: the folder, or the files. */
  get where(): string {
    return this.files.name;
  }

  /** How many shaders were copied into a folder that was not there; 0 where it was. */
  get copied(): number {
    return this.files.copied;
  }

  /** Whether it goes on. */
  get watching(): boolean {
    return !this.#over.signal.aborted;
  }

  /** Whether the stages are being run again, for what was saved last. */
  get comparing(): boolean {
    return this.#comparing !== null;
  }

  /** What it compares with; null for nothing. */
  get against(): string | null {
    return this.reference?.golden.name ?? null;
  }

  /** Resolves with what comes of the next save, after its diff; with an empty list where it ends before. */
  next(): Promise<readonly WatchEvent[]> {
    return new Promise(resolve => {
      if (this.watching) this.#next.add(resolve);
      else resolve([]);
    });
  }

  /** Ends it. What was taken stays in force: `model.edit(name, null)` brings a file of the package back. */
  stop(): void {
    if (!this.watching) return;
    this.#over.abort();
    this.#comparing?.abort();
    this.#saves?.[Symbol.dispose]();
    this.#answer([]);
    this.#look();
    this.#shown.clear();
    this.#tell();
  }

  /** @internal */
  get disposed(): boolean {
    return !this.watching;
  }

  /** @internal */
  forget(): void {}

  /** Ends it, as `stop()` does; `using watch = await model.watch(…)` does so by itself. */
  [Symbol.dispose](): void {
    this.stop();
  }

  /** @internal */
  [LIVE](changed: () => void): void {
    if (this.watching) this.#shown.add(changed);
  }

  /**
   * Takes what differs on the disk already, and makes the first diff.
   * @internal
   */
  async begin(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    signal.addEventListener('abort', () => this.stop(), { once: true, signal: this.#over.signal });
    this.#saves = new Saves(this.files.list, saves => this.#saved(saves));
    try {
      const begun = this.#first(signal);
      this.#working = begun.catch(() => {}); // what is saved meanwhile waits
      await begun;
      signal.throwIfAborted();
    } catch (error) {
      this.stop();
      throw error;
    }
  }

  async #first(signal: AbortSignal): Promise<void> {
    using progress = progressLine('Comparing');
    const told = (done: number, total: number) => progress.count(done, total, 'stages');
    if (this.reference) await this.#diff(this.reference, signal, told); // as it was: what differs already is told as a change
    await this.#take(
      this.files.list().map(path => ({ path, gone: false })),
      false,
    );
  }

  #saved(saves: readonly Save[]): void {
    this.#comparing?.abort(); // of shaders that are others now
    this.#working = this.#working.then(() => this.#take(saves, true));
  }

  /** Never rejects. @param later whether it was saved while watched */
  async #take(saves: readonly Save[], later: boolean): Promise<void> {
    if (!this.watching) return;
    const events: WatchEvent[] = [];
    const add = (path: string, outcome: WatchEvent['outcome'], text: string) => {
      events.push({ at: new Date(), file: this.files.called(path), outcome, text });
    };
    const asked = (path: string) => saves.some(save => save.path === path);
    const wanted = new Set(this.#refused);
    for (const { path, gone } of saves) {
      this.#refused.delete(path);
      wanted.delete(path);
      const shader = this.files.shaderOf(path);
      if (shader === null)
        add(path, 'unknown', gone ? 'It is gone.' : 'No shader is called so; they are files of shaders/.');
      else if (gone)
        add(path, 'gone', `What was taken of it stays; model.edit('${shader}', null) brings the package’s back.`);
      else wanted.add(path);
    }
    // One that needs another fits once that is taken: until none is.
    const reasons = new Map<string, string>();
    for (let again = true; again && this.watching; ) {
      again = false;
      for (const path of wanted) {
        const shader = this.files.shaderOf(path)!;
        try {
          const text = textOfShader(path, this.files.called(path));
          if (text !== this.session.shader(shader)) {
            await this.session.model.kernels.edit(shader, text);
            add(path, 'taken', useText(this.session, shader));
            this.taken += 1;
            again = true;
          } else if (later && asked(path)) add(path, 'same', '');
          wanted.delete(path);
          reasons.delete(path);
        } catch (error) {
          reasons.set(path, error instanceof LoupeError ? error.message : briefly(error));
        }
      }
      again &&= wanted.size > 0;
    }
    for (const [path, reason] of reasons) {
      if (asked(path)) add(path, 'refused', reason);
      this.#refused.add(path);
    }
    this.events.push(...events);
    this.events.splice(0, this.events.length - KEPT);
    this.#stale ||= events.some(({ outcome }) => outcome === 'taken'); // also of a diff that was broken off
    const compared = !this.#stale || (await this.#compare());
    if (events.length > 0) this.#look();
    if (!later) return;
    this.#untold.push(...events);
    // Where another save broke the diff off, that one tells of both.
    if (compared && this.#untold.length > 0) this.#answer(this.#untold.splice(0));
  }

  /** False where another save broke it off. */
  async #compare(): Promise<boolean> {
    if (!this.reference) return true;
    this.#comparing = new AbortController();
    const { signal } = this.#comparing;
    const waiting = setTimeout(() => this.#look(), PATIENCE);
    try {
      await this.#diff(this.reference, signal);
      this.trouble = null;
    } catch (error) {
      if (signal.aborted) return false;
      this.trouble = error instanceof LoupeError ? error.message : briefly(error);
    } finally {
      clearTimeout(waiting);
      this.#comparing = null;
    }
    this.#stale = false;
    return true;
  }

  async #diff(
    { golden, other }: Reference,
    signal: AbortSignal,
    onProgress: (done: number, total: number) => void = () => {},
  ): Promise<void> {
    const { session, stages, plan, diff: before } = this;
    this.diff = await against(session, golden, { stages, plan, signal, onProgress }, session.files, other);
    this.changed = before ? changedRows(before, this.diff) : [];
  }

  #answer(events: readonly WatchEvent[]): void {
    const asked = [...this.#next];
    this.#next.clear();
    for (const answer of asked) answer(events);
  }

  #look(): void {
    for (const changed of this.#shown) changed();
  }
}

const watches = new WeakMap<Session, Watch>();

/** Throws OptionError for what is no folder, files or reference. One a session: the one before ends. */
export async function watch(
  session: Session,
  where: string | readonly string[] | undefined,
  given: WatchOptions = {},
): Promise<Watch> {
  session.ready();
  const options = checkOptions('watch', given, OPTIONS);
  const { against: right } = options;
  const plan = checkPlan(options.plan, 'exact');
  if (right === undefined && (options.stages !== undefined || options.plan !== undefined))
    throw new OptionError(
      'stages and plan say what is compared, and nothing to compare with was given. Give { against }.',
    );
  const stages = options.stages ?? firstStages(session.plan, session.config.layerKinds);
  const { read } = wanted(session.model, plan, stages);
  const reference = referenceOf(right, session, read);
  const signal = eitherSignal(options.signal);
  const made = new Watch(session, shaderFiles(where), stages, plan, reference);
  watches.get(session)?.stop();
  watches.set(session, made);
  session.depend(made);
  await made.begin(signal);
  return made;
}
