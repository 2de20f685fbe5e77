// A run shows what it says next; one whose logits are no numbers says so instead.

import type { Run } from '../session/run.js';
import { type Bundle, DISPLAY } from '../values/shown.js';

export const runBundle = (run: Run): Bundle =>
  run.fault ? { 'text/plain': String(run) } : run.logits.top()[DISPLAY]();
