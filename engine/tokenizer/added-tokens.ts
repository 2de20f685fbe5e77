// Added tokens inside a text, found as `tokenizers` finds them: the longest at the leftmost place, then its flags. A match that its flags
// refuse is passed over whole.

import { Matcher } from './matcher.js';
import type { AddedToken } from './vocabulary.js';

/** A token without any flag. */
export const ADDED = { special: false, lstrip: false, rstrip: false, singleWord: false, normalized: false } as const;

export class AddedTokens {
  readonly #matcher: Matcher;
  readonly #tokens: readonly AddedToken[];

  constructor(tokens: readonly AddedToken[]) {
    this.#tokens = tokens;
    this.#matcher = new Matcher(tokens.map(({ content }, i) => [content, i] as const));
  }

  /** Gives what lies between the tokens, and their ids, in the order of the text. */
  cut(text: string, onText: (part: string) => void, onToken: (id: number) => void): void {
    let from = 0;
    let seen = 0;
    for (let found = this.#matcher.next(text, 0); found; found = this.#matcher.next(text, seen)) {
      const token = this.#tokens[found.id];
      let start = found.at;
      let end = found.at + found.piece.length;
      seen = end; // and not behind the white space that the token takes: what stands there is found too
      if (token.singleWord && (wordAt(WORD_BEFORE, text, start - 2, start) || wordAt(WORD_AFTER, text, end, end + 2)))
        continue;
      if (token.lstrip) while (start > from && SPACE_UNIT.test(text[start - 1])) start--;
      if (token.rstrip) while (end < text.length && SPACE_UNIT.test(text[end])) end++;
      if (start > from) onText(text.slice(from, start));
      onToken(token.id);
      from = end;
    }
    if (from < text.length) onText(from === 0 ? text : text.slice(from));
  }
}

// What the regular expressions of `tokenizers` call a word and white space.
const WORD = '[\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}\\p{Join_Control}]';
const WORD_BEFORE = new RegExp(`${WORD}$`, 'u');
const WORD_AFTER = new RegExp(`^${WORD}`, 'u');
const wordAt = (word: RegExp, text: string, from: number, to: number) => word.test(text.slice(Math.max(0, from), to));
const SPACE_UNIT = /\p{White_Space}/u; // all of it below U+10000
