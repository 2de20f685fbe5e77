// The plan as blocks: a stage each, in the column of its layer and the row of its name, coloured by what it does.

import { type Cost, costOf } from '../../engine/cost.js';
import type { OperationKind, Stage } from '../../engine/plan.js';
import type { PlanView } from '../session/views.js';

/** What stages do, by colour (Okabe–Ito); a legend names them. Blue reads weights, purple is attention. */
export const KINDS = [
  { name: 'embedding, head', colour: '#56b4e9', of: ['embed', 'head'] },
  { name: 'weights', colour: '#0072b2', of: ['linear'] },
  { name: 'norm', colour: '#009e73', of: ['rmsNorm'] },
  { name: 'RoPE', colour: '#e69f00', of: ['rope'] },
  { name: 'cache', colour: '#d55e00', of: ['cache'] },
  { name: 'attention', colour: '#cc79a7', of: ['scores', 'softmax', 'mix'] },
  { name: 'element by element', colour: '#f0e442', of: ['geluTanh', 'mul', 'add'] },
] as const satisfies readonly { name: string; colour: string; of: readonly OperationKind[] }[];
/** One decoded token with 64 keys before it. */
const EXTENT = { tokens: 1, keys: 64, rows: 1 };

export interface Block {
  readonly stage: Stage;
  readonly cost: Cost;
  readonly layer: number | null;
  /** Name within its layer. */
  readonly short: string;
}

export function blocksOfPlan(session: PlanView['session']): Block[] {
  return session.plan.stages.map(stage => {
    const [, layer, short] = /^layers\.(\d+)\.(.+)$/.exec(stage.name) ?? [null, null, stage.name];
    return {
      stage,
      cost: costOf(stage, EXTENT, weight => session.model.bytesOf(weight)),
      layer: layer === null ? null : Number(layer),
      short,
    };
  });
}

/** Rows, as the forward pass has them: what belongs to no layer at the ends. */
export function linesOfPlan(blocks: readonly Block[]): string[] {
  const inner = [...new Set(blocks.filter(({ layer }) => layer !== null).map(({ short }) => short))];
  const outer = blocks.filter(({ layer }) => layer === null).map(({ short }) => short);
  return [...outer.filter(name => name === 'embed'), ...inner, ...outer.filter(name => name !== 'embed')];
}

/** Columns of what is before the layers, and behind them. */
export const IN = 'in';
export const OUT = 'out';

export const columnOf = ({ layer, short }: Block): string =>
  layer === null ? (short === 'embed' ? IN : OUT) : String(layer);

export const kindOfOperation = (operation: OperationKind): (typeof KINDS)[number] =>
  KINDS.find(({ of }) => (of as readonly string[]).includes(operation))!;
export const kindOfStage = ({ operation }: Stage): (typeof KINDS)[number] => kindOfOperation(operation.kind);
