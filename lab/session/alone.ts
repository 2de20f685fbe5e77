// One prompt that is continued: an iterator over its tokens, on a context that it gives back.

import type { Context } from '../../engine/context.js';
import { PromptError } from '../../engine/errors.js';
import type { Shaders } from '../../engine/kernel.js';
import { checkGenerate } from '../../engine/generate.js';
import { checkOptions, looked } from '../values/arguments.js';
import { owned } from '../values/owned.js';
import type { Prompt } from '../values/prompt-file.js';
import { shadersNow } from './at-the-call.js';
import type { Speakers } from './batch.js';
import type { Contexts } from './contexts.js';
import { Generation, stoppedBy, toldLater } from './generation.js';
import { checkEnds, checkPlan, GENERATE_OPTIONS, type GenerateRunOptions, type Token } from './request.js';
import { stream } from './stream.js';

/** Everything wrong with what was asked is told with the first token. The shaders in force at the call read the prompt, whenever the first token is asked for. */
export function alone(
  session: Speakers,
  contexts: Contexts,
  prompt: Prompt,
  options: GenerateRunOptions,
): AsyncGenerator<Token, void, void> {
  let held: Context | null = null;
  const checked = toldLater(() => checkOptions('generate', options, GENERATE_OPTIONS));
  const asked = toldLater(() => looked('The prompt', PromptError, () => owned(prompt)));
  const inForce = shadersNow(session);
  const begin = (stop: AbortSignal) =>
    tokensOf(
      session,
      contexts,
      asked,
      inForce,
      () => stoppedBy(checked(), stop),
      context => {
        held = context;
      },
    );
  return new Generation(begin, () => held?.release());
}

async function* tokensOf(
  session: Speakers,
  contexts: Contexts,
  asked: () => Prompt,
  inForce: () => Promise<Shaders>,
  given: () => GenerateRunOptions,
  hold: (context: Context) => void,
): AsyncGenerator<Token, void, void> {
  session.ready();
  const options = given();
  checkGenerate({ ...options, taps: undefined });
  checkEnds(options, session.config.vocab);
  const ids = session.encode(asked());
  const { maxTokens = 128 } = options;
  const plan = checkPlan(options.plan, 'fast');
  const tokens = Math.min(ids.length + maxTokens, session.longest);
  const open = () => contexts.open(tokens, { plan, prompt: ids.length });
  const shaders = await inForce();
  const whole = options.tap !== undefined || maxTokens === 0;
  using held = contexts.hold(open, tokens, whole ? null : { ids, plan, patches: [], shaders });
  const { context, reused } = held;
  contexts.reusedLast = reused;
  hold(context);
  yield* stream(session, context, ids.slice(reused), { ...options, maxTokens, shaders });
  held.keep();
}
