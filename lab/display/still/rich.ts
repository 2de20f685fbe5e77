// Plotly's texts, which are a little HTML, as SVG.

import { printable } from '../../../engine/printable.js';

export interface TextStyle {
  readonly size: number;
  readonly colour: string;
  readonly anchor?: 'start' | 'middle' | 'end';
  /** Degrees, clockwise, around its anchor. */
  readonly turn?: number;
  readonly weight?: string;
}

const NAMED: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', nbsp: '\u00a0' };

/** Without tags and entities: lines of what is read. */
export function linesOf(text: string): string[] {
  return text.split(/<br ?\/?>/).map(line => plainOf(line.replace(/<[^>]*>/g, '')));
}

/** On one line. */
export const plain = (text: string): string => linesOf(text).join(' ').trim();

const plainOf = (text: string) =>
  text.replace(/&(?:#(\d+)|#x([0-9a-f]+)|(\w+));/gi, (whole, decimal, hex, name) => {
    if (decimal) return String.fromCodePoint(Number(decimal));
    if (hex) return String.fromCodePoint(Number.parseInt(hex, 16));
    return NAMED[name] ?? whole;
  });

export const escaped = (text: string): string =>
  printable(text).replace(/[&<>"]/g, c => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' })[c]!);

/** Pixels, about: fonts differ from page to page, and wide letters are twice as wide. */
export function widthOf(text: string, size: number): number {
  let ems = 0;
  for (const c of text) {
    const code = c.codePointAt(0)!;
    ems +=
      code >= 0x1100 && !(code >= 0x2000 && code < 0x2e80)
        ? 1
        : /[ilj.,:;'|!tfr()[\] ]/.test(c)
          ? 0.34
          : /[mwMW@%<>=+]/.test(c)
            ? 0.88
            : /[A-Z]/.test(c)
              ? 0.66
              : 0.58;
  }
  return ems * size;
}

interface Part {
  readonly text: string;
  readonly style: string;
}

/** Runs of one style; `b`, `i` and a span's colour and size are what figures use. */
function partsOf(line: string): Part[] {
  const styles: string[] = [''];
  const parts: Part[] = [];
  for (const piece of line.split(/(<[^>]*>)/)) {
    if (piece.startsWith('</')) styles.pop();
    else if (piece.startsWith('<')) {
      const own =
        /style="([^"]*)"/.exec(piece)?.[1] ??
        (piece === '<b>' ? 'font-weight:bold' : piece === '<i>' ? 'font-style:italic' : '');
      styles.push([styles[styles.length - 1], own.replace('color:', 'fill:')].filter(Boolean).join(';'));
    } else if (piece !== '') parts.push({ text: plainOf(piece), style: styles[styles.length - 1] });
  }
  return parts;
}

/** One text element, a line under the other where it has several. */
export function text(x: number, y: number, content: string, style: TextStyle): string {
  const { size, colour, anchor = 'start', turn, weight } = style;
  const lines = content.split(/<br ?\/?>/);
  const spans = lines.map((line, i) => {
    const parts = partsOf(line).map(({ text, style: own }) =>
      own === '' ? escaped(text) : `<tspan style="${escaped(own)}">${escaped(text)}</tspan>`,
    );
    return i === 0 ? parts.join('') : `<tspan x="${px(x)}" dy="${px(1.3 * size)}">${parts.join('')}</tspan>`;
  });
  const attributes = [
    `x="${px(x)}" y="${px(y)}" font-size="${size}" fill="${colour}"`,
    anchor === 'start' ? '' : ` text-anchor="${anchor}"`,
    weight ? ` font-weight="${weight}"` : '',
    turn ? ` transform="rotate(${turn} ${px(x)} ${px(y)})"` : '',
  ];
  return `<text ${attributes.join('')}>${spans.join('')}</text>`;
}

/** A coordinate, to a tenth of a pixel. */
export const px = (value: number): string => String(Math.round(10 * value) / 10);
