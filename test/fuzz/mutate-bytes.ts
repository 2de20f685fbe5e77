// Changes of a file that know nothing of its form.

import type { Random } from './random.js';

const ODD = [0, 1, 7, 0x22, 0x2c, 0x5b, 0x5c, 0x7b, 0x7d, 0x7f, 0x80, 0xc0, 0xed, 0xff];

/** One to four changes. Headers come first in files, so that most fall into the first 2 kB. */
export function mutateBytes(bytes: Buffer, random: Random): Buffer {
  let out: Buffer = Buffer.from(bytes);
  for (let n = 1 + random.below(4); n > 0; n--) out = changed(out, random);
  return out;
}

function changed(bytes: Buffer, random: Random): Buffer {
  const size = bytes.length;
  const place = () => random.below((random.once(4) ? size : Math.min(size, 2048)) + 1);
  const at = place();
  const length = random.once(3) ? random.below(64) : 1 + random.below(8);
  switch (random.below(9)) {
    case 0:
    case 1: // a bit
      if (at < size) bytes[at] ^= 1 << random.below(8);
      return bytes;
    case 2: // a byte
      if (at < size) bytes[at] = random.of(ODD);
      return bytes;
    case 3: // cut off
      return bytes.subarray(0, random.once(2) ? place() : size - Math.min(size, length));
    case 4: // taken out
      return Buffer.concat([bytes.subarray(0, at), bytes.subarray(Math.min(size, at + length))]);
    case 5: // put in
      return Buffer.concat([
        bytes.subarray(0, at),
        Buffer.from(Array.from({ length }, () => (random.once(2) ? random.of(ODD) : random.below(256)))),
        bytes.subarray(at),
      ]);
    case 6: // said again, perhaps many times
      return Buffer.concat([
        bytes.subarray(0, at),
        ...Array<Buffer>(random.once(8) ? 1000 : 1 + random.below(4)).fill(bytes.subarray(at, at + length)),
        bytes.subarray(at),
      ]);
    case 7: {
      // a number of 1, 2, 4 or 8 bytes
      const value = random.of([
        0n,
        1n,
        0x7fn,
        0xffn,
        0xffffn,
        0x7fffffffn,
        0xffffffffn,
        2n ** 53n,
        2n ** 63n,
        2n ** 64n - 1n,
      ]);
      const eight = Buffer.alloc(8);
      eight.writeBigUInt64LE(value);
      eight.copy(bytes, at, 0, random.of([1, 2, 4, 8]));
      return bytes;
    }
    default: // a part from elsewhere
      bytes.copy(bytes, at, place(), place());
      return bytes;
  }
}
