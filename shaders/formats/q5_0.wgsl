// Q5_0: d · (q − 16), a scale d in f16 for 32 columns, q in 5 bits.
// A turn: three texels a block, twelve words. Words 0 to 10 hold three columns of the row in their lower half and the same three of the row
// eight below in their upper half, 5 bits each; word 11 holds d of both rows. Fields are not shifted down: their scales are made smaller
// instead, which changes no bit of the result, because all products are exact in f32.

const TEXELS: u32 = 12;

struct Block {
  d: vec2f,
  q: array<vec4u, 3>,
}

fn block(tile: u32, at: u32, b: u32) -> Block {
  let q = at + 3 * b * LANES;
  let last = texel(tile, q + 2 * LANES);
  return Block(unpack2x16float(last.w), array(texel(tile, q), texel(tile, q + LANES), last));
}

/** q − 16 of columns i … i + 3, each 2^up times as large; `shift` is 0 for the row and 16 for the row eight below. */
fn fields(q: array<vec4u, 3>, i: u32, shift: u32) -> vec4f {
  var values: vec4f;
  for (var n = 0u; n < 4; n++) {
    let word = (i + n) / 3;
    let up = 5 * ((i + n) % 3);
    values[n] = f32(i32((q[word / 4][word % 4] >> shift) & (31u << up)) - (16 << up));
  }
  return values;
}

fn raw_low(s: Block, j: u32) -> vec4f { return fields(s.q, 4 * j, 0); }
fn raw_high(s: Block, j: u32) -> vec4f { return fields(s.q, 4 * j, 16); }
fn scale(s: Block, j: u32) -> vec2f { return s.d; }
fn powers(j: u32) -> vec4f {
  let up = 5 * ((4 * j + vec4u(0, 1, 2, 3)) % 3);
  return bitcast<vec4f>((127 - up) << vec4u(23)); // 2^−up
}
