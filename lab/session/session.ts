// A model in the hands of a person: run it with taps, run one stage, diff it, edit a shader, generate. One object that a notebook
// keeps.

import type { Context } from '../../engine/context.js';
import { type ContextOptions, chunkThatFits } from '../../engine/forward.js';
import { ModelFileError, OptionError, PromptError, TokenizerError } from '../../engine/errors.js';
import { allFinite } from '../../engine/finite.js';
import { checkGenerate } from '../../engine/generate.js';
import type { Gpu } from '../../engine/gpu.js';
import type { Shaders } from '../../engine/kernel.js';
import type { Model } from '../../engine/model.js';
import type { Stage } from '../../engine/plan.js';
import { type ShaderUse, shaderUse } from '../../engine/shader-use.js';
import { withEnds } from '../../engine/tokenizer/ends.js';
import type { Tokenizer } from '../../engine/tokenizer/tokenizer.js';
import type { ChatFiles, ModelFiles } from '../../engine/weights/source.js';
import { Activation } from '../values/activation.js';
import { type BatchGeneration, type BatchRunOptions, isSeveral, type Prompt, together } from './batch.js';
import { called, checkDiff, checkIdList, checkOptions, looked } from '../values/arguments.js';
import { type Roofline, type RooflineOptions, roofline } from '../bench/roofline.js';
import { assemble, CAPTURE_BUDGET, checkCapture } from './capture.js';
import { CONVERSATION_OPTIONS, Conversation, type ConversationOptions } from '../chat/conversation.js';
import { checkGolden, compared, DIFF_OPTIONS, Diff, type DiffOptions, diffRows } from '../diff/diff.js';
import { leftoverOf } from '../diff/leftover.js';
import { otherWeights } from '../diff/other-weights.js';
import { OurValues } from './ours.js';
import { ACCUMULATED_LIMIT, LOCAL_LIMIT } from '../diff/tolerance.js';
import { said } from '../values/dims.js';
import { type Bundle, DISPLAY, INSPECT, plain, type Shown, shown } from '../values/shown.js';
import { editBundle } from '../display/edit.js';
import { modelBundle } from '../display/model.js';
import { planBundle } from '../display/plan.js';
import { progressLine } from '../host/progress.js';
import { stageBundle } from '../display/stage.js';
import { writing } from '../host/writing.js';
import { Generation, stoppedBy, toldLater } from './generation.js';
import type { Golden } from '../values/golden.js';
import { eitherSignal } from '../host/interrupt.js';
import { type Beginning, type Held, KeptContext } from './kept-context.js';
import { owned } from '../values/owned.js';
import { type Patching, type PatchingOptions, patching } from '../probe/patching.js';
import { type Perplexity, type PerplexityOptions, perplexity } from '../probe/perplexity.js';
import {
  checkEnds,
  checkPlan,
  GENERATE_OPTIONS,
  type GenerateRunOptions,
  planProvenance,
  RUN_OPTIONS,
  type RunOptions,
  type Token,
} from './request.js';
import { Run } from './run.js';
import { selectOne, tapped } from '../values/select.js';
import { planPatches, planTaps } from './slices.js';
import { runStage } from './stage.js';
import { stream } from './stream.js';

export class Session {
  #disposed = false;
  #replaced = false;
  private readonly editedWhile: string[] = [];
  private loaded: Model;
  /** Tokens of the last generation's prompt that were not read again. */
  private reusedLast = 0;
  #reopening: Promise<void> | null = null;
  readonly #conversations = new Set<Conversation>();
  readonly #kept = new KeptContext();

  constructor(
    readonly name: string,
    model: Model,
    /** Null where no vocabulary was found: prompts are then lists of ids. */
    readonly tokenizer: Tokenizer | null,
    readonly contextLength?: number,
    /** The model's own Jinja template of conversations; null for Gemma's turns. */
    readonly chatTemplate: string | null = null,
    /** Loads the same weights again, on a device that lives. */
    private readonly reload: (() => Promise<Model>) | null = null,
    /** What the model's files say of conversations. */
    readonly chatFiles: ChatFiles | null = null,
    /** Whether the cache of the last run is held for the next that begins alike. */
    readonly reuse = false,
    /** The model's files as they were opened. */
    private readonly files: (() => Promise<ModelFiles>) | null = null,
  ) {
    this.loaded = model;
  }

  /** What a person should know of the model's files: which of two was read, what is not used. */
  get notices(): readonly string[] {
    return [...(this.tokenizer?.notices ?? []), ...(this.chatFiles?.notices ?? [])];
  }

  get model(): Model {
    return this.loaded;
  }

  get gpu(): Gpu {
    return this.model.gpu;
  }

  get config(): Model['config'] {
    return this.model.config;
  }

  get plan(): Model['plan'] {
    return this.model.plan;
  }

  /** Ids of a prompt, with what the tokenizer puts around it: bos in front, where its files say nothing else. `<start_of_turn>` and the like are read as what they are. Ids are taken as they are. */
  encode(prompt: string | readonly number[]): number[] {
    if (typeof prompt !== 'string') {
      checkIdList(prompt);
      return [...prompt];
    }
    if (prompt === '') throw new PromptError('The prompt is empty; give some text.');
    const tokenizer = this.#vocabulary();
    const ids = tokenizer.encode(prompt, { special: true });
    return withEnds(ids, tokenizer.ends ?? { front: [this.config.bosId], back: [] });
  }

  decode(ids: readonly number[]): string {
    checkIdList(ids);
    return this.#vocabulary().decode(ids);
  }

  /** Texts for ids, as labels: pieces, or `#id` where an id has none or there is no vocabulary. */
  labels(ids: readonly number[]): string[] {
    if (!Array.isArray(ids)) checkIdList(ids);
    return ids.map(id => this.tokenizer?.piece(id).replaceAll('\u2581', ' ') ?? `#${id}`);
  }

  /** Reads a prompt from an empty cache. Looking never changes the run: the logits are the same bits with any taps. */
  async run(prompt: string | readonly number[], given: RunOptions = {}): Promise<Run> {
    const options = checkOptions('run', given, RUN_OPTIONS);
    const { chunks, logits = 'last', budget = CAPTURE_BUDGET } = options;
    const plan = checkPlan(options.plan, 'exact');
    this.#check();
    if (logits !== 'last' && logits !== 'all')
      throw new OptionError(`The option logits is 'last' or 'all', not ${said(logits)}.`);
    const ids = this.encode(prompt);
    const reach = { tokens: ids.length, logits };
    const { taps, absent } = planTaps(tapped(this.plan, options.tap), options.slice, reach);
    const patches = planPatches(this.plan, options.patch, reach);
    const shaders = options.shaders ?? (await this.model.kernels.inForce());
    const open = () => this.#context(ids.length, { logits, plan });
    const whole = taps.length > 0 || logits === 'all' || chunks !== undefined;
    using held = this.#hold(open, ids.length, whole ? null : { ids, plan, patches, shaders });
    const { context, reused } = held;
    checkCapture(taps, [{ tokens: ids.length, keys: ids.length, rows: logits === 'all' ? ids.length : 1 }], budget);
    using progress = progressLine('Reading', ids.length < 32);
    const { captured, opened } = await context.forward(ids.slice(reused), {
      shaders,
      taps,
      patches,
      logits,
      chunks,
      signal: eitherSignal(options.signal),
      onProgress: done => progress.count(reused + done, ids.length, 'tokens'),
      onLayer:
        ids.length < 32
          ? undefined
          : (done, total, tokens, chunk) => progress.layer(done, total, reused + tokens, chunk, ids.length),
    });
    const labels = this.labels(ids);
    const activations = assemble(captured, labels, taps);
    const last = new Activation('logits', [{ name: 'vocab', size: this.config.vocab }], await context.logits());
    const finite = allFinite(last.data) && allFinite(activations.get('logits')?.data ?? last.data);
    const fault = finite ? null : await context.whyNotFinite();
    const { patch } = options;
    const { kernels } = this.model;
    const made = {
      absent,
      budget,
      revision: shaders.revision,
      provenance: {
        ...this.provenance(shaders),
        ...planProvenance(plan, this.model.activations, opened),
        ...(reused > 0 && { reused_tokens: `${reused}` }),
      },
      patched: patches.map(({ stage }) => stage.name),
      again: (wanted: Pick<RunOptions, 'tap' | 'slice' | 'logits'>) =>
        // A model that was brought back on another device has its own.
        this.run(ids, {
          ...wanted,
          patch,
          chunks,
          budget,
          plan,
          shaders: kernels === this.model.kernels ? shaders : undefined,
        }),
    };
    held.keep();
    return new Run(this, ids, labels, activations, last, made, fault);
  }

  /** One stage: look it up, or run its WGSL alone on a golden's inputs. Throws StageError with the nearest names. */
  stage(name: string): Shown & { readonly stage: Stage; run(golden: Golden): Promise<Activation> } {
    const stage = selectOne(this.plan, name);
    return shown(() => stageBundle(stage, stage.weight ? this.model.bytesOf(stage.weight) : 0), {
      stage,
      run: async (golden: Golden) => {
        this.#check();
        checkDiff(golden);
        checkGolden(this.model, golden);
        await leftoverOf(this.plan, golden);
        const rows = golden.stages.get('logits')!.shape[0];
        const inputs = { ids: golden.ids, rows, read: (input: string) => golden.read(input) };
        const step = compared(this.model, 'exact').get(stage);
        const captured = await runStage(this.model, stage, inputs, await this.model.kernels.inForce(), step);
        return assemble(
          [captured],
          golden.pieces?.map(piece => piece.replaceAll('\u2581', ' ')) ?? this.labels(golden.ids),
        ).get(stage.name)!;
      },
    });
  }

  /** Every stage against PyTorch, on our own activations and on the golden's. */
  async diff(golden: Golden, given: DiffOptions = {}): Promise<Diff> {
    this.#check();
    const options = checkOptions('diff', given, DIFF_OPTIONS);
    checkDiff(golden, options);
    checkGolden(this.model, golden);
    const leftover = await leftoverOf(this.plan, golden);
    const shaders = options.shaders ?? (await this.model.kernels.inForce()); // the same for the run and for the stages alone, and those the table names
    const signal = eitherSignal(options.signal);
    const logits = golden.stages.get('logits')!.shape[0] === golden.ids.length ? 'all' : 'last';
    const { budget } = options;
    const plan = checkPlan(options.plan, 'exact');
    const read = (tap: readonly string[]) =>
      this.run(golden.ids, { tap, chunks: golden.chunks, logits, signal, budget, shaders, plan });
    const stages = [...compared(this.model, plan).keys()];
    const ours = new OurValues(stages, golden.ids.length, logits, read, budget);
    using progress = progressLine('Comparing', options.onProgress !== undefined);
    const told = options.onProgress ?? ((done, total) => progress.count(done, total, 'stages'));
    const onProgress = (done: number, total: number) => called('onProgress', () => told(done, total));
    const rows = await diffRows(this.model, golden, ours, { ...options, signal, onProgress, shaders });
    const limits = { accumulated: options.accumulated ?? ACCUMULATED_LIMIT, local: options.local ?? LOCAL_LIMIT };
    return new Diff(
      rows,
      golden.name,
      limits,
      { ...this.provenance(shaders), ...planProvenance(plan, this.model.activations) },
      leftover,
      rows.every(({ pass }) => pass) ? null : await this.#otherWeights(golden),
    );
  }

  /** Whether the golden is of these weights, as they are in the files; null where nothing is to be said, or they are there no more. */
  async #otherWeights(golden: Golden): Promise<string | null> {
    const files = await this.files?.().catch(() => null);
    if (!files) return null;
    try {
      return files.fingerprint === this.model.fingerprint
        ? await otherWeights(this.plan, this.config, files.weights, golden)
        : null;
    } finally {
      await files.close();
    }
  }

  /**
   * Replaces a shader by what `change` makes of its source, for everything that begins from now on: runs wait until it is checked. `null`
   * brings the file's back. What does not compile, or does not fit every stage that uses it, is refused with a ShaderError, what changes
   * nothing with an OptionError; the old shader then stays. Edits asked for at once are taken in their order.
   * @returns who uses the shader, and when it is not used
   */
  async edit(shader: string, change: ((wgsl: string) => string) | null): Promise<Shown & ShaderUse> {
    this.#check();
    // Asked for before anything is waited for, so that what is called next waits for it.
    const asked =
      typeof change === 'function' ? (wgsl: string) => called(`The change of '${shader}'`, () => change(wgsl)) : change;
    await this.model.kernels.edit(shader, asked);
    const use = shaderUse(this.model, shader);
    return shown(() => editBundle(use, change !== null), use);
  }

  /** The WGSL in force: the edited one, else the file's. Throws ShaderError with the nearest names. */
  shader(name: string): string {
    return this.model.kernels.source(name);
  }

  /** Continues a prompt, token by token, as an async iterator that stops within a token when interrupted. */
  generate(prompt: Prompt, options?: GenerateRunOptions): AsyncGenerator<Token, void, void>;
  /**
   * Continues several prompts together, which is faster than one after the other; each becomes what it would alone. Awaited, it gives a list of
   * { ids, text, stop } in the order of the prompts; as an async iterator, the tokens as they come, each with the place of its prompt, `sequence`.
   */
  generate(prompts: readonly Prompt[], options?: BatchRunOptions): BatchGeneration;
  generate(
    prompt: Prompt | readonly Prompt[],
    options: GenerateRunOptions | BatchRunOptions = {},
  ): AsyncGenerator<Token, void, void> | BatchGeneration {
    if (isSeveral(prompt)) return together(this, prompt, options as BatchRunOptions);
    return this.#alone(prompt as Prompt, options as GenerateRunOptions);
  }

  #alone(prompt: Prompt, options: GenerateRunOptions): AsyncGenerator<Token, void, void> {
    let held: Context | null = null;
    const checked = toldLater(() => checkOptions('generate', options, GENERATE_OPTIONS));
    const asked = toldLater(() => looked('The prompt', PromptError, () => owned(prompt)));
    const begin = (stop: AbortSignal) =>
      this.#generate(
        asked,
        () => stoppedBy(checked(), stop),
        context => {
          held = context;
        },
      );
    return new Generation(begin, () => held?.release());
  }

  async *#generate(
    asked: () => string | readonly number[],
    given: () => GenerateRunOptions,
    hold: (context: Context) => void,
  ): AsyncGenerator<Token, void, void> {
    this.#check();
    const options = given();
    checkGenerate({ ...options, taps: undefined });
    checkEnds(options, this.config.vocab);
    const ids = this.encode(asked());
    const { maxTokens = 128 } = options;
    const plan = checkPlan(options.plan, 'fast');
    const tokens = Math.min(ids.length + maxTokens, this.longest);
    const open = () => this.#context(tokens, { plan, prompt: ids.length });
    const shaders = await this.model.kernels.inForce();
    const whole = options.tap !== undefined || maxTokens === 0;
    using held = this.#hold(open, tokens, whole ? null : { ids, plan, patches: [], shaders });
    const { context, reused } = held;
    this.reusedLast = reused;
    hold(context);
    yield* stream(this, context, ids.slice(reused), { ...options, maxTokens });
    held.keep();
  }

  /** A conversation on one cache, in the turns the model was trained on. Dispose of it, or of the session. */
  chat(given: ConversationOptions = {}): Conversation {
    this.#check();
    const options = checkOptions('chat', given, CONVERSATION_OPTIONS);
    const conversation = new Conversation(this, this.#vocabulary(), options);
    for (const earlier of this.#conversations) if (earlier.disposed) this.#conversations.delete(earlier);
    this.#conversations.add(conversation);
    return conversation;
  }

  /**
   * Brings the model back after its device was lost: the weights are loaded again on a new one, edited shaders are put in, and
   * conversations go on (their next turn reads everything again). Throws ModelFileError if the files have changed.
   */
  reopen(): Promise<void> {
    this.#reopening ??= this.#reload().finally(() => {
      this.#reopening = null;
    });
    return this.#reopening;
  }

  async #reload(): Promise<void> {
    if (this.#disposed || !this.reload) throw this.#closed();
    const { kernels } = this.loaded;
    const edits = kernels.edited.map(name => [name, kernels.source(name)] as const);
    for (const conversation of this.#conversations) conversation.forget();
    this.#kept[Symbol.dispose]();
    this.loaded[Symbol.dispose]();
    this.loaded = await this.reload();
    for (const [name, source] of edits) await this.loaded.kernels.edit(name, source);
    if (this.#disposed) this.loaded[Symbol.dispose]();
  }

  /** Writes a continuation into the cell, or to the terminal, as it is made, with its speed. What there was stays when it is stopped. */
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

  /** Which stage at which token carries the answer: see probe/patching.ts. */
  patching(options: PatchingOptions): Promise<Patching> {
    return patching(this, options);
  }

  /** What every step takes, moves and computes, as a share of what this adapter was measured to do at most: see bench/roofline.ts. */
  async roofline(options: RooflineOptions = {}): Promise<Roofline> {
    this.#check();
    return roofline(this, options);
  }

  /** How well the model foresees a text, by one plan or held against another: see probe/perplexity.ts. */
  async perplexity(text: string | readonly number[], options: PerplexityOptions = {}): Promise<Perplexity> {
    this.#check();
    return perplexity(this, text, options);
  }

  /** The longest sequence this session reads: as opened, else 2048 or what the model was made for. */
  get longest(): number {
    return this.contextLength ?? Math.min(2048, this.config.contextLength);
  }

  /**
   * What a report says about where its numbers come from. A run and a diff have their own, of the shaders that ran; this one is of those in
   * force, and of the generations that an edit came into.
   */
  provenance(shaders?: Shaders): Record<string, string> {
    const { info, kind, kernels } = this.gpu;
    const refused = shaders?.refused ?? [];
    return {
      model: this.name,
      fingerprint: this.model.fingerprint,
      adapter: `${kind}: ${info.description || info.device}${kernels === 'gpu' ? ", a GPU's kernels" : ''}`,
      edited_shaders: (shaders ?? this.model.kernels).edited.join(','),
      ...(this.model.cache !== 'f32' && { cache: this.model.cache }),
      ...(!shaders && this.reusedLast > 0 && { reused_tokens: `${this.reusedLast}` }),
      ...(refused.length > 0 && { refused_edits: refused.join('; ') }),
      ...(!shaders && this.editedWhile.length > 0 && { edited_while_generating: this.editedWhile.join('; ') }),
    };
  }

  /** Called for a token that other shaders computed than what it goes on from. */
  noteEdit(shaders: readonly string[], position: number): void {
    this.editedWhile.push(`${shaders.join(', ')} at token ${position}`);
    if (this.editedWhile.length > 16) this.editedWhile.shift();
  }

  /**
   * The plan as a picture: one block a stage, foldable by layer, coloured by what it does or
   * costs, or by the verdicts of a diff.
   */
  picture(diff: Diff | null = null): Shown {
    return shown(() => planBundle(this, diff), {});
  }

  /** Closes it for a newer one with the same model. */
  giveWay(): void {
    this.#replaced ||= !this.#disposed;
    this[Symbol.dispose]();
  }

  [Symbol.dispose](): void {
    this.#disposed = true;
    for (const conversation of this.#conversations) conversation[Symbol.dispose]();
    this.#kept[Symbol.dispose]();
    this.model[Symbol.dispose]();
  }

  [DISPLAY](): Bundle {
    return plain(modelBundle(this));
  }

  [INSPECT](): string {
    return this[DISPLAY]()['text/plain'];
  }

  /** Throws where it was closed, or its device is lost. */
  ready(): void {
    this.#check();
  }

  #check(): void {
    if (this.#disposed) throw this.#closed();
    this.gpu.begin();
  }

  #closed(): ModelFileError {
    return new ModelFileError(
      this.#replaced
        ? `This session with '${this.name}' was closed, as opening the same model again does. Use the newer one.`
        : `This session with '${this.name}' was closed. Open the model again: open('${this.name}').`,
    );
  }

  #context(
    tokens: number,
    { logits, plan, prompt = tokens }: Pick<ContextOptions, 'logits' | 'plan'> & { prompt?: number },
  ): Context {
    if (prompt > this.longest) {
      throw new PromptError(
        `The prompt has ${prompt} tokens, and this session reads ${this.longest}. Shorten it${this.longest < this.config.contextLength ? `, or open the model with a longer context, up to ${this.config.contextLength}: { context }, or --context in a terminal` : ''}.`,
      );
    }
    return this.model.context({ length: this.#lengthFor(tokens), logits, plan });
  }

  /** Rounded up, so that runs of similar lengths share shapes. */
  #lengthFor(tokens: number): number {
    return Math.min(this.longest, Math.max(16, Math.ceil(tokens / 64) * 64));
  }

  /** A context for a run: the one that was kept, where it may go on from what that has read, else a new one. */
  #hold(open: () => Context, tokens: number, asked: Omit<Beginning, 'chunk'> | null): Held {
    if (!this.reuse || !asked || asked.ids.length > this.longest) return this.#kept.without(open());
    const chunk = chunkThatFits(this.model, { length: this.#lengthFor(tokens) });
    return this.#kept.take(this.model, this.longest, open, { ...asked, chunk });
  }

  #vocabulary(): Tokenizer {
    if (this.tokenizer) return this.tokenizer;
    throw new TokenizerError(
      `'${this.name}' has no vocabulary. Give token ids, or open it with { tokenizer: 'tokenizer.model' }, in a terminal --tokenizer tokenizer.model.`,
    );
  }
}
