// A bench's report as text, within 80 columns.

import type { BenchReport } from '../bench/bench.js';
import { LONG, type Speed } from '../bench/measure.js';
import type { Spread } from '../bench/spread.js';
import { folded } from '../values/fold.js';
import { visible } from '../values/html.js';
import { bytesText } from '../values/numbers.js';
import { textTable } from './table.js';

export function benchText(report: BenchReport): string {
  const { cache, machine, rounds, memory, formats } = report;
  const special = Object.entries(formats).flatMap(([what, format]) =>
    format === 'f32' ? [] : [`${what} in ${format}`],
  );
  const others = Object.entries(report.peers);
  // The spread of others has room where there is one of them.
  const theirs = others.length > 1 ? ({ median }: Spread) => number(median) : (s: Spread) => spreadText(s, rounds);
  const row = (what: string, of: (speed: Speed) => Spread, ms?: Spread) => ({
    cells: [
      what,
      spreadText(of(report), rounds),
      ms ? number(ms.median) : '',
      ...others.flatMap(([, other]) => [theirs(of(other)), `${(of(report).median / of(other).median).toFixed(2)}×`]),
    ],
  });
  const rows = [
    ...Object.entries(report.prefill).map(([length, { firstTokenMs }]) =>
      row(`prompt of ${length}`, ({ prefill }) => prefill[length].tokensPerSecond, firstTokenMs),
    ),
    ...Object.keys(report.decodeAt).map(after =>
      row(`decode after ${after}`, ({ decodeAt }) => decodeAt[after].tokensPerSecond),
    ),
  ];
  for (const [many, { tokensPerSecond }] of Object.entries(report.batch)) {
    const cells = [`${many} together`, spreadText(tokensPerSecond, rounds), '', ...others.flatMap(() => ['', ''])];
    rows.push({ cells });
  }
  const longOnes = Object.keys(report.prefill).some(length => Number(length) >= LONG);
  const titles = ['', 'tok/s', 'first, ms', ...others.flatMap(([name]) => [name, 'ratio'])];
  const lines = [
    visible([report.model, `${report.plan} plan`, ...special, `on ${report.adapter}`].join(', ')),
    visible(`${machine.cores} ${machine.cores === 1 ? 'core' : 'cores'} of ${machine.cpu}`),
    ...others.map(([name, other]) => `${name}: ${visible(other.name)}, in turn`),
    '',
    textTable(
      titles.map((title, i) => ({ title, right: i > 0 })),
      rows,
      { narrow: true },
    ),
    '',
    rounds === 1
      ? 'One round.'
      : `Medians of ${rounds} rounds${rounds > 2 && longOnes ? ', of 2 for long prompts' : ''}, with the least and the most.`,
    ...report.leftOut.map(line => `left out  ${line}`),
    `bus       ${report.bytesWrittenPerToken} bytes written and ${report.bytesReadPerToken} read for each greedy token`,
    ...(cache
      ? [
          `cache     ${cache.gain.toFixed(1)}× at ${cache.at} tokens: ${number(cache.withMs)} ms a token instead of ${number(cache.withoutMs)}`,
        ]
      : []),
    `load      ${(report.load / 1000).toFixed(1)} s`,
    `memory    ${bytesText(memory.gpu)} on the GPU, ${bytesText(memory.cpu)} resident`,
  ];
  const within = (line: string) => folded(line, line.startsWith('left out') ? ' '.repeat(10) : '  ');
  return lines.map(line => (line.includes('\n') ? line : within(line))).join('\n'); // the table stays one
}

/** 3724, 118, 16.8 */
const number = (n: number) => n.toFixed(n >= 99.5 ? 0 : 1);

const spreadText = ({ median, least, most }: Spread, rounds: number) =>
  rounds > 1 ? `${number(median)} (${number(least)}–${number(most)})` : number(median);
