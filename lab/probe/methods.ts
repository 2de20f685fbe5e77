// What the probes put onto sessions and runs.

import { extend } from '../session/extend.js';
import { Run } from '../session/run.js';
import { Session } from '../session/session.js';
import type { Headroom } from '../values/headroom.js';
import type { Selector } from '../values/select.js';
import { type HeadroomOptions, headroom } from './headroom.js';
import { type HeadScores, type HeadScoresOptions, headScores } from './head-scores.js';
import { type Lens, type LensOptions, lens } from './lens.js';
import { type Patching, type PatchingOptions, patching } from './patching.js';
import { type Twice, type TwiceOptions, twice } from './twice.js';
import { type Watch, type WatchOptions, watch } from './watch.js';
import { type Perplexity, type PerplexityOptions, perplexity } from './perplexity.js';

declare module '../session/run.js' {
  interface Run {
    /**
     * What each layer would say if the model stopped there, beside what the model does say. Needs a tap on the residual stream,
     * `layers.*.resid`, and throws StageError without. Logits are made in pieces that fit the budget, by default the run's, and never kept. Source: nostalgebraist,
     * "interpreting GPT: the logit lens", 2020.
     * @example await (await model.run('The capital of Japan is', { tap: 'layers.*.resid' })).lens()
     */
    lens(stages?: Selector, options?: LensOptions): Promise<Lens>;
    /**
     * The same of `layers.*.resid`: `{ top: 5 }` keeps the five likeliest of each layer and token, for its hover, its `table()` and `toArrow()`.
     * @example (await run.lens({ top: 5 })).table()
     */
    lens(options: LensOptions): Promise<Lens>;
  }
}

declare module '../session/session.js' {
  interface Session {
    /**
     * Which stage at which token carries the answer: the corrupt prompt is run again and again, each time with one token's activation of one stage put back as it was for the clean one.
     * Throws PromptError for prompts of different lengths, OptionError for answers that are no single token or tell nothing apart. Sources: Meng et al. 2022; Wang et al. 2022.
     * @example await model.patching({ clean: 'The capital of France is', corrupt: 'The capital of Italy is' })
     */
    patching(options: PatchingOptions): Promise<Patching>;
    /**
     * One prompt read twice: every stage's output, chunk by chunk, must have the same bits; where it has not, the first stage, chunk and place are named.
     * Throws PromptError for chunks that do not add up.
     * @example (await model.twice('The capital of France is', { chunks: [2, 4] })).first
     */
    twice(prompt: string | readonly number[], options?: TwiceOptions): Promise<Twice>;
    /**
     * Takes a shader up when its .wgsl is saved, as `edit` does, and keeps cache and weights: of a folder of your own, which is made with copies of all shaders where it is not there; of files;
     * or, without one, of the package's own `shaders/`. What differs on the disk already is taken at once. With `against`, a golden or a run from before, the diff's first stages are run again
     * and what changed is shown. What does not compile is told with its line, and the old shader stays; so it does where a file is deleted. As a cell's last value, or by
     * `show`, it is kept up to date, also while other cells run. It goes on until `stop()`, Stop, or the end of the session. Throws OptionError for what is no folder, files or reference.
     * @example await model.watch('my-shaders', { against: await golden('atlas/capital') })
     */
    watch(where?: string | readonly string[], options?: WatchOptions): Promise<Watch>;
    /**
     * What each head does where tokens come again, on random tokens that are repeated or on a prompt of one's own: how much of its attention goes to what came after an earlier copy
     * (induction), to the token before, and to the copy itself, and how many bits a token are lost without it. A heatmap of layers × heads, which leads to a head's pattern. Throws
     * OptionError for options that do not go together, PromptError for a prompt of one token. Sources: Olsson et al. 2022, "In-context Learning and Induction Heads"; TransformerLens'
     * head_detector.
     * @example const scores = await model.headScores(); scores.top('induction', 3)
     * @example scores.pattern(1, 0) // the attention of that head
     */
    headScores(options?: HeadScoresOptions): Promise<HeadScores>;
    /**
     * The largest |value| of each stage beside 65504, where f16 ends, and bf16's spacing there, over a prompt and what the model writes behind it; what could not be f16 is named. In a cell
     * what was seen so far stands there while it goes on. Throws what a generation throws.
     * @example (await model.headroom('The capital of France is', { maxTokens: 40 })).beyond
     */
    headroom(prompt: string | readonly number[], options?: HeadroomOptions): Promise<Headroom>;
    /**
     * How well the model foresees a text, by one plan or held against another. Throws PromptError for less than two tokens, OptionError for a window that the session does not read,
     * NumberError where a logit is NaN or ±∞.
     * @param text text, or token ids as they are
     * @example (await model.perplexity(text)).bits // a token
     */
    perplexity(text: string | readonly number[], options?: PerplexityOptions): Promise<Perplexity>;
  }
}

extend(Run, {
  lens(given: Selector | LensOptions = 'layers.*.resid', options: LensOptions = {}) {
    const own = typeof given === 'object' && given !== null && !Array.isArray(given);
    return own ? lens(this, undefined, given as LensOptions) : lens(this, given as Selector, options);
  },
});

extend(Session, {
  async headScores(options = {}) {
    this.ready();
    return await headScores(this, options);
  },
  async headroom(prompt, options) {
    this.ready();
    return await headroom(this, prompt, options);
  },
  patching(options) {
    return patching(this, options);
  },
  async perplexity(text, options = {}) {
    this.ready();
    return await perplexity(this, text, options);
  },
  watch(where, options) {
    return watch(this, where, options);
  },
  twice(prompt, options) {
    return twice(this, prompt, options);
  },
});
