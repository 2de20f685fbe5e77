// Texts that end an answer. What may be the beginning of one is held back until it is certain.

export class StopTexts {
  #held = '';

  constructor(readonly texts: readonly string[]) {}

  /** @returns what is certain of the answer so far and not given out yet, and whether a stop text ended it */
  push(text: string): { readonly text: string; readonly stop: boolean } {
    if (this.texts.length === 0) return { text, stop: false };
    const all = this.#held + text;
    const ends = this.texts.map(stop => all.indexOf(stop)).filter(at => at >= 0);
    if (ends.length > 0) {
      this.#held = '';
      return { text: all.slice(0, Math.min(...ends)), stop: true };
    }
    let keep = 0;
    for (const stop of this.texts) {
      for (let n = Math.min(stop.length - 1, all.length); n > keep; n--) if (all.endsWith(stop.slice(0, n))) keep = n;
    }
    this.#held = all.slice(all.length - keep);
    return { text: all.slice(0, all.length - keep), stop: false };
  }

  /** What was held back when no more comes. */
  end(): string {
    const held = this.#held;
    this.#held = '';
    return held;
  }
}
