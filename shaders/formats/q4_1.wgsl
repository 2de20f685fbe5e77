// Q4_1: d · q + m, a scale d and a least value m in f16 for 32 columns, q in 4 bits.
// A turn: texel 0, d of four blocks of the row, then of the row eight below; texel 1, m likewise; then for each block a texel of the row and one of
// the other, eight columns a word, the first lowest. Products are exact in f32, so that there is one rounding, that of the sum.

const TEXELS: u32 = 10;

struct Block {
  d: vec2f,
  m: vec2f,
  q: array<vec4u, 2>,
}

/** The half float of block b: four of the row in two words, then four of the row eight below. */
fn scales(t: vec4u, b: u32) -> vec2f {
  let two = select(t.xz, t.yw, vec2<bool>(b >= 2));
  return vec2f(unpack2x16float(two.x)[b % 2], unpack2x16float(two.y)[b % 2]);
}

fn block(tile: u32, at: u32, b: u32) -> Block {
  let q = at + (2 + 2 * b) * LANES;
  return Block(
    scales(texel(tile, at), b),
    scales(texel(tile, at + LANES), b),
    array(texel(tile, q), texel(tile, q + LANES)),
  );
}

/** Four columns of 4 bits that are not shifted down: their scales are made smaller instead, which changes no bit of the result. */
fn nibbles(word: u32, j: u32, d: f32, zero: f32) -> vec4f {
  let q = vec4u(word >> (16 * (j % 2))) & vec4u(0xf, 0xf0, 0xf00, 0xf000);
  return fma(vec4f(vec4i(q)), d * vec4f(1, 0x1p-4, 0x1p-8, 0x1p-12), vec4f(zero));
}

fn raw_low(s: Block, j: u32) -> vec4f { return nibbles(s.q[0][j / 2], j, s.d.x, s.m.x); }
fn raw_high(s: Block, j: u32) -> vec4f { return nibbles(s.q[1][j / 2], j, s.d.y, s.m.y); }
// A least value is added to each: what is small where the two meet would be lost in sums of either.
fn scale(s: Block, j: u32) -> vec2f { return vec2f(1); }
fn powers(j: u32) -> vec4f { return vec4f(1); }
