// What figures of the lab are made of: the part of plotly's language that they use, and a static picture knows.

import type { Packed } from '../chart.js';
import type { Colourscale } from './colours.js';
import type { Axis } from './scale.js';

export interface Colourbar {
  readonly title?: { readonly text: string };
  readonly thickness?: number;
  readonly tickformat?: string;
  readonly tickvals?: readonly number[];
  readonly ticktext?: readonly string[];
}

export interface Trace {
  readonly type: string;
  readonly name?: string;
  readonly visible?: boolean;
  readonly showlegend?: boolean;
  readonly opacity?: number;
  readonly xaxis?: string;
  readonly yaxis?: string;
  readonly x?: readonly (number | string | null)[];
  readonly y?: readonly (number | string | null)[];
  readonly x0?: number;
  readonly dx?: number;
  readonly z?: Packed | readonly (readonly (number | null)[])[];
  readonly zmin?: number;
  readonly zmax?: number;
  readonly colorscale?: Colourscale;
  readonly showscale?: boolean;
  readonly colorbar?: Colourbar;
  readonly xgap?: number;
  readonly ygap?: number;
  readonly text?: readonly string[] | readonly (readonly string[])[];
  readonly texttemplate?: string;
  readonly textfont?: { readonly size?: number; readonly color?: string | readonly string[] };
  readonly textposition?: string | readonly string[];
  readonly orientation?: string;
  readonly width?: number;
  readonly mode?: string;
  readonly line?: { readonly color?: string; readonly width?: number; readonly dash?: string };
  readonly marker?: {
    readonly color?: string | readonly string[];
    readonly size?: number | readonly number[];
    readonly line?: { readonly width?: number; readonly color?: string };
  };
}

export interface Shape {
  readonly type: string;
  readonly path?: string;
  readonly x0?: number;
  readonly x1?: number;
  readonly y0?: number;
  readonly y1?: number;
  readonly xref?: string;
  readonly yref?: string;
  readonly line?: { readonly color: string; readonly width: number; readonly dash?: string };
  readonly fillcolor?: string;
}

export interface Annotation {
  readonly visible?: boolean;
  readonly text: string;
  readonly x: number | string;
  readonly y: number | string;
  readonly xref?: string;
  readonly yref?: string;
  readonly xanchor?: string;
  readonly yanchor?: string;
  readonly xshift?: number;
  readonly yshift?: number;
  readonly font?: { readonly size?: number; readonly color?: string };
}

export interface Menu {
  /** Where it is a button's label too, that one is no view: it says what the list has. */
  readonly name?: string;
  readonly visible?: boolean;
  readonly active?: number;
  readonly buttons: readonly { readonly label: string }[];
}

export interface Layout {
  readonly [axis: `xaxis${string}` | `yaxis${string}`]: Axis | undefined;
  readonly title?: {
    readonly text: string;
    readonly font?: { readonly size?: number };
    readonly subtitle?: { readonly text: string; readonly font?: { readonly size?: number } };
  };
  readonly width?: number;
  readonly height: number;
  readonly margin: { readonly l: number; readonly r: number; readonly t: number; readonly b: number };
  readonly plot_bgcolor?: string;
  readonly barmode?: string;
  readonly bargap?: number;
  readonly colorway?: readonly string[];
  readonly showlegend?: boolean;
  readonly legend?: {
    readonly orientation?: string;
    readonly title?: { readonly text: string };
    readonly y?: number;
    readonly yanchor?: string;
  };
  readonly shapes?: readonly Shape[];
  readonly annotations?: readonly Annotation[];
  readonly updatemenus?: readonly Menu[];
}

/** Values of a heatmap, a row after the other; what is null is a hole. */
export function gridOf({ z }: Trace): {
  readonly values: ArrayLike<number>;
  readonly rows: number;
  readonly columns: number;
} {
  if (z === undefined) throw new Error('a heatmap without z');
  if ('bdata' in z) {
    const bytes = Uint8Array.from(Buffer.from(z.bdata, 'base64'));
    const [rows, columns] = z.shape.split(',').map(Number);
    return {
      values: z.dtype === 'f8' ? new Float64Array(bytes.buffer) : new Float32Array(bytes.buffer),
      rows,
      columns,
    };
  }
  const columns = z[0]?.length ?? 0;
  return { values: z.flatMap(row => row.map(v => v ?? Number.NaN)), rows: z.length, columns };
}
