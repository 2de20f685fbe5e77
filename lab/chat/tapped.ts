// What /tap shows under an answer: a line a stage, a bar a token, as high as the stage's values are large (root mean square).

import { sci } from '../values/numbers.js';
import type { Token } from '../session/request.js';

const BARS = '▁▂▃▄▅▆▇█';
const MOST_STAGES = 32;

export class Tapped {
  readonly #sizes = new Map<string, number[]>();

  constructor(readonly stages: readonly string[]) {}

  /** Looks at one token of the answer. */
  add(token: Token): void {
    for (const stage of this.stages.slice(0, MOST_STAGES)) {
      const row = token.at(stage).token(-1).data; // of the last token read, all heads
      let sum = 0;
      let n = 0;
      for (const value of row) {
        if (value <= -3e38) continue; // masked scores
        sum += value * value;
        n += 1;
      }
      const sizes = this.#sizes.get(stage) ?? [];
      sizes.push(Math.sqrt(sum / Math.max(1, n)));
      this.#sizes.set(stage, sizes);
    }
  }

  /** @param columns width of the terminal @param paint the bars, where there are colours */
  text(columns: number, paint = (bars: string) => bars): string {
    if (this.#sizes.size === 0) return '';
    const wide = Math.max(...[...this.#sizes.keys()].map(stage => stage.length));
    const room = Math.max(8, columns - wide - 24);
    const lines = [...this.#sizes].map(([stage, sizes]) => {
      const shown = sizes.slice(-room);
      const low = Math.min(...shown);
      const high = Math.max(...shown);
      const bars = shown.map(
        size => BARS[high > low ? Math.round(((size - low) / (high - low)) * (BARS.length - 1)) : 0],
      );
      return `${stage.padEnd(wide)}  ${paint(bars.join(''))}  ${sci(low)} … ${sci(high)}`;
    });
    const more = this.stages.length - MOST_STAGES;
    if (more > 0) lines.push(`and ${more} more; /tap fewer to see them`);
    return ['root mean square, a bar a token', ...lines].join('\n');
  }
}
