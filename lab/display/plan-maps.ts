// From a stage of the plan's picture to its error map: the maps of failing stages are in the picture, one at a time in the place of the plan, so that no kernel is needed for them.

import type { Diff } from '../diff/diff.js';
import { label } from '../values/html.js';
import type { Figure } from '../values/shown.js';
import { errorMapFigure } from './error-map.js';
import { menuFrom } from './page.js';

/** Cells of a map within the plan, pooled to be small. */
const CELLS = 800;
/** Pixels over a map for the way back. */
const ABOVE = 40;

/** A map as the plan's picture takes it along. */
export interface MapInPlan {
  readonly stage: string;
  readonly figure: Figure;
}

/** Where axes are that nothing is drawn on: what is behind a picture is painted for each. */
const CORNER = [0, 0.001];
const nowhere = (name: string): Part => ({
  visible: false,
  domain: CORNER,
  anchor: `${name.startsWith('x') ? 'y' : 'x'}${name.slice('xaxis'.length)}`,
});

type Part = Readonly<Record<string, unknown>>;
/** Of a figure's layout what is read here. */
interface Layout {
  readonly height: number;
  readonly margin: { readonly l: number; readonly t: number };
  readonly annotations?: readonly Part[];
  readonly shapes?: readonly Part[];
  readonly updatemenus?: readonly Part[];
  readonly yaxis: { readonly range?: unknown };
}
const layoutOf = ({ layout }: Figure) => layout as unknown as Layout & Part;

/** Those that fit, the first failing stage's first. @param room characters for all of them */
export function mapsInPlan({ maps }: Pick<Diff, 'maps'>, room: number): MapInPlan[] {
  let left = room;
  return maps.flatMap(map => {
    const figure = errorMapFigure(map, CELLS);
    const size = JSON.stringify(figure).length;
    if (size > left) return [];
    left -= size;
    return { stage: map.row.stage, figure };
  });
}

/** The plan's picture with a choice above it: the plan, or the map of a stage. */
export function withMaps(plan: Figure, maps: readonly MapInPlan[]): Figure {
  if (maps.length === 0) return plan;
  const { layout } = plan;
  const own = layoutOf(plan);
  const notes = own.annotations ?? [];
  const menus = own.updatemenus ?? [];
  const views = maps.map(({ figure }) => moved(figure));
  const axes = [...new Set(views.flatMap(view => Object.keys(view.axes)))];
  const most = Math.max(...views.map(view => view.annotations.length));
  const traces = views.flatMap(({ data }, i) => data.map(trace => ({ trace, of: i })));
  const [choice, wayBack] = [0, 1].map(i => `updatemenus[${menus.length + i}]`);
  /** @param of which map; −1: the plan */
  const shown = (of: number) => [true, ...traces.map(one => one.of)].map(one => (one === true ? of < 0 : one === of));
  const annotations = (given: readonly Part[]) =>
    Object.fromEntries(
      Array.from({ length: most }, (_, i) => {
        const name = `annotations[${notes.length + i}]`;
        return given[i] ? ([name, given[i]] as const) : ([`${name}.visible`, false] as const);
      }),
    );
  const axesOf = (given: Part) => Object.fromEntries(axes.map(name => [name, given[name] ?? nowhere(name)] as const));
  const isPlan = (is: boolean) => ({
    'xaxis.visible': is,
    'yaxis.visible': is,
    'xaxis.domain': is ? [0, 1] : CORNER,
    'yaxis.domain': is ? [0, 1] : CORNER,
    ...Object.fromEntries(menus.map((_, i) => [`updatemenus[${i}].visible`, is] as const)),
    [`${choice}.visible`]: is,
    [`${wayBack}.visible`]: !is,
  });
  const back = {
    title: layout.title,
    height: own.height,
    margin: own.margin,
    plot_bgcolor: layout.plot_bgcolor,
    shapes: [],
    ...isPlan(true),
    'yaxis.range': own.yaxis.range,
    ...(menus.length > 1 && { 'updatemenus[1].active': 0 }), // all rows
    [`${choice}.active`]: 0,
    ...axesOf({}),
    ...annotations([]),
  };
  const toPlan = (name: string) => ({ label: name, method: 'update', args: [{ visible: shown(-1) }, back] });
  const buttons = views.map((view, i) => ({
    label: label(maps[i].stage),
    method: 'update',
    args: [
      { visible: shown(i) },
      {
        title: view.layout.title,
        height: view.layout.height + ABOVE,
        margin: { ...view.layout.margin, t: view.layout.margin.t + ABOVE },
        plot_bgcolor: view.layout.plot_bgcolor,
        shapes: view.shapes,
        ...isPlan(false),
        'yaxis.range': [-3, -2], // with it goes what was clicked
        [`${wayBack}.pad`]: { b: 8 + view.above, l: 12 - view.layout.margin.l },
        ...axesOf(view.axes),
        ...annotations(view.annotations),
      },
    ],
  }));
  return {
    ...plan,
    data: [...plan.data, ...traces.map(({ trace }) => ({ ...trace, visible: false }))],
    layout: {
      ...layout,
      ...axesOf({}),
      annotations: [...notes, ...Array.from({ length: most }, () => ({ visible: false, text: '' }))],
      updatemenus: [
        ...menus,
        {
          ...menuFrom(own.margin.l),
          type: 'dropdown',
          name: 'error maps',
          pad: { b: 48, l: 134 - own.margin.l }, // beside the choice of rows
          buttons: [toPlan('error maps'), ...buttons],
        },
        {
          ...menuFrom(own.margin.l),
          type: 'buttons',
          showactive: false,
          visible: false,
          buttons: [toPlan('back to the plan')],
        },
      ],
    },
  };
}

/** A map on axes behind those of the plan: x2 for x, x3 for x2. */
function moved(figure: Figure) {
  const layout = layoutOf(figure);
  const next = (ref: unknown, letter: 'x' | 'y') =>
    ref === undefined || ref === letter ? `${letter}2` : `${letter}${Number(String(ref).slice(1)) + 1}`;
  const axes: Record<string, unknown> = {};
  for (const [name, axis] of Object.entries(figure.layout)) {
    const found = /^([xy])axis(\d*)$/.exec(name);
    if (!found) continue;
    const [, letter, number] = found as unknown as [string, 'x' | 'y', string];
    const own = axis as Part;
    const counter = letter === 'x' ? 'y' : 'x';
    const anchor = own.anchor ?? `${counter}${number}`;
    axes[`${letter}axis${Number(number || 1) + 1}`] = { ...own, anchor: next(anchor, counter) };
  }
  const placed = (one: Part, x: string, y: string) => ({ ...one, [x]: next(one[x], 'x'), [y]: next(one[y], 'y') });
  return {
    layout,
    axes,
    data: figure.data.map(trace => placed(trace, 'xaxis', 'yaxis')),
    shapes: (layout.shapes ?? []).map(shape => placed(shape, 'xref', 'yref')),
    annotations: layout.annotations ?? [],
    /** Pixels between the way back and the first row: names of heads. */
    above: (layout.annotations ?? []).length > 0 ? 27 : 0,
  };
}
