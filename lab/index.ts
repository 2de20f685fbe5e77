// What `import … from 'gemma-loupe'` gives: the lab, whole. What the rooms above sessions can do is put onto them here, and every
// value gets its picture. Every class and type that something here takes or gives has a name here too, and a place in docs/API.md.

import './bench/methods.js';
import './chat/methods.js';
import './display/all.js';
import './probe/methods.js';

export type { CacheFormat } from '../engine/cache-format.js';
export type { Accuracy, Distance, MeasuredOperation } from '../engine/accuracy.js';
export type { Ceilings } from '../engine/ceilings.js';
export type { GemmaConfig } from '../engine/config.js';
export type { Activations } from '../engine/dispatch.js';
export * from '../engine/errors.js';
export type { PlanKind } from '../engine/fuse.js';
export type { Axis, AxisName, Plan, Ref, Stage, WeightRef } from '../engine/plan.js';
export type { ChatMessage } from '../engine/tokenizer/messages.js';
export type { KernelChoice, Store } from '../engine/traits.js';
export type { Quantise } from '../engine/weights/quantise.js';
export type { OperationReached, Reached, Roofline, RooflineOptions, StepReached } from './bench/roofline.js';
export { Conversation, type ConversationOptions, type TurnOptions, type TurnStats } from './chat/conversation.js';
export { Diff, type DiffLimits, type DiffOptions } from './diff/diff.js';
export type { ErrorMap, ErrorMapOptions, ValuesAt } from './diff/error-map.js';
export type { Leftover } from './diff/leftover.js';
export type { Spread } from './diff/locate.js';
export type { Metrics } from './diff/metrics.js';
export type { Nearer } from './diff/nearer.js';
export { type CompareOptions, compare } from './session/compare.js';
export type { ChangedRow } from './probe/before-after.js';
export { Watch, type WatchOptions } from './probe/watch.js';
export type { WatchEvent } from './probe/watch-event.js';
export { Twice, type TwiceOptions, type TwiceRow } from './probe/twice.js';
export type { Passing } from './diff/passing.js';
export type { DiffRow, Verdict } from './diff/row.js';
export { type Numbers, OwnPicture } from './display/own.js';
export { type HeatmapOptions, heatmap } from './display/own-grid.js';
export { bar, type PlotOptions, plot } from './display/own-lines.js';
export { report } from './display/report.js';
export { ask, clearOutput } from './host/notebook.js';
export { type Display, show } from './host/show.js';
export type { HeadroomOptions } from './probe/headroom.js';
export type { HeadScore, HeadScores, HeadScoresOptions, ScoredHead } from './probe/head-scores.js';
export type { Lens, LensCell, LensOptions, LensTable } from './probe/lens.js';
export type { KlSpread, LayerApart, PlaceApart } from './probe/distances.js';
export { type CompareModelsOptions, compareModels, ModelComparison } from './probe/model-comparison.js';
export type { Patching, PatchingOptions } from './probe/patching.js';
export type { Apart, Perplexity, PerplexityOptions } from './probe/perplexity.js';
export type { BatchGeneration, BatchRunOptions, BatchToken, Continuation } from './session/batch.js';
export { type OpenOptions, open } from './session/open.js';
export type { GenerateRunOptions, PatchSpec, RunOptions, Token } from './session/request.js';
export { type Logits, Run, type RunJson } from './session/run.js';
export type { RunsOptions } from './session/read-together.js';
export { type Prompts, Runs } from './session/runs.js';
export { Session } from './session/session.js';
export type { Edited, OneStage, PlanView } from './session/views.js';
export { dataset, SweepData } from './sweep/dataset.js';
export { Activation, type Axes, fromArrow, type Ranked } from './values/activation.js';
export type { Ran } from './values/apart.js';
export { toArrow, traceToIpc } from './values/arrow.js';
export type {
  AttentionByToken,
  AttentionFigure,
  AttentionHeads,
  AttentionLayer,
  AttentionView,
} from './values/attention.js';
export type { Cut, Cuts, Dim, DimSpec, Values } from './values/dims.js';
export { DataSet } from './values/data-set.js';
export { type Golden, golden } from './values/golden.js';
export type { Beside, Compared, TopToken, TopTokens } from './values/next-token.js';
export { type Prompt, PromptFile, type PromptFileOptions, prompts } from './values/prompt-file.js';
export { type Selector, select } from './values/select.js';
export { type Bundle, DISPLAY, type Figure, type Shown } from './values/shown.js';
export type { Headroom, HeadroomRow } from './values/headroom.js';
export type { Histogram, Norms, Outlier, Outliers } from './values/spread.js';
export type { Stats } from './values/stats.js';
export { Trace, type TraceOptions, trace } from './values/trace.js';
export type { NameSpec } from './values/trace-names.js';
export type { ArrayInfo } from './values/arrays/open.js';
export type { Foreseen, Surprisal } from './values/surprisal.js';
