// Gemma 1, 2 and 3, top to bottom, one line a stage. This is the only place that says what the model computes and what its
// stages are called: running it records the plan that everything else replays or reads.
//
// T tokens, S keys seen, R cache slots, H hidden, A query heads, K key/value heads, D head size, F feed-forward,
// V vocabulary. A stage with a weight finds it under the stage's own name.

import { type GemmaConfig, type LayerKind, LONGEST_CONTEXT } from './config.js';
import type { Plan, Ref } from './plan.js';
import { axis, Recorder } from './recorder.js';

/** Records the forward pass of `c` into `m`, a stage a line. @returns the logits, [T,V]; or [1,V] where only the last are wanted */
export function gemma(m: Recorder, c: GemmaConfig): Ref {
  const eps = c.rmsEps;
  const norm = (name: string, x: Ref) => m.rmsNorm(name, x, { eps }); //                                      [T,H]
  const postNorm = (name: string, x: Ref) => (c.postNorms ? norm(name, x) : x); //                Gemma 2, 3: [T,H]

  let x = m.embed('embed', m.ids, [axis.vocab(c.vocab), axis.hidden(c.hidden)], { scale: c.embedScale }); //  [T,H]
  c.layerKinds.forEach((kind, i) => {
    m.scope(`layers.${i}`, () => {
      const attended = attention(m, c, kind, norm('input_norm', x)); //                                       [T,H]
      x = m.add('resid_mid', x, postNorm('post_attn_norm', attended)); //                                     [T,H]
      const fed = geglu(m, c, norm('pre_mlp_norm', x)); //                                                    [T,H]
      x = m.add('resid', x, postNorm('post_mlp_norm', fed)); //                                               [T,H]
    });
  });
  const last = m.rmsNorm('final_norm', x, { eps, weight: 'norm' }); //                                        [T,H]
  const weight = c.tiedHead ? 'embed' : 'head';
  return m.head('logits', last, axis.vocab(c.vocab), { softcap: c.finalSoftcap, weight }); //                 [T,V]
}

/** Grouped-query attention over the cache: full layers see every key, sliding layers the last W. */
function attention(m: Recorder, c: GemmaConfig, kind: LayerKind, x: Ref): Ref {
  const [A, K, D] = [axis.heads(c.heads), axis.kvHeads(c.kvHeads), axis.dim(c.headDim)];
  const { queryScale: scale, attnSoftcap: softcap } = c;
  // Shaders count in u32: a position and a window are added there.
  const window = kind === 'sliding' && c.slidingWindow !== null ? Math.min(c.slidingWindow, LONGEST_CONTEXT) : null;
  const headNorm = (name: string, y: Ref) => (c.qkNorm ? m.rmsNorm(name, y, { eps: c.rmsEps }) : y); // Gemma 3

  return m.scope('attn', () => {
    const q = m.linear('q', x, [A, D]); //                                                                    [T,A,D]
    const k = m.linear('k', x, [K, D]); //                                                                    [T,K,D]
    const v = m.linear('v', x, [K, D]); //                                                                    [T,K,D]
    const query = m.rope('q_rope', headNorm('q_norm', q), c.rope[kind]); //                                   [T,A,D]
    const key = m.rope('k_rope', headNorm('k_norm', k), c.rope[kind]); //                                     [T,K,D]
    const keys = m.cache('k_cache', key, window); //                                                          [R,K,D]
    const values = m.cache('v_cache', v, window); //                                                          [R,K,D]
    const scores = m.scores('scores', query, keys, { scale, softcap, window }); //                            [A,T,S]
    const pattern = m.softmax('pattern', scores, { window }); //                                              [A,T,S]
    const mix = m.mix('mix', pattern, values, { window }); //                                                 [T,A,D]
    return m.linear('out', mix, [axis.hidden(c.hidden)]); //                                                  [T,H]
  });
}

/** Gated feed-forward: down(gelu(gate x) × up x). */
function geglu(m: Recorder, c: GemmaConfig, x: Ref): Ref {
  const F = axis.feedForward(c.feedForward);
  return m.scope('mlp', () => {
    const gate = m.linear('gate', x, [F]); //                                                                 [T,F]
    const up = m.linear('up', x, [F]); //                                                                     [T,F]
    const gated = m.mul('mul', m.geluTanh('act', gate), up); //                                               [T,F]
    return m.linear('down', gated, [axis.hidden(c.hidden)]); //                                               [T,H]
  });
}

/** The plan of a configuration. */
export function planOf(config: GemmaConfig): Plan {
  const recorder = new Recorder();
  gemma(recorder, config);
  return recorder.finish();
}
