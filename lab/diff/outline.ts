// Gemma's stages without a model: their order and what each reads, from the names of a trace alone. Sizes are not known, and nothing here looks at them.

import type { GemmaConfig } from '../../engine/config.js';
import { planOf } from '../../engine/gemma.js';
import type { Plan } from '../../engine/plan.js';

/** More layers than any Gemma has: a number beyond is none. */
const MOST_LAYERS = 1000;
const LAYER = /(?:^|\.)(?:layers|blocks|h)\.(\d{1,4})\.|-(\d{1,4})$|(?:hidden_states|attentions)[._[](\d{1,4})\]?$/;

/** The plan of the Gemma that has stages of these names. Each of its sizes is 1. */
export function outlineOf(names: readonly string[]): Plan {
  const layers = names.map(name => Number(LAYER.exec(name)?.slice(1).find(Boolean) ?? 0) + 1);
  const count = Math.max(1, ...layers.filter(n => n <= MOST_LAYERS));
  const some = (pattern: RegExp) => names.some(name => pattern.test(name));
  const rope = { base: 1e4, factor: 1 };
  const config: GemmaConfig = {
    family: 3,
    layers: count,
    hidden: 1,
    heads: 1,
    kvHeads: 1,
    headDim: 1,
    feedForward: 1,
    vocab: 1,
    contextLength: 1,
    rmsEps: 1e-6,
    queryScale: 1,
    attnSoftcap: null,
    finalSoftcap: null,
    embedScale: 1,
    layerKinds: Array(count).fill('full'),
    slidingWindow: null,
    rope: { sliding: rope, full: rope },
    qkNorm: some(/q_norm|k_norm|Qcur_normed|hook_q_normed/),
    postNorms: some(/post_attn_norm|post_mlp_norm|_feedforward_layernorm|ln[12]_post|attn_post_norm|ffn_post_norm/),
    tiedHead: true,
    bosId: 2,
    eosIds: [],
  };
  return planOf(config);
}
