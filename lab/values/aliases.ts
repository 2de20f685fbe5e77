// What TransformerLens (2), Hugging Face and llama.cpp call the stages of a model. Which stage a name stands for depends on the family: after the
// attention comes a norm in Gemma 2 and 3 and none in Gemma 1. A name for what Loupe does not have is known too, with what there is instead.

import type { Alias } from './alias.js';
import { llamaAliases } from './aliases-llama.js';

export interface Aliases {
  readonly transformerLens: readonly Alias[];
  readonly huggingFace: readonly Alias[];
  readonly llamaCpp: readonly Alias[];
}

/**
 * The names for a model with these stages.
 * @param softcapped whether the logits are soft-capped: `lm_head` and `unembed` are what comes before that
 */
export function aliasesOf(stages: readonly string[], softcapped: boolean): Aliases {
  const has = new Set(stages);
  const layers = 1 + Math.max(-1, ...stages.map(name => Number(/^layers\.(\d+)\./.exec(name)?.[1] ?? -1)));
  const postNorms = has.has('layers.0.post_attn_norm');
  const transformerLens: Alias[] = [];
  const huggingFace: Alias[] = [];
  const adding = (list: Alias[]) => ({
    is: (name: string, stage: string) => {
      if (has.has(stage)) list.push({ name, stage, refusal: '' });
    },
    no: (name: string, refusal: string, made?: Alias['made']) =>
      list.push({ name, stage: null, refusal, ...(made && has.has(made.stage) && { made }) }),
  });
  const lens = adding(transformerLens);
  const face = adding(huggingFace);

  lens.is('hook_embed', 'embed');
  lens.no(
    'hook_pos_embed',
    'Gemma has no embedding of positions; it turns queries and keys, layers.N.attn.q_rope and k_rope.',
  );
  face.is('model.embed_tokens', 'embed');
  for (let i = 0; i < layers; i++) {
    const at = `layers.${i}`;
    const b = `blocks.${i}`;
    const m = `model.layers.${i}`;
    const [attnOut, mlpOut] = postNorms
      ? [`${at}.post_attn_norm`, `${at}.post_mlp_norm`]
      : [`${at}.attn.out`, `${at}.mlp.down`];

    lens.is(`${b}.hook_resid_pre`, i === 0 ? 'embed' : `layers.${i - 1}.resid`);
    lens.is(`${b}.hook_resid_mid`, `${at}.resid_mid`);
    lens.is(`${b}.hook_resid_post`, `${at}.resid`);
    // What is added to the residual stream: after the post-norm, where there is one.
    lens.is(`${b}.hook_attn_out`, attnOut);
    lens.is(`${b}.hook_mlp_out`, mlpOut);
    for (const x of ['q', 'k', 'v']) lens.is(`${b}.attn.hook_${x}`, `${at}.attn.${x}`);
    for (const x of ['q', 'k']) lens.is(`${b}.attn.hook_rot_${x}`, `${at}.attn.${x}_rope`);
    lens.is(`${b}.attn.hook_attn_scores`, `${at}.attn.scores`);
    lens.is(`${b}.attn.hook_pattern`, `${at}.attn.pattern`);
    lens.is(`${b}.attn.hook_z`, `${at}.attn.mix`);
    lens.is(`${b}.mlp.hook_pre`, `${at}.mlp.gate`);
    lens.is(`${b}.mlp.hook_pre_linear`, `${at}.mlp.up`);
    lens.is(`${b}.mlp.hook_post`, `${at}.mlp.mul`);
    const norms = { ln1: `${at}.input_norm`, ln2: `${at}.pre_mlp_norm` };
    const after = postNorms ? { ln1_post: attnOut, ln2_post: mlpOut } : {};
    for (const [norm, stage] of Object.entries({ ...norms, ...after })) refuseNorm(`${b}.${norm}`, stage);
    if (has.has(`${at}.attn.q_norm`))
      for (const x of ['q', 'k']) refuseNorm(`${b}.attn.${x}_norm`, `${at}.attn.${x}_norm`);
    lens.no(
      `${b}.attn.hook_result`,
      `it is what each head adds, [T,A,H]. There is '${at}.attn.mix' before the output matrix, and '${at}.attn.out', their sum.`,
    );
    const before = i === 0 ? 'embed' : `layers.${i - 1}.resid`;
    for (const input of ['attn_in', 'q_input', 'k_input', 'v_input'])
      lens.no(`${b}.hook_${input}`, `it is a copy that only one reader sees. What is copied is '${before}'.`);
    lens.no(`${b}.hook_mlp_in`, `it is a copy that only one reader sees. What is copied is '${at}.resid_mid'.`);

    face.is(m, `${at}.resid`);
    face.is(`${m}.input_layernorm`, `${at}.input_norm`);
    face.is(`${m}.self_attn`, `${at}.attn.out`);
    for (const x of ['q', 'k', 'v']) face.is(`${m}.self_attn.${x}_proj`, `${at}.attn.${x}`);
    for (const x of ['q', 'k']) face.is(`${m}.self_attn.${x}_norm`, `${at}.attn.${x}_norm`);
    face.is(`${m}.self_attn.o_proj`, `${at}.attn.out`);
    // Gemma 1 has two norms a layer, and calls the one before the feed-forward so.
    face.is(`${m}.post_attention_layernorm`, postNorms ? attnOut : `${at}.pre_mlp_norm`);
    if (postNorms) {
      face.is(`${m}.pre_feedforward_layernorm`, `${at}.pre_mlp_norm`);
      face.is(`${m}.post_feedforward_layernorm`, mlpOut);
    } else {
      const told = `Gemma 1 has two norms a layer. The one before the feed-forward is post_attention_layernorm, '${at}.pre_mlp_norm'.`;
      face.no(`${m}.pre_feedforward_layernorm`, told);
      face.no(`${m}.post_feedforward_layernorm`, told);
    }
    face.is(`${m}.mlp`, `${at}.mlp.down`);
    for (const x of ['gate', 'up', 'down']) face.is(`${m}.mlp.${x}_proj`, `${at}.mlp.${x}`);
    face.is(`${m}.mlp.act_fn`, `${at}.mlp.act`);
  }
  refuseNorm('ln_final', 'final_norm');
  face.is('model.norm', 'final_norm');
  for (const [list, name] of [
    [lens, 'unembed'],
    [face, 'lm_head'],
  ] as const) {
    if (softcapped)
      list.no(name, "it is the logits before their soft-cap. Loupe has 'logits', after it.", {
        stage: 'logits',
        before: 'softcap',
      });
    else list.is(name, 'logits');
  }
  return { transformerLens, huggingFace, llamaCpp: llamaAliases(has, layers) };

  function refuseNorm(norm: string, stage: string): void {
    if (!has.has(stage)) return;
    lens.no(
      `${norm}.hook_normalized`,
      `of an RMSNorm it is the value before the gain. Loupe has '${stage}', after the gain.`,
      { stage, before: 'gain' },
    );
    lens.no(`${norm}.hook_scale`, `it is the norm's divisor. Loupe has '${stage}', the norm's output.`);
  }
}
