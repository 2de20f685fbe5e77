// What `npm run lab` and `npm test` need before anything else is installed: plain Node, no packages. Each step does nothing when its
// result is there already, and says in one line what it does when it is not.

import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
export const HOME = join(ROOT, '.loupe');
export const VENV = join(HOME, 'venv');
const WINDOWS = process.platform === 'win32';
const BIN = join(VENV, WINDOWS ? 'Scripts' : 'bin');
export const PYTHON = join(BIN, WINDOWS ? 'python.exe' : 'python');

/** A fault of the machine, with its cure: printed without a stack. */
export class Missing extends Error {}

const colour = (code, text) => (process.stdout.isTTY && !process.env.NO_COLOR ? `\x1b[${code}m${text}\x1b[0m` : text);

/** What is happening, of several things at once. */
const happening = new Set();

/** Runs `work` under a line that tells what is happening and, at the end, how long it took. */
async function step(what, work) {
  const began = Date.now();
  let timer;
  happening.add(what);
  const told = () => `\r\x1b[K… ${[...happening].join(', ')} ${Math.round((Date.now() - began) / 1000)} s`;
  if (process.stdout.isTTY) {
    process.stdout.write(told());
    timer = setInterval(() => [...happening].at(-1) === what && process.stdout.write(told()), 1000);
  } else {
    process.stdout.write(`… ${what}\n`);
  }
  try {
    await work();
    const end = `${colour(32, '✓')} ${what} (${((Date.now() - began) / 1000).toFixed(1)} s)\n`;
    process.stdout.write(process.stdout.isTTY ? `\r\x1b[K${end}` : end);
  } finally {
    clearInterval(timer);
    happening.delete(what);
  }
}

/** Runs a command quietly; its output is shown only if it fails. */
function run(command, args, { cure, ...options } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd: ROOT,
      stdio: ['ignore', 'pipe', 'pipe'],
      shell: WINDOWS && command === 'npm',
      ...options,
    });
    let output = '';
    const keep = chunk => {
      output = (output + chunk).slice(-4000);
    };
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    child.on('error', error =>
      reject(new Missing(`${command} could not be started (${error.code}). ${cure ?? 'Install it.'}`)),
    );
    child.on('close', code => {
      if (code === 0) resolve(output);
      else
        reject(
          new Missing(
            `\`${relative(ROOT, command) || command} ${args.join(' ')}\` failed:\n${output.trim()}\n${cure ?? ''}`,
          ),
        );
    });
  });
}

/** SHA-256 over the contents of files and of folders below them. */
function digest(paths, suffix = '') {
  const hash = createHash('sha256');
  const visit = path => {
    if (!existsSync(path)) return;
    if (statSync(path).isDirectory()) for (const name of readdirSync(path).sort()) visit(join(path, name));
    else if (path.endsWith(suffix)) hash.update(relative(ROOT, path)).update(readFileSync(path));
  };
  for (const path of paths) visit(join(ROOT, path));
  return hash.digest('hex');
}

/** True when `name` was last done for exactly this state; `done` writes that down. */
function stamp(name, state) {
  const path = join(HOME, `${name}.stamp`);
  return {
    fresh: existsSync(path) && readFileSync(path, 'utf8') === state,
    done() {
      mkdirSync(HOME, { recursive: true });
      writeFileSync(path, state);
    },
  };
}

export function checkNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > 20 || (major === 20 && minor >= 19)) return;
  throw new Missing(
    `Node ${process.versions.node} is too old: Loupe needs 20.19 or newer. Install it from nodejs.org or with your package manager.`,
  );
}

export async function installPackages() {
  const mark = stamp('packages', digest(['package-lock.json']));
  const there = existsSync(join(ROOT, 'node_modules', 'webgpu'));
  if (there && (mark.fresh || npmInstalled())) {
    mark.done();
    return;
  }
  await step('Installing npm packages', () =>
    run('npm', ['ci', '--no-fund', '--no-audit'], { cure: 'Check that the npm registry can be reached.' }),
  );
  mark.done();
}

/** Whether what npm itself noted in node_modules is what the lockfile asks of this machine: so it is after `npm ci`. */
function npmInstalled() {
  const read = (...path) => {
    try {
      return JSON.parse(readFileSync(join(ROOT, ...path), 'utf8')).packages;
    } catch {
      return {};
    }
  };
  const [wanted, there] = [read('package-lock.json'), read('node_modules', '.package-lock.json')];
  return Object.entries(wanted).every(
    ([path, { version, optional }]) => path === '' || there[path]?.version === version || (optional && !there[path]),
  );
}

export async function build() {
  const mark = stamp('build', digest(['engine', 'lab', 'tsconfig.json', 'package-lock.json'], ''));
  const main = join(ROOT, 'dist', 'lab', 'index.js');
  if (!mark.fresh || !existsSync(main)) {
    await step('Building', async () => {
      rmSync(join(ROOT, 'dist'), { recursive: true, force: true });
      await run(process.execPath, [join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc'), '-p', ROOT]);
      await minifyPlotly();
      const command = join(ROOT, 'dist', 'lab', 'cli', 'loupe.js');
      if (existsSync(command)) chmodSync(command, 0o755);
    });
    mark.done();
  }
  link();
}

/** What report() puts into its pages: half the size of what plotly.js-dist ships. */
async function minifyPlotly() {
  const { transform } = await import('esbuild');
  const source = readFileSync(join(ROOT, 'node_modules', 'plotly.js-dist', 'plotly.js'), 'utf8');
  const { code } = await transform(source, { minify: true, target: 'es2020', legalComments: 'none' });
  const licence = /^\/\*[\s\S]*?\*\//.exec(source)?.[0] ?? '';
  writeFileSync(join(ROOT, 'dist', 'plotly.min.js'), `${licence}\n${code}`);
}

/** node_modules/gemma-loupe points here, so that notebooks import the lab by its name; `npx loupe` runs the command. */
function link() {
  const at = (...parts) => join(ROOT, 'node_modules', ...parts);
  const missing = path => !lstatSync(path, { throwIfNoEntry: false });
  if (missing(at('gemma-loupe'))) symlinkSync(ROOT, at('gemma-loupe'), WINDOWS ? 'junction' : 'dir');
  if (!WINDOWS && missing(at('.bin', 'loupe')))
    symlinkSync(join('..', '..', 'dist', 'lab', 'cli', 'loupe.js'), at('.bin', 'loupe'));
}

function findPython() {
  const found = [];
  for (const command of process.env.PYTHON
    ? [process.env.PYTHON]
    : ['python3', 'python', 'python3.13', 'python3.12', 'python3.11']) {
    const { status, stdout } = spawnSync(command, ['-c', 'import sys; print("%d.%d" % sys.version_info[:2])'], {
      encoding: 'utf8',
    });
    if (status !== 0) continue;
    const version = stdout.trim();
    const [major, minor] = version.split('.').map(Number);
    if (major === 3 && minor >= 11) return command;
    found.push(version);
  }
  const seen = found.length > 0 ? `only Python ${found.join(' and ')} was found` : 'no Python was found';
  throw new Missing(
    `JupyterLab needs Python 3.11 or newer, and ${seen}. Install it (Debian, Ubuntu: apt-get install python3 python3-venv).`,
  );
}

export async function installPython() {
  const requirements = join(ROOT, 'lab', 'start', 'requirements.txt');
  // JupyterLab runs a script of its own in there, which must not be taken for a module of this package.
  mkdirSync(HOME, { recursive: true });
  writeFileSync(join(HOME, 'package.json'), '{ "type": "commonjs" }\n');
  const mark = stamp('python', digest(['lab/start/requirements.txt', 'lab/papermill']));
  if (mark.fresh && existsSync(PYTHON)) return;
  const python = findPython();
  if (!existsSync(PYTHON)) {
    await step('Making a Python environment in .loupe/venv', async () => {
      rmSync(VENV, { recursive: true, force: true });
      const made = module =>
        run(python, ['-m', module, VENV]).then(
          () => true,
          () => false,
        );
      if (await made('venv')) return;
      rmSync(VENV, { recursive: true, force: true });
      if (await made('virtualenv')) return;
      throw new Missing(
        `${python} has no working venv module. Install it (Debian, Ubuntu: apt-get install python3-venv) and try again.`,
      );
    });
  }
  await step('Installing JupyterLab', () =>
    run(
      PYTHON,
      ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '-r', requirements, './lab/papermill'],
      { cure: 'Check that PyPI can be reached.' },
    ),
  );
  mark.done();
}

/** Writes the kernelspec into the private environment: other Jupyters are not touched (`loupe kernel install` is for those). */
export async function installKernel() {
  const { installKernelSpec } = await import(new URL('../../dist/lab/kernel/spec.js', import.meta.url));
  installKernelSpec(join(VENV, 'share', 'jupyter'));
  const settings = join(VENV, 'share', 'jupyter', 'lab', 'settings');
  mkdirSync(settings, { recursive: true });
  copyFileSync(join(ROOT, 'lab', 'start', 'jupyterlab.json'), join(settings, 'overrides.json'));
}

/** Settings that keep a user's own Jupyter configuration and ours apart. */
export function jupyterEnvironment() {
  return {
    ...process.env,
    JUPYTER_CONFIG_DIR: join(HOME, 'jupyter', 'config'),
    JUPYTER_DATA_DIR: join(HOME, 'jupyter', 'data'),
    JUPYTER_RUNTIME_DIR: join(HOME, 'jupyter', 'runtime'),
    JUPYTER_NO_CONFIG: '',
    PATH: `${BIN}${WINDOWS ? ';' : ':'}${process.env.PATH}`,
  };
}

/** Everything: packages and what is built with them, and Python beside it. */
export async function installAll() {
  checkNode();
  const ours = async () => {
    await installPackages();
    await build();
  };
  // Both end before the first fault is told: neither is left half done, with nobody to wait for it.
  const done = await Promise.allSettled([ours(), installPython()]);
  const fault = done.find(({ status }) => status === 'rejected');
  if (fault) throw fault.reason;
  await installKernel();
}

/** What the system says where this folder may not be written, or has no room: no fault of this program. */
const REFUSED = {
  EACCES: 'you may not write there',
  EPERM: 'you may not write there',
  EROFS: 'it can only be read',
  ENOSPC: 'the disk is full',
  EDQUOT: 'your share of the disk is full',
};

function told(error) {
  if (error instanceof Missing) return error.message;
  const why = REFUSED[error?.code];
  return why === undefined
    ? null
    : `${error.path ?? ROOT} cannot be written: ${why}. Loupe keeps what it installs in its own folder; make room or take the right to write there, or clone it elsewhere.`;
}

/** Runs `main`; a Missing, and what the system refuses, is printed as one message, and everything ends with the right exit code. */
export function begin(main) {
  main().catch(error => {
    const message = told(error);
    process.stderr.write(message === null ? `${error.stack}\n` : `\n${colour(31, '✗')} ${message}\n`);
    process.exit(message === null ? 1 : 2);
  });
}
