// Q8_0: d · q, a scale d in f16 for 32 columns, q in 8 bits with a sign.
// A turn: texel 0, the scales of four blocks of the row, then of the row eight below; then for each block two texels of the row and two of
// the other, a byte a column. Bytes are shifted up to the word's sign and not down again: the scale is made smaller instead. Products of d (11 bits)
// and a byte are exact in f32.

const TEXELS: u32 = 17;

struct Block {
  d: vec2f,
  q: array<vec4u, 4>,
}

/** The half float of block b: four of the row in two words, then four of the row eight below. */
fn scales(t: vec4u, b: u32) -> vec2f {
  let two = select(t.xz, t.yw, vec2<bool>(b >= 2));
  return vec2f(unpack2x16float(two.x)[b % 2], unpack2x16float(two.y)[b % 2]);
}

fn block(tile: u32, at: u32, b: u32) -> Block {
  let q = at + (1 + 4 * b) * LANES;
  return Block(
    scales(texel(tile, at), b),
    array(texel(tile, q), texel(tile, q + LANES), texel(tile, q + 2 * LANES), texel(tile, q + 3 * LANES)),
  );
}

fn bytes(word: u32) -> vec4f { return vec4f((vec4i(i32(word)) << vec4u(24, 16, 8, 0)) >> vec4u(24)); }

fn raw_low(s: Block, j: u32) -> vec4f { return bytes(s.q[j / 4][j % 4]); }
fn raw_high(s: Block, j: u32) -> vec4f { return bytes(s.q[2 + j / 4][j % 4]); }
fn scale(s: Block, j: u32) -> vec2f { return s.d; }
fn powers(j: u32) -> vec4f { return vec4f(1); }
