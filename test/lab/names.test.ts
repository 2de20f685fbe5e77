// Names that TransformerLens and Hugging Face users know, in every family and wherever a name is taken. Which stage they stand for was read in
// their sources: TransformerLens 2's hook_attn_out and hook_mlp_out are what is added to the residual stream, after a post-norm where there is
// one; its RMSNorm's hook_normalized is before the gain; transformers' lm_head is before the soft-cap, its embed_tokens is scaled.

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { GoldenError, StageError } from '../../engine/errors.js';
import { planOf } from '../../engine/gemma.js';
import { configFromJson } from '../../engine/weights/detect.js';
import { DISPLAY } from '../../lab/values/shown.js';
import { golden } from '../../lab/values/golden.js';
import { open } from '../../lab/session/open.js';
import { type Selector, select } from '../../lab/values/select.js';
import type { Session } from '../../lab/session/session.js';

const SHAPE = {
  vocab_size: 64,
  hidden_size: 32,
  intermediate_size: 48,
  num_hidden_layers: 3,
  num_attention_heads: 4,
  num_key_value_heads: 2,
  head_dim: 8,
  max_position_embeddings: 64,
  rms_norm_eps: 1e-6,
};
const plans = {
  gemma1: planOf(configFromJson({ model_type: 'gemma', hidden_activation: 'gelu_pytorch_tanh', ...SHAPE }, 'c')),
  gemma2: planOf(
    configFromJson(
      {
        model_type: 'gemma2',
        hidden_activation: 'gelu_pytorch_tanh',
        query_pre_attn_scalar: 8,
        sliding_window: 8,
        attn_logit_softcapping: 50,
        final_logit_softcapping: 30,
        ...SHAPE,
      },
      'c',
    ),
  ),
  gemma3: planOf(
    configFromJson(
      {
        model_type: 'gemma3_text',
        hidden_activation: 'gelu_pytorch_tanh',
        query_pre_attn_scalar: 8,
        sliding_window: 8,
        ...SHAPE,
      },
      'c',
    ),
  ),
};
type Family = keyof typeof plans;
const names = (family: Family, selector: Selector) => select(plans[family], selector).map(({ name }) => name);

const EVERYWHERE: Readonly<Record<string, string>> = {
  hook_embed: 'embed',
  'blocks.0.hook_resid_pre': 'embed',
  'blocks.2.hook_resid_pre': 'layers.1.resid',
  'blocks.1.hook_resid_mid': 'layers.1.resid_mid',
  'blocks.1.hook_resid_post': 'layers.1.resid',
  'blocks.1.attn.hook_q': 'layers.1.attn.q',
  'blocks.1.attn.hook_k': 'layers.1.attn.k',
  'blocks.1.attn.hook_v': 'layers.1.attn.v',
  'blocks.1.attn.hook_rot_q': 'layers.1.attn.q_rope',
  'blocks.1.attn.hook_rot_k': 'layers.1.attn.k_rope',
  'blocks.1.attn.hook_attn_scores': 'layers.1.attn.scores',
  'blocks.1.attn.hook_pattern': 'layers.1.attn.pattern',
  'blocks.1.attn.hook_z': 'layers.1.attn.mix',
  'blocks.1.mlp.hook_pre': 'layers.1.mlp.gate',
  'blocks.1.mlp.hook_pre_linear': 'layers.1.mlp.up',
  'blocks.1.mlp.hook_post': 'layers.1.mlp.mul',
  'model.embed_tokens': 'embed',
  'model.norm': 'final_norm',
  'model.layers.1': 'layers.1.resid',
  'model.layers[1]': 'layers.1.resid',
  'model.layers.1.input_layernorm': 'layers.1.input_norm',
  'model.layers.1.self_attn': 'layers.1.attn.out',
  'model.layers.1.self_attn.q_proj': 'layers.1.attn.q',
  'model.layers.1.self_attn.o_proj': 'layers.1.attn.out',
  'model.layers.1.mlp': 'layers.1.mlp.down',
  'model.layers.1.mlp.gate_proj': 'layers.1.mlp.gate',
  'model.layers.1.mlp.up_proj': 'layers.1.mlp.up',
  'model.layers.1.mlp.down_proj': 'layers.1.mlp.down',
  'model.layers.1.mlp.act_fn': 'layers.1.mlp.act',
  'model.language_model.layers.1': 'layers.1.resid',
  'model.language_model.layers.1.self_attn.k_proj': 'layers.1.attn.k',
  'language_model.model.layers.1.self_attn.v_proj': 'layers.1.attn.v',
  'language_model.layers.1.mlp.up_proj': 'layers.1.mlp.up',
  'model.language_model.embed_tokens': 'embed',
  'language_model.model.norm': 'final_norm',
};
const SANDWICH: Readonly<Record<string, string>> = {
  'blocks.1.hook_attn_out': 'layers.1.post_attn_norm',
  'blocks.1.hook_mlp_out': 'layers.1.post_mlp_norm',
  'model.layers.1.post_attention_layernorm': 'layers.1.post_attn_norm',
  'model.layers.1.pre_feedforward_layernorm': 'layers.1.pre_mlp_norm',
  'model.layers.1.post_feedforward_layernorm': 'layers.1.post_mlp_norm',
};
const OWN: Readonly<Record<Family, Readonly<Record<string, string>>>> = {
  gemma1: {
    'blocks.1.hook_attn_out': 'layers.1.attn.out',
    'blocks.1.hook_mlp_out': 'layers.1.mlp.down',
    'model.layers.1.post_attention_layernorm': 'layers.1.pre_mlp_norm',
    lm_head: 'logits',
    unembed: 'logits',
  },
  gemma2: SANDWICH,
  gemma3: {
    ...SANDWICH,
    'model.layers.1.self_attn.q_norm': 'layers.1.attn.q_norm',
    'model.language_model.layers.1.self_attn.k_norm': 'layers.1.attn.k_norm',
    lm_head: 'logits',
    'language_model.lm_head': 'logits',
    unembed: 'logits',
  },
};

describe.each(Object.keys(plans) as Family[])('%s', family => {
  test('every name stands for its stage', () => {
    for (const [name, stage] of Object.entries({ ...EVERYWHERE, ...OWN[family] }))
      expect({ name, stage: names(family, name) }).toEqual({ name, stage: [stage] });
  });

  test('a cache, which loupe plan lists, is told as what it is, with the stage that it keeps', () => {
    for (const [cache, kept] of [
      ['k_cache', 'k_rope'],
      ['v_cache', 'v'],
    ])
      for (const layer of ['1', '*'])
        expect(() => names(family, `layers.${layer}.attn.${cache}`)).toThrow(
          new RegExp(
            `^'layers.${layer === '*' ? 0 : 1}.attn.${cache}' is a cache, .*Take 'layers.\\d.attn.${kept}', which it keeps\\.$`,
          ),
        );
  });

  test('globs and lists of such names', () => {
    expect(names(family, 'blocks.*.hook_resid_pre')).toEqual(['embed', 'layers.0.resid', 'layers.1.resid']);
    expect(names(family, 'blocks.{0,2}.attn.hook_{q,z}')).toEqual(
      [0, 2].flatMap(i => [`layers.${i}.attn.q`, `layers.${i}.attn.mix`]),
    );
    expect(names(family, 'model.language_model.layers.*')).toHaveLength(3);
    expect(names(family, 'model.layers.*.mlp.*_proj')).toHaveLength(9);
    expect(names(family, ['blocks.0.hook_resid_post', 'model.layers.0', 'layers.0.resid'])).toEqual(['layers.0.resid']);
    // Own names are not read as somebody else's.
    expect(names(family, '**')).toHaveLength(plans[family].stages.filter(({ state }) => !state).length);
    expect(() => names(family, 'layers.*')).toThrow(/No stage matches 'layers\.\*'/);
  });

  const refused: [string, RegExp][] = [
    [
      'blocks.1.ln1.hook_normalized',
      /is no stage of Loupe: of an RMSNorm it is the value before the gain. Loupe has 'layers\.1\.input_norm'/,
    ],
    ['blocks.1.ln2.hook_scale', /the norm's divisor\. Loupe has 'layers\.1\.pre_mlp_norm'/],
    ['ln_final.hook_normalized', /before the gain\. Loupe has 'final_norm'/],
    ['blocks.*.ln1.hook_normalized', /before the gain/],
    ['blocks.1.attn.hook_result', /what each head adds.*'layers\.1\.attn\.mix'/],
    ['blocks.1.hook_q_input', /a copy that only one reader sees\. What is copied is 'layers\.0\.resid'/],
    ['blocks.0.hook_attn_in', /What is copied is 'embed'/],
    ['blocks.1.hook_mlp_in', /What is copied is 'layers\.1\.resid_mid'/],
    ['hook_pos_embed', /Gemma has no embedding of positions/],
  ];
  test('a name for what there is not is refused, with what there is', () => {
    for (const [name, says] of refused) {
      expect(() => names(family, name)).toThrow(says);
      expect(() => names(family, name)).toThrow(StageError);
    }
  });

  test('a name that is nothing gets the nearest, in the same naming', () => {
    expect(() => names(family, 'blocks.1.hook_resid_pst')).toThrow(/The nearest are 'blocks\.1\.hook_resid_post'/);
    expect(() => names(family, 'blocks.9.attn.hook_pattern')).toThrow(
      /The nearest are 'blocks\.0\.attn\.hook_pattern'/,
    );
    expect(() => names(family, 'model.layers.1.self_attn.qproj')).toThrow(
      /The nearest are 'model\.layers\.1\.self_attn\.q_proj'/,
    );
    expect(() => names(family, 'model.language_model.layers.1.mlp.upproj')).toThrow(
      /The nearest are 'model\.language_model\.layers\.1\.mlp\.up_proj'/,
    );
    expect(() => names(family, 'layers.1.atn.q')).toThrow(/The nearest are 'layers\.1\.attn\.q'/);
  });
});

test('what one family has and another has not', () => {
  expect(() => names('gemma1', 'model.layers.1.pre_feedforward_layernorm')).toThrow(
    /Gemma 1 has two norms a layer\. .*post_attention_layernorm, 'layers\.1\.pre_mlp_norm'/,
  );
  expect(() => names('gemma1', 'blocks.1.ln1_post.hook_normalized')).toThrow(/No stage matches/);
  expect(() => names('gemma2', 'blocks.1.ln1_post.hook_normalized')).toThrow(/Loupe has 'layers\.1\.post_attn_norm'/);
  expect(() => names('gemma3', 'blocks.1.ln2_post.hook_scale')).toThrow(/Loupe has 'layers\.1\.post_mlp_norm'/);
  expect(() => names('gemma2', 'model.layers.1.self_attn.q_norm')).toThrow(/No stage matches/);
  for (const name of ['lm_head', 'model.language_model.lm_head', 'unembed'])
    expect(() => names('gemma2', name)).toThrow(/it is the logits before their soft-cap\. Loupe has 'logits'/);
});

test('a selector that is none says what one is', () => {
  for (const wrong of [[], 7, null, undefined, [3], {}])
    expect(() => names('gemma3', wrong as never)).toThrow(/Stages are selected by a name, a glob/);
});

describe('wherever a name is taken', () => {
  let model: Session;
  beforeAll(async () => {
    model = await open('atlas', { quiet: true });
  });
  afterAll(() => model[Symbol.dispose]());
  const PROMPT = 'The capital of France is';
  const POST = 'blocks.5.hook_resid_post';
  const HF = 'model.language_model.layers.5';

  test('run, at, attention, norms, lens', async () => {
    const run = await model.run(PROMPT, {
      tap: ['blocks.*.hook_resid_post', 'model.layers.*.self_attn', 'blocks.2.attn.hook_pattern'],
    });
    const own = run.at('layers.5.resid');
    expect(run.at(POST)).toBe(own);
    expect(run.at(HF)).toBe(own);
    expect(run.at('model.layers.5.self_attn.o_proj').name).toBe('layers.5.attn.out');
    expect(() => run.at('blocks.5.attn.hook_z')).toThrow(
      /'blocks\.5\.attn\.hook_z', 'layers\.5\.attn\.mix', was not tapped/,
    );
    expect(() => run.at('blocks.5.hook_resid_mid')).toThrow(
      /not tapped in this run\. The nearest are 'blocks\.5\.hook_resid_post'/,
    );
    expect(() => run.at('model.language_model.layers.5.mlp')).toThrow(/nearest are 'model\.language_model\.layers\.5'/);
    expect(() => run.at('blocks.5.hook_resid_pst')).toThrow(/The nearest are 'blocks\.5\.hook_resid_post'/);
    expect(() => run.at('blocks.*.hook_resid_post')).toThrow(/selects 6 stages, and one is needed/);
    expect(() => run.at(5 as never)).toThrow(/A stage is given by its name, not by 5/);
    const text = (shown: { [DISPLAY](): { 'text/plain': string } }) => shown[DISPLAY]()['text/plain'];
    expect(text(run.attention('blocks.2.attn.hook_pattern'))).toBe(text(run.attention(2)));
    expect(text(run.norms('blocks.*.hook_resid_post'))).toBe(text(run.norms()));
    expect((await run.lens('model.language_model.layers.*')).cells).toEqual((await run.lens()).cells);
  });

  test('generate, patch, patching', async () => {
    for await (const token of model.generate(PROMPT, { maxTokens: 1, tap: POST })) {
      expect(token.at(HF)).toBe(token.at('layers.5.resid'));
      expect(() => token.at('blocks.4.hook_resid_post')).toThrow(/'layers\.4\.resid', was not tapped/);
      expect(() => token.at('blocks.4.hook_resid_pst')).toThrow(/The nearest are/);
      break;
    }
    const patched = await model.run(PROMPT, { patch: { stage: POST, values: 0 } });
    const own = await model.run(PROMPT, { patch: { stage: 'layers.5.resid', values: 0 } });
    expect(patched.logits.values.data).toEqual(own.logits.values.data);
    const { stages } = await model.patching({ clean: PROMPT, corrupt: 'The capital of Italy is', stages: POST });
    expect(stages).toEqual(['layers.5.resid']);
  });

  test('stage, diff, golden', async () => {
    expect(model.stage('blocks.3.attn.hook_rot_q').stage.name).toBe('layers.3.attn.q_rope');
    expect(() => model.stage('blocks.3.ln1.hook_scale')).toThrow(/divisor/);
    const g = await golden('atlas/capital');
    expect(await g.read(HF)).toEqual(await g.read('layers.5.resid'));
    await expect(g.read('blocks.3.ln1.hook_scale')).rejects.toThrow(GoldenError);
    await expect(g.read('layers.99.resid')).rejects.toThrow(GoldenError);
    const diff = await model.diff(g, { alone: false });
    expect(diff.at(POST)).toBe(diff.at('layers.5.resid'));
    expect(diff.at('blocks.0.hook_resid_pre')?.stage).toBe('embed');
    expect(() => diff.at('layers.5.reisd')).toThrow(/The nearest are 'layers\.5\.resid'/);
  });
});
