// The processes that this one has started. A cell that waits for a child, as execSync does, hears nothing until the child has ended; so the
// courier ends it, with all that it has started: each of them may hold the pipe that is waited for.

import childProcess from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { attempt } from '../values/plain.js';

const { spawnSync } = childProcess; // children.ts puts another in its place

/** Process ids and their parents'; none on Windows. */
function processes(): [id: number, parent: number][] {
  if (process.platform === 'win32') return [];
  if (process.platform !== 'linux') {
    const { stdout } = spawnSync('ps', ['-A', '-o', 'pid=,ppid='], { encoding: 'utf8' });
    return (stdout ?? '').split('\n').flatMap(line => {
      const [id, parent] = line.trim().split(/\s+/).map(Number);
      return id > 0 ? [[id, parent] as [number, number]] : [];
    });
  }
  return readdirSync('/proc').flatMap(name => {
    if (!/^\d+$/.test(name)) return [];
    const stat = attempt(() => readFileSync(`/proc/${name}/stat`, 'utf8')); // one that has ended meanwhile
    const parent = stat?.slice(stat.lastIndexOf(')') + 2).split(' ')[1];
    return parent === undefined ? [] : [[Number(name), Number(parent)] as [number, number]];
  });
}

/** This process's children. */
export function children(): number[] {
  const listed = attempt(() =>
    readdirSync('/proc/self/task').flatMap(task =>
      readFileSync(`/proc/self/task/${task}/children`, 'utf8').split(' ').filter(Boolean).map(Number),
    ),
  );
  return listed ?? processes().flatMap(([id, parent]) => (parent === process.pid ? [id] : []));
}

/** Ends the children of this process that are not `spared`, and theirs. */
export function endChildren(spared: ReadonlySet<number>, signal: NodeJS.Signals): void {
  const all = processes();
  const end = (of: number) => {
    for (const [id, parent] of all) {
      if (parent !== of || spared.has(id)) continue;
      end(id);
      attempt(() => process.kill(id, signal));
    }
  };
  end(process.pid);
}
