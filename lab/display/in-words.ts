// What has no picture says in a line what it is: parts of the engine that a session gives, files of prompts.

import { Context } from '../../engine/context.js';
import { Gpu } from '../../engine/gpu.js';
import { Model } from '../../engine/model.js';
import { PieceTokenizer } from '../../engine/tokenizer/piece-tokenizer.js';
import { bytesText } from '../values/numbers.js';
import { PromptFile } from '../values/prompt-file.js';
import { pictured } from '../values/shown.js';

/** A class whose values are a sentence in a cell, in a console and within a text. */
function said<T extends object>(of: { readonly prototype: T }, words: (value: T) => string): void {
  pictured(of, value => ({ 'text/plain': words(value) }));
}

said(Gpu, gpu => {
  const of = Number.isFinite(gpu.budgetBytes) ? ` of ${bytesText(gpu.budgetBytes)}` : '';
  return `${gpu.kind}: ${gpu.name}; ${bytesText(gpu.liveBytes)}${of} in use${gpu.lost ? '; the device is lost' : ''}`;
});
said(
  Model,
  ({ config, plan, weightBytes }) =>
    `Gemma ${config.family}, ${config.layers} layers, ${plan.stages.length} stages; ${bytesText(weightBytes)} of weights on the GPU`,
);
said(
  Context,
  ({ ids, length, plan }) =>
    `A context of ${ids.length} ${ids.length === 1 ? 'token' : 'tokens'}, of ${length} that fit; ${plan} plan`,
);
said(
  PieceTokenizer,
  tokenizer => `A vocabulary of ${tokenizer.size} pieces (${tokenizer.source}): encode(text), decode(ids), piece(id)`,
);
said(
  PromptFile,
  ({ path }) => `The prompts of ${path}: give them to runs() or generate(), or loop over them with for await.`,
);
