// The vocabulary of a tokenizer.json: an object of a quarter of a million keys, which V8 would make a dictionary of and sort again to
// list it. It is read from the bytes of the file straight to a list of pieces by id.

import { TokenizerError } from '../errors.js';
import { quoted } from './quoted.js';
import { MAX_PIECES } from './vocabulary.js';

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const HOLES = 1 << 16; // ids without a piece that a file may have, beside fifteen a piece

export interface VocabText {
  /** From '{' to behind '}'. */
  readonly start: number;
  readonly end: number;
  /** Pieces by id; ids may be missing. */
  readonly pieces: string[];
}

/** Where the value of a key begins in the file, if it begins with `first`. Another piece or token may be called the same. */
export function findValue(file: Uint8Array, key: string, first: string): number {
  const bytes = Buffer.from(file.buffer, file.byteOffset, file.byteLength);
  const name = `"${key}"`;
  for (let at = bytes.indexOf(name); at >= 0; at = bytes.indexOf(name, at + 1)) {
    let start = at + name.length;
    while (' \t\r\n:'.includes(String.fromCharCode(bytes[start]))) start++;
    if (bytes[start] === first.charCodeAt(0)) return start;
  }
  return -1;
}

/** Reads `"vocab": {"piece": id, …}`. Null if there is none. Throws TokenizerError for values that are no ids. */
export function readVocab(file: Uint8Array, where: string): VocabText | null {
  const start = findValue(file, 'vocab', '{');
  if (start < 0) return null;
  const bytes = Buffer.from(file.buffer, file.byteOffset, file.byteLength);
  const pieces: string[] = [];
  const bad = (at: number) => {
    const what = bytes.toString('utf8', at, at + 40).split('\n')[0];
    return new TokenizerError(
      `${where} has ${quoted(what)} in its vocabulary, where a piece and its id are expected. Fetch it again.`,
    );
  };
  const sparse = () =>
    new TokenizerError(
      `${where} has the id ${pieces.length - 1} in a vocabulary of ${count} pieces, and ids up to ${Math.min(MAX_PIECES, 16 * count + HOLES) - 1} are read. Fetch it again.`,
    );
  let count = 0;
  let i = start + 1;
  const skip = () => {
    while (bytes[i] === 0x20 || bytes[i] === 0x0a || bytes[i] === 0x0d || bytes[i] === 0x09) i++;
  };
  for (skip(); i < bytes.length; skip()) {
    if (bytes[i] === 0x7d) {
      if (pieces.length > 16 * count + HOLES) throw sparse();
      return { start, end: i + 1, pieces };
    }
    const from = i;
    if (bytes[i++] !== QUOTE) throw bad(from);
    let escaped = false;
    for (; i < bytes.length && bytes[i] !== QUOTE; i++) {
      if (bytes[i] !== BACKSLASH) continue;
      escaped = true;
      i++;
    }
    const piece = unquoted(bytes, from, ++i, escaped);
    skip();
    if (piece === null || bytes[i++] !== 0x3a) throw bad(from);
    skip();
    let id = 0;
    const digits = i;
    for (; bytes[i] >= 0x30 && bytes[i] <= 0x39; i++) id = id * 10 + bytes[i] - 0x30;
    skip();
    if (i === digits || !Number.isSafeInteger(id) || (bytes[i] !== 0x2c && bytes[i] !== 0x7d)) throw bad(from);
    if (bytes[i] === 0x2c) i++;
    if (id >= MAX_PIECES || ++count > MAX_PIECES) {
      throw new TokenizerError(
        `${where} gives the piece ${quoted(piece)} the id ${id}, and ids up to ${MAX_PIECES - 1} are read. Fetch it again.`,
      );
    }
    if (pieces[id] !== undefined && pieces[id] !== piece) {
      throw new TokenizerError(
        `${where} gives the id ${id} to two pieces, ${quoted(pieces[id])} and ${quoted(piece)}. Fetch it again.`,
      );
    }
    pieces[id] = piece;
  }
  throw bad(start);
}

/** The text of a JSON string that stands, with its quotes, in [from, to). */
function unquoted(bytes: Buffer, from: number, to: number, escaped: boolean): string | null {
  if (!escaped) return bytes.toString('utf8', from + 1, to - 1);
  try {
    return JSON.parse(bytes.toString('utf8', from, to));
  } catch {
    return null;
  }
}
