// A figure with its static picture and its text: one figure for both pictures, so that they cannot part.

import type { Bundle, Figure } from '../values/shown.js';
import { still } from './still/still.js';

export function drawn(figure: Figure, text: string): Bundle {
  return { 'application/vnd.plotly.v1+json': figure, 'image/svg+xml': still(figure), 'text/plain': text };
}
