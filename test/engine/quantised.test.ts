// Folders that another tool made smaller: told as what they are, by what the configuration says and by the names of tensors (those that
// bitsandbytes, AutoGPTQ, AutoAWQ, compressed-tensors, fine-grained FP8 and MLX write).

import { describe, expect, test } from 'vitest';
import { ConfigError, ModelFileError } from '../../engine/errors.js';
import { refuseQuantised, refuseQuantisedTensors } from '../../engine/weights/quantised.js';

const GGUF =
  'Take the model as it was before (F32, F16 or BF16), or a GGUF of it, which may be quantised (Q4_K_M, Q8_0 …)';
const BACK = `${GGUF}; or turn it back where transformers can: model.dequantize(), then save_pretrained.`;
const MLX = `${GGUF}; or turn it back: mlx_lm.convert --dequantize.`;

describe('a configuration', () => {
  test.each<[Record<string, unknown>, string, string]>([
    [{ quantization_config: { quant_method: 'bitsandbytes', load_in_4bit: true } }, 'bitsandbytes (4 bits)', BACK],
    [{ quantization_config: { quant_method: 'bitsandbytes_8bit', load_in_8bit: true } }, 'bitsandbytes (8 bits)', BACK],
    [{ quantization_config: { quant_method: 'bitsandbytes_4bit', load_in_8bit: false } }, 'bitsandbytes', BACK],
    [
      { quantization_config: { quant_method: 'gptq', bits: 4, group_size: 128 } },
      'GPTQ (4 bits in groups of 128)',
      BACK,
    ],
    // −1 is what GPTQ writes for one group a row.
    [{ quantization_config: { quant_method: 'gptq', bits: 8, group_size: -1 } }, 'GPTQ (8 bits)', BACK],
    [{ quantization_config: { quant_method: 'gptq', bits: 8, group_size: 0 } }, 'GPTQ (8 bits)', BACK],
    [{ quantization_config: { quant_method: 'gptq', bits: '8', group_size: 64 } }, 'GPTQ', BACK],
    [{ quantization_config: { quant_method: 'awq', bits: 4, group_size: '128' } }, 'AWQ (4 bits)', BACK],
    [{ quantization_config: { quant_method: 'fp8' } }, 'FP8 with scales', BACK],
    [{ quantization_config: { quant_method: 'fbgemm_fp8' } }, 'FP8 with scales', BACK],
    [{ compression_config: { quant_method: 'compressed-tensors' } }, 'compressed-tensors', BACK],
    [{ quantization_config: { quant_method: 'modelopt' } }, 'ModelOpt', `${GGUF}.`],
    [{ quantization_config: { quant_method: 'hqq', bits: 2 } }, 'hqq (2 bits)', `${GGUF}.`],
    [{ quantization_config: { quant_method: 'toString' } }, 'toString', `${GGUF}.`],
    [{ quantization_config: { quant_method: 7, x: 1 } }, 'a method without a name', `${GGUF}.`],
    [{ quantization_config: { bits: 4 } }, 'a method without a name (4 bits)', `${GGUF}.`],
    [{ quantization_config: { group_size: 64 } }, 'a method without a name', `${GGUF}.`],
    [{ quantization: { group_size: 64, bits: 4 } }, 'MLX (4 bits in groups of 64)', MLX],
    [{ quantization: {}, quantization_config: { quant_method: 'mlx' } }, 'MLX', MLX],
    [{ quantization_config: 'gptq' }, 'a tool that quantization_config names ("gptq")', `${GGUF}.`],
    [{ compression_config: [1] }, 'a tool that compression_config names ([1])', `${GGUF}.`],
    [{ quantization: false }, 'a tool that quantization names (false)', `${GGUF}.`],
  ])('%j is refused', (config, method, cure) => {
    const found = new ConfigError(
      `m/config.json is of a model quantised with ${method}, which Loupe does not read. ${cure}`,
    );
    expect(() => refuseQuantised(config, 'm/config.json')).toThrow(ConfigError);
    expect(() => refuseQuantised(config, 'm/config.json')).toThrow(found);
  });

  test.each([
    {},
    { quantization_config: null, quantization: {}, compression_config: undefined },
    Object.create({ quantization_config: { quant_method: 'gptq' } }),
  ])('%j says nothing of it', config => {
    expect(() => refuseQuantised(config, 'c')).not.toThrow();
  });

  test('a method of a name without end is shown short', () => {
    const config = { quantization_config: { quant_method: 'x'.repeat(5000) } };
    expect(() => refuseQuantised(config, 'c')).toThrow(/^.{0,500}$/s);
  });
});

describe('names of tensors', () => {
  const of = (...names: string[]) => refuseQuantisedTensors(names, 'm.safetensors');
  test.each([
    ...['qweight', 'qzeros'].map(name => ['AWQ', `q_proj.${name}`]),
    ['GPTQ', 'q_proj.g_idx'],
    ...['absmax', 'nested_absmax', 'quant_map', 'nested_quant_map', 'quant_state', 'quant_state.bitsandbytes__nf4'].map(
      name => ['bitsandbytes', `q_proj.weight.${name}`],
    ),
    ...['q_proj.SCB', 'q_proj.weight_format'].map(name => ['bitsandbytes', name]),
    ...['packed', 'shape', 'zero_point', 'g_idx'].map(name => ['compressed-tensors', `q_proj.weight_${name}`]),
    ...['weight_scale', 'weight_scale_inv', 'weight_scale_2', 'input_scale', 'output_scale', 'activation_scale'].map(
      name => ['FP8 with scales', `q_proj.${name}`],
    ),
    ...['scales', 'biases'].map(name => ['MLX', `q_proj.${name}`]),
  ])('%s by %s', (method, name) => {
    const own = `model.layers.0.${name}`;
    const cure = method === 'MLX' ? MLX : BACK;
    const found = `m.safetensors is of a model quantised with ${method} (it has '${own}'), which Loupe does not read. ${cure}`;
    expect(() => of('model.norm.weight', own)).toThrow(ModelFileError);
    expect(() => of('model.norm.weight', own)).toThrow(new ModelFileError(found));
  });

  test('those of GPTQ have the order of the inputs too', () => {
    expect(() => of('a.qweight', 'a.qzeros', 'a.scales', 'a.g_idx')).toThrow(
      /quantised with GPTQ \(it has 'a\.qweight'\)/,
    );
    expect(() => of('a.qweight', 'a.qzeros', 'a.scales')).toThrow(/quantised with AWQ \(it has 'a\.qweight'\)/);
  });

  test.each([
    ...[
      'a.weight',
      'a.bias',
      'a.qweights',
      'a.qweight.b',
      'aqweight',
      'SCB',
      'a.SCB.b',
      'a.weight.absmax_b',
      'weight_packed',
      'self_attn.k_scale',
      'layer_output_scale',
    ],
    ...[
      'a.weight_format.b',
      'a.weight_shapes',
      'a.weight_scales',
      'a.weight_scale.b',
      'scales',
      'a.scales.b',
      'a.layer_scale',
    ],
    ...['a.weight.quant_states', 'a.o_scale', 'absmax', 'x.absmax', 'a.weight_scale_3'],
  ])('%s says nothing of it', name => {
    expect(() => of(name)).not.toThrow();
  });
});
