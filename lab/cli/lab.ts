// loupe lab: the same as `npm run lab`.

import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { Command } from 'commander';
import { packageRoot } from '../../engine/files.js';

export function labCommand(): Command {
  return new Command('lab')
    .description('JupyterLab with the Loupe kernel, on the tour')
    .allowUnknownOption()
    .argument('[options...]', 'as for npm run lab: --port N, --no-browser')
    .action(
      (_options, _values, command: Command) =>
        new Promise<void>(resolve => {
          process.cwd(); // Python cannot start in one that is gone, and says nothing of it
          process.on('SIGINT', () => {}); // the child has it too, and decides
          const child = spawn(process.execPath, [join(packageRoot(), 'lab', 'start', 'lab.mjs'), ...command.args], {
            stdio: 'inherit',
          });
          child.on('close', code => {
            process.exitCode = code ?? 1;
            resolve();
          });
        }),
    );
}
