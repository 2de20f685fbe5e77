// A conversation on one cache: every turn reads only what is new. The cache holds exactly the ids that were read and made, so that an
// answer is never encoded again and differently.

import type { Context } from '../../engine/context.js';
import { OptionError, PromptError, TokenizerError } from '../../engine/errors.js';
import type { Shaders } from '../../engine/kernel.js';
import { orLonger } from '../../engine/longer-context.js';
import type { ChatMessage } from '../../engine/tokenizer/chat-template.js';
import { idsOf } from '../../engine/tokenizer/template-ids.js';
import type { PlanKind } from '../../engine/fuse.js';
import type { Tokenizer } from '../../engine/tokenizer/tokenizer.js';
import { checkOptions, looked, type OptionNames } from '../values/arguments.js';
import { Shown } from '../values/shown.js';
import { writing } from '../host/writing.js';
import { shadersNow } from '../session/at-the-call.js';
import { Generation, stoppedBy, toldLater } from '../session/generation.js';
import { checkEnds, checkPlan, GENERATE_OPTIONS, type GenerateRunOptions, type Token } from '../session/request.js';
import type { Session } from '../session/session.js';
import { stream } from '../session/stream.js';
import { StopTexts } from './stop.js';
import { Turns, templateOf } from './turns.js';

/** How a conversation begins. */
export interface ConversationOptions {
  /** What the model is told before the first turn. */
  readonly system?: string;
  /** Jinja, instead of the model's own template. */
  readonly template?: string;
  /** Texts that end an answer, besides the tokens that do: a model that was never taught to chat goes on with the next question. */
  readonly stop?: readonly string[];
  /**
   * Turns to begin with, as `messages` gives them, perhaps with a system text in front. Roles, parts and further keys are the template's
   * affair; what it has no form for is refused.
   */
  readonly messages?: readonly ChatMessage[];
  /** Default fast: several stages a step. All turns go by one plan, as they share a cache. */
  readonly plan?: PlanKind;
}

export const CONVERSATION_OPTIONS: OptionNames<ConversationOptions> = {
  system: true,
  template: true,
  stop: true,
  messages: true,
  plan: true,
};

/** Options of a turn: all of a generation's but the plan. */
export type TurnOptions = Omit<GenerateRunOptions, 'plan'>;
const { plan: _, ...TURN_OPTIONS } = GENERATE_OPTIONS;

/** What the last turn took. */
export interface TurnStats {
  /** Tokens read for it. */
  readonly read: number;
  /** Tokens that were in the cache already. */
  readonly reused: number;
  /** Tokens of the answer. */
  readonly made: number;
  /** Milliseconds until the first of them. */
  readonly firstTokenMs: number;
  /** Of the tokens after the first; null for fewer than two. */
  readonly tokensPerSecond: number | null;
}

/** Turns on one cache: each reads only what is new. `session.chat()` begins one. */
export class Conversation extends Shown {
  readonly #turns: Turns;
  /** What a person should know of the template that was given, or that the model has none: it was most likely never taught to chat. */
  readonly notices: readonly string[];
  #context: Context | null = null;
  /** Text that the cache and `#pending` stand for. */
  #text = '';
  /** Made, but not yet read: the last token of an answer that was cut short. */
  #pending: number[] = [];
  #stats: TurnStats | null = null;
  #busy = false;
  #disposed = false;
  /** The plan that all turns go by. */
  readonly plan: PlanKind;
  readonly #stops: readonly number[];
  readonly #stopTexts: readonly string[];

  constructor(
    /** Whose model answers. */
    readonly session: Session,
    private readonly tokenizer: Tokenizer,
    { system = '', template, stop = [], messages = [], plan }: ConversationOptions,
  ) {
    super();
    this.plan = checkPlan(plan, 'fast');
    const found = templateOf(session, tokenizer, template);
    this.#turns = new Turns(found.template);
    this.notices = found.notices;
    if (![stop].flat().every(text => typeof text === 'string')) throw new OptionError('stop is a list of texts.');
    this.#stopTexts = [stop].flat();
    if (this.#stopTexts.includes(''))
      throw new OptionError('An empty text in stop is everywhere. Give the texts that end an answer.');
    const ends = ['<end_of_turn>', session.chatFiles?.specialTokens.eos_token ?? '<end_of_turn>'];
    this.#stops = [...session.config.eosIds, ...ends.map(end => tokenizer.idOf(end)).filter(id => id !== null)];
    if (typeof system !== 'string') throw new OptionError('The system text must be a text. Give { system: "…" }.');
    this.restore(messages, system);
  }

  /** The turns so far, without the system text: a copy of what was given, which cannot be changed in place. Setting them begins anew from there; one in front of them is the new system text. */
  get messages(): readonly ChatMessage[] {
    return this.#turns.messages;
  }

  set messages(messages: readonly ChatMessage[]) {
    const role = looked('The messages', TokenizerError, () =>
      Array.isArray(messages) ? messages[0]?.role : undefined,
    );
    this.restore(messages, role === 'system' ? '' : this.#turns.system);
  }

  /**
   * Begins anew from these turns and this system text. Throws TokenizerError for what the template refuses or leaves out, and PromptError
   * while the model is answering; nothing has changed then.
   */
  restore(messages: readonly ChatMessage[], system: string): void {
    this.#idle();
    this.#turns.restore(messages, system);
    this.#text = '';
    this.#pending = [];
  }

  /** Throws PromptError while the model is answering: an answer belongs behind the turns that it answers. */
  #idle(): void {
    if (this.#busy) throw new PromptError('The model is still answering. Wait for it, or stop it.');
  }

  /** Whether it was closed. */
  get disposed(): boolean {
    return this.#disposed;
  }

  /** What the model is told before the first turn. */
  get system(): string {
    return this.#turns.system;
  }

  /** Takes effect with the next turn, which reads everything again. */
  set system(text: string) {
    this.#idle();
    this.#turns.system = text;
    this.#text = '';
  }

  /** Tokens that the context holds. */
  get used(): number {
    return (this.#context?.ids.length ?? 0) + this.#pending.length;
  }

  /** Tokens that the context holds at most. */
  get length(): number {
    return this.session.longest;
  }

  /** Of the last turn; null before the first. */
  get stats(): TurnStats | null {
    return this.#stats;
  }

  /**
   * The model's answer to `text`, token by token, begun with the shaders in force at the call. What there is of an answer that is stopped stays in the conversation; a turn that
   * fails leaves it as it was. Throws PromptError when it does not fit the context.
   */
  say(text: string, options: TurnOptions = {}): AsyncGenerator<Token, void, void> {
    const checked = toldLater(() => checkOptions('say', options, TURN_OPTIONS));
    const inForce = shadersNow(this.session);
    return new Generation(stop => this.#say(text, inForce, () => stoppedBy(checked(), stop)));
  }

  async *#say(
    text: string,
    inForce: () => Promise<Shaders>,
    given: () => TurnOptions,
  ): AsyncGenerator<Token, void, void> {
    if (this.#disposed) throw new PromptError('This conversation was closed; begin another with chat().');
    this.#idle();
    if (typeof text !== 'string') throw new PromptError('A turn is a text. Give say("…").');
    const options = given();
    checkEnds(options, this.session.config.vocab);
    if (text.trim() === '') throw new PromptError('There is nothing to answer; say something.');
    const before = this.#turns.add({ role: 'user', content: text });
    this.#busy = true;
    const began = performance.now();
    let [answer, first, made] = ['', 0, 0];
    let last: Token | null = null;
    let prompt = '';
    const ends = new StopTexts(this.#stopTexts);
    let cut = false;
    let touched = false;
    try {
      prompt = this.#turns.prompt();
      const shaders = await inForce();
      const ids = this.#fresh(prompt);
      touched = true;
      const context = this.#context!;
      const reused = context.ids.length;
      const maxTokens = options.maxTokens ?? context.length;
      for await (const token of stream(this.session, context, ids, {
        ...options,
        maxTokens,
        stopIds: options.stopIds ?? this.#stops,
        shaders,
      })) {
        if (first === 0) first = performance.now();
        made += 1;
        last = token;
        const certain = ends.push(token.text);
        cut = certain.stop;
        const piece = certain.text + (token.last && !cut ? ends.end() : '');
        answer += piece;
        const seconds = (performance.now() - first) / 1000;
        this.#stats = {
          read: ids.length,
          reused,
          made,
          firstTokenMs: first - began,
          tokensPerSecond: made > 1 ? (made - 1) / seconds : null,
        };
        yield { ...token, text: piece, stop: token.stop || cut, last: token.last || cut };
        if (cut) return;
      }
    } finally {
      this.#busy = false;
      answer += ends.end();
      if (last === null) {
        this.#turns.back(before);
        if (touched) this.#text = '';
      } else {
        this.#turns.add({ role: 'assistant', content: answer });
        this.#text = cut ? '' : prompt + answer; // what the model said after the cut is in the cache, and must go
        // The token before an interrupt may have been read, or not.
        const read = (this.#context?.ids.length ?? 0) > last.position;
        this.#pending = last.stop || read ? [] : [last.id];
      }
    }
  }

  /** Writes the answer into the cell, or to the terminal, as it is made, with its speed. */
  async write(text: string, options: TurnOptions = {}): Promise<void> {
    const page = writing(`${text}\n`);
    try {
      for await (const token of this.say(text, options)) page.add(token.text, token.edited);
    } finally {
      page.end();
    }
  }

  /** Forgets all turns; the system text stays. */
  reset(): void {
    this.messages = [];
    this.#context?.rewind(0);
    this.#stats = null;
  }

  /** Gives the cache back, as a lost device took it: the next turn reads all turns again. */
  forget(): void {
    this.#context?.[Symbol.dispose]();
    this.#context = null;
    this.#text = '';
    this.#pending = [];
  }

  /** Gives its cache back and ends it. */
  [Symbol.dispose](): void {
    this.#disposed = true;
    this.forget();
  }

  /** Ids that the cache lacks for `prompt`; what it has too much is forgotten. Throws PromptError when they do not fit. */
  #fresh(prompt: string): number[] {
    this.#context ??= this.session.model.context({ length: this.length, plan: this.plan });
    const context = this.#context;
    const goesOn = this.#text !== '' && prompt.startsWith(this.#text);
    let ids: number[];
    let kept = context.ids.length;
    if (goesOn) {
      ids = [...this.#pending, ...this.tokenizer.encode(prompt.slice(this.#text.length), { special: true })];
    } else {
      const all = idsOf(this.#turns.template, this.tokenizer, prompt);
      kept = 0;
      while (kept < all.length - 1 && all[kept] === context.ids[kept]) kept += 1;
      if (kept < context.ids.length && !context.canRewind) kept = 0;
      ids = all.slice(kept);
    }
    if (kept + ids.length >= context.length) {
      throw new PromptError(
        `The conversation has ${kept + ids.length} tokens with this turn, and the context holds ${context.length}. ` +
          `Begin a new one${orLonger(context.length, this.session.config.contextLength)}.`,
      );
    }
    if (kept < context.ids.length) context.rewind(kept);
    return ids;
  }
}
