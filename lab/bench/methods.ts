// What a session can tell of its own speed.

import { extend } from '../session/extend.js';
import { Session } from '../session/session.js';
import { type Roofline, type RooflineOptions, roofline } from './roofline.js';

declare module '../session/session.js' {
  interface Session {
    /**
     * What every step takes, moves and computes, as a share of what this adapter was measured to do at most. Throws DeviceError where the adapter cannot time, PromptError for more tokens
     * than the model reads. Source: Williams et al., "Roofline", 2009.
     * @example (await model.roofline({ tokens: 128 })).operations
     */
    roofline(options?: RooflineOptions): Promise<Roofline>;
  }
}

extend(Session, {
  async roofline(options = {}) {
    this.ready();
    return await roofline(this, options);
  },
});
