// Q4_K: (d · s) · q − dmin · m, d and dmin in f16 for 256 columns, s and m in 6 bits for 32, q in 4 bits.
// A turn: texel 0, for each block of 32 s and m of the row, s and m of the row eight below, a byte each; texel 1, d of both rows, dmin of both
// rows; then for each block a texel of the row and one of the other, eight columns a word, the first lowest. Products have at most 21 bits, so that
// they are exact in f32 and there is one rounding, that of the difference.

const TEXELS: u32 = 10;

struct Block {
  d: vec2f,
  m: vec2f,
  q: array<vec4u, 2>,
}

fn block(tile: u32, at: u32, b: u32) -> Block {
  let parts = vec4f(vec4i((vec4u(texel(tile, at)[b]) >> vec4u(0, 8, 16, 24)) & vec4u(255)));
  let t = texel(tile, at + LANES);
  let q = at + (2 + 2 * b) * LANES;
  return Block(
    unpack2x16float(t.x) * parts.xz,
    unpack2x16float(t.y) * parts.yw,
    array(texel(tile, q), texel(tile, q + LANES)),
  );
}

/** Four columns of 4 bits that are not shifted down: their scales are made smaller instead, which changes no bit of the result. */
fn nibbles(word: u32, j: u32, d: f32, zero: f32) -> vec4f {
  let q = vec4u(word >> (16 * (j % 2))) & vec4u(0xf, 0xf0, 0xf00, 0xf000);
  return fma(vec4f(vec4i(q)), d * vec4f(1, 0x1p-4, 0x1p-8, 0x1p-12), vec4f(zero));
}

fn raw_low(s: Block, j: u32) -> vec4f { return nibbles(s.q[0][j / 2], j, s.d.x, -s.m.x); }
fn raw_high(s: Block, j: u32) -> vec4f { return nibbles(s.q[1][j / 2], j, s.d.y, -s.m.y); }
// A least value is added to each: what is small where the two meet would be lost in sums of either.
fn scale(s: Block, j: u32) -> vec2f { return vec2f(1); }
fn powers(j: u32) -> vec4f { return vec4f(1); }
