// Which layers slide where a file does not list them.

import type { LayerKind } from '../config.js';

/** Every `every`th layer is full, the others are sliding: 1 in Gemma 1, 2 in Gemma 2, 6 in Gemma 3. With 0 none is full. */
export function defaultKinds(layers: number, every: number): LayerKind[] {
  return Array.from({ length: layers }, (_, i) => ((i + 1) % every === 0 ? 'full' : 'sliding'));
}
