// Where the slow checks find Gemma 3 270M and what PyTorch said of it. .ci/run puts the files there; each missing one is an error,
// never a skip.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { cacheFolder } from '../../engine/cache.js';

const needed = (name: string, command: string) => (): string => {
  const path = join(cacheFolder(), name);
  if (existsSync(path)) return path;
  throw new Error(`${path} is not there; make it with: ${command}`);
};

export const realModel = needed('models/gemma-3-270m-q4_k_m.gguf', 'python golden/fetch_real.py');
export const realTokenizer = needed('models/gemma-3-tokenizer.json', 'python golden/fetch_tokenizer.py');
export const realTokenizerConfig = needed('models/gemma-3-tokenizer_config.json', 'python golden/fetch_tokenizer.py');
export const realGolden = needed(
  'goldens/270m-capital.safetensors',
  'python golden/make_golden.py --gguf … --logits last',
);
export const realCases = needed('goldens/270m-tokens.jsonl', 'python golden/tokenizer_cases.py --gguf … --json …');
export const realChats = needed('goldens/270m-chat.jsonl', 'python golden/chat_cases.py --tokenizer … --config …');
