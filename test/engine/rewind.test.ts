// A context that forgets its end: what it reads in its place has the bits that it has in a new one, wherever the rings of sliding layers stand.

import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Context } from '../../engine/context.js';
import { PromptError } from '../../engine/errors.js';
import { open } from '../../lab/session/open.js';
import type { Session } from '../../lab/session/session.js';

let atlas: Session;
beforeAll(async () => {
  atlas = await open('atlas', { quiet: true });
});
afterAll(() => atlas[Symbol.dispose]());

const IDS = Array.from({ length: 200 }, (_, i) => (i * 37) % 512);
const OTHERS = IDS.map(id => (id + 5) % 512);
const CHUNK = 8; // rings of 16 + 8 − 1

async function after(context: Context, ids: readonly number[], chunks?: readonly number[]): Promise<Float32Array> {
  await context.forward(ids, { chunks });
  return context.logits();
}

test.each(['exact', 'fast'] as const)('as much as a chunk is forgotten at any length, %s', async plan => {
  using context = atlas.model.context({ length: 200, chunk: CHUNK, plan });
  for (const [before, tokens] of [
    [100, 8],
    [101, 1],
    [103, 7],
    [24, 8],
    [15, 8],
  ]) {
    using fresh = atlas.model.context({ length: 200, chunk: CHUNK, plan });
    await fresh.forward(IDS.slice(0, before));
    const expected = await after(fresh, IDS.slice(before, before + tokens));
    context.rewind(0);
    await context.forward(IDS.slice(0, before));
    for (const ids of [OTHERS, IDS, OTHERS, IDS]) {
      expect(context.canRewindTo(before)).toBe(true);
      context.rewind(before);
      expect(context.ids).toEqual(IDS.slice(0, before));
      const found = await after(context, ids.slice(before, before + tokens));
      if (ids === IDS) expect(found).toEqual(expected);
      else expect(found).not.toEqual(expected);
    }
  }
});

test('more than that is refused where rings have turned over, also by steps that are small enough', async () => {
  using context = atlas.model.context({ length: 200, chunk: CHUNK });
  await context.forward(IDS.slice(0, 23));
  expect([context.canRewind, context.canRewindTo(1)]).toEqual([true, true]);
  await context.forward(IDS.slice(23, 40));
  expect([context.canRewind, context.canRewindTo(31), context.canRewindTo(32)]).toEqual([false, false, true]);
  expect(() => context.rewind(31)).toThrow(PromptError);
  context.rewind(34);
  expect(() => context.rewind(31)).toThrow(PromptError);
  context.rewind(32);
  expect(() => context.rewind(24)).toThrow(PromptError);
  expect(context.canRewind).toBe(false);
  context.rewind(0);
  expect(context.canRewind).toBe(true);
});
