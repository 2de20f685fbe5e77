// Activations as files that other tools read: safetensors and NumPy's npy have the values alone, Arrow and Parquet their places in the model too.

import { extname } from 'node:path';
import { tableToIPC } from 'apache-arrow';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { OptionError } from '../../engine/errors.js';
import { safetensorsParts } from '../../engine/weights/safetensors-write.js';
import { toArrow, traceToIpc } from './arrow.js';
import { type Dim, isWhole, said, type Values } from './dims.js';
import { writeWhole } from './write-file.js';

/** The ending of a path. Throws OptionError, with those that there are, for another. */
export function checkForm(path: unknown, what: string, forms: readonly string[]): string {
  if (typeof path !== 'string')
    throw new OptionError(`${what} is saved to a path, not ${said(path)}. Give one, e.g. 'run${forms[0]}'.`);
  const form = extname(path);
  if (forms.includes(form)) return form;
  const list = `${forms.slice(0, -1).join(', ')} or ${forms[forms.length - 1]}`;
  throw new OptionError(`${path} ends in '${form}', and ${what} is ${list}. Choose one.`);
}

/** One activation: .npy, .safetensors, .arrow (which `fromArrow` reads back) or .parquet. */
export function saveActivation(path: string, activation: Values): void {
  const form = checkForm(path, 'an activation', ['.npy', '.safetensors', '.arrow', '.parquet']);
  const { name, dims } = activation;
  const told = { loupe: JSON.stringify({ name, dims }) };
  if (form === '.npy') writeWhole(path, npy(activation));
  else if (form === '.arrow') writeWhole(path, [tableToIPC(toArrow(activation), 'file')]);
  else writeWhole(path, partsOf(form, [activation], told));
}

/** All of a run: .safetensors (a golden, where all stages are there whole), .arrow or .parquet. */
export function saveTrace(
  path: string,
  activations: readonly Values[],
  provenance: Readonly<Record<string, string>>,
): void {
  const form = checkForm(path, 'a trace', ['.safetensors', '.arrow', '.parquet']);
  // Where the parts are in the model: tensors of a safetensors file begin at 0.
  const cut = places(activations);
  const slice: Record<string, string> = Object.keys(cut).length > 0 ? { slice: JSON.stringify(cut) } : {};
  writeWhole(path, partsOf(form, activations, { ...provenance, ...slice }));
}

function partsOf(
  form: string,
  activations: readonly Values[],
  provenance: Readonly<Record<string, string>>,
): Iterable<Uint8Array> {
  if (form === '.safetensors') {
    const tensors = activations.map(({ name, dims, data }) => ({ name, shape: dims.map(({ size }) => size), data }));
    return safetensorsParts(tensors, provenance);
  }
  if (form === '.arrow') return [traceToIpc(activations, provenance)];
  return [new Uint8Array(parquet(activations, provenance))];
}

/** Logits of the last token alone are no part: a run computes no others unless it is asked to. */
const isLast = (stage: string, { name, from, of }: Dim): boolean =>
  stage === 'logits' && name === 'token' && from === of - 1;

/** For every stage that was cut, [first, one past the last] along each dimension. */
function places(activations: readonly Values[]): Record<string, Record<string, readonly [number, number]>> {
  return Object.fromEntries(
    activations
      .filter(({ name, dims }) => !dims.every(dim => isWhole(dim) || isLast(name, dim)))
      .map(({ name, dims }) => [name, Object.fromEntries(dims.map(d => [d.name, [d.from, d.from + d.size] as const]))]),
  );
}

/** NumPy's format 1.0: a magic number, the length of the header, the header as a Python literal padded to 64 bytes, the values row by row. */
function* npy({ dims, data }: Values): Generator<Uint8Array> {
  const shape = dims.length === 1 ? `${dims[0].size},` : dims.map(({ size }) => size).join(', ');
  const header = `{'descr': '<f4', 'fortran_order': False, 'shape': (${shape}), }`;
  const text = `${header.padEnd(64 * Math.ceil((header.length + 11) / 64) - 11)}\n`;
  const start = Buffer.alloc(10);
  start.set([0x93, ...Buffer.from('NUMPY'), 1, 0]);
  start.writeUInt16LE(text.length, 8);
  yield start;
  yield Buffer.from(text, 'latin1');
  yield new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

/** One row a value: the stage, its position in the model along each dimension by the dimension's name (null where the stage has none of that name), the value. */
function parquet(activations: readonly Values[], provenance: Readonly<Record<string, string>>): ArrayBuffer {
  const names = [...new Set(activations.flatMap(({ dims }) => dims.map(dim => dim.name)))];
  const rows = activations.reduce((n, { data }) => n + data.length, 0);
  const stage = new Array<string>(rows);
  const value = new Float32Array(rows);
  const places = new Map(names.map(name => [name, new Array<number | null>(rows).fill(null)]));
  let at = 0;
  for (const { name, dims, data } of activations) {
    let inner = data.length;
    for (const dim of dims) {
      inner /= dim.size || 1;
      const column = places.get(dim.name)!;
      for (let i = 0; i < data.length; i++) column[at + i] = dim.from + (Math.floor(i / inner) % dim.size);
    }
    stage.fill(name, at, at + data.length);
    value.set(data, at);
    at += data.length;
  }
  const some = (column: readonly (number | null)[]) => column.includes(null);
  return parquetWriteBuffer({
    columnData: [
      { name: 'stage', data: stage, type: 'STRING' },
      ...names.map(name => {
        const data = places.get(name)!;
        return { name, data, type: 'INT32' as const, nullable: some(data) };
      }),
      { name: 'value', data: value, type: 'FLOAT' },
    ],
    kvMetadata: Object.entries(provenance).map(([key, v]) => ({ key, value: v })),
  });
}
