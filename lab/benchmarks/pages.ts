// What was measured as Markdown and pictures. Every figure has its command, its adapter, the machine and the day.

import { type Growth, type GrowthLine, growthSvg } from '../display/growth.js';
import { bytesText } from '../values/numbers.js';
import { Roofline } from '../bench/roofline.js';
import { rooflineBundle } from '../display/roofline.js';
import type { BenchReport } from '../bench/bench.js';
import type { Measured, Ran, StagesReport } from './measured.js';
import type { Speed } from '../bench/measure.js';
import type { Spread } from '../bench/spread.js';

const REAL = 'Gemma 3 270M, Q4_K_M';
const ATLAS = 'atlas, 1.5 M parameters, F32';
const COLOURS: Readonly<Record<string, string>> = {
  Loupe: '#d55e00',
  torch: '#7f8791',
  'llama.cpp': '#009e73',
  exact: '#cc79a7',
};
const NAMES: Readonly<Record<string, string>> = {
  torch: 'PyTorch',
  exact: 'the exact plan',
  fast: 'the fast plan',
  tap: 'one stage tapped',
};
const nameOf = (peer: string) => NAMES[peer] ?? peer;

const number = (n: number) => (n >= 999.5 ? Math.round(n).toLocaleString('en-US') : n.toFixed(n >= 99.5 ? 0 : 1));
const spreadText = ({ median, least, most }: Spread) =>
  least === most ? number(median) : `${number(median)} (${number(least)}–${number(most)})`;
const where = ({ adapter, machine, date }: BenchReport) =>
  `${adapter}; ${machine.cores} ${machine.cores === 1 ? 'core' : 'cores'} of ${machine.cpu}; ${date}`;

export function measuredPart({ atlas, swiftShader, real, seconds }: Measured): string {
  const { machine, date } = atlas.report;
  const parts = [
    `Measured on ${date}, on ${machine.cores} cores of ${machine.cpu}, by \`npm run benchmarks\` in ${Math.round(seconds / 60)} minutes. Tokens a second: the median of the rounds, with the least and the most; ratios are Loupe's median over the other's, measured in turn. M is what \`python3 golden/fetch_real.py\` prints.`,
  ];
  if (real) {
    parts.push(
      section(REAL, real.full),
      picture('bench-decode.svg', 'Tokens a second by tokens of context'),
      picture('bench-attention.svg', 'What attention takes in a layer, by tokens of context'),
      picture('bench-prefill.svg', 'Tokens a second by the length of the prompt'),
      picture('bench-batch.svg', 'Tokens a second by sequences that are continued together'),
      section(`${REAL}: the fast plan against the exact one`, real.exact),
      stagesSection(real.stages, real.full.report),
    );
  }
  parts.push(section(ATLAS, atlas), section(`${ATLAS}, on SwiftShader`, swiftShader));
  return parts.join('\n\n');
}

const picture = (name: string, what: string) => `![${what}](pictures/${name})`;

function section(title: string, { command, report }: Ran<BenchReport>): string {
  const peers = Object.entries(report.peers);
  const head = ['', 'tok/s', 'first token', ...peers.flatMap(([peer]) => [nameOf(peer), 'ratio'])];
  const row = (what: string, of: (speed: Speed) => Spread, ms = '') => [
    what,
    spreadText(of(report)),
    ms,
    ...peers.flatMap(([, other]) => [spreadText(of(other)), `${(of(report).median / of(other).median).toFixed(2)}×`]),
  ];
  const none = peers.flatMap(() => ['', '']);
  const rows = [
    ...Object.entries(report.prefill).map(([length, { firstTokenMs }]) =>
      row(
        `prompt of ${number(Number(length)).replace(/\.0$/, '')}`,
        ({ prefill }) => prefill[length].tokensPerSecond,
        firstTokenMs.median >= 9950
          ? `${(firstTokenMs.median / 1000).toFixed(1)} s`
          : `${firstTokenMs.median.toFixed(firstTokenMs.median < 99.5 ? 1 : 0)} ms`,
      ),
    ),
    ...Object.keys(report.decodeAt).map(after =>
      row(
        `decode after ${number(Number(after)).replace(/\.0$/, '')}`,
        ({ decodeAt }) => decodeAt[after].tokensPerSecond,
      ),
    ),
    ...Object.entries(report.batch).map(([many, { tokensPerSecond }]) => [
      `${many} ${many === '1' ? 'sequence' : 'sequences together'}`,
      spreadText(tokensPerSecond),
      '',
      ...none,
    ]),
  ];
  const others = peers.filter(([peer]) => !(peer in { exact: 1, fast: 1, tap: 1 })).map(([, { name }]) => name);
  const facts = [
    `loaded in ${(report.load / 1000).toFixed(1)} s, ${bytesText(report.memory.gpu)} on the GPU, ${bytesText(report.memory.cpu)} resident`,
    `${report.bytesWrittenPerToken} bytes to the GPU and ${report.bytesReadPerToken} back for each greedy token`,
    ...(report.cache
      ? [
          `after ${report.cache.at} tokens, one more takes ${number(report.cache.withMs)} ms on the cache and ${number(report.cache.withoutMs)} ms with all of them read again: ${report.cache.gain.toFixed(1)}×`,
        ]
      : []),
    ...report.leftOut.map(line => `left out: ${line}`),
  ];
  return [
    `### ${title}`,
    `\`${command}\` (${where(report)}${others.length > 0 ? `; against ${others.join(' and ')}` : ''})`,
    table(head, rows),
    `${facts.join('; ')}.`.replace(/^l/, 'L'),
  ].join('\n\n');
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map((_, i) => (i === 0 ? '---' : '---:'))), ...rows.map(line)].join('\n');
}

function stagesSection({ command, report }: Ran<StagesReport>, bench: BenchReport): string {
  const { ceilings, operations, context } = report;
  const rows = operations.map(one => [
    one.operation,
    String(one.steps),
    (one.us / 1000).toFixed(2),
    `${(100 * one.share).toFixed(1)} %`,
    bytesText(one.bytesRead),
    bytesText(one.bytesWritten),
    (one.bytesPerSecond / 1e9).toPrecision(2),
    (one.operationsPerSecond / 1e9).toPrecision(2),
    `${(100 * one.reached).toFixed(0)} %, ${one.bound}`,
  ]);
  const head = ['steps', 'how many', 'ms', 'share', 'read', 'written', 'GB/s', 'GFLOP/s', 'of the ceiling'];
  return [
    `### ${REAL}: where the time of a token goes`,
    `\`${command}\` (${where({ ...bench, adapter: report.adapter })}): a token after ${context}, GPU timestamps, which cost each step a pass of its own. The ceilings were measured in the same call: ${(ceilings.bytesPerSecond / 1e9).toPrecision(3)} GB/s read from ${ceilings.store}s, ${(ceilings.operationsPerSecond / 1e9).toPrecision(3)} GFLOP/s.`,
    table(head, rows),
    picture('bench-roofline.svg', 'Every step against the two ceilings'),
  ].join('\n\n');
}

/** Files by name. */
export function picturesOf({ real }: Measured): Map<string, string> {
  const out = new Map<string, string>();
  if (!real) return out;
  const { report } = real.full;
  const bars = report.rounds > 1 ? '; bars: the least and the most' : '';
  const note = `${where(report)}${bars}`;
  const growth = (what: Omit<Growth, 'note'>) => growthSvg({ ...what, note });
  const lines = (of: (speed: Speed) => Readonly<Record<string, { readonly tokensPerSecond: Spread }>>): GrowthLine[] =>
    [['Loupe', report] as const, ...Object.entries(report.peers)].map(([name, speed]) => ({
      name: nameOf(name),
      colour: COLOURS[name] ?? '#7f8791',
      main: name === 'Loupe',
      points: pointsOf(of(speed)),
    }));
  const title = (what: string) => `${REAL}: ${what}`;
  out.set(
    'bench-decode.svg',
    growth({
      title: title('a token after others'),
      x: 'tokens of context',
      y: 'tokens a second',
      logarithmic: false,
      lines: lines(({ decodeAt }) => decodeAt),
    }),
  );
  out.set(
    'bench-prefill.svg',
    growth({
      title: title('reading a prompt'),
      x: 'tokens of the prompt',
      y: 'tokens a second',
      logarithmic: true,
      lines: lines(({ prefill }) => prefill),
    }),
  );
  if (Object.keys(report.batch).length > 0) {
    const together = { name: 'Loupe', colour: COLOURS.Loupe, main: true, points: pointsOf(report.batch) };
    out.set(
      'bench-batch.svg',
      growth({
        title: title('several sequences together, all their tokens'),
        x: 'sequences',
        y: 'tokens a second',
        logarithmic: true,
        lines: [together],
      }),
    );
  }
  const attention = attentionLines(report);
  if (attention.length > 0) {
    out.set(
      'bench-attention.svg',
      growthSvg({
        title: title('attention, by what a layer sees'),
        note: `${where(report)}; GPU timestamps, medians`,
        x: 'tokens of context',
        y: 'µs in a layer, for a token',
        logarithmic: false,
        lines: attention,
      }),
    );
  }
  const { stages } = real;
  const { adapter, ceilings, operations, stages: steps, context } = stages.report;
  const extent = { tokens: 1, context };
  const roofline = new Roofline(REAL, adapter, report.plan, extent, ceilings, steps, operations, [], {});
  out.set('bench-roofline.svg', rooflineBundle(roofline)['image/svg+xml']!);
  return out;
}

const pointsOf = (speeds: Readonly<Record<string, { readonly tokensPerSecond: Spread }>>) =>
  Object.entries(speeds).map(([x, { tokensPerSecond }]) => ({ x: Number(x), ...tokensPerSecond }));

function attentionLines({ attentionUs }: BenchReport): GrowthLine[] {
  const kinds = [
    ['full', 'sees everything', '#0072b2'],
    ['sliding', 'sees a window', '#d55e00'],
  ] as const;
  return kinds.flatMap(([kind, name, colour]) => {
    const points = Object.entries(attentionUs ?? {}).flatMap(([x, times]) => {
      const us = times[kind];
      return us === null ? [] : [{ x: Number(x), median: us, least: us, most: us }];
    });
    return points.length > 0 ? [{ name, colour, points, main: kind === 'sliding' }] : [];
  });
}
