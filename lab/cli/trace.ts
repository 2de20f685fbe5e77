// loupe trace: the activations of one run in a file that other tools read.

import { extname } from 'node:path';
import { Command } from 'commander';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { OptionError } from '../../engine/errors.js';
import { safetensorsParts } from '../../engine/weights/safetensors-write.js';
import type { Activation } from '../activation.js';
import { traceToIpc } from '../arrow.js';
import { bytesText } from '../display/numbers.js';
import { checkTarget, writeWhole } from '../write-file.js';
import { idList, type ModelOptions, openModel, print, printJson, promptOf, withModel } from './options.js';

interface Options extends ModelOptions {
  readonly prompt?: string;
  readonly ids?: number[];
  readonly tap: string[];
  readonly out: string;
}

export function traceCommand(): Command {
  return withModel(new Command('trace').description('write the activations of a run to a file'))
    .option('-p, --prompt <text>', 'text to read')
    .option('--ids <ids>', 'token ids to read, comma-separated', idList)
    .option('--tap <glob...>', 'which stages', ['**'])
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
      const run = await session.run(prompt, { tap: options.tap, logits: 'all' });
      const activations = [...run.activations.values()];
      const ids = JSON.stringify(run.ids);
      const provenance = {
        loupe_trace: '1',
        ids,
        chunks: `[${run.ids.length}]`,
        pieces: JSON.stringify(run.tokens),
        ...session.provenance(),
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

/** One row a value: stage, up to three indices, value. */
function parquet(activations: readonly Activation[], provenance: Readonly<Record<string, string>>): ArrayBuffer {
  const stage: string[] = [];
  const indices: number[][] = [[], [], []];
  const value: number[] = [];
  for (const { name, shape, data } of activations) {
    const three = [...Array(3 - shape.length).fill(1), ...shape];
    data.forEach((v, i) => {
      stage.push(name);
      indices[0].push(Math.floor(i / (three[1] * three[2])));
      indices[1].push(Math.floor(i / three[2]) % three[1]);
      indices[2].push(i % three[2]);
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
