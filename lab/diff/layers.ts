// Sliding and full layers apart: a stage that is wrong in all layers of one kind and in none of the other has its bug in what tells them apart, the window or the base of RoPE.

import type { LayerKind } from '../../engine/config.js';
import type { Plan } from '../../engine/plan.js';
import type { DiffRow } from './row.js';

const LAYER = /^layers\.(\d+)\.(.*)$/;

/** The layer of a stage; -1 outside of them. */
export const layerOf = (stage: string): number => Number(LAYER.exec(stage)?.[1] ?? -1);

/** By stage, of a model that has layers of both kinds; else of none. */
export function layerKindsOf({ stages }: Plan): ReadonlyMap<string, LayerKind> {
  const kinds = new Map<string, LayerKind>();
  for (const { name, operation } of stages) {
    const layer = LAYER.exec(name)?.[1];
    if (layer !== undefined && operation.kind === 'scores')
      kinds.set(layer, operation.window === null ? 'full' : 'sliding');
  }
  if (new Set(kinds.values()).size < 2) return new Map();
  return new Map(
    stages.flatMap(({ name }) => {
      const kind = kinds.get(LAYER.exec(name)?.[1] ?? '');
      return kind === undefined ? [] : [[name, kind] as const];
    }),
  );
}

/** Layers of one kind have to be this many: one is a layer and no kind. */
const LEAST = 2;

/** `Only sliding layers: attn.scores is wrong alone in each of them (0, 1, 2, 3, 4), and in no full one.` Empty where the kind of a layer does not tell the wrong from the right. */
export function layersText(rows: readonly DiffRow[], first: DiffRow | null): string {
  if (first?.layerKind === undefined || first.verdict !== 'source' || first.from) return '';
  const part = partOf(first);
  const same = rows.filter(row => row.layerKind && row.local && !row.from && partOf(row) === part);
  const wrong = same.filter(({ verdict }) => verdict === 'source' || verdict === 'masked');
  const [ours, others] = [true, false].map(of => same.filter(row => (row.layerKind === first.layerKind) === of));
  if (ours.length < LEAST || others.length === 0) return '';
  if (wrong.length !== ours.length || !wrong.every(row => ours.includes(row))) return '';
  const other = first.layerKind === 'sliding' ? 'full' : 'sliding';
  const layers = ours.map(({ stage }) => LAYER.exec(stage)![1]).join(', ');
  return `Only ${first.layerKind} layers: ${part} is wrong alone in each of them (${layers}), and in no ${other} one.`;
}

/** A stage without its layer. */
const partOf = ({ stage }: DiffRow): string => LAYER.exec(stage)![2];
