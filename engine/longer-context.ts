// A cure that is one: a longer context is proposed only where the model has a longer one.

/** What to do besides shortening a text, as the rest of a sentence; nothing where `length` tokens are all that the model reads. */
export const orLonger = (length: number, contextLength: number): string =>
  length < contextLength
    ? `, or open the model with a longer context, up to ${contextLength}: { context }, or --context in a terminal`
    : '';

/** The same as a sentence of its own; nothing where there is no longer one. */
export const openLonger = (length: number, contextLength: number): string =>
  length < contextLength
    ? ` Open the model with a longer context, up to ${contextLength}: { context }, or --context in a terminal.`
    : '';

/** Why a text ends that was to go on. @param longest tokens that the session reads */
export const contextFull = ({
  longest,
  config,
}: {
  readonly longest: number;
  readonly config: { readonly contextLength: number };
}): string => `the context of ${longest} tokens is full.${openLonger(longest, config.contextLength)}`;
