// Q4_0: d · (q − 8), a scale d in f16 for 32 columns, q in 4 bits.
// A turn: texel 0, the scales of four blocks of the row, then of the row eight below; then for each block a texel of the row and one of the other,
// eight columns a word, the first lowest. All products are exact in f32.

const TEXELS: u32 = 9;

struct Block {
  d: vec2f,
  q: array<vec4u, 2>,
}

/** The half float of block b: four of the row in two words, then four of the row eight below. */
fn scales(t: vec4u, b: u32) -> vec2f {
  let two = select(t.xz, t.yw, vec2<bool>(b >= 2));
  return vec2f(unpack2x16float(two.x)[b % 2], unpack2x16float(two.y)[b % 2]);
}

fn block(tile: u32, at: u32, b: u32) -> Block {
  let q = at + (1 + 2 * b) * LANES;
  return Block(scales(texel(tile, at), b), array(texel(tile, q), texel(tile, q + LANES)));
}

/** q − 8 of four columns, which are not shifted down: their scales, or the inputs, are made smaller instead, which changes no bit of the result. */
fn nibbles(word: u32, j: u32) -> vec4f {
  let q = vec4u(word >> (16 * (j % 2))) & vec4u(0xf, 0xf0, 0xf00, 0xf000);
  return vec4f(vec4i(q) - vec4i(0x8, 0x80, 0x800, 0x8000));
}

fn raw_low(s: Block, j: u32) -> vec4f { return nibbles(s.q[0][j / 2], j); }
fn raw_high(s: Block, j: u32) -> vec4f { return nibbles(s.q[1][j / 2], j); }
fn scale(s: Block, j: u32) -> vec2f { return s.d; }
fn powers(j: u32) -> vec4f { return vec4f(1, 0x1p-4, 0x1p-8, 0x1p-12); }
