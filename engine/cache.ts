// Where Loupe keeps what can be made again: libraries that are loaded, and histories. What lies there is run, so that a folder is used only if it is
// this user's and nobody else may write into it: names in a shared temporary folder are free for anyone to take first.

import { chmodSync, lstatSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { isAbsolute, join, resolve } from 'node:path';
import { OptionError } from './errors.js';
import { homeFolder, makeFolder } from './make-folder.js';

const OTHERS_MAY_WRITE = 0o022;
const chosen = new Map<string, string>();

/** LOUPE_CACHE, else the user's cache folder; where that is not private, a folder of the temporary one that is. Throws OptionError where there is no place for any. */
export function cacheFolder(): string {
  const own = wantedFolder();
  const before = chosen.get(own);
  // Checked again each time: a kernel lives for days.
  if (before && privacy(before) === null) return before;
  const folder = [own, sharedFallback()].find(path => prepare(path) && privacy(path) === null) ?? fresh();
  chosen.set(own, folder);
  return folder;
}

/** Why the folder that was asked for is not the one in use, and what to do; null where it is. */
export function cacheTrouble(): string | null {
  const own = wantedFolder();
  if (cacheFolder() === own) return null;
  const why = privacy(own) ?? 'it cannot be written';
  return `${own} is not used as a cache: ${why}. Set LOUPE_CACHE to a folder of your own that only you may write.`;
}

/** The same of a folder that may not be looked at. */
function privacy(folder: string): string | null {
  try {
    return whyNotPrivate(folder);
  } catch (error) {
    return `it cannot be looked at (${(error as NodeJS.ErrnoException).code})`;
  }
}

/** Why others could put files into `folder`, or null. Where there are no user ids, folders of a user are private as they are. */
export function whyNotPrivate(folder: string): string | null {
  const stat = statSync(folder, { throwIfNoEntry: false });
  if (!stat?.isDirectory()) return 'it is no folder';
  const uid = process.getuid?.();
  if (uid === undefined) return null;
  if (stat.uid !== uid) return `it belongs to user ${stat.uid}, and this is user ${uid}`;
  if (stat.mode & OTHERS_MAY_WRITE) return `others may write there (mode ${(stat.mode & 0o7777).toString(8)})`;
  return null;
}

/** A XDG_CACHE_HOME that is no place from the root is passed over, as its specification has it. */
function wantedFolder(): string {
  const { LOUPE_CACHE, XDG_CACHE_HOME = '' } = process.env;
  if (LOUPE_CACHE) return resolve(LOUPE_CACHE);
  if (isAbsolute(XDG_CACHE_HOME)) return join(XDG_CACHE_HOME, 'loupe');
  const home = homeFolder();
  return home === null ? sharedFallback() : join(home, '.cache', 'loupe');
}

/** Of this user, so that two users of one machine do not meet. */
const sharedFallback = (): string =>
  join(resolve(tmpdir()), `loupe-cache-${process.getuid?.() ?? userInfo().username}`);

/** Makes the folder if it is not there. @returns whether it is one that may be looked at */
function prepare(folder: string): boolean {
  try {
    makeFolder(folder, 0o700);
    const stat = lstatSync(folder);
    // A link in a folder where everybody may put links leads wherever its maker wants.
    if (folder !== wantedFolder() && stat.isSymbolicLink()) return false;
    // Made by an earlier version under a umask that lets the group write; a folder that the user named is left as it is.
    const loose = stat.isDirectory() && stat.uid === process.getuid?.() && stat.mode & OTHERS_MAY_WRITE;
    if (loose && !process.env.LOUPE_CACHE && folder === wantedFolder()) chmodSync(folder, stat.mode & 0o755);
    return writable(folder);
  } catch {
    return false;
  }
}

/** By trying: a read-only disk has folders with every permission. */
function writable(folder: string): boolean {
  try {
    rmSync(mkdtempSync(join(folder, '.try-')), { recursive: true });
    return true;
  } catch {
    return false;
  }
}

/** For this process alone, and gone with it. Throws OptionError where not even that can be made. */
function fresh(): string {
  let folder: string;
  try {
    folder = mkdtempSync(join(resolve(tmpdir()), 'loupe-'));
  } catch (error) {
    throw new OptionError(
      `No folder can be made for what is kept, neither ${wantedFolder()} nor one in ${tmpdir()} (${(error as NodeJS.ErrnoException).code}). Set LOUPE_CACHE to a folder of your own.`,
    );
  }
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
