// What every row says of where it comes from.

import type { Column } from './parquet-columns.js';

/** Of a shard. */
export interface Origin {
  readonly configuration: number;
  readonly quantise: string | null;
  readonly plan: string;
  /** That it ran on. */
  readonly adapter: string;
}

export const ORIGIN: readonly Column[] = [
  { name: 'configuration', type: 'int' },
  { name: 'quantise', type: 'text', optional: true },
  { name: 'plan', type: 'text' },
  { name: 'adapter', type: 'text' },
];
