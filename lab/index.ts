// What `import … from 'gemma-loupe'` gives: the lab.

export * from '../engine/errors.js';
export { Activation, type Dim, type Stats } from './activation.js';
export type { BatchRunOptions, BatchToken, Continuation } from './batch.js';
export { fromArrow, toArrow, traceToIpc } from './arrow.js';
export type { Roofline, RooflineOptions } from './bench/roofline.js';
export { Conversation, type ConversationOptions, type TurnStats } from './chat/conversation.js';
export { Diff, type DiffOptions, type DiffRow } from './diff/diff.js';
export { compare, type Metrics } from './diff/metrics.js';
export { type Bundle, DISPLAY } from './display/bundle.js';
export { report } from './display/report.js';
export { type Display, show } from './display/show.js';
export { type Golden, golden } from './golden.js';
export { ask, clearOutput } from './kernel/mime.js';
export { type OpenOptions, open } from './open.js';
export type { GenerateRunOptions, PatchSpec, RunOptions, Token } from './request.js';
export { Run, type TopTokens } from './run.js';
export { type Selector, select } from './select.js';
export { Session } from './session.js';
