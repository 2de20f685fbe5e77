// matvec_broadcast for the fast plan: products with the numbers of a block as they are stored, and the block's scale last. One multiplication a block instead of one a weight, and
// sums of 16 columns that need two registers, of which AVX2 has few. No number is made larger than it is for it: a zero point is taken off before, and a format with least values has no scale left for the end.
// A workgroup a tile of 16 rows, a lane two of them; each lane loads four of 32 inputs and tells the others. IN % 4 = 0.
// Assembled with a format (formats/), a store (stores/), a place for its results (results/) and what it is given (inputs/). With LAST the first token is first_row (logits).

enable subgroups;

const LANES: u32 = 8;
override IN: u32;
override OUT: u32;
override LAST: bool = false;
override EACH: bool = false;                                       // there are several tokens

struct Chunk {
  tokens: u32,     // T: tokens in this chunk
  start: u32,      // position of the first of them
  keys: u32,       // S: start + tokens, keys that exist now
  first_row: u32,  // first token whose logits are wanted
}

@group(0) @binding(0) var<uniform> chunk: Chunk;

/** Four inputs of a token; none past their end. */
fn input(t: u32, i: u32) -> vec4f {
  if (IN % 128 == 0) { return given(t, i); }
  return select(vec4f(), given(t, min(i, IN / 4 - 1)), vec4<bool>(i < IN / 4));
}

/** Adds the products of four columns with four inputs to the sums of two rows. */
fn add_products(low: vec4f, high: vec4f, q: vec4f, sum: vec2f) -> vec2f {
  let two = fma(vec2f(low.y, high.y), q.yy, fma(vec2f(low.x, high.x), q.xx, sum));
  return fma(vec2f(low.w, high.w), q.ww, fma(vec2f(low.z, high.z), q.zz, two));
}

/** The products of a block's 32 columns with the inputs that the lanes hold, for the lane's two rows. */
fn products(s: Block, x: vec4f, power: vec4f) -> vec2f {
  let p = x * power;
  var a = vec2f();
  a = add_products(raw_low(s, 0), raw_high(s, 0), subgroupBroadcast(p, 0), a);
  a = add_products(raw_low(s, 1), raw_high(s, 1), subgroupBroadcast(p, 1), a);
  a = add_products(raw_low(s, 2), raw_high(s, 2), subgroupBroadcast(p, 2), a);
  a = add_products(raw_low(s, 3), raw_high(s, 3), subgroupBroadcast(p, 3), a);
  var b = vec2f();
  b = add_products(raw_low(s, 4), raw_high(s, 4), subgroupBroadcast(p, 4), b);
  b = add_products(raw_low(s, 5), raw_high(s, 5), subgroupBroadcast(p, 5), b);
  b = add_products(raw_low(s, 6), raw_high(s, 6), subgroupBroadcast(p, 6), b);
  b = add_products(raw_low(s, 7), raw_high(s, 7), subgroupBroadcast(p, 7), b);
  return fma(a, scale(s, 0), b * scale(s, 4));
}

@compute @workgroup_size(LANES)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(subgroup_invocation_id) lane: u32,
) {
  let tile = group.y * groups.x + group.x;
  let t = select(0u, group.z, EACH);
  let token = select(0u, chunk.first_row, LAST) + t;
  let power = powers(lane);
  var sum = vec2f();
  for (var k = 0u; k < IN; k += 128) {
    let at = (k / 128 * TEXELS) * LANES + lane;
    let i = k / 4 + lane;
    sum += products(block(tile, at, 0), input(token, i), power);
    sum += products(block(tile, at, 1), input(token, i + 8), power);
    sum += products(block(tile, at, 2), input(token, i + 16), power);
    sum += products(block(tile, at, 3), input(token, i + 24), power);
  }
  put(t, tile, lane, sum.x, sum.y);
}
