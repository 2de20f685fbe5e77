// f16.
// A turn: for each block of 32 columns and each eight of them a texel of the row and one of the row eight below, two columns a word.

const TEXELS: u32 = 32;

struct Block { q: array<vec4u, 8> }

fn block(tile: u32, at: u32, b: u32) -> Block {
  let q = at + 8 * b * LANES;
  return Block(array(
    texel(tile, q), texel(tile, q + LANES), texel(tile, q + 2 * LANES), texel(tile, q + 3 * LANES),
    texel(tile, q + 4 * LANES), texel(tile, q + 5 * LANES), texel(tile, q + 6 * LANES), texel(tile, q + 7 * LANES),
  ));
}

fn halves(t: vec4u, j: u32) -> vec4f {
  let two = select(t.xy, t.zw, vec2<bool>((j & 1) == 1));
  return vec4f(unpack2x16float(two.x), unpack2x16float(two.y));
}

fn raw_low(s: Block, j: u32) -> vec4f { return halves(s.q[2 * (j / 2)], j); }
fn raw_high(s: Block, j: u32) -> vec4f { return halves(s.q[2 * (j / 2) + 1], j); }
fn scale(s: Block, j: u32) -> vec2f { return vec2f(1); }
fn powers(j: u32) -> vec4f { return vec4f(1); }
