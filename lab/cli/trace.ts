// loupe trace: the activations of one run in a file that other tools read.

import { extname } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { OptionError } from '../../engine/errors.js';
import type { Slice } from '../../engine/taps.js';
import { safetensorsParts } from '../../engine/weights/safetensors-write.js';
import type { Activation } from '../values/activation.js';
import { traceToIpc } from '../values/arrow.js';
import { isWhole } from '../values/dims.js';
import { bytesText } from '../values/numbers.js';
import { checkTarget, writeWhole } from '../values/write-file.js';
import { idList, type ModelOptions, openModel, print, printJson, promptOf, withModel, withPlan } from './options.js';

interface Options extends ModelOptions {
  readonly prompt?: string;
  readonly ids?: number[];
  readonly tap: string[];
  readonly slice?: Slice;
  readonly out: string;
}

export function traceCommand(): Command {
  return withPlan(withModel(new Command('trace').description('write the activations of a run to a file')), 'exact')
    .option('-p, --prompt <text>', 'text to read')
    .option('--ids <ids>', 'token ids to read, comma-separated', idList)
    .option('--tap <glob...>', 'which stages', ['**'])
    .option('--slice <parts>', 'parts of them, by position in the model: head=2:4,query=0:10', sliceOf)
    .requiredOption('-o, --out <file>', 'run.safetensors, run.arrow or run.parquet')
    .action(async (options: Options) => {
      const kind = extname(options.out);
      if (!['.safetensors', '.arrow', '.parquet'].includes(kind)) {
        throw new OptionError(
          `${options.out} ends in '${kind}', and a trace is .safetensors, .arrow or .parquet. Choose one.`,
        );
      }
      const prompt = promptOf(options);
      checkTarget(options.out);
      const session = await openModel(options);
      checkTarget(options.out); // again: now it is known which files are the model's
      const run = await session.run(prompt, {
        tap: options.tap,
        slice: options.slice,
        logits: 'all',
        plan: options.plan,
      });
      const activations = [...run.activations.values()];
      const ids = JSON.stringify(run.ids);
      const provenance = {
        loupe_trace: '1',
        ids,
        chunks: `[${run.ids.length}]`,
        pieces: JSON.stringify(run.tokens),
        // Where the parts are in the model: tensors of a safetensors file begin at 0.
        ...(options.slice ? { slice: JSON.stringify(places(activations)) } : {}),
        ...run.provenance,
      };
      writeWhole(options.out, parts(kind, activations, provenance));
      const values = activations.reduce((n, { data }) => n + data.length, 0);
      if (options.json) printJson({ out: options.out, stages: activations.length, values, ids: run.ids });
      else print(`${options.out}: ${activations.length} stages, ${values} values (${bytesText(4 * values)}).`);
    });
}

function parts(
  kind: string,
  activations: readonly Activation[],
  provenance: Readonly<Record<string, string>>,
): Iterable<Uint8Array> {
  if (kind === '.safetensors') return safetensorsParts(activations, provenance);
  if (kind === '.arrow') return [traceToIpc(activations, provenance)];
  return [new Uint8Array(parquet(activations, provenance))];
}

/** For every stage that was cut, [first, one past the last] along each dimension. */
function places(activations: readonly Activation[]): Record<string, Record<string, readonly [number, number]>> {
  return Object.fromEntries(
    activations
      .filter(({ dims }) => !dims.every(isWhole))
      .map(({ name, dims }) => [name, Object.fromEntries(dims.map(d => [d.name, [d.from, d.from + d.size] as const]))]),
  );
}

/** `head=2:4,query=0:10`; a single number is that one alone. */
function sliceOf(text: string): Slice {
  const axes = text.split(',').map(part => /^\s*(\w+)=(-?\d+)(?::(-?\d*))?\s*$/.exec(part));
  if (axes.some(part => part === null))
    throw new InvalidArgumentError('Give axis=first:one-past-the-last, e.g. head=2:4,query=0:10.');
  const names = axes.map(part => part![1]);
  const twice = names.find((name, i) => names.indexOf(name) < i);
  if (twice !== undefined)
    throw new InvalidArgumentError(`There are two ranges along '${twice}', and one is taken. Give one of them.`);
  return Object.fromEntries(
    axes.map(part => {
      const [, axis, first, end] = part!;
      const from = Number(first);
      const one = from === -1 ? Number.POSITIVE_INFINITY : from + 1;
      return [axis, [from, end === undefined ? one : end === '' ? Number.POSITIVE_INFINITY : Number(end)]];
    }),
  );
}

/** One row a value: stage, up to three indices, positions in the model, value. */
function parquet(activations: readonly Activation[], provenance: Readonly<Record<string, string>>): ArrayBuffer {
  const stage: string[] = [];
  const indices: number[][] = [[], [], []];
  const value: number[] = [];
  for (const { name, shape, dims, data } of activations) {
    const three = [...Array(3 - shape.length).fill(1), ...shape];
    const from = [...Array(3 - shape.length).fill(0), ...dims.map(dim => dim.from)];
    data.forEach((v, i) => {
      stage.push(name);
      indices[0].push(from[0] + Math.floor(i / (three[1] * three[2])));
      indices[1].push(from[1] + (Math.floor(i / three[2]) % three[1]));
      indices[2].push(from[2] + (i % three[2]));
      value.push(v);
    });
  }
  return parquetWriteBuffer({
    columnData: [
      { name: 'stage', data: stage, type: 'STRING' },
      ...indices.map((data, i) => ({ name: `i${i}`, data, type: 'INT32' as const })),
      { name: 'value', data: value, type: 'FLOAT' },
    ],
    kvMetadata: Object.entries(provenance).map(([key, v]) => ({ key, value: v })),
  });
}
