// Q6_K: (d · s) · q, a scale d in f16 for 256 columns, s in 8 bits with a sign for 16, q in 6 bits with a sign.
// Q3_K and IQ4_XS become this: their scales and values fit, and the products are the same.
// A turn: texel 0, for each block of 32 the two s of the row and the two of the row eight below; texel 1, d of both rows; then for each block two
// texels of the row and two of the other, a byte a column. Bytes are shifted up to the word's sign and not down again: the scale is made smaller instead.
// Products of d (11 bits), s and a byte have at most 24 bits, so that they are exact in f32.

const TEXELS: u32 = 18;

struct Block {
  d: vec4f,  // d · s: row, columns 0 … 15 and 16 … 31; row eight below
  q: array<vec4u, 4>,
}

fn block(tile: u32, at: u32, b: u32) -> Block {
  let d = unpack2x16float(texel(tile, at + LANES).x);
  let s = (vec4i(i32(texel(tile, at)[b])) << vec4u(24, 16, 8, 0)) >> vec4u(24);
  let q = at + (2 + 4 * b) * LANES;
  return Block(
    d.xxyy * vec4f(s),
    array(texel(tile, q), texel(tile, q + LANES), texel(tile, q + 2 * LANES), texel(tile, q + 3 * LANES)),
  );
}

fn bytes(word: u32) -> vec4f { return vec4f((vec4i(i32(word)) << vec4u(24, 16, 8, 0)) >> vec4u(24)); }

fn raw_low(s: Block, j: u32) -> vec4f { return bytes(s.q[j / 4][j % 4]); }
fn raw_high(s: Block, j: u32) -> vec4f { return bytes(s.q[2 + j / 4][j % 4]); }
fn scale(s: Block, j: u32) -> vec2f { return vec2f(s.d[j / 4], s.d[2 + j / 4]); }
fn powers(j: u32) -> vec4f { return vec4f(1); }
