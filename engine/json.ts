// JSON out of files that anybody may have written.

// Deeper values are parsed by V8, but whoever walks or prints them runs out of stack. Real files have ten levels.
const DEEPEST = 100;

/** As JSON.parse, and what lies deeper than 100 brackets is refused. Throws SyntaxError, whose message is a clause. */
export function parseJson(text: string): unknown {
  if (text.length > DEEPEST && isTooDeep(text))
    throw new SyntaxError(`it has more than ${DEEPEST} brackets within each other`);
  return JSON.parse(text);
}

function isTooDeep(text: string): boolean {
  let depth = 0;
  let quoted = false;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit === 0x22) quoted = !quoted;
    else if (quoted) {
      if (unit === 0x5c) i++;
    } else if (unit === 0x5b || unit === 0x7b) {
      if (++depth > DEEPEST) return true;
    } else if (unit === 0x5d || unit === 0x7d) depth--;
  }
  return false;
}

/** The first key that comes twice in an object of a text that is JSON: its first value is lost in silence, so what a person wrote for Loupe is refused. */
export function keyTwice(text: string): string | null {
  const open: (Set<string> | null)[] = [];
  let last = '';
  for (let i = 0; i < text.length; i++) {
    const unit = text[i];
    if (unit === '{') open.push(new Set());
    else if (unit === '[') open.push(null);
    else if (unit === '}' || unit === ']') open.pop();
    else if (unit === '"') {
      const from = i;
      for (i++; text[i] !== '"'; i++) if (text[i] === '\\') i++;
      last = text.slice(from, i + 1);
    } else if (unit === ':') {
      const keys = open[open.length - 1]!; // outside of texts a colon stands behind a key alone
      const key = JSON.parse(last) as string;
      if (keys.has(key)) return key;
      keys.add(key);
    }
  }
  return null;
}
