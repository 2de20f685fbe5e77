// One way of using a shader, be it a stage's or an instrument's: with which constants, and what it is given.

import type { Access } from './bindings.js';
import type { Constants } from './compile.js';

export const CHUNK_BYTES = 16;

/** What a use gives a shader under a name. */
export interface Given {
  readonly access: readonly Access[];
  /** The least that is ever bound, in bytes. */
  readonly bytes: number;
  /** Where it must be; null where it is found by name. */
  readonly index: number | null;
  /** What is bound, where it is always the same. */
  readonly resource?: GPUBindingResource;
}

/** One way of using a shader. */
export interface Use {
  readonly shader: string;
  /** It, and the files that it is assembled with. */
  readonly files: readonly string[];
  /** A stage's name, or what else uses it. */
  readonly by: string;
  readonly constants: Constants;
  readonly given: ReadonlyMap<string, Given>;
}
