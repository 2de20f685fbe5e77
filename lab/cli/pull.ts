// loupe pull: a model from a hub into the cache that transformers uses too.

import { Command } from 'commander';
import { PullError } from '../../engine/errors.js';
import { visible } from '../values/html.js';
import { bytesText } from '../values/numbers.js';
import { progressLine } from '../host/progress.js';
import { interruptSignal } from '../host/interrupt.js';
import { hubName } from '../pull/name.js';
import { pull } from '../pull/pull.js';
import { print, printJson } from './options.js';

export function pullCommand(): Command {
  return new Command('pull')
    .description('fetch a model from the Hugging Face hub')
    .argument('<model>', 'org/name, org/name@revision, org/name:file.gguf (a part of the file’s name will do)')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      '\nThe model is then opened by the same name: loupe chat --model org/name\n' +
        'A token is taken from HF_TOKEN or from the file of `hf auth login`, another\nhub from HF_ENDPOINT.',
    )
    .action(async (model: string, { json }: { json?: boolean }) => {
      const name = hubName(model);
      if (!name)
        throw new PullError(`'${model}' is no name on a hub. Give org/name, org/name@revision or org/name:file.`);
      using progress = progressLine(`Fetching ${model}`);
      const began = performance.now();
      const { path, files, fetched, commit } = await pull(name, {
        signal: interruptSignal(),
        onProgress: (done, total) => progress.bytes(done, total),
        onWait: (ms, why) => {
          progress[Symbol.dispose]();
          process.stderr.write(`${visible(`Waiting ${Math.ceil(ms / 1000)} s: ${why}.`)}\n`);
        },
      });
      progress[Symbol.dispose]();
      if (json) {
        printJson({ model, path, commit, fetched, files });
        return;
      }
      const seconds = (performance.now() - began) / 1000;
      const total = files.reduce((n, { size }) => n + size, 0);
      print(
        fetched === 0
          ? `${model} was here already: ${files.length} files, ${bytesText(total)}.`
          : `${model}: ${bytesText(fetched)} fetched in ${seconds.toFixed(1)} s, ${files.length} files, checked by their hashes.`,
      );
      print(path);
    });
}
