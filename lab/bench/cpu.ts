// Which CPU figures are of. Hypervisors call most of them by the maker's name alone, and how wide their vectors are decides how fast a software adapter is: it is said where the system tells it.

import { readFileSync } from 'node:fs';
import { availableParallelism, cpus } from 'node:os';

/** What a figure was measured on. */
export interface Machine {
  /** `AMD EPYC, AVX2`. */
  readonly cpu: string;
  readonly cores: number;
}

/** This machine. */
export function thisMachine(): Machine {
  const [{ model = 'a CPU' } = {}] = cpus();
  let flags = '';
  try {
    flags = readFileSync('/proc/cpuinfo', 'utf8');
  } catch {} // not on Linux
  return { cpu: [model.trim(), ...vectorsIn(flags)].join(', '), cores: availableParallelism() };
}

/** The widest vectors of /proc/cpuinfo, if it names any that are known here. */
export function vectorsIn(cpuinfo: string): string[] {
  const flags = new Set(/^flags\s*:(.*)$/m.exec(cpuinfo)?.[1].trim().split(/\s+/));
  if (flags.has('avx512f')) return ['AVX-512'];
  if (flags.has('avx2')) return ['AVX2'];
  return [];
}
