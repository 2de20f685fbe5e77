// Folders whose weights were made smaller by some other tool. Loupe reads plain weights and GGUF's formats, so it tells such a folder as
// what it is, with the way out; reading it as if it were plain would give another model.

import { ConfigError, ModelFileError } from '../errors.js';
import { isObject, type Json, shownValue } from './config-keys.js';
import { short } from './gguf-cursor.js';

const WAY_OUT =
  'Take the model as it was before (F32, F16 or BF16), or a GGUF of it, which may be quantised (Q4_K_M, Q8_0 …)';

const NAMES: Readonly<Record<string, string>> = {
  bitsandbytes: 'bitsandbytes',
  bitsandbytes_4bit: 'bitsandbytes',
  bitsandbytes_8bit: 'bitsandbytes',
  gptq: 'GPTQ',
  awq: 'AWQ',
  fp8: 'FP8 with scales',
  fbgemm_fp8: 'FP8 with scales',
  modelopt: 'ModelOpt',
  'compressed-tensors': 'compressed-tensors',
  mlx: 'MLX',
};

/** What transformers itself can turn back: `dequantize()` is its own. */
const TURNS_BACK = new Set(['bitsandbytes', 'GPTQ', 'AWQ', 'compressed-tensors', 'FP8 with scales']);

function tell(where: string, method: string, details: string): string {
  const back =
    method === 'MLX'
      ? '; or turn it back: mlx_lm.convert --dequantize'
      : TURNS_BACK.has(method)
        ? '; or turn it back where transformers can: model.dequantize(), then save_pretrained'
        : '';
  return `${where} is of a model quantised with ${method}${details}, which Loupe does not read. ${WAY_OUT}${back}.`;
}

/** Throws ConfigError when a configuration says that the weights are quantised. */
export function refuseQuantised(config: Json, where: string): void {
  for (const key of ['quantization_config', 'quantization', 'compression_config']) {
    const value = Object.hasOwn(config, key) ? config[key] : null;
    if (value === null || value === undefined || (isObject(value) && Object.keys(value).length === 0)) continue;
    if (!isObject(value)) throw new ConfigError(tell(where, `a tool that ${key} names (${shownValue(value)})`, ''));
    const unnamed = 'group_size' in value && 'bits' in value ? 'mlx' : 'a method without a name';
    const method = typeof value.quant_method === 'string' ? short(value.quant_method) : unnamed;
    const name = Object.hasOwn(NAMES, method) ? NAMES[method] : method;
    const said = value.bits ?? (value.load_in_4bit ? 4 : value.load_in_8bit ? 8 : null);
    const bits = typeof said === 'number' ? said : null;
    const group =
      typeof value.group_size === 'number' && value.group_size > 0 ? ` in groups of ${value.group_size}` : '';
    throw new ConfigError(tell(where, name, bits === null ? '' : ` (${bits} bits${group})`));
  }
}

/** What the names of tensors beside a weight say about how it is stored. */
const SIGNS: readonly (readonly [RegExp, string])[] = [
  [/\.(qweight|qzeros|g_idx)$/, 'GPTQ'],
  [
    /\.weight\.(absmax|nested_absmax|quant_map|nested_quant_map|quant_state(\..*)?)$|\.SCB$|\.weight_format$/,
    'bitsandbytes',
  ],
  [/\.weight_(packed|shape|zero_point|g_idx)$/, 'compressed-tensors'],
  [/\.(weight_scale(_inv|_2)?|input_scale|output_scale|activation_scale)$/, 'FP8 with scales'],
  [/\.(scales|biases)$/, 'MLX'],
];

/** Throws ModelFileError when tensors of a folder are those of a quantised model, whatever its configuration says. */
export function refuseQuantisedTensors(names: Iterable<string>, where: string): void {
  const all = [...names];
  for (const [pattern, method] of SIGNS) {
    const name = all.find(one => pattern.test(one));
    if (name === undefined) continue;
    // AutoAWQ names its tensors as GPTQ does, without the order of the inputs.
    const awq = method === 'GPTQ' && !all.some(one => one.endsWith('.g_idx'));
    throw new ModelFileError(tell(where, awq ? 'AWQ' : method, ` (it has '${short(name)}')`));
  }
}
