// What the probes put onto sessions and runs.

import { extend } from '../session/extend.js';
import { Run } from '../session/run.js';
import { Session } from '../session/session.js';
import type { Selector } from '../values/select.js';
import { type Lens, type LensOptions, lens } from './lens.js';
import { type Patching, type PatchingOptions, patching } from './patching.js';
import { type Perplexity, type PerplexityOptions, perplexity } from './perplexity.js';

declare module '../session/run.js' {
  interface Run {
    /**
     * What each layer would say if the model stopped there, beside what the model does say. Needs a tap on the residual stream,
     * `layers.*.resid`. Logits are made in pieces that fit the budget, by default the run's, and never kept.
     */
    lens(stages?: Selector, options?: LensOptions): Promise<Lens>;
  }
}

declare module '../session/session.js' {
  interface Session {
    /** Which stage at which token carries the answer: see probe/patching.ts. */
    patching(options: PatchingOptions): Promise<Patching>;
    /** How well the model foresees a text, by one plan or held against another: see probe/perplexity.ts. */
    perplexity(text: string | readonly number[], options?: PerplexityOptions): Promise<Perplexity>;
  }
}

extend(Run, {
  lens(stages = 'layers.*.resid', options = {}) {
    return lens(this, stages, options);
  },
});

extend(Session, {
  patching(options) {
    return patching(this, options);
  },
  async perplexity(text, options = {}) {
    this.ready();
    return perplexity(this, text, options);
  },
});
