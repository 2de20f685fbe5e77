// Colours of values, as plotly mixes them: straight between stops in RGB, rounded.

export type Rgb = readonly [number, number, number];
export type Colourscale = readonly (readonly [number, string])[];

/** @param text '#rrggbb', 'rgb(…)' or 'rgba(…)'; opacity is left to who draws */
export function rgbOf(text: string): Rgb {
  const hex = /^#([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})$/i.exec(text);
  if (hex) return [Number.parseInt(hex[1], 16), Number.parseInt(hex[2], 16), Number.parseInt(hex[3], 16)];
  const parts = /^rgba?\(([\d.]+), ?([\d.]+), ?([\d.]+)/.exec(text);
  if (!parts) throw new Error(`'${text}' is no colour that a static picture knows`);
  return [Number(parts[1]), Number(parts[2]), Number(parts[3])];
}

export const hexOf = (rgb: Rgb): string => `#${rgb.map(v => Math.round(v).toString(16).padStart(2, '0')).join('')}`;

/** The colour along a scale; outside of it, that of its end. */
export function mixer(scale: Colourscale, low: number, high: number): (value: number) => Rgb {
  const stops = scale.map(([at, colour]) => ({ at: low + at * (high - low), rgb: rgbOf(colour) }));
  return value => {
    const next = stops.findIndex(({ at }) => value <= at);
    if (next === 0) return stops[0].rgb;
    if (next < 0) return stops[stops.length - 1].rgb;
    const [a, b] = [stops[next - 1], stops[next]];
    const along = b.at === a.at ? 1 : (value - a.at) / (b.at - a.at);
    return [0, 1, 2].map(i => Math.round(a.rgb[i] + along * (b.rgb[i] - a.rgb[i]))) as unknown as Rgb;
  };
}

/** Relative luminance, as WCAG 2 has it. */
function luminance(rgb: Rgb): number {
  const [r, g, b] = rgb.map(v => (v / 255 <= 0.04045 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

const WHITE = 1;
const DARK = luminance([68, 68, 68]);

/** White or #444, whichever stands out more on a colour: plotly's own rule. */
export function readable(rgb: Rgb): string {
  const own = luminance(rgb);
  const contrast = (other: number) => (Math.max(own, other) + 0.05) / (Math.min(own, other) + 0.05);
  return contrast(WHITE) > contrast(DARK) ? '#ffffff' : '#444444';
}
