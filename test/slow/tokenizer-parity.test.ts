// The real Gemma 3 vocabulary against Python's sentencepiece: LOUPE_TOKENIZER_CASES is written by golden/tokenizer_cases.py --gguf.

import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { expect, test } from 'vitest';
import { openTokenizerFile } from '../../engine/tokenizer/open.js';
import { realCases, realModel } from './real-model.js';

test('every string gives the reference ids, and comes back as the reference has it', async () => {
  const tokenizer = await openTokenizerFile(realModel());
  let strings = 0;
  let tokens = 0;
  let spent = 0;
  for await (const line of createInterface({ input: createReadStream(realCases()) })) {
    const { text, ids, back } = JSON.parse(line) as { text: string; ids: number[]; back: string };
    const began = performance.now();
    const ours = tokenizer.encode(text);
    spent += performance.now() - began;
    if (ours.join() !== ids.join()) expect({ text, ids: ours }).toEqual({ text, ids });
    if (tokenizer.decode(ids) !== back) expect({ text, back: tokenizer.decode(ids) }).toEqual({ text, back });
    strings += 1;
    tokens += ids.length;
  }
  console.log(`${strings} strings, ${tokens} tokens, 0 mismatches, ${Math.round((tokens / spent) * 1000)} tokens/s`);
  expect(strings).toBeGreaterThan(1000);
}, 600_000);
