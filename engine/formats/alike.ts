// Formats in one: where weights of several lie together, one shader reads them all, and so they are laid as the same. Some have a shader in
// common as they are; others can be laid as a wider one that has their every value, at a cost in bytes.

import { Q4_0_AS_Q8_0, Q4_1_AS_Q5_1, Q5_0_AS_Q8_0 } from './blocks.js';
import { FORMATS } from './formats.js';
import { Q4_K_AS_Q5_K } from './k-quants.js';
import type { Format } from './tile.js';

/** By the name in the file: as which other it can be laid, too. */
const WIDER: ReadonlyMap<string, Format> = new Map(
  Object.entries({ Q4_0: Q4_0_AS_Q8_0, Q5_0: Q5_0_AS_Q8_0, Q4_1: Q4_1_AS_Q5_1, Q4_K: Q4_K_AS_Q5_K }),
);

/** How weights of these formats are laid so that one shader reads all of them, in the fewest bytes; null where none does. */
export function alike(names: readonly string[]): readonly Format[] | null {
  const ways = names.map(name => [FORMATS.get(name), WIDER.get(name)].filter(format => format !== undefined));
  const shaders = new Map(ways.flat().map(({ shader, texels }) => [shader, texels]));
  const best = [...shaders]
    .filter(([shader]) => ways.every(formats => formats.some(format => format.shader === shader)))
    .sort(([, a], [, b]) => a - b)[0];
  return best ? ways.map(formats => formats.find(({ shader }) => shader === best[0])!) : null;
}
