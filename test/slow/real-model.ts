// Where the slow checks find Gemma 3 270M and what PyTorch said of it. .ci/run puts the files there; each missing one is an error,
// never a skip.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { cacheFolder } from '../../engine/adapter.js';

function needed(path: string, command: string): string {
  if (existsSync(path)) return path;
  throw new Error(`${path} is not there; make it with: ${command}`);
}

export const realModel = () =>
  needed(join(cacheFolder(), 'models/gemma-3-270m-q4_k_m.gguf'), 'python golden/fetch_real.py');
export const realGolden = () =>
  needed(
    join(cacheFolder(), 'goldens/270m-capital.safetensors'),
    'python golden/make_golden.py --gguf … --logits last',
  );
export const realCases = () =>
  needed(join(cacheFolder(), 'goldens/270m-tokens.jsonl'), 'python golden/tokenizer_cases.py --gguf …');
