// What tells two runs apart, in the few words that a title has room for: their prompts where these differ, else how they were made.

/** A run, as its values remember it. */
export interface Ran {
  /** The text that was read, without its bos. */
  readonly prompt: string;
  /** How it was read, by kind, in words that stand alone: `{ plan: 'fast plan', patch: 'layers.3.attn.mix[head 2] = 0' }`. */
  readonly how: Readonly<Record<string, string>>;
}

/** Characters of a prompt that stand around the first that differs. */
const AROUND = 12;

/** Of each what the other has not; 'first run' and 'second run' where nothing is known that differs. */
export function apart(a: Ran, b: Ran): readonly [string, string] {
  const kinds = [...new Set([...Object.keys(a.how), ...Object.keys(b.how)])];
  const differ = kinds.filter(kind => a.how[kind] !== b.how[kind]);
  const made = [a, b].map(({ how }) => differ.map(kind => how[kind] ?? `no ${kind}`));
  const read = a.prompt === b.prompt ? [[], []] : excerpts(a.prompt, b.prompt).map(text => [`‘${text}’`]);
  const [first, second] = [0, 1].map(i => [...read[i], ...made[i]].join(', '));
  return first === second ? ['first run', 'second run'] : [first, second];
}

/** Both around the first character that differs, to a word's ends where these are near. */
function excerpts(a: string, b: string): [string, string] {
  const [one, other] = [[...a], [...b]];
  let same = 0;
  while (same < one.length && one[same] === other[same]) same++;
  const cut = (text: readonly string[]) => {
    const [from, to] = [Math.max(0, same - AROUND), Math.min(text.length, same + AROUND)];
    return `${from > 0 ? '…' : ''}${text.slice(from, to).join('').trim()}${to < text.length ? '…' : ''}`;
  };
  return [cut(one), cut(other)];
}
