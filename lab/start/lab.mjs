// npm run lab: JupyterLab on notebooks/, with the Loupe kernel, after installing whatever is missing.

import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { begin, installAll, jupyterEnvironment, Missing, PYTHON, ROOT } from './steps.mjs';

const HELP = `npm run lab -- [options]   JupyterLab on the Loupe notebooks; installs what is missing.

  --port N        port to listen on (default 8888, or the next that is free)
  --no-browser    do not open a browser
  --folder DIR    notebooks of your own instead of Loupe's; they import 'gemma-loupe' from anywhere
  --token T       token for the address (default: a random one)
  --help          this text
`;

begin(async () => {
  const args = process.argv.slice(2);
  if (args.includes('--help') || args.includes('-h')) {
    process.stdout.write(HELP);
    return;
  }
  await installAll();
  const option = name => {
    const at = args.findIndex(arg => arg === name || arg.startsWith(`${name}=`));
    return at < 0 ? undefined : args[at].includes('=') ? args[at].split('=')[1] : args[at + 1];
  };
  const folder = resolve(option('--folder') ?? join(ROOT, 'notebooks'));
  if (!existsSync(folder)) throw new Missing(`${folder} does not exist. Give a folder that does.`);
  const tour = join(folder, '01-tour.ipynb');
  const lab = [
    '-m',
    'jupyterlab',
    ...(existsSync(tour) ? [tour] : []),
    `--ServerApp.root_dir=${folder}`,
    '--ServerApp.ip=127.0.0.1',
    '--LabApp.news_url=',
    '--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate',
  ];
  if (option('--port')) lab.push(`--ServerApp.port=${option('--port')}`, '--ServerApp.port_retries=0');
  if (option('--token') !== undefined) lab.push(`--IdentityProvider.token=${option('--token')}`);
  if (args.includes('--no-browser')) lab.push('--no-browser');
  if (process.getuid?.() === 0) lab.push('--allow-root');
  const server = spawn(PYTHON, lab, {
    cwd: folder,
    env: jupyterEnvironment(),
    stdio: ['inherit', 'pipe', 'pipe'],
  });
  let told = false;
  let said = '';
  const listen = chunk => {
    const text = String(chunk);
    said = (said + text).slice(-2000);
    const address = /https?:\/\/127\.0\.0\.1:\S+/.exec(text)?.[0];
    if (address && !told) {
      told = true;
      process.stdout.write(`\nJupyterLab is ready:\n\n    ${address}\n\nCtrl-C stops it.\n`);
    } else if (/^\[E /m.test(text)) process.stderr.write(text);
  };
  server.stdout.on('data', listen);
  server.stderr.on('data', listen);
  let asked = 0;
  for (const signal of ['SIGINT', 'SIGTERM'])
    process.on(signal, () => server.kill(asked++ === 0 ? 'SIGTERM' : 'SIGKILL'));
  server.on('close', code => {
    if (!told) process.stderr.write(`JupyterLab did not start:\n${said.trim()}\n`);
    process.exit(told ? 0 : code || 1);
  });
});
