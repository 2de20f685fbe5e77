// Text as it is written: in a notebook it grows in place, with the speed beside it while it runs; on a terminal it streams.

import { randomUUID } from 'node:crypto';
import { printable } from '../../engine/printable.js';
import { notebook, sendBundle } from './notebook.js';
import { printText } from './print.js';
import type { Bundle } from '../values/shown.js';
import { html, withoutMathematics } from '../values/html.js';
import { tokensText } from '../values/numbers.js';

const EVERY = 80; // ms between looks

export interface Writing {
  /** @param edited shaders that were edited before this piece was made */
  add(text: string, edited?: readonly string[]): void;
  end(): void;
}

export function writing(prompt: string): Writing {
  const began = performance.now();
  const id = randomUUID();
  let [text, tokens, first, last, shown] = ['', 0, 0, 0, false];
  const edits: string[] = [];
  const page = (running: boolean): Bundle => {
    const seconds = (performance.now() - first) / 1000;
    const speed = tokens > 1 ? `${((tokens - 1) / seconds).toFixed(1)} tok/s` : '';
    const edited = edits.map(edit => `; ${edit}`).join('');
    const note = `${tokensText(tokens)}${speed ? `, ${speed}` : ''}${tokens > 0 ? `, first after ${Math.round(first - began)} ms` : ''}${running ? ' …' : ''}${edited}`;
    return {
      'text/html': withoutMathematics(
        html`<div style="white-space:pre-wrap;max-width:80ch"><span style="opacity:.6">${prompt}</span>${text}</div><div style="opacity:.6;font-size:11px;margin-top:4px">${note}</div>`
          .text,
      ),
      'text/plain': printable(`${prompt}${text}\n(${note})`),
    };
  };
  const look = (running: boolean) => {
    sendBundle(page(running), { id, update: shown });
    shown = true;
  };
  return {
    add(piece, edited = []) {
      if (edited.length > 0) edits.push(`${edited.join(', ')} edited before token ${tokens + 1}`);
      if (tokens === 0) {
        first = performance.now();
        if (!notebook()) printText(prompt);
      }
      text += piece;
      tokens += 1;
      if (!notebook()) printText(piece);
      else if (performance.now() - last > EVERY) {
        last = performance.now();
        look(true);
      }
    },
    end() {
      if (notebook()) look(false);
      else process.stdout.write(edits.length > 0 ? `\n(${edits.join('; ')})\n` : '\n');
    },
  };
}
