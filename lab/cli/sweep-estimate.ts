// loupe sweep --dry-run: what a sweep will come to, as a table.

import { textTable } from '../display/table.js';
import { eitherSignal } from '../host/interrupt.js';
import { type Estimate, estimate } from '../sweep/estimate.js';
import type { Sweep } from '../sweep/sweep.js';
import { folded } from '../values/fold.js';
import { bytesText, countText } from '../values/numbers.js';
import { print, printJson } from './options.js';

/** How it is asked for. */
interface Options {
  readonly workers?: number;
  readonly adapter?: string;
  readonly json?: boolean;
}

export async function tellEstimate(sweep: Sweep, { workers = 1, adapter, json }: Options): Promise<void> {
  const all = await estimate(sweep, adapter || undefined, eitherSignal());
  if (json) {
    printJson(all);
    return;
  }
  if (all.length === 0) {
    print(`${sweep.plan.out}: all ${sweep.shards.length} shards stand.`);
    return;
  }
  const sum = (of: (one: Estimate) => number) => all.reduce((n, one) => n + of(one), 0);
  const rows = all.map(one => ({
    cells: [
      `${one.configuration} ${[one.model, one.quantise, one.plan, one.adapter, one.activations === 'int8' ? 'int8' : null, one.cache === 'f16' ? 'f16 cache' : null].filter(Boolean).join(', ')}`,
      String(one.runs),
      countText(one.tokens),
      countText(one.rows),
      bytesText(one.bytes),
      one.tokensPerSecond.toFixed(0),
      hoursText(one.hours),
    ],
  }));
  const right = true;
  const titles = ['runs', 'tokens', 'rows', 'values', 'tokens/s', 'hours'];
  print(textTable([{ title: 'configuration' }, ...titles.map(title => ({ title, right }))], rows, { narrow: true }));
  print(
    folded(
      `In all ${sum(one => one.runs)} runs in ${sum(one => one.shards)} shards, ${bytesText(sum(one => one.bytes))} of values before compression, and ${hoursText(sum(one => one.hours) / workers)} hours with ${workers === 1 ? 'one worker' : `${workers} workers, if none waits for another`}. These are estimates, from the first prompts of the file; nothing was written.`,
    ),
  );
}

const hoursText = (hours: number): string => (hours < 0.01 ? '< 0.01' : hours.toPrecision(2));
