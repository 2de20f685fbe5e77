// Jupyter counts a cursor in code points, JavaScript in UTF-16 units: an emoji before the cursor is one there and two here.

export function unitsOf(text: string, points: number): number {
  let at = 0;
  for (let i = 0; i < points && at < text.length; i++) at += text.codePointAt(at)! > 0xffff ? 2 : 1;
  return at;
}

export function pointsOf(text: string, units: number): number {
  return [...text.slice(0, units)].length;
}
