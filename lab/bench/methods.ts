// What a session can tell of its own speed.

import { extend } from '../session/extend.js';
import { Session } from '../session/session.js';
import { type Roofline, type RooflineOptions, roofline } from './roofline.js';

declare module '../session/session.js' {
  interface Session {
    /** What every step takes, moves and computes, as a share of what this adapter was measured to do at most: see bench/roofline.ts. */
    roofline(options?: RooflineOptions): Promise<Roofline>;
  }
}

extend(Session, {
  async roofline(options = {}) {
    this.ready();
    return roofline(this, options);
  },
});
