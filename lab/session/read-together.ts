// Prompts that are read together, a chunk of several at a time: in the exact plan every value has the bits that it has alone, and what it costs to begin and to submit is paid once for
// all of them. Prompts whose contexts are as long as each other's go together, because the shape of a cache is part of what is computed.

import { allFinite } from '../../engine/finite.js';
import { chunkThatFits } from '../../engine/forward.js';
import type { Shaders } from '../../engine/kernel.js';
import { roomFor } from '../../engine/room.js';
import type { Sequence } from '../../engine/sequence.js';
import type { Captured } from '../../engine/taps.js';
import { lengthFor } from './contexts.js';
import { type Reader, runOf } from './read.js';
import { planProvenance, type RunOptions } from './request.js';
import type { Run } from './run.js';
import type { Planned } from './slices.js';

/** As for one run; `budget` is for one prompt. */
export type RunsOptions = Omit<RunOptions, 'chunks' | 'shaders'>;

/** What many runs ask of their session. */
export interface ManyReader extends Reader {
  readonly longest: number;
}

/** What all the runs are to have. */
type Wanted = RunsOptions & { readonly shaders: Shaders; readonly signal: AbortSignal };

/** A prompt that is to be run, and what it is to bring back. */
export interface Asked extends Planned {
  /** Which prompt it is, from 0. */
  readonly place: number;
  readonly ids: readonly number[];
  /** What its taps bring back. */
  readonly bytes: number;
}

/** Sequences at once. A chunk has 64 tokens, so that more would wait. */
const AT_ONCE = 16;

/**
 * The runs by the place of their prompts. Those are missing that must be run alone: where there is no room for two, where there is nobody to go with, and whose logits are no numbers, of
 * which a run alone says why.
 */
export async function readTogether(
  session: ManyReader,
  prompts: readonly Asked[],
  options: Wanted,
): Promise<Map<number, Run>> {
  const byLength = new Map<number, Asked[]>();
  for (const asked of prompts) {
    const length = lengthFor(session, asked.ids.length);
    byLength.set(length, [...(byLength.get(length) ?? []), asked]);
  }
  const out = new Map<number, Run>();
  for (const [length, group] of byLength) await readGroup(session, length, group, options, out);
  return out;
}

async function readGroup(
  session: ManyReader,
  length: number,
  group: readonly Asked[],
  options: Wanted,
  out: Map<number, Run>,
): Promise<void> {
  const { model } = session;
  const { shaders, signal } = options;
  if (group.length < 2) return;
  const chunk = chunkThatFits(model, { length });
  const sequences = Math.min(group.length, AT_ONCE, roomFor(model, { length, plan: 'exact', chunk }));
  if (sequences < 2) return;
  using batch = model.batch({ length, sequences, plan: 'exact', share: false });
  const told = planProvenance('exact', model.activations);
  const reading = new Map<Sequence, { asked: Asked; captured: Captured[] }>();
  for (let next = 0; next < group.length || reading.size > 0; ) {
    for (; next < group.length && batch.free > 0; next++)
      reading.set(batch.admit(group[next].ids), { asked: group[next], captured: [] });
    signal.throwIfAborted();
    const reached = await batch.step({
      argmax: false,
      signal,
      shaders,
      taps: sequence => reading.get(sequence)!.asked.taps,
      onCaptured: (sequence, captured) => reading.get(sequence)!.captured.push(...captured),
    });
    for (const { sequence, logits } of reached) {
      const { asked, captured } = reading.get(sequence)!;
      reading.delete(sequence);
      sequence.over = true;
      const given = captured.filter(({ stage }) => stage.name === 'logits');
      if (!allFinite(logits!) || !given.every(({ data }) => allFinite(data))) continue;
      out.set(asked.place, runOf(session, { ...asked, captured, logits: logits!.slice(), shaders, told }, options));
    }
  }
}
