// How a chunk is cut into submits: by layers, where somebody wants to see how far it is, and around what runs an edited shader, so that
// one that never ends can be told by name. Else it is one.

/** Stages `from` to `to`, submitted together. */
export interface Part {
  readonly from: number;
  readonly to: number;
  /** What is in it, as messages name it. */
  readonly what: string;
  /** Which layer ends with it, from 1; null where nobody waits for it. */
  readonly layer: number | null;
}

/** What was submitted, with the edited shaders that it runs. */
export const running = (what: string, shaders: readonly string[]): string =>
  shaders.length > 0 ? `${what}, which runs the edited ${shaders.map(s => `${s}.wgsl`).join(', ')}` : what;

/**
 * @param names the stages
 * @param ends last stages of the layers that are waited for, by index
 * @param edited why a stage is to stand alone: the edited shaders that it runs; none: it need not
 */
export function partsOf(
  names: readonly string[],
  ends: readonly number[],
  edited: (stage: number) => readonly string[],
): Part[] {
  const parts: Part[] = [];
  let from = 0;
  const cut = (to: number, layer: number | null, shaders: readonly string[] = []) => {
    if (to === from) return;
    const [first, last] = [names[from], names[to - 1]];
    const range = first === last ? `'${first}'` : `'${first}' … '${last}'`;
    parts.push({ from, to, what: running(range, shaders), layer });
    from = to;
  };
  for (let i = 0; i < names.length; i++) {
    const layer = ends.indexOf(i) + 1 || null;
    const shaders = edited(i);
    if (shaders.length > 0) {
      cut(i, null);
      cut(i + 1, layer, shaders);
    } else if (layer !== null) cut(i + 1, layer);
  }
  cut(names.length, null);
  return parts;
}
