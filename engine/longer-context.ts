// A cure that is one: a longer context is proposed only where the model has a longer one.

/** What to do besides shortening a text, as the rest of a sentence; nothing where `length` tokens are all that the model reads. */
export const orLonger = (length: number, contextLength: number): string =>
  length < contextLength
    ? `, or open the model with a longer context, up to ${contextLength}: { context }, or --context in a terminal`
    : '';
