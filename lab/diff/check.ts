// Whether a golden is of a model at all: its stages, their shapes, its ids.

import { GoldenError } from '../../engine/errors.js';
import type { Model } from '../../engine/model.js';
import type { Stage } from '../../engine/plan.js';
import type { Golden } from '../values/golden.js';
import { layerOf } from './layers.js';
import { otherNameOf } from './leftover.js';
import { outlineOf } from './outline.js';

/** Throws GoldenError unless the golden is of a model with these stages and shapes, and its ids are in the vocabulary. */
export function checkGolden(model: Model, golden: Golden): Stage[] {
  const stages = model.plan.stages.filter(({ state }) => !state);
  const T = golden.ids.length;
  if (golden.provenance.has('slice')) {
    throw new GoldenError(
      `'${golden.name}' is a trace of parts of its stages (${golden.provenance.get('slice')!.slice(0, 80)} …), and whole ones are compared. Trace it again without --slice.`,
    );
  }
  const names = [...golden.stages.keys()];
  const known = new Set(model.plan.stages.map(({ name }) => name));
  // One of a layer far beyond is somebody's addition, and told as not compared.
  const within = (name: string) => layerOf(name) <= model.config.layers;
  const other = outlineOf(names).stages.find(({ name }) => golden.stages.has(name) && !known.has(name) && within(name));
  if (other) {
    const { layers, family } = model.config;
    throw new GoldenError(
      `The golden '${golden.name}' has the stage '${other.name}', which this Gemma ${family} of ${layers} ${layers === 1 ? 'layer' : 'layers'} has not, so it is of another model. Make one for this model with golden/make_golden.py.`,
    );
  }
  const lacks = stages.filter(({ name }) => !golden.stages.has(name));
  const shapes = stages.filter(({ name }) => golden.stages.has(name)).map(stage => shapesOf(golden, stage));
  const odd = shapes.filter(({ found, expected }) => found.join() !== expected.join());
  const again = 'Make one for this model with golden/make_golden.py.';
  for (const stage of stages) {
    if (lacks.includes(stage)) {
      const other = otherNameOf(model.plan, golden, stage.name);
      if (other !== null) {
        throw new GoldenError(
          `The golden '${golden.name}' has no stage '${stage.name}', and has it as '${other}'. Goldens are compared by Loupe's names; call it so.`,
        );
      }
      const first = lacks.length === 1 ? '' : `, the first of ${lacks.length} that it lacks`;
      throw new GoldenError(
        `The golden '${golden.name}' has no stage '${stage.name}'${first}, of ${stages.length} that this model has. ${odd.length === 0 ? 'Those that it has would fit, so it is not whole' : 'Others have other shapes, so it is of another model'}. ${again}`,
      );
    }
    const wrong = odd.find(one => one.stage === stage);
    if (wrong) {
      const why = odd.length === 1 ? '; all others fit, so it was changed' : ', so it is of another model';
      throw new GoldenError(
        `The golden '${golden.name}' has '${stage.name}' in the shape [${wrong.found}], and this model makes [${wrong.expected}]${why}. ${again}`,
      );
    }
  }
  const { logits } = Object.fromEntries(golden.provenance);
  const rows = golden.stages.get('logits')!.shape[0];
  if (logits !== undefined && rows !== (logits === 'last' ? 1 : T)) {
    throw new GoldenError(
      `The golden '${golden.name}' says logits '${logits}' and has ${rows} row${rows === 1 ? '' : 's'} of them for ${T} tokens. ${again}`,
    );
  }
  return stages;
}

/** The shape that a golden has of a stage, and the one that the model makes. */
function shapesOf(golden: Golden, stage: Stage) {
  const found = golden.stages.get(stage.name)!.shape;
  const expected = stage.axes.map(({ size }) => (typeof size === 'number' ? size : golden.ids.length));
  if (stage.name === 'logits' && found[0] === 1) expected[0] = 1;
  return { stage, found, expected };
}
