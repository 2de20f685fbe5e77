// Folders that are made where they are not, one level after the other, and the folder of the user. Node's own recursive way never comes back where a file system
// says that a folder cannot be there although the one above it is (`/proc`).

import { mkdirSync, statSync } from 'node:fs';
import { homedir, userInfo } from 'node:os';
import { dirname, isAbsolute, resolve } from 'node:path';

/** Makes a folder and those above it; one that is there stays as it is. Throws what the system says, with its code. @returns those it made, the outermost first */
export function makeFolder(folder: string, mode?: number): string[] {
  const path = resolve(folder);
  const missing: string[] = [];
  const made: string[] = [];
  for (let at = path; !isThere(at) && dirname(at) !== at; at = dirname(at)) missing.unshift(at);
  for (const one of missing) {
    try {
      mkdirSync(one, { mode });
      made.push(one);
    } catch (error) {
      if (!isFolder(one)) throw error; // else somebody else was first
    }
  }
  if (isFolder(path)) return made;
  throw Object.assign(new Error(`${path} is no folder`), { code: 'ENOTDIR', syscall: 'mkdir', path });
}

const isThere = (path: string): boolean => statSync(path, { throwIfNoEntry: false }) !== undefined;
const isFolder = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;

/** The user's own folder; null where the system knows of none. A HOME that is empty or says no place from the root is passed over. */
export function homeFolder(): string | null {
  for (const ask of [homedir, () => userInfo().homedir]) {
    try {
      const folder = ask();
      if (isAbsolute(folder)) return folder;
    } catch {} // a user without an entry, as in many containers
  }
  return null;
}
