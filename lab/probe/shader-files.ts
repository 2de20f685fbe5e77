// Which file on the disk is which shader: the package's own folder, a folder of copies under the same names, or single files.

import { copyFileSync, existsSync, mkdirSync, readdirSync, type Stats, statSync } from 'node:fs';
import { basename, dirname, join, relative, resolve, sep } from 'node:path';
import { OptionError, ShaderError } from '../../engine/errors.js';
import { packageRoot, readText, shaderNames } from '../../engine/files.js';
import { nearest } from '../../engine/plan.js';
import { checkName } from '../values/arguments.js';
import { said } from '../values/dims.js';

/** The largest that is read; ours have 10 kB. */
const MOST_BYTES = 1 << 20;
const ENDING = '.wgsl';

/** Files that are watched. */
export interface ShaderFiles {
  /** As they are called to people: the folder, or the file. */
  readonly name: string;
  /** How many shaders were copied into a folder that was not there; 0 where it was. */
  readonly copied: number;
  /** Those that are there now. */
  list(): readonly string[];
  /** The shader that a file is; null for a file that is none of them. */
  shaderOf(path: string): string | null;
  /** As a person would write it. */
  called(path: string): string;
}

/**
 * The package's own shaders; a folder with files of the same names (`rope.wgsl`, `formats/q4_k.wgsl`), which is made with copies of all where it is not there; or files, each of a
 * shader's name. Throws OptionError for what is none of these.
 */
export function shaderFiles(where?: string | readonly string[]): ShaderFiles {
  if (where === undefined) return folder(join(packageRoot(), 'shaders'), 'the package’s shaders', 0);
  const paths = typeof where === 'string' ? [where] : where;
  if (!Array.isArray(paths) || paths.length === 0)
    throw new OptionError(`watch takes a folder or .wgsl files, not ${said(where)}. Give e.g. 'my-shaders'.`);
  for (const path of paths) checkName('watch', path);
  if (paths.length === 1 && !paths[0].endsWith(ENDING)) return ownFolder(paths[0]);
  return singles(paths.map(path => resolve(path)));
}

function ownFolder(path: string): ShaderFiles {
  const neither = (why = '') =>
    new OptionError(`watch takes a folder or .wgsl files, and ${path} is neither${why}. Give e.g. 'my-shaders'.`);
  let found: Stats | undefined;
  try {
    found = statSync(path, { throwIfNoEntry: false });
  } catch (error) {
    throw neither(` (${(error as NodeJS.ErrnoException).code})`);
  }
  if (found && !found.isDirectory()) throw neither();
  if (found) return withShaders(folder(resolve(path), path, 0));
  const names = shaderNames();
  try {
    for (const name of names) {
      const to = join(path, name + ENDING);
      mkdirSync(dirname(to), { recursive: true });
      copyFileSync(join(packageRoot(), 'shaders', name + ENDING), to);
    }
  } catch (error) {
    throw new OptionError(`The shaders cannot be copied to ${path}: ${(error as Error).message}. Name another folder.`);
  }
  return folder(resolve(path), path, names.length);
}

/** Throws OptionError where there is nothing to watch: whoever names a folder by mistake waits for ever. */
function withShaders(files: ShaderFiles): ShaderFiles {
  if (files.list().some(path => files.shaderOf(path) !== null)) return files;
  throw new OptionError(
    `${files.name} has no shader in it, and watch takes up those that are called as in shaders/ (rope.wgsl, formats/q4_k.wgsl …). Name a folder that is not there: it is made with copies of all.`,
  );
}

function folder(root: string, name: string, copied: number): ShaderFiles {
  const known = new Set(shaderNames());
  // Its own folders alone: whoever names a home has it not searched.
  const within = ['', ...new Set([...known].filter(one => one.includes('/')).map(one => dirname(one)))];
  const nameOf = (path: string) => relative(root, path).slice(0, -ENDING.length).split(sep).join('/');
  return {
    name,
    copied,
    list: () =>
      within.flatMap(part =>
        // Emacs locks `rope.wgsl` by a link `.#rope.wgsl`.
        entries(join(root, part)).flatMap(file =>
          file.endsWith(ENDING) && !file.startsWith('.') ? [join(root, part, file)] : [],
        ),
      ),
    shaderOf: path => (known.has(nameOf(path)) ? nameOf(path) : null),
    called: path => relative(root, path),
  };
}

/** None where the folder is not there: it may come again. */
function entries(path: string): string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}

function singles(paths: readonly string[]): ShaderFiles {
  const names = shaderNames();
  const shaders = new Map(
    paths.map(path => {
      if (!path.endsWith(ENDING)) throw new OptionError(`${path} is no .wgsl file. Give a folder alone, or files.`);
      if (!existsSync(path))
        throw new OptionError(
          `There is no file ${path}. Copy one of shaders/ there, or name a folder that is not there: it is made with copies of all.`,
        );
      const whole = path.slice(0, -ENDING.length).split(sep).join('/');
      const shader = names.find(name => name.includes('/') && whole.endsWith(`/${name}`)) ?? basename(whole);
      if (!names.includes(shader))
        throw new ShaderError(
          `${path} is named after no shader. ${nearest(shader, names)} They are files of shaders/.`,
        );
      return [path, shader] as const;
    }),
  );
  const twice = paths.find((path, i) => paths.some((other, j) => j > i && shaders.get(path) === shaders.get(other)));
  if (twice) throw new OptionError(`Two of the files are '${shaders.get(twice)}', and one can be in force. Give one.`);
  return {
    name: paths.map(path => basename(path)).join(', '),
    copied: 0,
    list: () => paths,
    shaderOf: path => shaders.get(path) ?? null,
    called: path => basename(path),
  };
}

/** Its text. Throws ShaderError for an empty one, and for what is no text. */
export function textOfShader(path: string, called: string): string {
  const fault = (what: string) => new ShaderError(`${called} cannot be read: ${what}.`);
  const text = readText(path, MOST_BYTES, fault);
  if (text.trim() === '') throw fault('it is empty');
  return text;
}
