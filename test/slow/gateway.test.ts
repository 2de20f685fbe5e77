// The kernel on another machine, as JupyterHub and Enterprise Gateway have it: a kernel gateway starts it, and a Jupyter server in front has nothing
// but the gateway's address. Both on loopback; what goes between them is what would go over a network.

import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { packageRoot } from '../../engine/files.js';
import { freshFolder } from '../fixtures/folder.js';

const root = packageRoot();
const python = join(root, '.loupe', 'check', 'bin', 'python');
const folder = freshFolder();
const TOKEN = 'loupe-test';
const servers: ChildProcess[] = [];

/** Each side has folders of its own: the kernelspec is with the gateway alone. */
const environment = (name: string) => ({
  ...process.env,
  JUPYTER_DATA_DIR: join(folder, name, 'data'),
  JUPYTER_CONFIG_DIR: join(folder, name, 'config'),
  JUPYTER_RUNTIME_DIR: join(folder, name, 'runtime'),
});

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  return port;
}

/** Starts a server of Jupyter, and waits until it answers. */
async function start(name: string, args: readonly string[], base: string): Promise<void> {
  const server = spawn(python, args, { cwd: folder, env: environment(name), stdio: ['ignore', 'ignore', 'pipe'] });
  servers.push(server);
  let said = '';
  server.stderr.on('data', chunk => {
    said += chunk;
  });
  for (const until = Date.now() + 60_000; ; await new Promise(done => setTimeout(done, 100))) {
    const answer = await fetch(`${base}/api`, { headers: { Authorization: `token ${TOKEN}` } }).catch(() => null);
    if (answer?.ok) return;
    if (server.exitCode !== null || Date.now() > until) throw new Error(`${name} did not start:\n${said}`);
  }
}

let gateway: string;
let front: string;

beforeAll(async () => {
  const loupe = join(root, 'dist', 'lab', 'cli', 'loupe.js');
  const { status, stderr } = spawnSync(process.execPath, [loupe, 'kernel', 'install', '--user'], {
    env: environment('gateway'),
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(stderr);
  const ports = [await freePort(), await freePort()];
  [gateway, front] = ports.map(port => `http://127.0.0.1:${port}`);
  const kernels = ['-m', 'kernel_gateway', `--KernelGatewayApp.port=${ports[0]}`, '--KernelGatewayApp.ip=127.0.0.1'];
  const listed = '--JupyterWebsocketPersonality.list_kernels=True'; // the test looks what is left
  await start('gateway', [...kernels, `--KernelGatewayApp.auth_token=${TOKEN}`, listed], gateway);
  const lab = ['-m', 'jupyterlab', '--no-browser', '--allow-root', `--port=${ports[1]}`, '--ServerApp.ip=127.0.0.1'];
  const remote = [`--gateway-url=${gateway}`, `--GatewayClient.auth_token=${TOKEN}`];
  await start('front', [...lab, ...remote, `--IdentityProvider.token=${TOKEN}`], front);
}, 150_000);

afterAll(async () => {
  for (const server of servers.filter(({ exitCode }) => exitCode === null)) {
    server.kill('SIGTERM');
    await once(server, 'exit');
  }
});

interface Cell {
  readonly status: string;
  readonly mimes: readonly string[];
  readonly text: string;
  readonly error: string | null;
  readonly seconds: number;
}

test('a kernel behind a gateway: a model, its picture, Stop, restart, and nothing left', async () => {
  // Not spawnSync: the servers' output would wait, and they with it.
  const asking = spawn(python, [join(root, 'test', 'slow', 'gateway.py'), front, gateway, TOKEN], { cwd: folder });
  let out = '';
  let said = '';
  asking.stdout.on('data', chunk => (out += chunk));
  asking.stderr.on('data', chunk => (said += chunk));
  await once(asking, 'close');
  expect(said).toBe('');
  const seen = JSON.parse(out) as { specs: object; behind: boolean[]; pid: number; left: unknown[][] } & {
    readonly [name in 'picture' | 'attention' | 'generation' | 'endless' | 'after' | 'restarted' | 'forgotten']: Cell;
  };
  expect(seen.specs).toMatchObject({ loupe: 'message' });
  expect(seen.behind).toEqual([true]);
  expect(seen.picture).toMatchObject({ status: 'ok', error: null });
  expect(seen.picture.mimes).toContain('image/svg+xml');
  expect(seen.attention.mimes).toContain('application/vnd.plotly.v1+json');
  for (const cell of [seen.generation, seen.endless]) {
    expect(cell).toMatchObject({ status: 'error', error: 'Interrupted' });
    expect(cell.seconds).toBeLessThan(5);
  }
  expect(seen.after).toMatchObject({ status: 'ok', text: '45' });
  const [, pid] = /^'?object (\d+)'?$/.exec(seen.restarted.text) ?? [];
  expect(Number(pid)).toBeGreaterThan(0);
  expect(Number(pid)).not.toBe(seen.pid);
  expect(seen.forgotten.status).toBe('error');
  expect(seen.left).toEqual([[], []]);
  for (const gone of [seen.pid, Number(pid)]) expect(existsSync(`/proc/${gone}`)).toBe(false);
}, 120_000);
