// Every mistake a user can make is a LoupeError: one sentence that says what happened, what was expected, what was
// found, and what to do about it. The command line prints the message alone and exits with 2; a notebook shows it
// without a stack. Anything else that is thrown is a defect of Loupe.

import { printable } from './printable.js';

/** A mistake with its cure in the message. */
export class LoupeError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(printable(message), options); // it may quote a name out of a file
    this.name = new.target.name;
  }
}

/** No usable GPU adapter, or the one that was asked for is not there. */
export class AdapterError extends LoupeError {}
/** The GPU device is gone, or reported an error that no call caught. */
export class DeviceError extends LoupeError {}
/** A shader that does not compile: carries file, line, column and the source line. */
export class ShaderError extends LoupeError {}
/** A model file that is missing, truncated, lying about its sizes or not a model at all. */
export class ModelFileError extends LoupeError {}
/** A configuration that is not Gemma's, lacks a value or contradicts itself. */
export class ConfigError extends LoupeError {}
/** A vocabulary that cannot be read, or text that cannot be encoded because there is none. */
export class TokenizerError extends LoupeError {}
/** Token ids or a prompt the model cannot run: empty, out of range, or longer than the context. */
export class PromptError extends LoupeError {}
/** A stage name, glob or alias that selects nothing. */
export class StageError extends LoupeError {}
/** A computation whose result is no number: NaN or ±∞ among the logits, with the stage where it begins. */
export class NumberError extends LoupeError {}
/** More GPU or CPU memory than the budget allows; nothing was allocated. */
export class BudgetError extends LoupeError {}
/** A golden that cannot be read, or that belongs to another model. */
export class GoldenError extends LoupeError {}
/** Another program's activations that cannot be read, or that are of another model, of other tokens, or in a form that has to be told. */
export class TraceError extends LoupeError {}
/** A model that cannot be fetched: no network, no permission, no such file, or other contents than promised. */
export class PullError extends LoupeError {}
/** An option or argument outside its range. */
export class OptionError extends LoupeError {}

/** Stopped on request (Ctrl-C, the notebook's Stop button, an AbortSignal). Not a mistake. */
export class Interrupted extends Error {
  constructor(what = 'The run') {
    super(`${what} was stopped.`);
    this.name = 'Interrupted';
  }
}
