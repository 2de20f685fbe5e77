// Every format that weights are stored in, by the name that files give it.

import { Q4_0, Q4_1, Q5_0, Q5_1, Q8_0 } from './blocks.js';
import { Q4_K, Q5_K, Q6_K } from './k-quants.js';
import { IQ4_NL, IQ4_XS, MXFP4, Q2_K, Q3_K } from './rarer.js';
import type { Format } from './tile.js';
import { BF16, F16, F32 } from './whole.js';

export const FORMATS: ReadonlyMap<string, Format> = new Map(
  Object.entries({ F32, F16, BF16, Q8_0, Q4_0, Q4_1, Q5_0, Q5_1, Q4_K, Q5_K, Q6_K, Q2_K, Q3_K, IQ4_NL, IQ4_XS, MXFP4 }),
);
