// Q5_1: d · q + m, a scale d and a least value m in f16 for 32 columns, q in 5 bits.
// A turn: three texels a block, twelve words. Words 0 to 10 hold three columns of the row in their lower half and the same three of the row
// eight below in their upper half, 5 bits each; word 11 holds d of both rows. Then texel 12: m of four blocks of the row, then of the row eight
// below. Fields are not shifted down: their scales are made smaller instead. Products are exact in f32, so that there is one rounding, that of the sum.

const TEXELS: u32 = 13;

struct Block {
  d: vec2f,
  m: vec2f,
  q: array<vec4u, 3>,
}

/** The half float of block b: four of the row in two words, then four of the row eight below. */
fn scales(t: vec4u, b: u32) -> vec2f {
  let two = select(t.xz, t.yw, vec2<bool>(b >= 2));
  return vec2f(unpack2x16float(two.x)[b % 2], unpack2x16float(two.y)[b % 2]);
}

fn block(tile: u32, at: u32, b: u32) -> Block {
  let q = at + 3 * b * LANES;
  let last = texel(tile, q + 2 * LANES);
  return Block(
    unpack2x16float(last.w),
    scales(texel(tile, at + 12 * LANES), b),
    array(texel(tile, q), texel(tile, q + LANES), last),
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

fn raw_low(s: Block, j: u32) -> vec4f { return fields(s.q, 4 * j, 0, s.d.x, s.m.x); }
fn raw_high(s: Block, j: u32) -> vec4f { return fields(s.q, 4 * j, 16, s.d.y, s.m.y); }
// A least value is added to each: what is small where the two meet would be lost in sums of either.
fn scale(s: Block, j: u32) -> vec2f { return vec2f(1); }
fn powers(j: u32) -> vec4f { return vec4f(1); }
