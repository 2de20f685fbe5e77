// Text out of whole pieces and single bytes: bytes wait until they make a character, and those that never will become U+FFFD, one
// each, as SentencePiece has it.

export class DecodedText {
  #pending: number[] = [];

  /** A byte piece: gives the characters that are certain now. */
  byte(value: number): string {
    this.#pending.push(value);
    return this.#drain(false);
  }

  /** A piece of whole characters: what was pending cannot be completed any more. */
  whole(text: string): string {
    return this.#drain(true) + text;
  }

  end(): string {
    return this.#drain(true);
  }

  #drain(final: boolean): string {
    let text = '';
    while (this.#pending.length > 0) {
      const length = sequence(this.#pending);
      if (length === 'more' && !final) break;
      if (typeof length === 'number') {
        text += utf8.decode(Uint8Array.from(this.#pending.splice(0, length)));
      } else {
        this.#pending.shift();
        text += '\ufffd';
      }
    }
    return text;
  }
}

const utf8 = new TextDecoder('utf-8', { ignoreBOM: true });

/** Bytes of the UTF-8 sequence at the start; 'more' if it may still become one; 'bad' if it cannot. */
function sequence(bytes: readonly number[]): number | 'more' | 'bad' {
  const [a] = bytes;
  if (a < 0x80) return 1;
  const length = a >= 0xc2 && a < 0xe0 ? 2 : a >= 0xe0 && a < 0xf0 ? 3 : a >= 0xf0 && a < 0xf5 ? 4 : 0;
  if (length === 0) return 'bad';
  // The second byte is narrower for overlong forms, surrogates, and what lies beyond U+10FFFF.
  const low = a === 0xe0 ? 0xa0 : a === 0xf0 ? 0x90 : 0x80;
  const high = a === 0xed ? 0x9f : a === 0xf4 ? 0x8f : 0xbf;
  for (let i = 1; i < length; i++) {
    if (i >= bytes.length) return 'more';
    if (bytes[i] < (i === 1 ? low : 0x80) || bytes[i] > (i === 1 ? high : 0xbf)) return 'bad';
  }
  return length;
}
