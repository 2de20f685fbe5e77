// Files that are being written aside, which nobody wants when the process ends before they are whole: by SIGTERM (`timeout`, `kill`), by SIGHUP (a terminal that is
// closed), by what else ends a process that does not listen, by process.exit. SIGKILL leaves them. Signals are heard only while there is such a file, so that at all other times they mean what they mean to the system.

import { rmSync } from 'node:fs';
import { constants } from 'node:os';

/** SIGINT is Ctrl-C, which lab/host/ctrl-c.ts hears; SIGUSR1 and SIGPROF are Node's. A fault of the program's own cannot be heard. */
const SIGNALS = [
  'SIGTERM',
  'SIGHUP',
  'SIGQUIT',
  'SIGALRM',
  'SIGVTALRM',
  'SIGXCPU',
  'SIGUSR2',
  'SIGIO',
  'SIGPWR',
] as const;
const files = new Set<string>();
// As it is before the kernel keeps cells from ending it.
const kill = process.kill.bind(process);
let hearing = false;

/** The file, or the folder with all that is in it, goes when the process ends, until `settled`. Tell of it before it is there. */
export function unfinished(path: string): void {
  files.add(path);
  if (hearing) return;
  hearing = true;
  for (const signal of SIGNALS) if (signal in constants.signals) process.on(signal, ended); // Windows has few
  process.on('exit', removeUnfinished);
}

/** It is in its place, or gone. */
export function settled(path: string): void {
  files.delete(path);
  // A signal that came meanwhile is told in the next turn of the loop; nobody would hear of it if it were not listened to until then.
  if (files.size === 0) setImmediate(() => setImmediate(restIfDone));
}

/** Whether it is still to become a file: a process that is being ended has taken it away. */
export const isUnfinished = (path: string): boolean => files.has(path);

/** Takes them all away, because what wrote them is being ended. */
export function removeUnfinished(): void {
  for (const path of files) {
    try {
      rmSync(path, { recursive: true, force: true });
    } catch {} // there is nobody left to tell
  }
  files.clear();
}

function restIfDone(): void {
  if (files.size > 0 || !hearing) return;
  hearing = false;
  for (const signal of SIGNALS) process.off(signal, ended);
  process.off('exit', removeUnfinished);
}

function ended(signal: NodeJS.Signals): void {
  // Somebody else decides whether the process goes on.
  if (process.listenerCount(signal) > 1) return;
  removeUnfinished();
  restIfDone(); // after its last listener a signal does what it does
  kill(process.pid, signal);
}
