// The kernelspec: what tells Jupyter how to start the kernel, where it lies, and whose it is. Two installations of Loupe on one machine
// never overwrite or remove each other's.

import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { LoupeError, OptionError } from '../../engine/errors.js';
import { packageRoot, readText } from '../../engine/files.js';
import { homeFolder, makeFolder } from '../../engine/make-folder.js';
import { attempt } from '../values/plain.js';
import { writeWhole } from '../values/write-file.js';

export const KERNEL_NAME = 'loupe';

interface Spec {
  readonly argv: readonly string[];
  readonly display_name: string;
  readonly language: string;
  readonly metadata?: { readonly loupe?: { readonly root: string; readonly version: string } };
}

export interface InstalledKernel {
  readonly name: string;
  readonly folder: string;
  readonly displayName: string;
  /** The installation of Loupe that it starts. */
  readonly root: string;
  readonly version: string;
  readonly own: boolean;
  /** What is wrong with it, and what to do. */
  readonly trouble: string | null;
}

export class KernelSpecError extends LoupeError {}

const version = (): string =>
  (JSON.parse(readFileSync(join(packageRoot(), 'package.json'), 'utf8')) as { version: string }).version;

/** Jupyter's data folder of this user. https://docs.jupyter.org/en/stable/use/jupyter-directories.html */
export function userData(): string {
  if (process.env.JUPYTER_DATA_DIR) return process.env.JUPYTER_DATA_DIR;
  const home = (...path: string[]) => {
    const folder = homeFolder();
    if (folder !== null) return join(folder, ...path);
    throw new KernelSpecError(
      'This user has no home folder, so it is not known where Jupyter looks. Set HOME or JUPYTER_DATA_DIR, or choose a folder: --prefix P.',
    );
  };
  if (process.platform === 'darwin') return home('Library', 'Jupyter');
  if (process.platform === 'win32') return join(process.env.APPDATA ?? home(), 'jupyter');
  return join(process.env.XDG_DATA_HOME || home('.local', 'share'), 'jupyter');
}

/** Jupyter's data folder of an environment. */
export const prefixData = (prefix: string): string => join(prefix, 'share', 'jupyter');

/** Where Jupyter looks for kernels, and the private environment of `npm run lab`. */
function dataFolders(): string[] {
  const more = process.env.JUPYTER_PATH?.split(delimiter).filter(Boolean) ?? [];
  const environments = [process.env.VIRTUAL_ENV, process.env.CONDA_PREFIX, join(packageRoot(), '.loupe', 'venv')];
  const system = process.platform === 'win32' ? [] : ['/usr/local/share/jupyter', '/usr/share/jupyter'];
  const own = [attempt(userData)].flatMap(data => data ?? []);
  return [...new Set([...more, ...environments.flatMap(e => (e ? [prefixData(e)] : [])), ...own, ...system])];
}

/**
 * Writes a kernelspec into `data`/kernels. The name `loupe` is taken if it is free or this installation's; beside another one's it
 * gets a name of its own. Throws KernelSpecError where nothing can be written.
 */
export function installKernelSpec(data: string): InstalledKernel {
  const root = packageRoot();
  const kernel = join(root, 'dist', 'lab', 'kernel', 'kernel.js');
  if (!existsSync(kernel)) throw new KernelSpecError('The kernel is not built. Run `npm run build` first.');
  const here = kernelsIn(data);
  const taken = here.some(({ name, own }) => name === KERNEL_NAME && !own);
  const name = taken ? `${KERNEL_NAME}-${createHash('sha256').update(root).digest('hex').slice(0, 8)}` : KERNEL_NAME;
  const spec: Spec & { interrupt_mode: string } = {
    argv: [process.execPath, kernel, '{connection_file}'],
    display_name: taken ? `Loupe ${version()} (${root})` : 'Loupe (TypeScript)',
    language: 'typescript',
    // As a message it reaches a cell that never lets the event loop turn; a signal works as well.
    interrupt_mode: 'message',
    metadata: { loupe: { root, version: version() } },
  };
  const folder = join(data, 'kernels', name);
  try {
    makeFolder(folder);
    writeWhole(join(folder, 'logo-svg.svg'), [readFileSync(join(root, 'lab', 'kernel', 'logo.svg'))]);
    writeWhole(join(folder, 'kernel.json'), [`${JSON.stringify(spec, null, 1)}\n`]);
  } catch (error) {
    throw new KernelSpecError(
      `The kernel cannot be written into ${folder} (${codeOf(error)}). Choose a folder of your own: --user or --prefix P.`,
    );
  }
  return kernelsIn(data).find(found => found.name === name)!;
}

const codeOf = (error: unknown): string =>
  (error as NodeJS.ErrnoException).code ??
  (error instanceof OptionError && error.cause ? codeOf(error.cause) : String(error));

/** Removes this installation's kernelspecs from `data`, and no other's. @returns those that were removed */
export function uninstallKernelSpec(data: string): InstalledKernel[] {
  const own = kernelsIn(data).filter(kernel => kernel.own);
  for (const { folder } of own) rmSync(folder, { recursive: true, force: true });
  return own;
}

/** Every Loupe kernel that Jupyter could find. */
export function installedKernels(): InstalledKernel[] {
  return dataFolders().flatMap(kernelsIn);
}

export function kernelsIn(data: string): InstalledKernel[] {
  const kernels = join(data, 'kernels');
  if (!existsSync(kernels)) return [];
  return readdirSync(kernels).flatMap(name => {
    const found = describe(name, join(kernels, name));
    return found ? [found] : [];
  });
}

function describe(name: string, folder: string): InstalledKernel | null {
  let spec: Spec;
  try {
    spec = JSON.parse(readText(join(folder, 'kernel.json'), 1 << 20, what => new KernelSpecError(what))) as Spec;
    if (!Array.isArray(spec.argv)) return null;
  } catch {
    return null; // not a kernel, or not one of ours
  }
  const own = spec.metadata?.loupe;
  if (!own) return null;
  const missing = spec.argv.slice(0, 2).find(path => !existsSync(path));
  return {
    name,
    folder,
    displayName: spec.display_name,
    root: own.root,
    version: own.version,
    own: own.root === packageRoot(),
    trouble: missing
      ? `${missing} is gone; \`loupe kernel install\` there mends it, or remove the folder ${folder}.`
      : null,
  };
}
