// The contexts of a session's runs: how long they are, and whether one goes on from what the last has read.

import type { Context } from '../../engine/context.js';
import { PromptError } from '../../engine/errors.js';
import { type ContextOptions, chunkThatFits } from '../../engine/forward.js';
import { orLonger } from '../../engine/longer-context.js';
import type { Model } from '../../engine/model.js';
import { type Beginning, type Held, KeptContext } from './kept-context.js';

/** Whose contexts they are. Its model is another after its device was lost. */
interface Owner {
  readonly model: Model;
  /** The longest sequence that it reads. */
  readonly longest: number;
}

export class Contexts {
  readonly #kept = new KeptContext();
  /** Tokens of the last generation's prompt that were not read again. */
  reusedLast = 0;

  constructor(
    private readonly of: Owner,
    /** Whether the cache of the last run is held for the next that begins alike. */
    readonly reuse: boolean,
  ) {}

  /** An empty one. Throws PromptError for a prompt that does not fit. @param tokens it is to hold at the end */
  open(
    tokens: number,
    { logits, plan, prompt = tokens }: Pick<ContextOptions, 'logits' | 'plan'> & { prompt?: number },
  ): Context {
    checkLength(this.of, prompt);
    return this.of.model.context({ length: lengthFor(this.of, tokens), logits, plan });
  }

  /**
   * The one that was kept, where it may go on from what that has read, else a new one.
   * @param shared what keeps it for runs of one length; by default the session does, where it was asked to, for any length
   */
  hold(open: () => Context, tokens: number, asked: Omit<Beginning, 'chunk'> | null, shared?: KeptContext): Held {
    const { model, longest } = this.of;
    const kept = shared ?? (this.reuse ? this.#kept : null);
    if (!kept || !asked || asked.ids.length > longest) return this.#kept.without(open());
    const length = lengthFor(this.of, tokens);
    return kept.take(model, shared ? length : longest, open, { ...asked, chunk: chunkThatFits(model, { length }) });
  }

  /** Gives back what is kept. */
  [Symbol.dispose](): void {
    this.#kept[Symbol.dispose]();
  }
}

/** Rounded up, so that runs of similar lengths share shapes. */
export const lengthFor = ({ longest }: Pick<Owner, 'longest'>, tokens: number): number =>
  Math.min(longest, Math.max(16, Math.ceil(tokens / 64) * 64));

/** Throws PromptError for a prompt of more tokens than a session reads. */
export function checkLength({ model, longest }: Owner, tokens: number): void {
  if (tokens <= longest) return;
  throw new PromptError(
    `The prompt has ${tokens} tokens, and this session reads ${longest}. Shorten it${orLonger(longest, model.config.contextLength)}.`,
  );
}
