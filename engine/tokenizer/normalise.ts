// What SentencePiece does to text before cutting it: a table of replacements, spaces collapsed, one put in front, all of them
// written ▁.

import { Charsmap } from './charsmap.js';
import type { Matcher } from './matcher.js';
import { type Normalisation, SPACE } from './vocabulary.js';

/**
 * The normaliser of a vocabulary. Lone surrogates become U+FFFD, as in UTF-8.
 * @param user pieces that the table of replacements leaves alone
 */
export function normaliser(rules: Normalisation, user: Matcher, where: string): (text: string) => string {
  const { dummyPrefix, collapseSpaces, escapeSpaces, spaceAsSuffix } = rules;
  const charsmap = rules.charsmap && rules.charsmap.length > 0 ? new Charsmap(rules.charsmap, where) : null;
  return text => {
    let t = text.toWellFormed();
    if (charsmap) t = charsmap.apply(t, user, collapseSpaces);
    else if (collapseSpaces) t = t.replace(/ +/g, ' ').replace(/^ /, '');
    if (t.length === 0) return t;
    const space = escapeSpaces ? SPACE : ' ';
    if (dummyPrefix && !spaceAsSuffix) t = ` ${t}`;
    if (escapeSpaces) t = t.replaceAll(' ', SPACE);
    if (collapseSpaces) while (t.endsWith(space)) t = t.slice(0, -1); // a ▁ of the text's own too, as SentencePiece does
    return dummyPrefix && spaceAsSuffix ? t + space : t;
  };
}
