// All heads of a layer side by side, small, those that share a key/value head beside each other under one colour.

import type { AttentionFigure } from '../values/attention.js';
import {
  attentionBundle,
  attentionHeading,
  barText,
  gridOf,
  hasZero,
  headsOf,
  hoverText,
  notesOf,
  oddNote,
  oddWeights,
  sideOf,
  WEIGHTS,
} from './attention.js';
import { blockName, restOf, sinkOf } from './attention-sink.js';
import type { Bundle } from '../values/shown.js';
import { CONFIG, HOLE, PAGE, titled } from './page.js';
import { drawn } from './drawn.js';
import { below, panelAxes, panels } from './panels.js';

export function headsBundle(figure: AttentionFigure): Bundle {
  const { kvHeads, layers } = figure;
  const [first] = layers;
  const numbers = headsOf(first.pattern);
  const heads = numbers.length;
  const [, query, key] = first.pattern.dims;
  const grids = numbers.map((_, head) => gridOf(first, head, Math.min(128, sideOf(first, heads))));
  const { by, rows, columns } = grids[0];
  const sink = sinkOf(first);
  const rest = restOf(first, sink);
  const [title, ...part] = attentionHeading(first);
  const notes = [...part, ...notesOf(by, sink, rest, hasZero(first)), ...oddNote(oddWeights(first), 'grey')];
  const top = 77 + 15 * notes.length;
  const room = panels(numbers, head => Math.floor(head / (figure.heads / kvHeads)), top, 40);
  const data = grids.map(({ z, at }, head) => {
    const number = numbers[head];
    return {
      type: 'heatmap',
      z,
      ...(at ? { customdata: at } : {}),
      ...panelAxes(head),
      zmin: 0,
      zmax: rest?.end ?? 1,
      colorscale: WEIGHTS,
      showscale: head === 0,
      colorbar: { thickness: 10, ...barText(rest, sink !== null) },
      x: Array.from({ length: columns }, (_, j) => blockName(key, j, by)),
      y: Array.from({ length: rows }, (_, i) => blockName(query, i, by)),
      hovertemplate: hoverText(by, `head ${number}<br>`),
      hoverongaps: false,
    };
  });
  const layout = {
    ...PAGE,
    plot_bgcolor: HOLE,
    ...room.axes,
    annotations: [...room.annotations, below(query, key)],
    title: titled(title, notes),
    height: room.height,
    margin: { l: 12, r: 20, t: top, b: 40 },
  };
  const { 'text/plain': text } = attentionBundle({ ...figure, layers: [first] });
  return drawn({ data, layout, config: CONFIG }, text);
}
