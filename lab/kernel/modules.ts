// What cells import: packages as Node finds them from the notebook's folder, else from where the lab is; TypeScript, JavaScript and JSON
// beside the notebook, read again when they have changed.

import { existsSync, readFileSync, statSync } from 'node:fs';
import { createRequire, isBuiltin } from 'node:module';
import { dirname, extname, isAbsolute, join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import vm from 'node:vm';
import { LoupeError } from '../../engine/errors.js';
import { packageRoot } from '../../engine/files.js';
import { textOf } from '../../engine/utf8.js';
import type { CompiledCell } from './compiled.js';
import { asCommonJs, type Imported, imported, importedFrom, namespaceOf, required } from './imported.js';
import { compileFile } from './local-file.js';
import { refuseFile, whyNot } from './not-loaded.js';
import { tslabForCells } from './tslab.js';

interface LocalFile {
  readonly path: string;
  readonly version: string;
  /** Files that it imports, for when one of them changes. */
  readonly uses: Set<LocalFile>;
  readonly module: { exports: unknown };
}

type Require = (specifier: string) => unknown;
const CODE = /\.[cm]?[jt]s$/;
const ENDINGS = ['.ts', '.mts', '.cts', '.js', '.mjs', '.cjs', '.json'];

export class Modules {
  readonly #files = new Map<string, LocalFile>();
  readonly #importers = new Map<string, (specifier: string, options?: object) => Promise<object>>();

  /** @param remember called with each file that runs, for the places of errors */
  constructor(
    private readonly folder: string,
    private readonly remember: (compiled: CompiledCell) => void,
  ) {}

  /** For an import line. */
  async load(specifier: string, from = this.folder): Promise<Imported> {
    const path = localPath(specifier, from);
    if (!path) return imported(await this.#native(specifier, from));
    return importedFrom(await this.#load(path));
  }

  /** `import()` for code in a folder. */
  importer(from: string): (specifier: unknown, options?: object) => Promise<unknown> {
    return async (specifier, options) => {
      const name = String(specifier);
      const path = localPath(name, from);
      return path ? namespaceOf(await this.#load(path)) : this.#native(name, from, options);
    };
  }

  meta(path: string): object {
    const require = createRequire(path);
    const [url, folder] = [pathToFileURL(path).href, dirname(path)];
    return {
      url,
      filename: path,
      dirname: folder,
      resolve: (specifier: string) =>
        /^\.{0,2}\//.test(specifier)
          ? new URL(specifier, url).href
          : isBuiltin(specifier)
            ? specifier
            : pathToFileURL(require.resolve(specifier)).href,
    };
  }

  /** `require` for code in a folder. */
  require(from: string): NodeJS.Require {
    const native = createRequire(join(from, 'cell.js'));
    const load = (specifier: string): unknown => {
      const path = localPath(specifier, from);
      if (path) return this.#require(path);
      refuseFile(specifier, from, ['.node', '']);
      if (specifier === 'tslab') return tslabForCells(); // one that is found here has no notebook to show in
      if (!isHere(specifier, from)) {
        if (resolves(OWN, specifier)) return OWN(specifier);
        throw noPackage(specifier, from);
      }
      try {
        return native(specifier);
      } catch (error) {
        throw whyNot(error, specifier, [from], { required: true }) ?? error;
      }
    };
    return Object.assign(load, {
      resolve: native.resolve,
      cache: native.cache,
      main: native.main,
      extensions: native.extensions,
    });
  }

  async #native(specifier: string, from: string, options?: object): Promise<object> {
    refuseFile(specifier, from);
    try {
      return await this.#resolved(specifier, from, options);
    } catch (error) {
      throw whyNot(error, specifier, [from, packageRoot()]) ?? error;
    }
  }

  async #resolved(specifier: string, from: string, options?: object): Promise<object> {
    if (specifier === 'tslab') return namespaceOf(tslabForCells()) as object;
    if (isHere(specifier, from)) return this.#importer(from)(specifier, options);
    if (resolves(OWN, specifier)) return this.#importer(packageRoot())(specifier, options);
    throw noPackage(specifier, from);
  }

  /** Node's own `import()`, as a file in a folder has it. */
  #importer(from: string): (specifier: string, options?: object) => Promise<object> {
    let found = this.#importers.get(from);
    if (!found) {
      const native = vm.runInThisContext('(specifier, options) => import(specifier, options)', {
        filename: join(from, 'notebook.js'),
        importModuleDynamically: vm.constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
      }) as (specifier: string, options?: object) => Promise<object>;
      found = (...given) => {
        const { emitWarning } = process;
        process.emitWarning = () => {}; // that this way to import() is new
        try {
          return native(...given);
        } finally {
          process.emitWarning = emitWarning;
        }
      };
      this.#importers.set(from, found);
    }
    return found;
  }

  #fresh(file: LocalFile, seen = new Set<LocalFile>()): boolean {
    if (seen.has(file)) return true;
    seen.add(file);
    return file.version === versionOf(file.path) && [...file.uses].every(used => this.#fresh(used, seen));
  }

  /** The file as it was read, or null where it has to be read. */
  #known(path: string, running: ReadonlyMap<string, LocalFile>): LocalFile | null {
    const known = running.get(path) ?? this.#files.get(path);
    return known && (running.has(path) || this.#fresh(known)) ? known : null;
  }

  /** Runs a file after those that it imports. */
  async #load(path: string, running = new Map<string, LocalFile>()): Promise<unknown> {
    return (await this.#loadFile(path, running)).module.exports;
  }

  async #loadFile(path: string, running: Map<string, LocalFile>): Promise<LocalFile> {
    const known = this.#known(path, running);
    if (known) return known;
    const file = newFile(path);
    running.set(path, file);
    if (extname(path) === '.json') file.module.exports = readJson(path);
    else {
      const { imports, body, isModule } = compileFile(path, this.remember);
      const loaded = new Map<string, unknown>();
      for (const [specifier, names] of isModule ? imports : []) {
        const local = localPath(specifier, dirname(path));
        if (local) {
          const used = await this.#loadFile(local, running);
          file.uses.add(used);
          // In a circle the other is not there yet. Of TypeScript the compiler has told what is missing.
          if (this.#files.get(local) === used && /js$/.test(path))
            required(specifier, importedFrom(used.module.exports), names);
          loaded.set(specifier, local === path ? null : used);
        } else loaded.set(specifier, asCommonJs(specifier, await this.load(specifier, dirname(path)), names));
      }
      const native = this.require(dirname(path));
      await this.#run(file, body, specifier => {
        const found = loaded.get(specifier);
        if (isLocalFile(found)) return found.module.exports;
        return found ?? native(specifier);
      });
    }
    this.#files.set(path, file);
    return file;
  }

  #require(path: string, running = new Map<string, LocalFile>()): unknown {
    const known = this.#known(path, running);
    if (known) return known.module.exports;
    const file = newFile(path);
    running.set(path, file);
    if (extname(path) === '.json') file.module.exports = readJson(path);
    else {
      const { body, awaits } = compileFile(path, this.remember);
      if (awaits) {
        throw new LoupeError(
          `'${path}' awaits outside its functions and cannot be required. Import it: await import('${path}').`,
        );
      }
      const native = this.require(dirname(path));
      this.#run(file, body, specifier => {
        const local = localPath(specifier, dirname(path));
        if (!local) return native(specifier);
        const found = this.#require(local, running);
        const used = running.get(local) ?? this.#files.get(local);
        if (used) file.uses.add(used);
        return found;
      });
    }
    this.#files.set(path, file);
    return file.module.exports;
  }

  #run({ path, module }: LocalFile, body: string, require: Require): unknown {
    const start = vm.runInThisContext(body, { filename: path }) as (...given: unknown[]) => unknown;
    const whole = Object.assign(require, this.require(dirname(path)));
    const given = [module.exports, whole, module, path, dirname(path), this.importer(dirname(path)), this.meta(path)];
    return Reflect.apply(start, module.exports, given);
  }
}

const newFile = (path: string): LocalFile => ({
  path,
  version: versionOf(path),
  uses: new Set(),
  module: { exports: {} },
});
const isLocalFile = (value: unknown): value is LocalFile =>
  typeof value === 'object' && value !== null && 'module' in value && 'version' in value && 'uses' in value;

function versionOf(path: string): string {
  const stat = statSync(path, { throwIfNoEntry: false });
  return stat ? `${stat.mtimeMs} ${stat.size} ${stat.ino}` : '';
}

function readJson(path: string): unknown {
  try {
    return JSON.parse(textOf(readFileSync(path), what => new SyntaxError(what)));
  } catch (error) {
    throw new LoupeError(`${path} is no JSON: ${(error as Error).message}.`, { cause: error });
  }
}

/** The file beside the notebook that a relative or absolute name means; null for a package, and for what only Node can load. */
function localPath(specifier: string, from: string): string | null {
  const name = specifier.startsWith('file:') ? fileURLToPath(specifier) : specifier;
  if (!/^\.{1,2}(\/|$)/.test(name) && !isAbsolute(name)) return null;
  const path = resolve(from, name.replace(/\?.*$/, ''));
  if (path.includes('/node_modules/')) return null;
  const typed = path.replace(/\.([cm]?)js$/, '.$1ts');
  const candidates = [
    path,
    typed,
    ...ENDINGS.map(ending => path + ending),
    ...ENDINGS.map(ending => join(path, `index${ending}`)),
  ];
  const found = candidates.find(candidate => statSync(candidate, { throwIfNoEntry: false })?.isFile()) ?? null;
  return found && (CODE.test(found) || found.endsWith('.json')) ? found : null;
}

/** Whether a package is to be found from a folder, or Node has it. */
export function hasPackage(specifier: string, from: string): boolean {
  if (isBuiltin(specifier) || specifier.startsWith('#') || specifier.includes(':')) return true;
  const name = specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
  for (let at = from; ; at = dirname(at)) {
    if (existsSync(join(at, 'node_modules', name))) return true;
    if (at === dirname(at)) return false;
  }
}

/** Node is asked for packages that are there alone: it remembers what was not, and would not see it installed. */
const isHere = (specifier: string, from: string) => /^\.{0,2}\//.test(specifier) || hasPackage(specifier, from);

const OWN = createRequire(join(packageRoot(), 'cell.js'));

const noPackage = (specifier: string, from: string) =>
  new LoupeError(`There is no package '${specifier}' for ${from}. Install it there: npm install ${specifier}`);

function resolves(require: NodeJS.Require, specifier: string): boolean {
  try {
    require.resolve(specifier);
    return true;
  } catch {
    return false;
  }
}
