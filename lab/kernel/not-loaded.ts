// What cannot be imported, in a sentence with the cure: Node tells its loader's errors by code and internal names.

import { readFileSync, statSync } from 'node:fs';
import { extname, isAbsolute, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { LoupeError } from '../../engine/errors.js';
import { attempt } from '../values/plain.js';

/** Files that Node's loader takes itself, beside those that the kernel reads. */
const NODES = ['.js', '.mjs', '.cjs'];

/**
 * Throws LoupeError for a file or folder that no import reads, and for one that is not there.
 * @param more endings that may be loaded
 */
export function refuseFile(specifier: string, from: string, more: readonly string[] = []): void {
  const name = specifier.startsWith('file:') ? attempt(() => fileURLToPath(specifier)) : specifier;
  if (name === undefined || (!/^\.{1,2}(\/|$)/.test(name) && !isAbsolute(name))) return;
  const path = resolve(from, name.replace(/\?.*$/, ''));
  if (path.includes('/node_modules/')) return;
  const there = statSync(path, { throwIfNoEntry: false });
  if (!there) throw new LoupeError(`'${specifier}' cannot be imported: there is no file ${path}.`);
  if (there.isDirectory())
    throw new LoupeError(`'${specifier}' cannot be imported: ${path} is a folder without an index.ts or index.js.`);
  const ending = extname(path);
  if ([...NODES, ...more].includes(ending)) return;
  const cure =
    ending === '.node'
      ? `Load it with require('${specifier}')`
      : `Read it: (await import('node:fs')).readFileSync('${path}', 'utf8')`;
  throw new LoupeError(
    `'${specifier}' cannot be imported: a file ${ending ? `that ends in '${ending}'` : 'without an ending'} is no module, only .ts, .mts, .cts, .js, .mjs, .cjs and .json are. ${cure}.`,
  );
}

const REQUIRED = /^ERR_(REQUIRE_ESM|REQUIRE_ASYNC_MODULE)$/;
const LOADERS =
  /^ERR_(PACKAGE_PATH_NOT_EXPORTED|PACKAGE_IMPORT_NOT_DEFINED|MODULE_NOT_FOUND|UNSUPPORTED_DIR_IMPORT|UNKNOWN_FILE_EXTENSION|UNSUPPORTED_ESM_URL_SCHEME|UNKNOWN_BUILTIN_MODULE|INVALID_MODULE_SPECIFIER|INVALID_PACKAGE_TARGET|INVALID_PACKAGE_CONFIG|IMPORT_ASSERTION_\w+|IMPORT_ATTRIBUTE_\w+|INVALID_URL)$|^MODULE_NOT_FOUND$/;

/**
 * @param folders for whose code it was loaded: an error of what a package itself imports is that package's
 * @returns a LoupeError where Node's loader refused `specifier` itself, else null
 */
export function whyNot(
  error: unknown,
  specifier: string,
  folders: readonly string[],
  { required = false }: { required?: boolean } = {},
): LoupeError | null {
  const { code, message, requireStack } = (attempt(() => ({
    ...(error as object),
    message: (error as Error).message,
  })) ?? {}) as { code?: unknown; message?: unknown; requireStack?: readonly string[] };
  if (typeof code !== 'string' || typeof message !== 'string') return null;
  if (REQUIRED.test(code) || (required && code === 'ERR_PACKAGE_PATH_NOT_EXPORTED' && isExported(message))) {
    return new LoupeError(
      `'${specifier}' cannot be required: it is there for import alone. Write import … from '${specifier}', or await import('${specifier}').`,
      { cause: error },
    );
  }
  if (!LOADERS.test(code)) return null;
  const [, from] = /imported from (.+)$/m.exec(message) ?? [];
  const own = folders.flatMap(folder => [join(folder, 'notebook.js'), join(folder, 'cell.js')]);
  if (from !== undefined && !own.includes(from)) return null;
  if (requireStack && !requireStack.every(each => own.includes(each))) return null;
  if (code === 'ERR_PACKAGE_PATH_NOT_EXPORTED') {
    const [, file] = /in (\S.*?package\.json)/.exec(message) ?? [];
    return new LoupeError(
      `'${specifier}' cannot be imported: its package does not export it. What it exports is under "exports" in ${file ?? 'its package.json'}.`,
    );
  }
  if (/^ERR_IMPORT_A/.test(code)) {
    return new LoupeError(
      `'${specifier}' cannot be imported: Node reads JSON of a package by require('${specifier}').`,
    );
  }
  const what = message
    .split('\n')[0]
    .replace(/ imported from .*$/, '')
    .replace(/\.$/, '');
  return new LoupeError(`'${specifier}' cannot be imported: ${what}.`);
}

/** Whether a package has what it does not give to `require`: then it has it for import. */
function isExported(message: string): boolean {
  const [, path] = /Package subpath '(.+?)'/.exec(message) ?? [undefined, '.'];
  const [, file] = / in (\S.*?package\.json)/.exec(message) ?? [];
  const exported = attempt(() => JSON.parse(readFileSync(file!, 'utf8')).exports as unknown);
  if (typeof exported !== 'object' || exported === null) return path === '.' && exported !== undefined;
  return path in exported || (path === '.' && !Object.keys(exported).some(key => key.startsWith('.')));
}
