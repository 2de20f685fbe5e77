// What llama.cpp calls the values of its graph, as its evaluation callback sees them: `attn_norm-3`, the layer behind a dash. From its sources (llama-graph.cpp,
// models/gemma*.cpp). Some names come more than once in a layer, and a dump has one of them.

import type { Alias } from './alias.js';

/** @param has the stages of the model @param layers how many */
export function llamaAliases(has: ReadonlySet<string>, layers: number): Alias[] {
  const aliases: Alias[] = [];
  const is = (name: string, stage: string, or: readonly string[] = []) => {
    if (!has.has(stage)) return;
    aliases.push({ name, stage, refusal: '', or: or.filter(other => has.has(other)) });
  };
  const no = (name: string, refusal: string, made?: Alias['made']) =>
    aliases.push({ name, stage: null, refusal, ...(made && has.has(made.stage) && { made }) });
  const softcapped = has.has('layers.0.post_attn_norm') && !has.has('layers.0.attn.q_norm');
  const unscaled = "it is the row of the table before it is multiplied by √H. Loupe has 'embed', after it.";

  for (const name of ['inp_embd', 'embd']) no(name, unscaled, { stage: 'embed', before: 'scale' });
  is('inp_scaled', 'embed');
  for (let i = 0; i < layers; i++) {
    const at = `layers.${i}`;
    const own = (name: string, stage: string, ...or: string[]) =>
      is(
        `${name}-${i}`,
        `${at}.${stage}`,
        or.map(other => `${at}.${other}`),
      );
    own('attn_norm', 'input_norm');
    // Named before and after its rotation: the last of them is the rotated one.
    own('Qcur', 'attn.q_rope', 'attn.q');
    own('Kcur', 'attn.k_rope', 'attn.k');
    own('Vcur', 'attn.v');
    own('Qcur_normed', 'attn.q_norm');
    own('Kcur_normed', 'attn.k_norm');
    if (softcapped) {
      own('kq_scaled_2', 'attn.scores');
      no(`kq-${i}`, `it is what comes before the soft-cap. Loupe has '${at}.attn.scores', after it.`, {
        stage: `${at}.attn.scores`,
        before: 'softcap',
      });
    } else own('kq', 'attn.scores');
    own('kq_soft_max', 'attn.pattern');
    own('kqv', 'attn.mix');
    // Before the output matrix; older versions called the value after it so.
    own('kqv_out', 'attn.mix', 'attn.out');
    own('kqv_merged_cont', 'attn.mix');
    own('kqv_wo', 'attn.out');
    own('attn_out', 'attn.out');
    own('attn_post_norm', 'post_attn_norm');
    own('sa_out', 'resid_mid');
    own('ffn_norm', 'pre_mlp_norm');
    own('ffn_up', 'mlp.up');
    own('ffn_gate', 'mlp.gate');
    own('ffn_gelu', 'mlp.act');
    own('ffn_geglu', 'mlp.mul');
    own('ffn_gate_par', 'mlp.mul');
    own('ffn_out', 'mlp.down');
    own('ffn_down', 'mlp.down');
    own('ffn_post_norm', 'post_mlp_norm');
    own('l_out', 'resid');
    no(
      `norm-${i}`,
      `several norms of a layer are called so, each before its gain. Loupe has '${at}.input_norm' and the others, after it.`,
    );
  }
  is('result_norm', 'final_norm');
  is('result_output', 'logits');
  return aliases;
}
