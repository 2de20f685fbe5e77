// Names out of files in pictures: of models, goldens, traces, stages, dimensions, tokens, prompts, shaders. Whatever they hold, plotly's titles, ticks, legends and hovers
// show it as text. Every class that has a picture is here: the last test reads the table of pictures.

import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import '../../lab/index.js';
import { Roofline, type StepReached } from '../../lab/bench/roofline.js';
import { ErrorMap } from '../../lab/diff/error-map.js';
import { activationBundle } from '../../lab/display/activation.js';
import { modelBundle } from '../../lab/display/model.js';
import { bar, plot } from '../../lab/display/own-lines.js';
import { heatmap } from '../../lab/display/own-grid.js';
import { histogramBundle, normsBundle, outliersBundle } from '../../lab/display/spread.js';
import { HeadScores } from '../../lab/probe/head-scores.js';
import { LensTable } from '../../lab/probe/lens.js';
import { ModelComparison } from '../../lab/probe/model-comparison.js';
import { Patching } from '../../lab/probe/patching.js';
import { Perplexity } from '../../lab/probe/perplexity.js';
import { Twice } from '../../lab/probe/twice.js';
import { SweepData } from '../../lab/sweep/dataset.js';
import type { Manifest } from '../../lab/sweep/manifest.js';
import { type WorstRun, WorstRuns } from '../../lab/sweep/worst.js';
import { Watch } from '../../lab/probe/watch.js';
import { open } from '../../lab/session/open.js';
import { Run } from '../../lab/session/run.js';
import type { Session } from '../../lab/session/session.js';
import { Edited, OneStage, PlanView } from '../../lab/session/views.js';
import { Activation } from '../../lab/values/activation.js';
import { GoldenFile, golden } from '../../lab/values/golden.js';
import { Headroom } from '../../lab/values/headroom.js';
import { type Bundle, DISPLAY, INSPECT, plain, type Shown } from '../../lab/values/shown.js';
import { Norms, Outliers } from '../../lab/values/spread.js';
import { Trace } from '../../lab/values/trace.js';
import { ALL, expectTame, HOSTILE, STEERING } from '../fixtures/hostile.js';
import { withOther } from '../fixtures/other.js';

let model: Session;
beforeAll(async () => {
  model = await open('atlas', { quiet: true });
});
afterAll(() => model[Symbol.dispose]());

const worstRun = (text: WorstRun['text']): WorstRun => ({
  ...{ prompt: 0, configuration: 1, name: ALL, tokens: 2, stage: ALL, margin: 0.5, perplexity: null, text },
  stages: [{ stage: ALL, margin: 0.5, relL2: 1 }],
});
const configuration = { configuration: 0, model: ALL, fingerprint: ALL, plan: ALL, adapter: ALL } as never;
const manifest = { plan: {}, configurations: [configuration], shards: [], missing: [ALL] } as unknown as Manifest;

/** Names of the classes that were shown. */
const seen = new Set<string>();
function expectAllTame(all: Readonly<Record<string, Shown>>): void {
  for (const [name, value] of Object.entries(all)) {
    seen.add(value.constructor.name);
    expectTame(name, value[DISPLAY]());
    expect(value[INSPECT]()).not.toMatch(STEERING);
  }
}

test('displays of activations whose names and tokens are hostile; dimensions count what stages have', () => {
  const dims = [
    { name: 'head' as const, size: 2 },
    { name: 'token' as const, size: HOSTILE.length, labels: HOSTILE },
    { name: 'dim' as const, size: 3 },
  ];
  const data = Float32Array.from({ length: 2 * 3 * HOSTILE.length }, (_, i) => Math.sin(i));
  const named = () => new Activation(ALL, [{ name: ALL as never, size: 1 }], new Float32Array(1));
  expect(named).toThrow(/and what dimensions count is token, query, key, head, dim, channel, vocab, slot/);
  const hostile = new Activation(ALL, dims, data);
  expectTame('activation', hostile[DISPLAY]());
  expectTame('bundle', { ...activationBundle(hostile), 'text/plain': '' });
  const flat = new Activation(ALL, dims.slice(1), data.subarray(0, 3 * HOSTILE.length));
  expectTame('histogram', {
    ...histogramBundle(flat.histogram()),
    'text/plain': flat.histogram()[DISPLAY]()['text/plain'],
  });
  expectTame('outliers', flat.outliers()[DISPLAY]());
  expectTame('outliers', { ...outliersBundle(new Outliers(flat, 0)), 'text/plain': '' });
  expectTame('norms', { ...normsBundle(new Norms([flat, flat])), 'text/plain': '' });
  for (const text of [hostile[INSPECT](), flat.histogram()[INSPECT](), flat.outliers()[INSPECT]()])
    expect(text).not.toMatch(STEERING);
});

/** What a session shows under another name: its methods know only its own. */
const drawn = (bundle: Bundle): Shown => ({
  [DISPLAY]: () => plain(bundle),
  [INSPECT]: () => plain(bundle)['text/plain'],
});

test('displays of a model, a run, a lens, a diff and a golden with hostile names', async () => {
  const run = await model.run(
    HOSTILE.map((_, i) => 10 + i),
    { tap: '**', logits: 'all' },
  );
  const texts = (ids: readonly number[]) => ids.map(id => HOSTILE[id % HOSTILE.length]);
  const session = withOther(model, {
    labels: texts,
    name: ALL,
    provenance: () => ({ model: ALL, adapter: ALL, fingerprint: 'f', edited_shaders: '' }),
  });
  const relabelled = ({ name, dims, data }: Activation) =>
    new Activation(
      name,
      dims.map(dim => (dim.labels ? { ...dim, labels: HOSTILE } : dim)),
      data,
    );
  const activations = new Map([...run.activations].map(([name, activation]) => [name, relabelled(activation)]));
  const renamed = new Run(session, run.ids, HOSTILE, activations, run.logits.values);
  const all: Record<string, Shown> = {
    run: renamed as unknown as Shown,
    top: renamed.logits.top(12),
    beside: renamed.beside(renamed),
    surprisal: renamed.surprisal(),
    attention: renamed.attention(),
    heads: renamed.attention(0).heads(),
    byToken: renamed.attention(0).byToken(),
    lens: await renamed.lens(),
    table: new LensTable(await renamed.lens()),
    last: renamed.logits as unknown as Shown,
    histogram: renamed.at('layers.0.resid').histogram(),
    outliers: renamed.at('layers.0.resid').outliers(),
    norms: new Norms([renamed.at('layers.0.resid')]),
    activation: renamed.at('layers.0.attn.pattern'),
    model: drawn(modelBundle(session)),
    plan: new PlanView(session, null),
  };
  const g = await golden('atlas/short');
  const diff = await model.diff(g);
  const named = Object.assign(diff, { golden: ALL, provenance: { adapter: ALL } });
  all.diff = named;
  all.verdicts = new PlanView(session, named);
  expectAllTame(all);
  for (const name of ['Session', 'Run']) seen.add(name); // under other names
  // A map's own words are of the row, its ticks and hovers of labels.
  const row = { ...named.rows.find(({ stage }) => stage === 'layers.0.attn.pattern')!, stage: ALL };
  const maps = ['layers.0.attn.pattern', 'layers.0.attn.q', 'layers.1.resid'].map(stage => {
    const theirs = relabelled(run.at(stage));
    const ours = new Activation(
      theirs.name,
      theirs.dims,
      theirs.data.map((v, i) => v + (i % 7 === 0 ? 0.1 : 0)),
    );
    return new ErrorMap(row, ours, theirs, null, false, 1e-5, 1, 4, 'theirs');
  });
  expectAllTame(Object.fromEntries(maps.map((map, i) => [`map ${i}`, map])));
});

test('pictures of what is computed from runs, of files, shaders and conversations, with hostile names', async () => {
  const run = await model.run([2, 10, 11], { tap: 'layers.0.attn.pattern' });
  const provenance = { model: ALL, adapter: ALL, plan: ALL, activations: ALL, edited_shaders: ALL };
  const many = HOSTILE.map((_, i) => i - 3);
  const reached = { bytesRead: 4e6, bytesWritten: 1e3, operations: 1e6, bytesPerSecond: 1e9, operationsPerSecond: 1e9 };
  const step: StepReached = {
    ...reached,
    us: 9,
    share: 0.5,
    ofBandwidth: 0.5,
    ofArithmetic: 0.1,
    bound: 'bandwidth',
    reached: 0.5,
    index: 0,
    step: ALL,
    operation: 'products',
  };
  const ceilings = { bytesPerSecond: 2e9, operationsPerSecond: 1e10, store: 'buffer', bytes: 1, rounds: 1 } as const;
  const numbers = { kl: 0.1, sameTop: 0.9, perplexity: [2, 3] as [number, number] };
  const spread = { mean: 1, median: 1, p90: 1, p99: 1, p999: 1, most: 1, mostAt: 1 };
  const arrays = new Map(HOSTILE.map(name => [name, { dtype: ALL, shape: [1] }]));
  const maxima = new Activation(ALL, [{ name: 'dim', size: 2 }], Float32Array.of(70_000, 1));
  const watch = new Watch(model, { name: ALL, copied: 1 } as never, '**', 'exact', { golden: { name: ALL } } as never);
  for (const outcome of ['taken', 'same', 'refused', 'gone', 'unknown'] as const)
    watch.events.push({ at: new Date(0), file: ALL, outcome, text: ALL });
  const { rows } = await model.diff(await golden('atlas/short'));
  watch.changed = [{ stage: ALL, before: rows[3], after: rows[3] }];
  watch.trouble = ALL;
  const text = ALL.replaceAll('\ud83d', ''); // half a pair is refused
  const conversation = model.chat({
    system: text,
    messages: [
      { role: 'user', content: text },
      { role: 'assistant', content: text },
    ],
  });
  expectAllTame({
    watch,
    conversation,
    bars: bar(HOSTILE, many, { title: ALL, x: ALL, y: ALL }),
    barsByName: bar(Object.fromEntries(HOSTILE.map((name, i) => [name, i])), { title: ALL }),
    lines: plot(many, Object.fromEntries(HOSTILE.map(name => [name, many])), { title: ALL, x: ALL, y: ALL }),
    grid: heatmap([many, many], { title: ALL, x: HOSTILE, y: [ALL, `${ALL}!`] }),
    patching: new Patching([ALL, `${ALL}!`], HOSTILE, [many, many], ALL, ALL),
    scores: new HeadScores(run, [[0.5]], [[0.5]], [[0.5]], [[0.5]]),
    comparison: new ModelComparison(
      [ALL, ALL],
      9,
      1,
      9,
      [2, 3],
      spread,
      0.5,
      0.5,
      [{ from: 0, to: 9, tokens: 9, ...numbers }],
      [{ layer: 0, mean: 1, least: 1 }],
      provenance,
    ),
    perplexity: new Perplexity(2, 1, 9, 9, provenance, {
      plan: ALL as never,
      perplexity: 2,
      klMean: 1,
      klMost: 1,
      klMostAt: 1,
      agree: 1,
    }),
    twice: new Twice([{ stage: ALL, chunk: 0, hashes: [ALL, ALL], place: [0], values: [1, 2] }], [3], provenance),
    worst: new WorstRuns(ALL, [worstRun(ALL), worstRun([1, 2]), worstRun(null)]),
    sweep: new SweepData(ALL, new Map([[ALL, [ALL, ...HOSTILE]]]), manifest, null as never, null as never),
    same: new Twice([{ stage: ALL, chunk: 0, hashes: [ALL, ALL], place: null, values: null }], [3], provenance),
    trace: new Trace(ALL, [2], arrays, new Map([[ALL, ALL]]), null, null, {} as never, {} as never, {} as never),
    golden: new GoldenFile(
      ALL,
      [2],
      [1],
      HOSTILE,
      new Map(['model', 'torch', 'transformers'].map(key => [key, ALL])),
      arrays,
      () => Promise.reject(new Error()),
    ),
    headroom: Headroom.of([maxima], 3),
    roofline: new Roofline(
      ALL,
      ALL,
      'fast',
      { tokens: 1, context: 0 },
      ceilings,
      [step],
      [{ ...step, steps: 1, operation: ALL }],
      [ALL],
      provenance,
    ),
    edited: new Edited({ shader: ALL, by: HOSTILE, note: ALL }, true),
    stage: new OneStage({ ...model.plan.stages[0], name: ALL, weight: { name: ALL, shape: [1, 2] } }, 9, () =>
      Promise.reject(new Error()),
    ),
  });
});

test('every class that has a picture was shown', () => {
  const table = readFileSync(new URL('../../lab/display/all.ts', import.meta.url), 'utf8');
  const classes = [...table.matchAll(/^pictured\((\w+),/gm)].map(([, name]) => name);
  expect(classes.length).toBeGreaterThan(25);
  expect(classes.filter(name => !seen.has(name))).toEqual([]);
});
