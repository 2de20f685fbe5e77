// Where the names of points go in a picture, so that none covers a point or another name.

export interface Named {
  /** Pixels. */
  readonly x: number;
  readonly y: number;
  readonly text: string;
  /** Of the point. */
  readonly radius?: number;
}

export interface Placed extends Named {
  /** The middle of the text's left end. */
  readonly left: number;
  readonly middle: number;
  readonly width: number;
  /** It is too far from its point to be taken for its own without a line. */
  readonly far: boolean;
}

interface Box {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

const PER_CHARACTER = 7.1; // pixels of a text of 12, in the widest of the usual fonts
const HEIGHT = 15;
const GAP = 5; // between a point's edge and its name
const RADIUS = 4;

/**
 * The first free place around each point, near ones first; the first name chooses first. One that finds no place stands right of its point.
 * @param points everything that must stay visible, in pixels
 */
export function placed(
  names: readonly Named[],
  points: readonly { x: number; y: number; radius?: number }[],
  area: Box,
): Placed[] {
  const taken: Box[] = points.map(({ x, y, radius: r = RADIUS }) => {
    return { left: x - r, top: y - r, right: x + r, bottom: y + r };
  });
  const free = (box: Box) =>
    box.left >= area.left &&
    box.right <= area.right &&
    box.top >= area.top &&
    box.bottom <= area.bottom &&
    taken.every(t => t.left >= box.right || t.right <= box.left || t.top >= box.bottom || t.bottom <= box.top);
  return names.map(name => {
    const near = (name.radius ?? RADIUS) + GAP;
    const width = PER_CHARACTER * name.text.length;
    const at = (angle: number, distance: number) => {
      const [dx, dy] = [Math.cos(angle) * distance, Math.sin(angle) * distance];
      const left = dx > 0.3 * distance ? name.x + dx : dx < -0.3 * distance ? name.x + dx - width : name.x - width / 2;
      return { left, middle: name.y + dy };
    };
    const boxOf = ({ left, middle }: { left: number; middle: number }): Box => ({
      left: left - 2,
      top: middle - HEIGHT / 2,
      right: left + width + 2,
      bottom: middle + HEIGHT / 2,
    });
    let found = { ...at(0, near), far: false };
    search: for (let distance = near; distance < 160; distance += 7) {
      for (const turn of [0, 1, -1, 2, -2, 3, -3, 4, -4, 5, -5, 6, -6, 7, -7, 8]) {
        const one = at((turn * Math.PI) / 8, distance);
        if (!free(boxOf(one))) continue;
        found = { ...one, far: distance > near + 7 };
        break search;
      }
    }
    taken.push(boxOf(found));
    return { ...name, ...found, width };
  });
}
