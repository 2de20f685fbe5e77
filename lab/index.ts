// What `import … from 'gemma-loupe'` gives: the lab, whole. What the rooms above sessions can do is put onto them here, and every
// value gets its picture.

import './bench/methods.js';
import './chat/methods.js';
import './display/all.js';
import './probe/methods.js';

export * from '../engine/errors.js';
export { Activation, fromArrow } from './values/activation.js';
export type { Dim } from './values/dims.js';
export type { Stats } from './values/stats.js';
export type { BatchRunOptions, BatchToken, Continuation } from './session/batch.js';
export { toArrow, traceToIpc } from './values/arrow.js';
export type { Roofline, RooflineOptions } from './bench/roofline.js';
export { Conversation, type ConversationOptions, type TurnStats } from './chat/conversation.js';
export { Diff, type DiffOptions } from './diff/diff.js';
export type { DiffRow } from './diff/row.js';
export { compare, type Metrics } from './diff/metrics.js';
export { type Bundle, DISPLAY } from './values/shown.js';
export { bar, type HeatmapOptions, heatmap, type Numbers, OwnPicture, type PlotOptions, plot } from './display/own.js';
export { report } from './display/report.js';
export { type Display, show } from './host/show.js';
export { type Golden, golden } from './values/golden.js';
export { ask, clearOutput } from './host/notebook.js';
export { type OpenOptions, open } from './session/open.js';
export type { GenerateRunOptions, PatchSpec, RunOptions, Token } from './session/request.js';
export { Run } from './session/run.js';
export type { TopTokens } from './values/next-token.js';
export { type Selector, select } from './values/select.js';
export { Session } from './session/session.js';
