// Whatever a person holds says what it is, as a text, in a console and as a cell's last value: nothing is [object Object] or a class's insides.

import { join } from 'node:path';
import { inspect } from 'node:util';
import { expect, test } from 'vitest';
import { golden, open, prompts, trace } from '../../lab/index.js';
import { bundleOf } from '../../lab/host/show.js';
import { freshFolder } from '../fixtures/folder.js';

test('a session, a run, and all that they give', async () => {
  const model = await open('atlas', { quiet: true });
  try {
    const run = await model.run('Once', { tap: 'layers.5.resid' });
    const one = model.generate('Once');
    const held: Record<string, unknown> = {
      model,
      run,
      logits: run.logits,
      values: run.logits.values,
      top: run.logits.top(3),
      tokenizer: model.tokenizer,
      gpu: model.gpu,
      engine: model.model,
      one,
      several: model.generate(['Once', 'The']),
      runs: model.runs(['Once'], { tap: 'layers.5.resid' }),
      prompts: prompts(join(freshFolder(), 'many.jsonl')),
      stage: model.stage('layers.5.resid'),
      golden: await golden('atlas/capital'),
      trace: await trace('golden/other-engine.safetensors'),
      picture: model.picture(),
    };
    using context = model.model.context();
    held.context = context;
    for (const [name, value] of Object.entries(held)) {
      const bundle = bundleOf(value);
      for (const text of [`${value}`, inspect(value), bundle['text/plain']]) {
        expect([name, text]).toEqual([name, expect.not.stringMatching(/\[object |\{|^\w+$/)]);
        expect([name, text.length]).toEqual([name, expect.any(Number)]);
        expect(text.trim()).not.toBe('');
      }
    }
    expect(`${run.logits}`).toBe(`${run.logits.top(10)}`);
    expect(`${held.tokenizer}`).toBe(
      'A vocabulary of 512 pieces (sentencepiece): encode(text), decode(ids), piece(id)',
    );
    expect(`${context}`).toBe('A context of 0 tokens, of 1024 that fit; exact plan');
    expect(`${model.plan}`).toBe('A plan of 147 stages, from embed to logits: stage(name), stages');
    expect(`${model.config}`).toBe(
      'Gemma 3: 6 layers, 128 wide, 4 heads of 32 over 1 key/value head, feed-forward 512, vocabulary 512, context 1024',
    );
    expect(`the plan: ${model.stage('embed').stage}`).not.toContain('[object');
    // A text of theirs is no part of what they hold.
    expect(Object.keys(model.config)).not.toContain('toString');
    expect(structuredClone(model.config)).toEqual({ ...model.config });
  } finally {
    model[Symbol.dispose]();
  }
});
