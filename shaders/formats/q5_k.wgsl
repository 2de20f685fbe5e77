// Q5_K: (d · s) · q − dmin · m, d and dmin in f16 for 256 columns, s and m in 6 bits for 32, q in 5 bits.
// A turn: three texels a block, twelve words. Words 0 to 10 hold three columns of the row in their lower half and the same three of the row
// eight below in their upper half, 5 bits each; word 11 of block 0 holds d of both rows, that of block 1 dmin. Then texel 12: for each block s and m
// of the row, s and m of the row eight below, a byte each. Fields are not shifted down: their scales are made smaller instead. Products have at most
// 22 bits, so that they are exact in f32 and there is one rounding, that of the difference.

const TEXELS: u32 = 13;

struct Block {
  d: vec2f,
  m: vec2f,
  q: array<vec4u, 3>,
}

fn block(tile: u32, at: u32, b: u32) -> Block {
  let parts = vec4f(vec4i((vec4u(texel(tile, at + 12 * LANES)[b]) >> vec4u(0, 8, 16, 24)) & vec4u(255)));
  let q = at + 3 * b * LANES;
  return Block(
    unpack2x16float(texel(tile, at + 2 * LANES).w) * parts.xz,
    unpack2x16float(texel(tile, at + 5 * LANES).w) * parts.yw,
    array(texel(tile, q), texel(tile, q + LANES), texel(tile, q + 2 * LANES)),
  );
}

/** Columns i … i + 3 of a block; `shift` is 0 for the row and 16 for the row eight below. */
fn fields(q: array<vec4u, 3>, i: u32, shift: u32, d: f32, zero: f32) -> vec4f {
  var values: vec4f;
  for (var n = 0u; n < 4; n++) {
    let word = (i + n) / 3;
    let up = 5 * ((i + n) % 3) + shift;
    let power = bitcast<f32>((127 - up) << 23); // 2^−up
    values[n] = fma(f32(i32(q[word / 4][word % 4] & (31u << up))), d * power, zero);
  }
  return values;
}

fn raw_low(s: Block, j: u32) -> vec4f { return fields(s.q, 4 * j, 0, s.d.x, -s.m.x); }
fn raw_high(s: Block, j: u32) -> vec4f { return fields(s.q, 4 * j, 16, s.d.y, -s.m.y); }
// A least value is added to each: what is small where the two meet would be lost in sums of either.
fn scale(s: Block, j: u32) -> vec2f { return vec2f(1); }
fn powers(j: u32) -> vec4f { return vec4f(1); }
