// What `import … from 'gemma-loupe'` gives: the lab.

export * from '../engine/errors.js';
export { Activation, type Dim, type Stats } from './values/activation.js';
export type { BatchRunOptions, BatchToken, Continuation } from './session/batch.js';
export { fromArrow, toArrow, traceToIpc } from './values/arrow.js';
export type { Roofline, RooflineOptions } from './bench/roofline.js';
export { Conversation, type ConversationOptions, type TurnStats } from './chat/conversation.js';
export { Diff, type DiffOptions, type DiffRow } from './diff/diff.js';
export { compare, type Metrics } from './diff/metrics.js';
export { type Bundle, DISPLAY } from './values/shown.js';
export { report } from './display/report.js';
export { type Display, show } from './host/show.js';
export { type Golden, golden } from './values/golden.js';
export { ask, clearOutput } from './host/notebook.js';
export { type OpenOptions, open } from './session/open.js';
export type { GenerateRunOptions, PatchSpec, RunOptions, Token } from './session/request.js';
export { Run, type TopTokens } from './session/run.js';
export { type Selector, select } from './values/select.js';
export { Session } from './session/session.js';
