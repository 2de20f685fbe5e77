// The floors of the house, from the ground up: a file may import what lies on its own floor in its own room, or anything below.
// ARCHITECTURE.md begins with them. Rooms of one floor do not know each other.

export const FLOORS: readonly (readonly string[])[] = [
  ['engine'],
  ['lab/values'],
  ['lab/host', 'lab/pull', 'lab/oracle', 'lab/diff'],
  ['lab/session'],
  ['lab/probe', 'lab/chat', 'lab/bench', 'lab/parity', 'lab/sweep', 'lab/kernel'],
  ['lab/display'],
  ['lab/index.ts', 'lab/benchmarks'],
  ['lab/cli'],
];
