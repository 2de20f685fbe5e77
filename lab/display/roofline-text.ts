// The roofline in text: a table by operation, and the steps that take longest.

import type { Roofline, StepReached } from '../bench/roofline.js';
import { folded } from '../values/fold.js';
import { visible } from '../values/html.js';
import { bytesText, countText } from '../values/numbers.js';
import { textTable } from './table.js';

const COLUMNS = ['µs', 'time', 'read', 'written', 'ops', 'GB/s', 'GFLOP/s', 'reached'];

/** Within 80 columns. @param most steps that are listed */
export function rooflineText(roofline: Roofline, most: number): string {
  const { ceilings, operations, steps, extent } = roofline;
  const cells = (s: Roofline['operations'][number] | StepReached) => [
    s.us.toFixed(s.us < 99.5 ? 1 : 0),
    `${(100 * s.share).toFixed(s.share < 0.0995 ? 1 : 0)} %`,
    bytesText(s.bytesRead),
    bytesText(s.bytesWritten),
    countText(s.operations),
    rate(s.bytesPerSecond / 1e9),
    rate(s.operationsPerSecond / 1e9),
    `${(100 * s.reached).toFixed(s.reached < 0.0995 ? 1 : 0)} % ${s.bound === 'bandwidth' ? 'b' : 'a'}`,
  ];
  const right = (title: string) => ({ title, right: true });
  const groups = textTable(
    [{ title: 'operation' }, right('n'), ...COLUMNS.map(right)],
    operations.map(one => ({ cells: [one.operation, String(one.steps), ...cells(one)] })),
    { narrow: true },
  );
  const some = steps.slice(0, most);
  const each = textTable(
    [right('#'), { title: 'step' }, ...COLUMNS.filter((_, i) => i !== 4).map(right)],
    some.map(one => ({
      cells: [String(one.index), shortened(one.step), ...cells(one).filter((_, i) => i !== 4)],
    })),
    { narrow: true },
  );
  const total = steps.reduce((n, { us }) => n + us, 0);
  const left = steps.length - some.length;
  return [
    folded(visible(titleOf(roofline)), '  '),
    folded(visible(roofline.adapter), '  '),
    `ceilings measured here: ${bandwidthText(ceilings)} (b), ${arithmeticText(ceilings)} (a)`,
    `${steps.length} steps, ${(total / 1000).toFixed(1)} ms for ${extent.tokens === 1 ? 'the token' : 'the chunk'}, medians of ${ceilings.rounds}; reached: of the lower ceiling`,
    ...(roofline.edited.length > 0 ? [`edited shaders: ${visible(roofline.edited.join(', '))}`] : []),
    '',
    groups,
    '',
    each,
    ...(left > 0 ? [`… and ${left} steps more, each shorter: in .steps, or loupe bench --stages --json`] : []),
  ].join('\n');
}

/** In at most five characters up to 99,999. */
const rate = (giga: number) => giga.toFixed(giga >= 100 ? 0 : giga >= 10 ? 1 : giga >= 0.1 ? 2 : 3);

/** `layers.3.attn.q_norm + q_rope + …` as a column has room for it. */
function shortened(step: string): string {
  const text = step.replace(/^layers\./, '');
  return text.length > 19 ? `${text.slice(0, 18)}…` : text;
}

export const bandwidthText = ({ bytesPerSecond, store }: Roofline['ceilings']) =>
  `${(bytesPerSecond / 1e9).toPrecision(3)} GB/s from ${store}s`;
export const arithmeticText = ({ operationsPerSecond }: Roofline['ceilings']) =>
  `${(operationsPerSecond / 1e9).toPrecision(3)} GFLOP/s`;

export function titleOf({ model, plan, extent: { tokens, context } }: Roofline): string {
  return `${model}, ${plan} plan: ${tokens === 1 ? 'a token' : `${tokens} tokens`} after ${context}`;
}
