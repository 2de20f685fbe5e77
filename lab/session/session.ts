// A model in the hands of a person: run it with taps, run one stage, diff it, edit a shader, generate. One object that a notebook
// keeps. What it can do with its own runs (probe/, chat/, bench/) is put onto it by those, which are above it.

import { ModelFileError, OptionError, PromptError, TokenizerError } from '../../engine/errors.js';
import type { Gpu } from '../../engine/gpu.js';
import type { Shaders } from '../../engine/kernel.js';
import type { Model } from '../../engine/model.js';
import { shaderUse } from '../../engine/shader-use.js';
import type { Tokenizer } from '../../engine/tokenizer/tokenizer.js';
import type { ChatFiles, ModelFiles } from '../../engine/weights/source.js';
import { Diff, type DiffOptions } from '../diff/diff.js';
import { progressLine } from '../host/progress.js';
import { writing } from '../host/writing.js';
import { called, idsGiven, checkName } from '../values/arguments.js';
import { said } from '../values/dims.js';
import { attempt } from '../values/plain.js';
import { isRecord } from '../values/record.js';
import type { Golden } from '../values/golden.js';
import { type Prompt, PromptFile } from '../values/prompt-file.js';
import { Shown } from '../values/shown.js';
import { Trace } from '../values/trace.js';
import { against, oneStage } from './against.js';
import { againstTrace } from './against-trace.js';
import { alone } from './alone.js';
import { type BatchGeneration, type BatchRunOptions, isSeveral, together } from './batch.js';
import { Contexts } from './contexts.js';
import { promptIds } from './prompt-ids.js';
import { read } from './read.js';
import type { GenerateRunOptions, RunOptions, Token } from './request.js';
import type { RunsOptions } from './read-together.js';
import type { Run } from './run.js';
import { type Prompts, type Runs, runs } from './runs.js';
import { Edited, type OneStage, PlanView } from './views.js';

/** What lives on a session's memory, a conversation. */
export interface Dependent {
  readonly disposed: boolean;
  forget(): void;
  [Symbol.dispose](): void;
}

/**
 * A model in use: run it, look at one stage, compare it, edit its shaders, let it write. `open()` makes one; a notebook keeps it.
 * @example const run = await model.run('The capital of France is', { tap: 'layers.*.resid' })
 */
export class Session extends Shown {
  #disposed = false;
  #replaced = false;
  private readonly editedWhile: string[] = [];
  private loaded: Model;
  #reopening: Promise<void> | null = null;
  readonly #dependents = new Set<Dependent>();
  readonly #contexts: Contexts;

  constructor(
    /** As it was opened. */
    readonly name: string,
    model: Model,
    /** Null where no vocabulary was found: prompts are then lists of ids. */
    readonly tokenizer: Tokenizer | null,
    /** Longest sequence, as it was opened; see `longest`. */
    readonly contextLength?: number,
    /** The model's own Jinja template of conversations; null for Gemma's turns. */
    readonly chatTemplate: string | null = null,
    /** Loads the same weights again, on a device that lives; `release` gives back what there is, once nothing is left that could be refused. */
    private readonly reload: ((release: () => void) => Promise<Model>) | null = null,
    /** What the model's files say of conversations. */
    readonly chatFiles: ChatFiles | null = null,
    /** Whether the cache of the last run is held for the next that begins alike. */
    reuse = false,
    /**
     * The model's files as they were opened.
     * @internal
     */
    readonly files: (() => Promise<ModelFiles>) | null = null,
    /** What there is to say of how the files were read. */
    private readonly fileNotices: readonly string[] = [],
    /** What `open` was given. */
    private readonly asked = name,
  ) {
    super();
    this.loaded = model;
    this.#contexts = new Contexts(this, reuse);
  }

  /** What a person should know of the model's files: which of two was read, what is not used. */
  get notices(): readonly string[] {
    return [...this.fileNotices, ...(this.tokenizer?.notices ?? []), ...(this.chatFiles?.notices ?? [])];
  }

  /** The engine’s model: weights on the GPU, plans and shaders. */
  get model(): Model {
    return this.loaded;
  }

  /** The GPU, with its adapter and the bytes that live on it. */
  get gpu(): Gpu {
    return this.model.gpu;
  }

  /** The geometry of the model. */
  get config(): Model['config'] {
    return this.model.config;
  }

  /** All stages, in order. */
  get plan(): Model['plan'] {
    return this.model.plan;
  }

  /** Ids of a prompt, with what the tokenizer puts around it: bos in front, where its files say nothing else. `<start_of_turn>` and the like are read as what they are. Ids are taken as they are, also of an array of numbers, as a column of Arrow is: of 64 bits too, and so wherever ids are given. */
  encode(prompt: string | readonly number[]): number[] {
    return promptIds(prompt, this.config.bosId, () => this.vocabulary());
  }

  /** Text of ids. Throws TokenizerError where there is no vocabulary, OptionError for what is no list of them, or of anything but ids. */
  decode(ids: readonly number[]): string {
    return this.vocabulary().decode(idsGiven(ids, 'decode() takes a list of token ids', OptionError));
  }

  /** Texts for ids, as labels: pieces, or `#id` where an id has none or there is no vocabulary. Throws OptionError as `decode` does. */
  labels(ids: readonly number[]): string[] {
    const list = idsGiven(ids, 'labels() takes a list of token ids', OptionError);
    return list.map(id => this.tokenizer?.piece(id).replaceAll('\u2581', ' ') ?? `#${id}`);
  }

  /**
   * Reads a prompt from an empty cache. Looking never changes the run: the logits are the same bits with any taps. Throws PromptError for a prompt that is empty or too long, StageError for
   * a tap that selects nothing, and BudgetError, before it runs, for more than would fit.
   * @param prompt text, or token ids as they are
   * @example const run = await model.run('The capital of France is', { tap: 'layers.*.resid' })
   */
  async run(prompt: string | readonly number[], given: RunOptions = {}): Promise<Run> {
    return await read(this, this.#contexts, prompt, given);
  }

  /**
   * Many prompts, each read from an empty cache as `run` reads it, to the same bits: a list of texts or of ids, a file of them, `prompts('prompts.jsonl')`, or anything that gives one after
   * the other. Nothing runs until it is looped over, saved as one data set, or made a table. In the exact plan several are read together.
   * The shaders are those in force when the loop, the file or the table is begun: an edit while it runs is for the next one, and each run's provenance says which it ran by.
   * @example await model.runs(['Once', 'The capital of Italy is'], { tap: 'layers.5.resid' }).save('resid.parquet')
   * @example for await (const run of model.runs(prompts('prompts.txt'))) console.log(run.prompt, run.logits.top(1))
   */
  runs(prompts: Prompts, options: RunsOptions = {}): Runs {
    return runs(this, prompts, options);
  }

  /**
   * One stage: look it up, or run its WGSL alone on a golden's inputs. Throws StageError with the nearest names.
   * @example await model.stage('layers.3.attn.q_rope').run(await golden('atlas/capital')) // [T,A,D]
   */
  stage(name: string): OneStage {
    this.ready();
    return oneStage(this, name);
  }

  /**
   * Every stage against PyTorch, on our own activations and on the golden's; or another program's stages, `trace(path)`, against this model's. Throws GoldenError for a golden and TraceError for a trace
   * of another model.
   * @example const diff = await model.diff(await golden('atlas/capital')); diff.first?.stage
   * @example const diff = await model.diff(await trace('theirs.safetensors')); diff.first?.stage // the first that is wrong on its own right inputs
   */
  async diff(golden: Golden | Trace, given: DiffOptions = {}): Promise<Diff> {
    if (golden instanceof Trace) return await againstTrace(this, golden, given);
    return await against(this, golden, given, this.files);
  }

  /**
   * Replaces a shader by what `change` makes of its source, for everything that begins from now on: runs wait until it is checked. `null`
   * brings the file's back. What does not compile, or does not fit every stage that uses it, is refused with a ShaderError, what changes
   * nothing with an OptionError; the old shader then stays. Edits asked for at once are taken in their order.
   * @example await model.edit('rope', wgsl => wgsl.replace('a * turn.x - b', 'a * turn.x + b'))
   * @returns who uses the shader, and when it is not used
   */
  async edit(shader: string, change: ((wgsl: string) => string) | null): Promise<Edited> {
    this.ready();
    // Asked for before anything is waited for, so that what is called next waits for it.
    const asked =
      typeof change === 'function' ? (wgsl: string) => called(`The change of '${shader}'`, () => change(wgsl)) : change;
    using _progress = progressLine('Compiling', 'short'); // once for each stage that uses it
    await this.model.kernels.edit(shader, asked);
    const edited = change !== null;
    return new Edited(shaderUse(this.model, shader, this.longest, edited), edited);
  }

  /** The WGSL in force: the edited one, else the file's. Throws ShaderError with the nearest names. */
  shader(name: string): string {
    checkName('shader()', name);
    return this.model.kernels.source(name);
  }

  /**
   * Continues a prompt, token by token, as an async iterator that stops within a token when interrupted. The prompt is read with the shaders in force
   * at this call, whenever the first token is asked for; an edit is in force from the next token on, which says so. Throws PromptError for a prompt that is empty
   * or too long, NumberError, with the stage where it begins, where logits are NaN or ±∞.
   * @example for await (const { text } of model.generate('Once', { maxTokens: 40 })) process.stdout.write(text)
   */
  generate(prompt: Prompt, options?: GenerateRunOptions): AsyncGenerator<Token, void, void>;
  /**
   * Continues several prompts, a list or a file of them, together, which is faster than one after the other; each becomes what it would alone, with the shaders in force at this call until
   * the first token. Awaited, it gives a list of
   * { ids, text, stop } in the order of the prompts; as an async iterator, the tokens as they come, each with the place of its prompt, `sequence`.
   * @example const [france, italy] = await model.generate(['The capital of France is', 'The capital of Italy is'])
   */
  generate(prompts: readonly Prompt[] | PromptFile, options?: BatchRunOptions): BatchGeneration;
  generate(
    prompt: Prompt | readonly Prompt[] | PromptFile,
    options: GenerateRunOptions | BatchRunOptions = {},
  ): AsyncGenerator<Token, void, void> | BatchGeneration {
    if (Array.isArray(prompt) && prompt.length === 0)
      throw new PromptError(
        'generate() was given an empty list, which is no prompt and has none. Give a text, ids, or a list of prompts.',
      );
    if (prompt instanceof PromptFile || isSeveral(prompt)) return together(this, prompt, options as BatchRunOptions);
    return alone(this, this.#contexts, prompt as Prompt, options as GenerateRunOptions);
  }

  /**
   * Brings the model back after its device was lost: the weights are loaded again on a new one, edited shaders are put in, and
   * conversations go on (their next turn reads everything again). Where the device lives nothing is lost, and what runs goes on. Throws ModelFileError if the files were written since, weights or configuration,
   * and DeviceError where no device is to be had: the session is then what it was.
   */
  reopen(): Promise<void> {
    this.#reopening ??= this.#reload().finally(() => {
      this.#reopening = null;
    });
    return this.#reopening;
  }

  async #reload(): Promise<void> {
    if (this.#disposed || !this.reload) throw this.#closed();
    const { gpu, kernels } = this.loaded;
    if (!gpu.lost) {
      // The same weights once more would be the same model, and what computes with this one would end for nothing.
      await (await this.files?.())?.close();
      if (!gpu.lost) return;
    }
    this.loaded = await this.reload(() => {
      for (const one of this.#dependents) one.forget();
      this.#contexts[Symbol.dispose]();
      this.loaded[Symbol.dispose]();
    });
    // All at once, before anyone can ask for another.
    await Promise.all(kernels.edited.map(name => this.loaded.kernels.edit(name, kernels.source(name))));
    if (this.#disposed) this.loaded[Symbol.dispose]();
  }

  /**
   * Writes a continuation into the cell, or to the terminal, as it is made, with its speed. What there was stays when it is stopped.
   * @example await model.write('The capital of Japan is', { maxTokens: 40 })
   */
  async write(prompt: string, options: GenerateRunOptions = {}): Promise<void> {
    if (isSeveral(prompt))
      throw new OptionError('write() continues one prompt. Several are continued by generate([…]).');
    const page = writing(prompt);
    try {
      for await (const { text, edited } of this.generate(prompt, options)) page.add(text, edited);
    } finally {
      page.end();
    }
  }

  /** The longest sequence this session reads: as opened, else 2048 or what the model was made for. */
  get longest(): number {
    return this.contextLength ?? Math.min(2048, this.config.contextLength);
  }

  /** What `JSON.stringify` writes of it: its provenance. The model is in its file. */
  toJSON(): Readonly<Record<string, string>> {
    return this.provenance();
  }

  /**
   * What a report says about where its numbers come from. A run and a diff have their own, of the shaders that ran; this one is of those in
   * force, and of the generations that an edit came into.
   */
  provenance(shaders?: Shaders): Record<string, string> {
    if (shaders !== undefined && attempt(() => Array.isArray(shaders.edited)) !== true)
      throw new OptionError(
        `provenance() is of the shaders of a run, not of ${said(shaders)}. Leave it out for those in force.`,
      );
    const { name, kind, kernels } = this.gpu;
    const refused = shaders?.refused ?? [];
    return {
      model: this.name,
      fingerprint: this.model.fingerprint,
      adapter: `${kind}: ${name}${kernels === 'gpu' ? ", a GPU's kernels" : ''}`,
      edited_shaders: (shaders ?? this.model.kernels).edited.join(','),
      ...(this.model.cache !== 'f32' && { cache: this.model.cache }),
      ...(!shaders && this.#contexts.reusedLast > 0 && { reused_tokens: `${this.#contexts.reusedLast}` }),
      ...(refused.length > 0 && { refused_edits: refused.join('; ') }),
      ...(!shaders && this.editedWhile.length > 0 && { edited_while_generating: this.editedWhile.join('; ') }),
    };
  }

  /**
   * Called for a token that other shaders computed than what it goes on from.
   * @internal
   */
  noteEdit(shaders: readonly string[], position: number): void {
    this.editedWhile.push(`${shaders.join(', ')} at token ${position}`);
    if (this.editedWhile.length > 16) this.editedWhile.shift();
  }

  /**
   * The plan as a picture: layers × stages, coloured by what a stage does, its bytes or operations, or by the verdicts and errors of a diff; a click writes a stage's name, and with a diff what is wrong with it.
   * @example model.picture(await model.diff(g))
   */
  picture(diff: Diff | null = null): PlanView {
    this.ready();
    if (diff !== null && !(diff instanceof Diff))
      throw new OptionError(
        `picture() is coloured by a diff, not by ${said(diff)}. ${isRecord(diff) && 'then' in diff ? 'Wait for it: await model.diff(golden).' : 'Give what await model.diff(golden) gives, or nothing.'}`,
      );
    return new PlanView(this, diff);
  }

  /**
   * Closes it for a newer one with the same model.
   * @internal
   */
  giveWay(): void {
    this.#replaced ||= !this.#disposed;
    this[Symbol.dispose]();
  }

  /** Closes it and gives its memory back. */
  [Symbol.dispose](): void {
    this.#disposed = true;
    for (const one of this.#dependents) one[Symbol.dispose]();
    this.#contexts[Symbol.dispose]();
    this.model[Symbol.dispose]();
  }

  /**
   * What holds GPU memory of this session: closed with it, and told to give it back where the device was lost.
   * @internal
   */
  depend(dependent: Dependent): void {
    for (const earlier of this.#dependents) if (earlier.disposed) this.#dependents.delete(earlier);
    this.#dependents.add(dependent);
  }

  /**
   * Whether it was closed.
   * @internal
   */
  get disposed(): boolean {
    return this.#disposed;
  }

  /**
   * Throws where it was closed, or its device is lost.
   * @internal
   */
  ready(): void {
    if (this.#disposed) throw this.#closed();
    this.gpu.begin();
  }

  #closed(): ModelFileError {
    return new ModelFileError(
      this.#replaced
        ? `This session with '${this.name}' was closed, as opening the same model again does. Use the newer one.`
        : `This session with '${this.name}' was closed. Open the model again: open('${this.asked}').`,
    );
  }

  /** Its tokenizer. Throws TokenizerError where it has none. */
  vocabulary(): Tokenizer {
    if (this.tokenizer) return this.tokenizer;
    throw new TokenizerError(
      `'${this.name}' has no vocabulary. Give token ids, or open it with { tokenizer: 'tokenizer.model' }, in a terminal --tokenizer tokenizer.model.`,
    );
  }
}
