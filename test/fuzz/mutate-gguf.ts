// A GGUF as a form that can lie, and changes of it: types, counts, lengths, keys, shapes and places.

import { text, u32, u64 } from '../fixtures/gguf-bytes.js';
import type { Random } from './random.js';

export interface Entry {
  key: string;
  type: number;
  /** A number, a text, or a list with the type of its values. */
  value: number | string | { of: number; items: (number | string)[]; claim?: number };
  /** What is said of a text's length, where that is not so. */
  claim?: number;
}

export interface Tensor {
  name: string;
  dims: number[];
  type: number;
  offset: number;
}

export interface GgufForm {
  version: number;
  entries: Entry[];
  tensors: Tensor[];
  data: Buffer;
  /** What is said of the number of tensors and keys, where that is not so. */
  tensorCount?: number;
  keyCount?: number;
}

const whole = (n: number): bigint => BigInt.asUintN(64, BigInt(Number.isFinite(n) ? Math.trunc(n) : 0));

function scalar(type: number, value: number | string): Buffer {
  if (type === 8) return text(String(value));
  const n = Number(value);
  if (type === 6) return Buffer.from(Float32Array.of(n).buffer);
  if (type === 12) return Buffer.from(Float64Array.of(n).buffer);
  const eight = u64(whole(n));
  return eight.subarray(
    0,
    type === 10 || type === 11 ? 8 : type === 4 || type === 5 ? 4 : type === 2 || type === 3 ? 2 : 1,
  );
}

export function writtenGguf({ version, entries, tensors, data, tensorCount, keyCount }: GgufForm): Buffer {
  const head = Buffer.concat([
    Buffer.from('GGUF'),
    u32(version),
    u64(whole(tensorCount ?? tensors.length)),
    u64(whole(keyCount ?? entries.length)),
    ...entries.flatMap(({ key, type, value, claim }) => {
      const front = [text(key), u32(type)];
      if (typeof value === 'object') {
        return [
          ...front,
          u32(value.of),
          u64(whole(value.claim ?? value.items.length)),
          ...value.items.map(one => scalar(value.of, one)),
        ];
      }
      if (claim === undefined) return [...front, scalar(type, value)];
      return [...front, u64(whole(claim)), Buffer.from(String(value))];
    }),
    ...tensors.flatMap(({ name, dims, type, offset }) => [
      text(name),
      u32(dims.length),
      ...dims.map(n => u64(whole(n))),
      u32(type),
      u64(whole(offset)),
    ]),
  ]);
  return Buffer.concat([head, Buffer.alloc((32 - (head.length % 32)) % 32), data]);
}

const NUMBERS = [
  0,
  1,
  -1,
  2,
  3,
  4,
  7,
  8,
  31,
  32,
  33,
  255,
  256,
  65535,
  2 ** 24,
  2 ** 31,
  2 ** 32 - 1,
  2 ** 32,
  2 ** 53,
  2 ** 63,
  2 ** 64 - 2048,
  0.5,
  1e30,
  Number.NaN,
  Number.POSITIVE_INFINITY,
];
const TEXTS = [
  '',
  'gemma',
  'gemma2',
  'gemma3',
  'llama',
  '__proto__',
  'constructor',
  'linear',
  'yarn',
  '\u2581',
  '<0x00>',
  '{{ 1 }}',
  '{% for',
  '\ud800',
  'x'.repeat(5000),
];

/** One to three changes. */
export function mutateGguf(seed: GgufForm, random: Random): Buffer {
  const form: GgufForm = {
    ...seed,
    entries: structuredClone(seed.entries),
    tensors: structuredClone(seed.tensors),
  };
  for (let n = 1 + random.below(3); n > 0; n--) {
    if (random.once(8)) changeCounts(form, random);
    else if (random.once(2) || form.tensors.length === 0) changeEntry(form.entries, random);
    else changeTensor(form.tensors, random);
  }
  return writtenGguf(form);
}

function changeCounts(form: GgufForm, random: Random): void {
  switch (random.below(4)) {
    case 0:
      form.version = random.of([0, 1, 2, 3, 4, 0x03000000]);
      return;
    case 1:
      form.tensorCount = random.once(2) ? form.tensors.length + random.of([-1, 1, 5]) : random.of(NUMBERS);
      return;
    case 2:
      form.keyCount = random.once(2) ? form.entries.length + random.of([-1, 1, 5]) : random.of(NUMBERS);
      return;
    default:
      form.data = form.data.subarray(0, random.below(form.data.length + 1));
  }
}

function changeEntry(entries: Entry[], random: Random): void {
  const at = random.below(entries.length);
  const entry = entries[at];
  if (!entry) return;
  const { value } = entry;
  switch (random.below(8)) {
    case 0:
      entries.splice(at, 1);
      return;
    case 1:
      entries.splice(at, 0, structuredClone(entry));
      return;
    case 2:
      entry.type = random.below(14);
      return;
    case 3:
      entry.key = random.once(2) ? random.of(TEXTS) : random.of(entries).key;
      return;
    case 4:
      if (typeof value === 'object')
        value.claim = random.once(2) ? value.items.length + random.of([-1, 1]) : random.of(NUMBERS);
      else if (typeof value === 'string') entry.claim = random.of(NUMBERS);
      else entry.value = random.of(NUMBERS);
      return;
    case 5:
      entry.type = 9;
      entry.value = { of: random.below(14), items: random.once(2) ? [] : [random.of(NUMBERS), random.of(TEXTS)] };
      return;
    case 6:
      entry.type = random.of([0, 4, 5, 6, 7, 10, 12]);
      entry.value = random.of(NUMBERS);
      return;
    default:
      if (typeof value === 'object') {
        const i = random.below(value.items.length + 1);
        if (random.once(3)) value.of = random.below(14);
        else value.items.splice(i, random.below(3), value.of === 8 ? random.of(TEXTS) : random.of(NUMBERS));
      } else {
        entry.type = 8;
        entry.value = random.of(TEXTS);
      }
  }
}

function changeTensor(tensors: Tensor[], random: Random): void {
  const at = random.below(tensors.length);
  const tensor = tensors[at];
  if (!tensor) return;
  switch (random.below(7)) {
    case 0:
      tensors.splice(at, 1);
      return;
    case 1:
      tensors.splice(at, 0, structuredClone(tensor));
      return;
    case 2:
      tensor.type = random.once(4) ? random.of(NUMBERS) : random.below(41);
      return;
    case 3:
      tensor.dims[random.below(tensor.dims.length)] = random.of(NUMBERS);
      return;
    case 4:
      tensor.dims = random.once(2) ? [...tensor.dims, random.of([1, 2, 0])] : tensor.dims.slice(1);
      return;
    case 5:
      tensor.offset = random.once(2) ? tensor.offset + random.of([1, 4, 32, -32, 64]) : random.of(NUMBERS);
      return;
    default:
      tensor.name = random.once(2) ? random.of(TEXTS) : random.of(tensors).name;
  }
}
