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

/** Columns i … i + 3 of a block, where they lie; `shift` is 0 for the row and 16 for the row eight below. */
fn fields(q: array<vec4u, 3>, i: u32, shift: u32) -> vec4f {
  var values: vec4f;
  for (var n = 0u; n < 4; n++) {
    let word = (i + n) / 3;
    let up = 5 * ((i + n) % 3) + shift;
    values[n] = f32(i32(q[word / 4][word % 4] & (31u << up)));
  }
  return values;
}
fn raw_low(s: Block, j: u32) -> vec4f { return fields(s.q, 4 * j, 0); }
fn raw_high(s: Block, j: u32) -> vec4f { return fields(s.q, 4 * j, 16); }
/** 2^−up of four columns of the row. */
fn powers(j: u32) -> vec4f {
  let up = 5 * ((4 * j + vec4u(0, 1, 2, 3)) % 3);
  return bitcast<vec4f>((127 - up) << vec4u(23));
}
fn scaled(s: Block, first: vec2f, second: vec2f, x: f32) -> vec2f {
  let sum = (first + second) * vec2f(1, 0x1p-16);
  return (sum - 16 * x) * s.d;
}


fn low(s: Block, j: u32) -> vec4f { return fma(raw_low(s, j), s.d.x * powers(j), vec4f(-16 * s.d.x)); }
fn high(s: Block, j: u32) -> vec4f { return fma(raw_high(s, j), s.d.y * 0x1p-16 * powers(j), vec4f(-16 * s.d.y)); }
