// A sweep on a Ray cluster. The driver is Python (ray/driver.py), as Ray is; it gets its shards from `loupe sweep --shards` and gives their ids to processes of `loupe sweep --worker`
// wherever the cluster has room. Ray is no dependency: it is fetched when it is asked for, into the cache folder, or is that of LOUPE_RAY_PYTHON.

import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { cacheFolder } from '../../engine/cache.js';
import { LoupeError } from '../../engine/errors.js';
import { packageRoot } from '../../engine/files.js';
import { onCtrlC, rearmCtrlC } from '../host/ctrl-c.js';

export class RayError extends LoupeError {}

/** What a worker takes of the cluster, as Ray counts it. */
export interface RayOptions {
  /** auto: the cluster of this machine; local: one of its own, on this machine alone; else HOST:PORT of a cluster's head. */
  readonly ray: string;
  /** Default: as many as there is room for. */
  readonly workers?: number;
  /** Of a worker; default 1. */
  readonly cpus?: number;
  /** Of a worker; default 0. */
  readonly gpus?: number;
  /** Of a worker, in bytes. */
  readonly memory?: number;
  /** Seconds that a shard may take. */
  readonly deadline?: number;
  /** Where the plan names none. */
  readonly adapter?: string;
}

/** Runs what is missing of a plan on Ray. @returns the exit code: 0 all shards stand, 1 some are missing, 2 bad input, 130 stopped. Throws RayError where there is no Ray. */
export async function sweepOnRay(path: string, options: RayOptions, say: (line: string) => void): Promise<number> {
  const python = await rayPython(say);
  const loupe = [process.execPath, join(packageRoot(), 'dist', 'lab', 'cli', 'loupe.js')];
  const args = [join(folder(), 'driver.py'), path, '--loupe', JSON.stringify(loupe)];
  for (const [name, value] of Object.entries(options)) if (value !== undefined) args.push(`--${name}=${value}`);
  args.push(`--parent=${process.pid}`); // of SIGKILL nobody can tell it
  return await new Promise<number>((resolve, reject) => {
    const driver = spawn(python, args, { stdio: 'inherit' });
    let by: NodeJS.Signals | null = null;
    const passOn = (signal: NodeJS.Signals) => {
      by = signal;
      driver.kill(signal);
    };
    // It ends its workers and Ray, and takes no notice of a second one: from a terminal it has had Ctrl-C itself.
    onCtrlC(() => {
      passOn('SIGINT');
      rearmCtrlC();
    });
    for (const signal of ENDING) process.on(signal, passOn);
    const done = () => {
      for (const signal of ENDING) process.off(signal, passOn);
      onCtrlC(null);
    };
    driver.on('error', error => {
      done();
      reject(new RayError(`${python} could not be started: ${error.message}. ${CURE}`));
    });
    driver.on('close', code => {
      done();
      if (by !== null && by !== 'SIGINT') process.kill(process.pid, by); // after its last listener a signal does what it does
      resolve(code ?? (by === null ? 1 : STOPPED));
    });
  });
}

/** What ends a process that does not listen: `timeout`, `kill`, a pod's end; a terminal that is closed. */
const ENDING = ['SIGTERM', 'SIGHUP'] as const;
const STOPPED = 130;

const CURE = 'Set LOUPE_RAY_PYTHON to a Python that has Ray, of the version of your cluster.';
const folder = () => join(packageRoot(), 'lab', 'sweep', 'ray');

/** A Python with Ray: the one that LOUPE_RAY_PYTHON names, else one that is made here. */
async function rayPython(say: (line: string) => void): Promise<string> {
  const own = process.env.LOUPE_RAY_PYTHON;
  if (own) {
    await ask(own, ['-c', 'import ray'], `LOUPE_RAY_PYTHON is ${own}, which has no Ray that it can import`);
    return own;
  }
  const wanted = readFileSync(join(folder(), 'requirements.txt'), 'utf8').trim();
  const at = join(cacheFolder(), wanted.replace('==', '-'));
  const python = join(at, 'bin', 'python');
  if (existsSync(python)) return python;
  say(`fetching ${wanted} with pip for --ray: 80 MB, into ${at}`);
  const fresh = mkdtempSync(join(cacheFolder(), 'fetching-'));
  try {
    await ask('python3', ['-m', 'venv', fresh], 'Python cannot make an environment');
    const pip = ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check'];
    await ask(
      join(fresh, 'bin', 'python'),
      [...pip, '-r', join(folder(), 'requirements.txt')],
      `pip could not fetch ${wanted}`,
    );
    if (!existsSync(at)) renameSync(fresh, at); // else somebody else was first
    return python;
  } finally {
    rmSync(fresh, { recursive: true, force: true });
  }
}

/** Runs Python for its exit code. Throws RayError with what it said last. */
function ask(python: string, args: readonly string[], wrong: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(python, args, { stdio: ['ignore', 'ignore', 'pipe'] });
    let said = '';
    child.stderr.on('data', data => {
      said = `${said}${data}`.slice(-2000);
    });
    child.on('error', error => reject(new RayError(`${wrong}: ${error.message}. ${CURE}`)));
    child.on('close', code => {
      if (code === 0) resolve();
      else reject(new RayError(`${wrong}: ${said.trim().split('\n').at(-1)}. ${CURE}`));
    });
  });
}
