// Changing a text by what is put in and taken out at places of it, and finding those places again in the text that comes out.

/** Puts `text` in place of what is between two offsets. */
export interface Edit {
  readonly at: number;
  /** Default: `at`, which only puts in. */
  readonly end?: number;
  readonly text: string;
  /** Where several meet: what closes comes before what opens, and that before what replaces. */
  readonly kind?: 'close' | 'open' | 'replace';
}

export interface Edited {
  readonly code: string;
  /** Ascending. */
  readonly edits: readonly Edit[];
}

const RANK = { close: 0, open: 1, replace: 2 };
const rank = ({ kind = 'open' }: Edit) => RANK[kind];

/** Of several that open at one place the first made is the outermost, and of several that close there the last. */
export function edited(source: string, edits: readonly Edit[]): Edited {
  const ordered = edits
    .map((edit, order) => ({ edit, order }))
    .sort(
      (a, b) =>
        a.edit.at - b.edit.at ||
        rank(a.edit) - rank(b.edit) ||
        (a.edit.kind === 'close' ? b.order - a.order : a.order - b.order),
    )
    .map(({ edit }) => edit);
  const parts: string[] = [];
  let from = 0;
  for (const { at, end = at, text } of ordered) {
    parts.push(source.slice(from, at), text);
    from = end;
  }
  parts.push(source.slice(from));
  return { code: parts.join(''), edits: ordered };
}

/** The offset in the original of an offset in what came out; of a name that was replaced, its beginning. */
export function originalOffset({ edits }: Edited, offset: number): number {
  let moved = 0;
  for (const { at, end = at, text } of edits) {
    if (at + moved > offset) break;
    const after = at + moved + text.length;
    if (offset < after || (offset === after && end > at)) return at;
    moved += text.length - (end - at);
  }
  return offset - moved;
}
