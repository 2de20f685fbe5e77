// Changes of a protocol buffer that know its form: fields that are gone, come twice, are of another kind, or lie about their lengths.

import { varint } from '../fixtures/protobuf.js';
import { mutateBytes } from './mutate-bytes.js';
import type { Random } from './random.js';

interface Field {
  number: number;
  wire: number;
  value: Buffer;
  /** What is said of the length, where that is not so. */
  claim?: number;
  /** Fields within, where it is a message. */
  inner?: Field[];
}

/** @param messages numbers of the fields that are messages themselves */
export function fieldsOf(bytes: Buffer, messages: ReadonlySet<number> = new Set()): Field[] {
  const fields: Field[] = [];
  let at = 0;
  const number = () => {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      value += (bytes[at] & 127) * 2 ** shift;
      if (bytes[at++] < 128) return value;
    }
  };
  while (at < bytes.length) {
    const key = number();
    const wire = key % 8;
    const from = at;
    if (wire === 0) number();
    const length = wire === 0 ? at - from : wire === 1 ? 8 : wire === 5 ? 4 : number();
    const start = wire === 0 ? from : at;
    at = start + length;
    const value = bytes.subarray(start, at);
    const field: Field = { number: key >> 3, wire, value };
    if (wire === 2 && messages.has(field.number)) field.inner = fieldsOf(value);
    fields.push(field);
  }
  return fields;
}

function written(fields: readonly Field[]): Buffer {
  return Buffer.concat(
    fields.flatMap(({ number, wire, value, claim, inner }) => {
      const body = inner ? written(inner) : value;
      const key = Buffer.from(varint(number * 8 + wire));
      return wire === 2 ? [key, Buffer.from(varint(claim ?? body.length)), body] : [key, body];
    }),
  );
}

const NUMBERS = [0, 1, 2, 3, 4, 5, 6, 7, 127, 128, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1, 2 ** 53, 2 ** 63];

/** One to three changes. */
export function mutateProtobuf(seed: readonly Field[], random: Random): Buffer {
  const fields = copy(seed);
  for (let n = 1 + random.below(3); n > 0; n--) change(fields, random);
  return written(fields);
}

const copy = (fields: readonly Field[]): Field[] =>
  fields.map(field => ({ ...field, inner: field.inner && copy(field.inner) }));

function change(fields: Field[], random: Random): void {
  const messages = fields.filter(({ inner }) => inner && inner.length > 0);
  const last = messages.slice(-4); // the specifications stand behind the pieces
  const within = random.once(5) || messages.length === 0 ? null : random.of(random.once(2) ? last : messages);
  const list = within?.inner ?? fields;
  const at = random.below(list.length);
  const field = list[at];
  switch (random.below(9)) {
    case 0:
      list.splice(at, 1);
      return;
    case 1:
      for (let n = random.once(10) ? 2000 : 1; n > 0; n--) list.splice(at, 0, field);
      return;
    case 2:
      field.number = random.of([0, 1, 2, 3, 4, 5, 24, 35, 41, 42, 43, 44, 1000, 2 ** 29]);
      return;
    case 3:
      field.wire = random.below(8);
      return;
    case 4:
      field.claim = random.of(NUMBERS);
      return;
    case 5:
      field.wire = 0;
      field.inner = undefined;
      field.value = random.once(5) ? Buffer.alloc(random.below(20), 0xff) : Buffer.from(varint(random.of(NUMBERS)));
      return;
    case 6:
      list.splice(random.below(list.length + 1), 0, ...list.splice(at, 1 + random.below(3)));
      return;
    default:
      if (field.inner) change(field.inner.length > 0 ? field.inner : list, random);
      else field.value = mutateBytes(field.value, random);
  }
}
