// Bugs planted in transformers' own Gemma 3 by golden/plant_faults.py, and what the diff of each trace has to name first.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DiffRow } from '../../lab/diff/row.js';
import { placeOf } from '../../lab/diff/row.js';
import { locationText } from '../../lab/diff/locate.js';
import type { Session } from '../../lab/session/session.js';
import { trace } from '../../lab/values/trace.js';
import { runTorch } from './torch.js';

/** Where each bug is, by its name in `FAULTS`; LAST is the last layer. */
const PLACES: Readonly<Record<string, string>> = {
  'window ignored': 'layers.0.attn.scores',
  'local base on full layers': 'layers.5.attn.q_rope',
  'scale of 1/√H': 'layers.0.attn.scores',
  '√H missing': 'embed',
  'gain without the 1': 'layers.0.input_norm',
  'heads on the wrong KV head': 'layers.0.attn.scores',
  'RoPE halves interleaved': 'layers.0.attn.q_rope',
  'post-norm skipped': 'from layers.1.resid and layers.2.attn.out to layers.2.resid_mid',
  'GELU erf': 'layers.0.mlp.act',
  'KV slot off by one': 'layers.0.attn.scores',
  'final norm missing': 'from layers.LAST.resid to logits',
  'soft-cap that is none': 'layers.0.attn.scores',
  'row of a weight transposed': 'layers.3.attn.out',
  'f16 overflow': 'layers.4.mlp.mul',
  'stale cache': 'layers.0.attn.scores',
  'wrong eps': 'layers.0.input_norm',
};

export interface Judged {
  /** `none` and `none, long` are right. */
  readonly bug: string;
  readonly first: DiffRow | null;
  /** Where it is, in words. */
  readonly where: string;
  /** Stages that pass and are farther off than rounding explains. */
  readonly beyond: readonly string[];
}

/** Plants all bugs, each in a trace of its own, and has each judged. */
export async function planted(
  model: Session,
  folder: string,
  { source, ids, long, dtype }: { source: readonly string[]; ids: readonly number[]; long: number; dtype: string },
): Promise<Judged[]> {
  runTorch('plant_faults.py', ...source, '--ids', ids.join(), '--long', `${long}`, '--dtype', dtype, '--out', folder);
  const files = JSON.parse(readFileSync(join(folder, 'files.json'), 'utf8')) as Record<string, string>;
  const judged: Judged[] = [];
  for (const [bug, file] of Object.entries(files)) {
    const { first, beyond } = await model.diff(await trace(join(folder, file)));
    judged.push({
      bug,
      first,
      where: first ? locationText(first.where) : '',
      beyond: beyond.map(({ stage }) => stage),
    });
  }
  return judged;
}

/**
 * The bugs that were named with their place, and of those that were not what was said instead.
 * @param elsewhere bugs that this model shows elsewhere first
 */
export function scoreOf(
  judged: readonly Judged[],
  layers: number,
  elsewhere: Readonly<Record<string, string>> = {},
): { named: string[]; others: string[] } {
  const bugs = judged.filter(({ bug }) => !bug.startsWith('none'));
  const said = ({ first }: Judged) => (first ? placeOf(first) : 'nothing');
  const right = (one: Judged) =>
    said(one) === (elsewhere[one.bug] ?? PLACES[one.bug]).replace('LAST', `${layers - 1}`) &&
    one.first?.verdict === 'source';
  return {
    named: bugs.filter(right).map(({ bug }) => bug),
    others: bugs.filter(one => !right(one)).map(one => `${one.bug}: ${said(one)}`),
  };
}
