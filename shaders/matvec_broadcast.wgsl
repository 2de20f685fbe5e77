// linear a token at a time, on software adapters with subgroups of eight: y [T,OUT] = x [T,IN] · weightᵀ [OUT,IN], each token as if it were alone. A
// workgroup a tile of 16 rows, a lane two of them; each lane loads four of 32 inputs and tells the others, because what costs there is loads, not
// arithmetic. IN % 4 = 0.
// Assembled with a format (formats/), a store (stores/) and a place for its results (results/). With LAST the first token is first_row (logits).

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
@group(0) @binding(1) var<storage, read> x: array<vec4f>;          // [T,IN]

/** Four inputs of the row of x that begins at `row`; none past its end. */
fn input(row: u32, i: u32) -> vec4f {
  if (IN % 128 == 0) { return x[row + i]; }
  return select(vec4f(), x[row + min(i, IN / 4 - 1)], vec4<bool>(i < IN / 4));
}

/** The products of a block's 32 columns with the inputs that the lanes hold, for the lane's two rows. */
fn products(s: Block, x: vec4f) -> vec2f {
  var a = vec4f();
  var b = vec4f();
  { let q = subgroupBroadcast(x, 0); a = fma(low(s, 0), q, a); b = fma(high(s, 0), q, b); }
  { let q = subgroupBroadcast(x, 1); a = fma(low(s, 1), q, a); b = fma(high(s, 1), q, b); }
  { let q = subgroupBroadcast(x, 2); a = fma(low(s, 2), q, a); b = fma(high(s, 2), q, b); }
  { let q = subgroupBroadcast(x, 3); a = fma(low(s, 3), q, a); b = fma(high(s, 3), q, b); }
  { let q = subgroupBroadcast(x, 4); a = fma(low(s, 4), q, a); b = fma(high(s, 4), q, b); }
  { let q = subgroupBroadcast(x, 5); a = fma(low(s, 5), q, a); b = fma(high(s, 5), q, b); }
  { let q = subgroupBroadcast(x, 6); a = fma(low(s, 6), q, a); b = fma(high(s, 6), q, b); }
  { let q = subgroupBroadcast(x, 7); a = fma(low(s, 7), q, a); b = fma(high(s, 7), q, b); }
  return vec2f(dot(a, vec4f(1)), dot(b, vec4f(1)));
}

@compute @workgroup_size(LANES)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(subgroup_invocation_id) lane: u32,
) {
  let tile = group.y * groups.x + group.x;
  let t = select(0u, group.z, EACH);
  let row = (select(0u, chunk.first_row, LAST) + t) * (IN / 4);
  var sum = vec2f();
  for (var k = 0u; k < IN; k += 128) {
    let at = (k / 128 * TEXELS) * LANES + lane;
    let i = k / 4 + lane;
    sum += products(block(tile, at, 0), input(row, i));
    sum += products(block(tile, at, 1), input(row, i + 8));
    sum += products(block(tile, at, 2), input(row, i + 16));
    sum += products(block(tile, at, 3), input(row, i + 24));
  }
  put(t, tile, lane, sum.x, sum.y);
}
