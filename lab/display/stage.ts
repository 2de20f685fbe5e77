// One stage of the plan: what it computes from what, and what that costs for one token.

import { costOf } from '../../engine/cost.js';
import { type Stage, shapeText } from '../../engine/plan.js';
import type { Bundle } from '../values/shown.js';
import { bytesText, countText } from '../values/numbers.js';
import { htmlTable, textTable } from './table.js';

/** @param weightBytes bytes of its weight on the GPU */
export function stageBundle(stage: Stage, weightBytes: number): Bundle {
  const { kind, ...constants } = stage.operation;
  const given = Object.entries(constants).flatMap(([name, value]) => (value === null ? [] : [`${name} ${value}`]));
  const cost = costOf(stage, { tokens: 1, keys: 64, rows: 1 }, () => weightBytes);
  const facts = {
    stage: stage.name,
    operation: [kind, ...given].join(', '),
    output: shapeText(stage.axes),
    inputs: stage.inputs.map(({ name, axes }) => `${name} ${shapeText(axes)}`).join(', '),
    weight: stage.weight ? `${stage.weight.name} [${stage.weight.shape.join(',')}]` : 'none',
    'one token, 64 keys': `${bytesText(cost.bytes)}, ${countText(cost.flops)} FLOPs`,
  };
  const columns = [{ title: '' }, { title: '' }];
  const rows = Object.entries(facts).map(cells => ({ cells }));
  return { 'text/html': htmlTable(columns, rows).text, 'text/plain': textTable(columns, rows) };
}
