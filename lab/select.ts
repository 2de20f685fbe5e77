// One way to say which stages: a name, a glob, a list, or a predicate. Names that TransformerLens and Hugging Face users know are
// understood too.

import { StageError } from '../engine/errors.js';
import { nearest, type Plan, type Stage } from '../engine/plan.js';

/** `layers.*.attn.pattern`, `layers.{0,5}.**`, `blocks.3.attn.hook_pattern`, a list of such, or a function of the stage. */
export type Selector = string | readonly string[] | ((stage: Stage) => boolean);

/** The stages selected, in the plan's order; caches are none. Throws StageError, with the nearest names, for what selects nothing. */
export function select(plan: Plan, selector: Selector): Stage[] {
  const stages = plan.stages.filter(({ state }) => !state);
  if (typeof selector === 'function') {
    const found = stages.filter(selector);
    if (found.length > 0) return found;
    throw new StageError('The predicate selects no stage; `loupe plan` lists them all.');
  }
  const patterns = typeof selector === 'string' ? [selector] : selector;
  const chosen = new Set<Stage>();
  for (const pattern of patterns) {
    const name = fromAlias(pattern);
    const matches = /[*{]/.test(name)
      ? stages.filter(stage => globToRegExp(name).test(stage.name))
      : stages.filter(s => s.name === name);
    if (matches.length === 0) {
      const names = stages.map(stage => stage.name);
      throw new StageError(`No stage matches '${pattern}'. ${nearest(name, names)} \`loupe plan\` lists them all.`);
    }
    for (const stage of matches) chosen.add(stage);
  }
  return stages.filter(stage => chosen.has(stage));
}

/** `*` stays within one part of a name, `**` crosses parts, `{a,b}` is either. */
export function globToRegExp(glob: string): RegExp {
  const escaped = glob.replace(/[.+^$()|[\]\\?]/g, '\\$&');
  const pattern = escaped
    .replace(/\{([^{}]*)\}/g, (_, list: string) => `(?:${list.split(',').join('|')})`)
    .replace(/\*\*|\*/g, star => (star === '**' ? '.*' : '[^.]*'));
  return new RegExp(`^${pattern}$`);
}

const TRANSFORMER_LENS: readonly (readonly [RegExp, string])[] = [
  [/^hook_embed$/, 'embed'],
  [/^ln_final\.hook_normalized$/, 'final_norm'],
  [/^blocks\.(.+?)\.hook_resid_mid$/, 'layers.$1.resid_mid'],
  [/^blocks\.(.+?)\.hook_resid_post$/, 'layers.$1.resid'],
  [/^blocks\.(.+?)\.ln1\.hook_normalized$/, 'layers.$1.input_norm'],
  [/^blocks\.(.+?)\.ln2\.hook_normalized$/, 'layers.$1.pre_mlp_norm'],
  [/^blocks\.(.+?)\.hook_attn_out$/, 'layers.$1.post_attn_norm'],
  [/^blocks\.(.+?)\.hook_mlp_out$/, 'layers.$1.post_mlp_norm'],
  [/^blocks\.(.+?)\.attn\.hook_(q|k|v)$/, 'layers.$1.attn.$2'],
  [/^blocks\.(.+?)\.attn\.hook_rot_(q|k)$/, 'layers.$1.attn.$2_rope'],
  [/^blocks\.(.+?)\.attn\.hook_attn_scores$/, 'layers.$1.attn.scores'],
  [/^blocks\.(.+?)\.attn\.hook_pattern$/, 'layers.$1.attn.pattern'],
  [/^blocks\.(.+?)\.attn\.hook_z$/, 'layers.$1.attn.mix'],
  [/^blocks\.(.+?)\.mlp\.hook_pre$/, 'layers.$1.mlp.gate'],
  [/^blocks\.(.+?)\.mlp\.hook_pre_linear$/, 'layers.$1.mlp.up'],
  [/^blocks\.(.+?)\.mlp\.hook_post$/, 'layers.$1.mlp.mul'],
];

const HUGGING_FACE: readonly (readonly [RegExp, string])[] = [
  [/^model\.embed_tokens$/, 'embed'],
  [/^model\.norm$/, 'final_norm'],
  [/^lm_head$/, 'logits'],
  [/^model\.layers\.([^.]+)$/, 'layers.$1.resid'],
  [/^model\.layers\.([^.]+)\.input_layernorm$/, 'layers.$1.input_norm'],
  [/^model\.layers\.([^.]+)\.self_attn\.(q|k|v)_proj$/, 'layers.$1.attn.$2'],
  [/^model\.layers\.([^.]+)\.self_attn\.(q|k)_norm$/, 'layers.$1.attn.$2_norm'],
  [/^model\.layers\.([^.]+)\.self_attn\.o_proj$/, 'layers.$1.attn.out'],
  [/^model\.layers\.([^.]+)\.post_attention_layernorm$/, 'layers.$1.post_attn_norm'],
  [/^model\.layers\.([^.]+)\.pre_feedforward_layernorm$/, 'layers.$1.pre_mlp_norm'],
  [/^model\.layers\.([^.]+)\.post_feedforward_layernorm$/, 'layers.$1.post_mlp_norm'],
  [/^model\.layers\.([^.]+)\.mlp\.(gate|up|down)_proj$/, 'layers.$1.mlp.$2'],
  [/^model\.layers\.([^.]+)\.mlp\.act_fn$/, 'layers.$1.mlp.act'],
];

function fromAlias(name: string): string {
  for (const [pattern, own] of [...TRANSFORMER_LENS, ...HUGGING_FACE])
    if (pattern.test(name)) return name.replace(pattern, own);
  return name;
}
