// loupe kernel: the notebook kernel for a Jupyter of your own.

import { resolve } from 'node:path';
import { Command, Option } from 'commander';
import { installedKernels, installKernelSpec, prefixData, uninstallKernelSpec, userData } from '../kernel/spec.js';
import { folded } from '../values/fold.js';
import { print, printJson } from './options.js';

interface Where {
  readonly user?: boolean;
  readonly prefix?: string;
}

const dataOf = ({ prefix }: Where): string => (prefix === undefined ? userData() : prefixData(resolve(prefix)));

function withWhere(command: Command): Command {
  return command
    .addOption(new Option('--user', 'for this user (default)').conflicts('prefix'))
    .option('--prefix <folder>', 'for an environment: a venv, or a conda prefix');
}

export function kernelCommand(): Command {
  const kernel = new Command('kernel').description('the notebook kernel for a Jupyter of your own');
  kernel.addCommand(
    withWhere(new Command('install').description('let Jupyter find this kernel')).action((where: Where) => {
      const { name, folder, displayName } = installKernelSpec(dataOf(where));
      print(`Installed '${displayName}' as ${name} in ${folder}.`);
      print(`Try: jupyter console --kernel ${name}`);
    }),
  );
  kernel.addCommand(
    withWhere(new Command('uninstall').description('remove it; other installations are not touched')).action(
      (where: Where) => {
        const removed = uninstallKernelSpec(dataOf(where));
        for (const { folder } of removed) print(`Removed ${folder}.`);
        if (removed.length === 0) print(`There is no kernel of this installation in ${dataOf(where)}.`);
      },
    ),
  );
  kernel.addCommand(
    new Command('status')
      .description('every Loupe kernel that Jupyter can find; exit code 1 if this installation has none that works')
      .option('--json', 'print JSON')
      .action(({ json }: { json?: boolean }) => {
        const kernels = installedKernels();
        if (!kernels.some(({ own, trouble }) => own && !trouble)) process.exitCode = 1;
        if (json) return printJson(kernels);
        if (kernels.length === 0) return print('No Loupe kernel is installed. `loupe kernel install` does it.');
        for (const { name, version, own, root, folder, trouble } of kernels) {
          print(`${name} ${version}, ${own ? 'of this installation' : `of ${root}`}`);
          print(`  ${folder}`);
          print(folded(`  ${trouble ?? 'works'}`, '  '));
        }
      }),
  );
  return kernel;
}
