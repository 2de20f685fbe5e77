// Numbers as people read them.

/** 1.2 GB, 640 kB */
export function bytesText(n: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let value = n;
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${value.toFixed(unit === 0 || value >= 99.5 ? 0 : 1)} ${units[unit]}`;
}

/** 268 M, 1.5 M */
export function countText(n: number): string {
  if (n < 10_000) return String(n);
  return bytesText(n).replace('kB', 'k').replace('B', '').replace('G', 'B').trim();
}

/** A number that is written, with the sign that plotly writes: −1.905. For people: what is pasted or read by a program keeps its hyphen. */
export const minus = (text: string): string => text.replace(/^-/, '−');

/** 1.2e-7, 0.031, −42.5: its sign is a minus, its exponent stays as programs write it */
export function sci(n: number): string {
  if (Number.isNaN(n)) return 'NaN';
  if (!Number.isFinite(n)) return n > 0 ? '∞' : '−∞';
  if (n === 0) return '0';
  const size = Math.abs(n);
  return minus(size >= 0.01 && size < 10_000 ? String(Number(n.toPrecision(4))) : n.toExponential(1));
}

/** A probability: 34.2 %, 0.38 %, 0.052 %, 2.1e-7 %; no certainty where there is none. */
export function percentText(p: number): string {
  if (p === 0 || p === 1 || Number.isNaN(p)) return `${100 * p} %`;
  if (p < 1e-6) return `${(100 * p).toExponential(1)} %`;
  if (p < 0.00995) return `${(100 * p).toPrecision(2)} %`;
  const text = (100 * p).toFixed(1);
  return `${text === '100.0' ? '>99.9' : text} %`;
}

/** At most `most` characters, with an ellipsis for what is left out. */
export function shortened(text: string, most: number, end: 'start' | 'end' = 'end'): string {
  const characters = [...text];
  if (characters.length <= most) return text;
  return end === 'end' ? `${characters.slice(0, most - 1).join('')}…` : `…${characters.slice(1 - most).join('')}`;
}

/** `1 token`, `5 tokens`. */
export const tokensText = (many: number): string => `${many} ${many === 1 ? 'token' : 'tokens'}`;
