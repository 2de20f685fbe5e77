// A shader is a file, or several put together: a product reads weights through a format, a store and what its numbers are worth, and puts its
// results in a place, each a file of its own, and one with a vector is given its input by another (givens/, inputs/); what
// attention is made of is told where the tokens of a chunk stand, and what caps, how.

/** Shaders that multiply by a matrix, and so are assembled with a format, a store and a place for the results; linear_quads, which reads f32 from a buffer by itself, with the last alone. */
export const PRODUCTS: readonly string[] = [
  'linear',
  'linear_broadcast',
  'linear_few',
  'linear_lanes',
  'linear_quads',
  'matvec',
  'matvec_broadcast',
  'matvec_lanes',
  'matvec_scaled',
];

/** Others that read weights, with a format and a store. */
const READS_WEIGHTS = new Set(['embed', 'finite_weight']);

/** Shaders that ask where the tokens of a chunk stand. */
const PLACED = new Set([
  'attend',
  'attend_broadcast',
  'attend_join',
  'cache_write',
  'heads',
  'mix',
  'rope',
  'scores',
  'softmax',
]);

/** Shaders that read or write caches, and are assembled with how keys and values are kept. */
const CACHED = new Set([
  'cache_write',
  'cache_read',
  'heads',
  'scores',
  'mix',
  'attend',
  'attend_broadcast',
  'finite_cache',
]);

/** Shaders that cap scores or logits, and are assembled with how. */
const CAPPED = new Set(['attend', 'attend_broadcast', 'scores', 'softcap']);
/** The file that says how. */
export const CAP = 'caps/tanh';

/** What matvec is given by another dispatch. */
export const ROW = 'givens/row';

/** How matvec_scaled reads what it is given. */
export const INPUTS = { buffer: 'inputs/buffer', uniform: 'inputs/uniform' } as const;

/** What the numbers of a format are worth. */
const WORTH = 'weights/scaled';

/** The files that a shader is assembled with to read a weight. */
export const partsFor = ({ layout, store }: { readonly layout: string; readonly store: string }): string[] => [
  `formats/${layout}`,
  `stores/${store}`,
  WORTH,
];

const F32 = partsFor({ layout: 'f32', store: 'buffer' });

/** Files of a whole that has this one in it, to compile one that nothing uses yet. */
export function wholeWith(name: string): readonly string[] {
  if (name.startsWith('formats/')) return ['matvec_lanes', name, 'stores/buffer', WORTH, 'results/one'];
  if (name.startsWith('stores/')) return ['matvec_lanes', 'formats/f32', name, WORTH, 'results/one'];
  if (name.startsWith('results/')) return ['matvec_lanes', ...F32, name];
  if (name.startsWith('inputs/')) return ['matvec_scaled', ...F32, 'results/one', name];
  if (name.startsWith('givens/')) return ['matvec', ...F32, 'results/one', name];
  if (name.startsWith('weights/')) return ['matvec_lanes', 'formats/f32', 'stores/buffer', name, 'results/one'];
  if (name.startsWith('caches/')) return ['cache_write', 'sequences/one', name];
  if (name === 'stream') return [name, 'stores/buffer'];
  if (name.startsWith('sequences/')) return ['cache_write', name, 'caches/f32'];
  if (name === CAP) return ['softcap', name];
  if (CAPPED.has(name) || PLACED.has(name) || CACHED.has(name)) {
    const placed = PLACED.has(name) ? ['sequences/one'] : [];
    return [name, ...(CAPPED.has(name) ? [CAP] : []), ...placed, ...(CACHED.has(name) ? ['caches/f32'] : [])];
  }
  if (name === 'linear_quads') return [name, 'results/one'];
  const given = name === 'matvec' ? [ROW] : name === 'matvec_scaled' ? [INPUTS.buffer] : [];
  if (PRODUCTS.includes(name)) return [name, ...F32, 'results/one', ...given];
  return READS_WEIGHTS.has(name) ? [name, ...F32] : [name];
}

/** A shader's text, and where each of its lines is from. */
export class Assembly {
  readonly source: string;

  constructor(
    readonly files: readonly string[],
    private readonly texts: readonly string[],
  ) {
    this.source = texts.join('\n');
  }

  /** The file of a line of the text, from 1, and its line there. */
  place(line: number): { readonly file: string; readonly line: number } {
    let first = 1;
    for (const [i, text] of this.texts.entries()) {
      const lines = text.split('\n').length;
      if (line < first + lines || i === this.texts.length - 1) return { file: this.files[i], line: line - first + 1 };
      first += lines;
    }
    return { file: this.files[0], line };
  }
}
