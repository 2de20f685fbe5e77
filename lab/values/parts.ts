// What an activation is made of, checked: a cell may put one together itself.

import { OptionError } from '../../engine/errors.js';
import { AXIS_NAMES, nearest } from '../../engine/plan.js';
import { looked } from './arguments.js';
import { type DimSpec, said } from './dims.js';

/** Throws OptionError for what is no name, no dimensions or no values. */
export function checkParts(name: unknown, dims: unknown, data: unknown): void {
  if (typeof name !== 'string') throw new OptionError(`An activation has a name first, a text, not ${said(name)}.`);
  const isDim = (dim: unknown) => {
    const { name, size } = (dim ?? {}) as { name?: unknown; size?: number };
    return typeof name === 'string' && name !== '' && Number.isSafeInteger(size) && size! >= 0;
  };
  if (!Array.isArray(dims))
    throw new OptionError(
      `The dimensions of the activation '${name}' are a list of { name, size }, not ${said(dims)}. Give e.g. [{ name: 'token', size: 3 }].`,
    );
  const odd = looked('The dimensions of an activation', OptionError, () => {
    const place = [...dims].findIndex(dim => !isDim(dim));
    if (place < 0) return null;
    const dim: unknown = dims[place];
    if (typeof dim !== 'object' || dim === null) return `dims[${place}] is ${said(dim)}`;
    const { name, size } = dim as { name?: unknown; size?: unknown };
    return typeof name === 'string' && name !== ''
      ? `dims[${place}], '${name}', has the size ${said(size)}`
      : `dims[${place}] has the name ${said(name)}`;
  });
  if (odd)
    throw new OptionError(
      `The dimensions of the activation '${name}' have names and sizes, whole numbers from 0, and ${odd}. Give e.g. [{ name: 'token', size: 3 }].`,
    );
  looked('The dimensions of an activation', OptionError, () => checkPlaces(name, dims));
  if (!(data instanceof Float32Array))
    throw new OptionError(`The values of the activation '${name}' are a Float32Array, not ${said(data)}. Give one.`);
}

/** Throws OptionError for a dimension that counts what no stage has, for one that comes twice, and for one that does not say where its entries are. */
function checkPlaces(who: string, dims: readonly DimSpec[]): void {
  const names = dims.map(({ name }) => name);
  const odd = names.find(name => !AXIS_NAMES.includes(name));
  if (odd !== undefined)
    throw new OptionError(
      `The activation '${who}' has the dimension ${said(odd)}, and what dimensions count is ${AXIS_NAMES.join(', ')}. ${nearest(odd, AXIS_NAMES, 1)}`,
    );
  const twice = names.find((name, i) => names.indexOf(name) < i);
  if (twice !== undefined)
    throw new OptionError(
      `The activation '${who}' has the dimension '${twice}' twice, and everything is found by its name. Give each a name of its own.`,
    );
  for (const { name, size, from = 0, of = from + size, labels, query = 0, window = 1 } of dims) {
    if (!(Number.isSafeInteger(query) && query >= 0 && Number.isSafeInteger(window) && window >= 1))
      throw new OptionError(
        `The dimension '${name}' of the activation '${who}' is read by query ${said(query)} within a window of ${said(window)}. Give whole numbers, a query from 0 and a window from 1.`,
      );
    if (!(Number.isSafeInteger(from) && from >= 0 && Number.isSafeInteger(of) && of >= from + size))
      throw new OptionError(
        `The dimension '${name}' of the activation '${who}' has ${size} entries from ${said(from)} on, of ${said(of)} in all, which cannot be. Give whole numbers, of at least from + size.`,
      );
    if (labels === undefined) continue;
    if (!(Array.isArray(labels) && labels.length === size && labels.every(text => typeof text === 'string')))
      throw new OptionError(
        `The labels of the dimension '${name}' of the activation '${who}' are a list of ${size} texts, one for each entry, not ${said(labels)}. Give as many.`,
      );
  }
}
