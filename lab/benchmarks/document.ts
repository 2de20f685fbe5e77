// npm run benchmarks: measures this machine and writes the measured part of docs/BENCHMARKS.md, with its pictures. What a person wrote around the two
// marks stays.

import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { cacheFolder } from '../../engine/cache.js';
import { OptionError } from '../../engine/errors.js';
import { packageRoot } from '../../engine/files.js';
import { bytesText } from '../values/numbers.js';
import { writeWhole } from '../values/write-file.js';
import type { BenchReport } from '../bench/bench.js';
import type { Measured, Ran, StagesReport } from './measured.js';
import { measuredPart, picturesOf } from './pages.js';

const BEGIN = '<!-- measured: written by `npm run benchmarks`, from here to the next mark -->';
const END = '<!-- end of what was measured -->';

/** The text with another measured part. Throws OptionError where the marks are not there once each, in order. */
export function withMeasured(text: string, part: string): string {
  const [from, to] = [text.indexOf(BEGIN), text.indexOf(END)];
  const once = text.lastIndexOf(BEGIN) === from && text.lastIndexOf(END) === to;
  if (from < 0 || to < from || !once) {
    throw new OptionError(
      `The measured part goes between the lines '${BEGIN}' and '${END}', which must be there once each, in this order.`,
    );
  }
  return `${text.slice(0, from + BEGIN.length)}\n\n${part.trim()}\n\n${text.slice(to)}`;
}

export interface DocumentOptions {
  /** The document, in which the marks are. Pictures go into the folder pictures beside it. */
  readonly path: string;
  /** Short prompts and one round, to see that it works. */
  readonly small?: boolean;
  say(line: string): void;
}

/** Measures one after the other, and writes at the end. */
export async function writeBenchmarks({ path, small = false, say }: DocumentOptions): Promise<void> {
  withMeasured(readFileSync(path, 'utf8'), ''); // before minutes of measuring
  const began = performance.now();
  const model = join(cacheFolder(), 'models', 'gemma-3-270m-q4_k_m.gguf');
  const few = small ? ['--rounds', '1', '--decode', '4'] : [];
  const run = <T>(...args: string[]) => ran<T>([...args, ...few], model, say);
  const lists = (prefill: string, contexts: string, batch: string) =>
    small
      ? ['--prefill', '8,32', '--contexts', '0,40', '--batch', '1,3']
      : ['--prefill', prefill, '--contexts', contexts, '--batch', batch];
  const atlas = await run<BenchReport>(
    'bench',
    ...lists('16,128,512', '0,128,512,960', '1,4,16'),
    ...['--against', 'exact,tap'],
  );
  const swiftShader = await run<BenchReport>(
    ...['bench', '--adapter', 'swiftshader'],
    ...lists('16,128', '0,512', '1,4'),
    ...['--against', 'exact,tap'],
  );
  let real: Measured['real'] = null;
  if (!existsSync(model)) say(`left out: Gemma 3 270M, which python3 golden/fetch_real.py puts to ${model}`);
  else {
    const of = ['bench', '--model', model];
    const torch = process.env.LOUPE_TORCH || join(packageRoot(), '.loupe', 'torch', 'bin', 'python');
    if (!existsSync(torch)) say('left out: PyTorch, which is not in .loupe/torch nor where LOUPE_TORCH points');
    const against = ['--against', existsSync(torch) ? 'torch,llama.cpp' : 'llama.cpp'];
    const full = small ? lists('', '', '') : ['--full'];
    real = {
      full: await run<BenchReport>(...of, ...full, '--cache-at', '0', ...against),
      exact: await run<BenchReport>(...of, '--prefill', '16,128', '--contexts', '16', '--against', 'exact,tap'),
      stages: await ran<StagesReport>([...of, '--stages'], model, say),
    };
  }
  const measured: Measured = { atlas, swiftShader, real, seconds: (performance.now() - began) / 1000 };
  const folder = join(path, '..', 'pictures');
  for (const [name, picture] of picturesOf(measured)) writeWhole(join(folder, name), [picture]);
  // Read again: minutes have passed.
  writeWhole(path, [withMeasured(readFileSync(path, 'utf8'), measuredPart(measured))]);
  say(
    `${path}, and ${bytesText([...picturesOf(measured)].reduce((n, [, p]) => n + p.length, 0))} of pictures beside it, in ${Math.round(measured.seconds)} s`,
  );
}

/** Runs the command with --json. Throws OptionError with what it said where it fails. */
function ran<T>(args: readonly string[], model: string, say: (line: string) => void): Promise<Ran<T>> {
  const command = `loupe ${args.join(' ')}`.replace(model, 'M');
  say(command);
  const began = performance.now();
  const script = join(packageRoot(), 'dist', 'lab', 'cli', 'loupe.js');
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [script, ...args, '--json'], { stdio: ['ignore', 'pipe', 'inherit'] });
    const parts: Buffer[] = [];
    child.stdout.on('data', part => parts.push(part));
    child.on('error', reject);
    child.on('close', code => {
      if (code !== 0) {
        reject(
          new OptionError(`\`${command}\` ended with ${code}; it said above what was wrong. Nothing was written.`),
        );
        return;
      }
      say(`  ${((performance.now() - began) / 1000).toFixed(0)} s`);
      resolve({ command, report: JSON.parse(Buffer.concat(parts).toString()) as T });
    });
  });
}
