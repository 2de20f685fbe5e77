// Input `index` of a reader: the same for the same seed, whatever ran before.

import { mutateBytes } from './mutate-bytes.js';
import { Random } from './random.js';
import type { Reader, Seed } from './readers.js';

export function inputOf(reader: Reader, seeds: readonly Seed[], seed: number, index: number): Buffer {
  const random = new Random(seed, reader.name, index);
  const chosen = random.of(seeds);
  if (!chosen.mutate || random.once(4)) return mutateBytes(chosen.bytes, random);
  const bytes = chosen.mutate(random);
  return random.once(10) ? mutateBytes(bytes, random) : bytes;
}
