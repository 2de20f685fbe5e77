// The causal edge and the window's, drawn into a picture of queries and keys.

import type { Dim } from '../values/dims.js';
import { GREY } from './page.js';

/** The edges between what a query may see and what it may not, where they cross the part that is shown: stairs, or lines where it is pooled. */
export function edges(query: Dim, key: Dim, window: number | null, by: number): Record<string, unknown>[] {
  const [rows, columns] = [Math.ceil(query.size / by), Math.ceil(key.size / by)];
  const stair = (lag: number) => {
    let path = '';
    for (let i = 0; i < query.size; i++) {
      const x = query.from + i - lag - key.from + 0.5;
      if (x < -0.5 || x > key.size - 0.5) continue;
      path += `${path ? 'L' : 'M'}${x},${i - 0.5}L${x},${i + 0.5}`;
    }
    return path;
  };
  const diagonal = (lag: number) => {
    const right = (query.from - lag - key.from + 0.5) / by; // of y, in blocks
    const [top, bottom] = [Math.max(-0.5, -0.5 - right), Math.min(rows - 0.5, columns - 0.5 - right)];
    return top < bottom ? `M${top + right},${top}L${bottom + right},${bottom}` : '';
  };
  const draw = by === 1 ? stair : diagonal;
  const line = (path: string, dash: string) => ({ type: 'path', path, line: { color: GREY, width: 1.5, dash } });
  const paths = [{ path: draw(0), dash: 'solid' }];
  if (window !== null && query.from + query.size > window) paths.push({ path: draw(window), dash: 'dot' });
  return paths.flatMap(({ path, dash }) => (path === '' ? [] : [line(path, dash)]));
}
