// What a shader says it is given: its bindings, read from its text.

export type Access = 'uniform' | 'read' | 'write' | 'texture';

export interface Binding {
  readonly index: number;
  readonly name: string;
  readonly access: Access;
}

// The two attributes may come in either order, and with u or i behind the number.
const BINDING =
  /(?:@\s*group\s*\(\s*0[iu]?\s*,?\s*\)\s*@\s*binding\s*\(\s*(\d+)[iu]?\s*,?\s*\)|@\s*binding\s*\(\s*(\d+)[iu]?\s*,?\s*\)\s*@\s*group\s*\(\s*0[iu]?\s*,?\s*\))\s*var\s*(?:<\s*(uniform|storage)\s*(?:,\s*(read|read_write)\s*)?,?\s*>\s*)?([\p{XID_Start}_][\p{XID_Continue}]*)\s*:/gu;

/** WGSL without its comments, line by line where it was: `//` to the end of the line, and block comments, which nest. */
export function withoutComments(source: string): string {
  let [out, depth] = ['', 0];
  for (let at = 0; at < source.length; ) {
    const two = source.slice(at, at + 2);
    if (two === '/*') depth += 1;
    else if (two === '*/' && depth > 0) depth -= 1;
    else if (two === '//' && depth === 0) {
      while (at < source.length && !LINE_END.test(source[at])) at += 1;
      continue;
    } else {
      if (depth === 0 || LINE_END.test(source[at])) out += source[at];
      at += 1;
      continue;
    }
    out += ' ';
    at += 2;
  }
  return out;
}

/** What ends a line in WGSL. */
const LINE_END = /[\n\v\f\r\u0085\u2028\u2029]/;

/** The bindings a shader declares, in the order of their numbers; comments are no code. */
export function bindingsOf(source: string): Binding[] {
  const found = [...withoutComments(source).matchAll(BINDING)].map(([, index, second, space, mode, name]) => ({
    index: Number(index ?? second),
    name,
    access: accessOf(space, mode),
  }));
  return found.sort((a, b) => a.index - b.index);
}

/** What is in no address space is a texture. */
function accessOf(space: string | undefined, mode: string | undefined): Access {
  if (space === undefined) return 'texture';
  return space === 'uniform' ? 'uniform' : mode === 'read_write' ? 'write' : 'read';
}
