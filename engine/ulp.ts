// The unit of the last place of f32.

const float = new Float32Array(1);
const bits = new Uint32Array(float.buffer);

/** Distance of the f32 around a value; of the smallest normal ones for what is below them. */
export function ulpOf(value: number): number {
  float[0] = value;
  return 2 ** (Math.max(1, (bits[0] >>> 23) & 0xff) - 150);
}
