// When a shader is used, where that is not always: an edit says it, so that nobody wonders why nothing changes.

import type { Dispatch } from './dispatch.js';
import type { LoadedModel } from './loaded.js';
import type { Extent } from './plan.js';
import { UNIFORM } from './products.js';
import { AS_THEY_ARE } from './ready.js';

/** Chunks that are asked for; no choice depends on a number of tokens beyond. */
const CHUNKS = [1, ...Array.from({ length: 255 }, (_, i) => i + 2)];

/** A dispatch as chunks of one token or of several have it. */
export interface Used {
  readonly kind: 'one token' | 'several tokens';
  /** Whether logits of one row are wanted; a chunk of one token has no more. */
  readonly oneRow: boolean;
  grid: Dispatch['grid'];
}

const runs = (use: Used, { tokens, keys }: Pick<Extent, 'tokens' | 'keys'>): boolean =>
  isPossible(use) &&
  (use.kind === 'one token') === (tokens === 1) &&
  use.grid({ tokens, keys, rows: tokens }).every(n => n > 0);

const isPossible = ({ kind, oneRow }: Used): boolean => kind !== 'one token' || oneRow;

/** Whether it ever runs in a context of so many tokens. */
export const everRuns = (use: Used, longest: number): boolean =>
  CHUNKS.some(
    tokens => tokens <= longest && (runs(use, { tokens, keys: tokens }) || runs(use, { tokens, keys: longest })),
  );

/**
 * At which lengths dispatches run that not every chunk needs; null where every length does.
 * @param longest tokens that the session reads; the model may read more
 */
export function lengthNote(uses: readonly Used[], longest: number, model: LoadedModel): string | null {
  const { contextLength } = model.config;
  const at = (tokens: number, keys: number) => uses.some(use => runs(use, { tokens, keys }));
  const kinds = new Set(uses.filter(isPossible).map(({ kind }) => kind));
  if ((!kinds.has('one token') || at(1, 1)) && (!kinds.has('several tokens') || at(2, 2)))
    return kinds.has('one token') ? null : sizeNote(at, longest);
  const chunks = CHUNKS.filter(tokens => tokens <= contextLength && at(tokens, contextLength));
  if (chunks.length === 0) return 'No chunk of this model is long enough for it.';
  const [first] = chunks;
  const most = chunks[chunks.length - 1];
  const from = leastKeys(keys => at(first, keys), first, contextLength);
  const size = most === CHUNKS[CHUNKS.length - 1] ? '' : `, in chunks of at most ${most}`;
  const when = `from ${from} tokens of context on${size}`;
  return from > longest
    ? `Not in this session, which reads ${longest} tokens: it is used ${when}. Open the model with a longer context: { context }.`
    : `It runs only ${when}.`;
}

/** In chunks of how many tokens dispatches run that are for several, from two on, and for no large one; null where every such chunk has them. */
function sizeNote(at: (tokens: number, keys: number) => boolean, longest: number): string | null {
  const ran = CHUNKS.filter(tokens => tokens > 1 && tokens <= longest && at(tokens, longest));
  const most = ran[ran.length - 1];
  if (most === undefined || most >= Math.min(longest, CHUNKS[CHUNKS.length - 1])) return null;
  return `It runs only in chunks of 2 to ${most} tokens.`;
}

/** The least length that it is used at, as it is at every longer one. */
function leastKeys(used: (keys: number) => boolean, low: number, high: number): number {
  let [from, to] = [low, high];
  while (from < to) {
    const middle = Math.floor((from + to) / 2);
    if (used(middle)) to = middle;
    else from = middle + 1;
  }
  return from;
}

/** Of what stands beside the plan. */
export const INSTRUMENT_NOTES: Readonly<Record<string, string>> = {
  taps: 'Only where something is tapped: it copies what is brought back.',
  'taps of keys and values': 'Only where these are tapped in the fast plan, which leaves them in the cache alone.',
  patches: 'Only in runs with a patch.',
  'the check for NaN': 'Only when logits are NaN or ±∞: then it looks where they begin.',
  'the greedy choice': 'Only where the most likely token is generated, and not where tokens are drawn.',
  'the search for the largest logits': 'Only where prompts are continued with tokens drawn by top-k or top-p.',
};

/** Why nothing of this model uses a shader, and what would; empty where there is no more to say. */
export function whyUnused(model: LoadedModel, shader: string): string {
  const [folder, kind] = shader.split('/');
  if (folder === 'caches') return ` Caches keep ${model.cache} here; open(…, { cache: '${kind}' }) keeps ${kind}.`;
  if (folder === 'formats') return ' No weight of it lies on the GPU in this format.';
  if (shader === 'round8')
    return " It rounds what products are given, where the model is opened with { activations: 'int8' }.";
  if (shader === 'softcap') return ' Its configuration has no soft-cap of the logits.';
  if (shader === 'stream' || shader === 'multiply_add' || shader === 'rounding')
    return ' It measures what the adapter can do, and always as the file has it.';
  return '';
}

/** When shaders of the fast plan run, and which edits are in force in their place (ready.ts). */
export const FAST_NOTES: Readonly<Record<string, string>> = {
  linear_few: "While 'linear' is edited, that computes these too.",
  matvec_scaled: `For one token, and several that are read as if each were alone. While ${AS_THEY_ARE.map(name => `'${name}'`).join(' or ')} is edited, that computes these too.`,
  'inputs/uniform': `Where the one token of a chunk is multiplied, of values that have ${UNIFORM.toLocaleString('en')} bytes or more; else 'inputs/buffer' is read.`,
  'inputs/buffer': `Where several tokens are multiplied as if each were alone, and of values that have less than ${UNIFORM.toLocaleString('en')} bytes; else 'inputs/uniform' is read.`,
};
