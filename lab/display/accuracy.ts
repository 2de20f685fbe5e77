// How an adapter rounds, in a line.

import type { Accuracy, MeasuredOperation } from '../../engine/accuracy.js';
import { sci } from '../values/numbers.js';

const SIGNS: Readonly<Record<MeasuredOperation, string>> = {
  add: '+',
  multiply: '×',
  fma: 'fma',
  divide: '÷',
  sqrt: '√',
  inverseSqrt: '1/√',
  exp: 'exp',
  tanh: 'tanh',
};

/** `ULP at most: + 0.5, × 0.5, fma 1 (not fused), ÷ 0.5, √ 0.5, 1/√ 1.4, exp 57, tanh 2.2; subnormals kept` */
export function accuracyText({ operations, fused, subnormals }: Accuracy): string {
  const told = Object.entries(operations).map(([name, { most }]) => {
    const not = name === 'fma' && !fused ? ' (not fused)' : '';
    return `${SIGNS[name as MeasuredOperation]} ${sci(Number(most.toPrecision(2)))}${not}`;
  });
  return `ULP at most: ${told.join(', ')}; subnormals ${subnormals}`;
}
