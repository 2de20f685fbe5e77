// JSON as the reference reads a safetensors header (serde in Rust), which JSON.parse cannot say: a key that comes twice is seen twice, 16.0 is no
// whole number, half a surrogate pair is no text, and nesting ends at 127. What nobody asked for is checked and built nowhere, so that a
// header never takes more memory than it weighs.

/** What cannot be read, in words that follow "its header …". */
export class HeaderFault extends Error {}

const DEEPEST = 127;
const LARGEST = 2n ** 64n - 1n;
const SPACE = /[ \t\n\r]*/y;
const WHOLE = /(?:0|[1-9][0-9]*)(?![0-9.eE])/y;
const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y;

/** Reads forward through one JSON text; every method throws HeaderFault where something else stands. */
export class HeaderReader {
  #at = 0;
  #depth = 0;

  constructor(readonly text: string) {}

  /** The first character of the next value: `{`, `[`, `"`, a digit … or '' at the end. */
  next(): string {
    SPACE.lastIndex = this.#at;
    SPACE.exec(this.text);
    this.#at = SPACE.lastIndex;
    return this.text[this.#at] ?? '';
  }

  end(): void {
    if (this.next() !== '') throw this.#fault('something behind its end');
  }

  /** Calls `entry` for each key, in order; it must read the value. */
  object(entry: (key: string) => void): void {
    this.#enclosed('{', '}', () => {
      const key = this.string();
      this.#expect(':');
      entry(key);
    });
  }

  /** Calls `entry` for each value of a list; it must read it. */
  list(entry: (index: number) => void): void {
    let index = 0;
    this.#enclosed('[', ']', () => entry(index++));
  }

  string(): string {
    if (this.next() !== '"') throw this.#fault('no string');
    const from = this.#at;
    let end = from;
    do {
      end = this.text.indexOf('"', end + 1);
      if (end < 0) throw this.#fault('a string without an end');
    } while (this.#isEscaped(end));
    this.#at = end + 1;
    let value: string;
    try {
      value = JSON.parse(this.text.slice(from, end + 1));
    } catch {
      throw this.#fault('a string that is none', from);
    }
    if (!value.isWellFormed()) throw this.#fault('half a surrogate pair', from);
    return value;
  }

  /** A number without sign, point or exponent, up to 2⁶⁴ − 1; null where something else stands. */
  whole(): bigint | null {
    if (!/[0-9]/.test(this.next())) return null;
    WHOLE.lastIndex = this.#at;
    const literal = WHOLE.exec(this.text)?.[0] ?? '';
    const value = literal === '' || literal.length > 20 ? null : BigInt(literal);
    if (value === null || value > LARGEST) return null;
    this.#at += literal.length;
    return value;
  }

  /** What stands at the place that was read to, for messages. */
  shown(): string {
    const found = this.text.slice(this.#at, this.#at + 20);
    return found === '' ? 'at its end' : `at character ${this.#at}, ${JSON.stringify(found)}`;
  }

  /** Steps over null. @returns whether it was there */
  null(): boolean {
    if (this.next() !== 'n') return false;
    this.#word('null');
    return true;
  }

  /** Checks any value and steps over it. */
  skip(): void {
    switch (this.next()) {
      case '{':
        this.object(() => this.skip());
        break;
      case '[':
        this.list(() => this.skip());
        break;
      case '"':
        this.string();
        break;
      case 't':
        this.#word('true');
        break;
      case 'f':
        this.#word('false');
        break;
      case 'n':
        this.#word('null');
        break;
      default:
        this.#number();
    }
  }

  #number(): string {
    this.next();
    NUMBER.lastIndex = this.#at;
    const literal = NUMBER.exec(this.text)?.[0];
    if (literal === undefined) throw this.#fault('no JSON');
    if (!Number.isFinite(Number(literal))) throw this.#fault('a number out of range');
    this.#at += literal.length;
    return literal;
  }

  #word(word: string): void {
    if (!this.text.startsWith(word, this.#at)) throw this.#fault('no JSON');
    this.#at += word.length;
  }

  #enclosed(open: string, close: string, entry: () => void): void {
    this.#expect(open);
    if (++this.#depth > DEEPEST) throw this.#fault(`more than ${DEEPEST} brackets within each other`);
    if (this.next() !== close) {
      do entry();
      while (this.#comma(close));
    }
    this.#expect(close);
    this.#depth -= 1;
  }

  #comma(close: string): boolean {
    const next = this.next();
    if (next === ',') this.#at += 1;
    else if (next !== close) throw this.#fault(`neither ',' nor '${close}'`);
    return next === ',';
  }

  #expect(character: string): void {
    if (this.next() !== character) throw this.#fault(`no '${character}'`);
    this.#at += 1;
  }

  /** Whether an odd number of backslashes stands before. */
  #isEscaped(at: number): boolean {
    let from = at;
    while (this.text[from - 1] === '\\') from--;
    return (at - from) % 2 === 1;
  }

  #fault(what: string, at = this.#at): HeaderFault {
    this.#at = at;
    return new HeaderFault(`is not JSON that can be read: it has ${what} ${this.shown()}`);
  }
}
