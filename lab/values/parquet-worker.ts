// What runs in parquet-rows.ts's thread: hyparquet on one column of a file, some rows at a time, each when it is asked for.

import { closeSync, openSync, readSync } from 'node:fs';
import { isUtf8 } from 'node:buffer';
import { parentPort, workerData } from 'node:worker_threads';
import { type AsyncBuffer, parquetMetadataAsync, parquetReadObjects, parquetSchema } from 'hyparquet';
import { compressors } from 'hyparquet-compressors';

/** What the thread is given. */
export interface Asked {
  readonly path: string;
  readonly size: number;
  readonly column: string;
}

/** What it answers: the columns that there are, then rows until there are none; or why it cannot. */
export type Answer =
  | { readonly columns: readonly string[] }
  | { readonly rows: readonly unknown[] }
  | { readonly fault: string };

/** Rows that are decoded in one go. The reader may decode the column's whole part of a row group for them. */
const AT_ONCE = 100_000;

const { path, size, column } = workerData as Asked;
const file = openSync(path, 'r');
const bytes: AsyncBuffer = {
  byteLength: size,
  async slice(from, to = size) {
    const first = from < 0 ? size + from : from;
    const length = Math.min(to, size) - first;
    if (!(first >= 0 && length >= 0)) throw new Error(`it tells of bytes ${from} to ${to}, and has ${size}`);
    const part = new Uint8Array(length);
    for (let read = 0; read < length; ) {
      const more = readSync(file, part, read, length - read, first + read);
      if (more === 0) throw new Error(`it ends at byte ${first + read}`);
      read += more;
    }
    return part.buffer;
  },
};

/** A text as it is, a byte order mark included; what is none stays bytes, for whoever names the row. The library's own takes the mark away, and makes U+FFFD of the rest. */
const parsers = {
  stringFromBytes: (bytes: Uint8Array | undefined) =>
    bytes && (isUtf8(bytes) ? Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString() : bytes.slice()),
};

async function mark(from: number): Promise<string> {
  return size < 12 ? '' : Buffer.from(await bytes.slice(from, from + 4)).toString('latin1');
}

async function* answers(): AsyncGenerator<Answer> {
  const ends = [await mark(0), await mark(size - 4)];
  if (ends.includes('PARE')) throw new Error('it is encrypted');
  if (ends.some(end => end !== 'PAR1'))
    throw new Error('it does not begin and end with PAR1, so that it is another kind of file, or a part of one');
  const metadata = await parquetMetadataAsync(bytes);
  yield { columns: parquetSchema(metadata).children.map(({ element }) => element.name) };
  let place = 0;
  for (const { num_rows } of metadata.row_groups) {
    for (const end = place + Number(num_rows); place < end; ) {
      const rowEnd = Math.min(end, place + AT_ONCE);
      const wanted = {
        file: bytes,
        metadata,
        columns: [column],
        rowStart: place,
        rowEnd,
        compressors,
        parsers,
        utf8: false,
      };
      const rows = await parquetReadObjects(wanted);
      if (rows.length !== rowEnd - place)
        throw new Error(`rows ${place} to ${rowEnd - 1} should be there, and ${rows.length} are`);
      place = rowEnd;
      yield { rows: rows.map(row => row[column]) };
    }
  }
  yield { rows: [] };
}

const all = answers();
parentPort!.on('message', async () => {
  try {
    const { value, done } = await all.next();
    if (!done) parentPort!.postMessage(value);
    else closeSync(file);
  } catch (error) {
    parentPort!.postMessage({ fault: error instanceof Error ? error.message : String(error) } satisfies Answer);
  }
});
parentPort!.postMessage('ready');
