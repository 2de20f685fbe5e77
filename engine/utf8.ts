// Text out of bytes that anybody may have written. A decoder that puts U+FFFD in the place of what it cannot read makes another text, of which every
// number after it is right.

import { isUtf8 } from 'node:buffer';

const OF_A_FILE = new TextDecoder('utf-8', { fatal: true }); // leaves a byte order mark in front out
const WITHIN = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * Text of a file or a pipe in UTF-8, without a byte order mark in front, which is no character of it.
 * @param fault makes the error of a clause, which names the first line (from 1) that is no UTF-8
 */
export function textOf(bytes: Uint8Array, fault: (what: string) => Error): string {
  try {
    return OF_A_FILE.decode(bytes);
  } catch {
    let number = 1;
    for (let from = 0; ; number += 1) {
      const end = bytes.indexOf(LINE_END, from);
      lineOf(bytes.subarray(from, end < 0 ? undefined : end), number, fault);
      from = end + 1;
    }
  }
}

/** The line of that number, from 1, of a text in UTF-8: of the first, a byte order mark in front is no character. Throws as `textOf` does. */
export function lineOf(bytes: Uint8Array, number: number, fault: (what: string) => Error): string {
  try {
    return (number === 1 ? OF_A_FILE : WITHIN).decode(bytes);
  } catch {
    const wide = number === 1 && (startsWith(bytes, 0xff, 0xfe) || startsWith(bytes, 0xfe, 0xff));
    throw fault(
      `its line ${number} is not UTF-8${wide ? ' (it begins as UTF-16 does)' : ''}, and what stood there would be another text; save it in UTF-8`,
    );
  }
}

/** Throws as `textOf` does, without making a text of what may be 33 MB. */
export function checkUtf8(bytes: Uint8Array, fault: (what: string) => Error): void {
  if (!isUtf8(bytes)) textOf(bytes, fault);
}

const LINE_END = 10; // which no character of more bytes has among them
const startsWith = (bytes: Uint8Array, ...first: number[]) => first.every((byte, i) => bytes[i] === byte);
