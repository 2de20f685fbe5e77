// linear [T,OUT] = x [T,IN] · weightᵀ [OUT,IN] on software adapters with subgroups of eight: a workgroup a tile of 16 rows and eight tokens, a lane two
// of the rows; each lane loads the inputs of one token and tells the others, and weights are unpacked once for all eight. IN % 4 = 0.
// Assembled with a format (formats/), a store (stores/) and a place for its results (results/). With LAST only rows first_row … T−1 of x are used (logits).

enable subgroups;

const LANES: u32 = 8;
override IN: u32;
override OUT: u32;
override LAST: bool = false;

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

/** s + w · q */
fn add_product(w: vec4f, q: vec4f, s: f32) -> f32 {
  return fma(w.w, q.w, fma(w.z, q.z, fma(w.y, q.y, fma(w.x, q.x, s))));
}

fn store(rows: u32, t: u32, tile: u32, lane: u32, sums: vec2f) {
  if (t < rows) { put(t, tile, lane, sums.x, sums.y); }
}

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(subgroup_invocation_id) lane: u32) {
  let tile = group.x;
  let first = select(0u, chunk.first_row, LAST);
  let rows = chunk.tokens - first;
  let t = group.y * 8;
  // Lanes past the end take the last token: cheaper than a branch, and what they make is not stored.
  let row = (first + min(t + lane, rows - 1)) * (IN / 4);
  var sum: array<vec2f, 8>;
  for (var k = 0u; k < IN; k += 32) {
    // A block's products first: sums of a few are exact to the last bits, a single sum of all of IN is not.
    var a0 = 0.0; var b0 = 0.0;
    var a1 = 0.0; var b1 = 0.0;
    var a2 = 0.0; var b2 = 0.0;
    var a3 = 0.0; var b3 = 0.0;
    var a4 = 0.0; var b4 = 0.0;
    var a5 = 0.0; var b5 = 0.0;
    var a6 = 0.0; var b6 = 0.0;
    var a7 = 0.0; var b7 = 0.0;

    let s = block(tile, (k / 128 * TEXELS) * LANES + lane, (k / 32) % 4);
    let i = k / 4;
    { // columns 0 … 3 of the block
      let q = input(row, i + 0); let v = low(s, 0); let w = high(s, 0);
      { let p = subgroupBroadcast(q, 0); a0 = add_product(v, p, a0); b0 = add_product(w, p, b0); }
      { let p = subgroupBroadcast(q, 1); a1 = add_product(v, p, a1); b1 = add_product(w, p, b1); }
      { let p = subgroupBroadcast(q, 2); a2 = add_product(v, p, a2); b2 = add_product(w, p, b2); }
      { let p = subgroupBroadcast(q, 3); a3 = add_product(v, p, a3); b3 = add_product(w, p, b3); }
      { let p = subgroupBroadcast(q, 4); a4 = add_product(v, p, a4); b4 = add_product(w, p, b4); }
      { let p = subgroupBroadcast(q, 5); a5 = add_product(v, p, a5); b5 = add_product(w, p, b5); }
      { let p = subgroupBroadcast(q, 6); a6 = add_product(v, p, a6); b6 = add_product(w, p, b6); }
      { let p = subgroupBroadcast(q, 7); a7 = add_product(v, p, a7); b7 = add_product(w, p, b7); }
    }
    { // columns 4 … 7 of the block
      let q = input(row, i + 1); let v = low(s, 1); let w = high(s, 1);
      { let p = subgroupBroadcast(q, 0); a0 = add_product(v, p, a0); b0 = add_product(w, p, b0); }
      { let p = subgroupBroadcast(q, 1); a1 = add_product(v, p, a1); b1 = add_product(w, p, b1); }
      { let p = subgroupBroadcast(q, 2); a2 = add_product(v, p, a2); b2 = add_product(w, p, b2); }
      { let p = subgroupBroadcast(q, 3); a3 = add_product(v, p, a3); b3 = add_product(w, p, b3); }
      { let p = subgroupBroadcast(q, 4); a4 = add_product(v, p, a4); b4 = add_product(w, p, b4); }
      { let p = subgroupBroadcast(q, 5); a5 = add_product(v, p, a5); b5 = add_product(w, p, b5); }
      { let p = subgroupBroadcast(q, 6); a6 = add_product(v, p, a6); b6 = add_product(w, p, b6); }
      { let p = subgroupBroadcast(q, 7); a7 = add_product(v, p, a7); b7 = add_product(w, p, b7); }
    }
    { // columns 8 … 11 of the block
      let q = input(row, i + 2); let v = low(s, 2); let w = high(s, 2);
      { let p = subgroupBroadcast(q, 0); a0 = add_product(v, p, a0); b0 = add_product(w, p, b0); }
      { let p = subgroupBroadcast(q, 1); a1 = add_product(v, p, a1); b1 = add_product(w, p, b1); }
      { let p = subgroupBroadcast(q, 2); a2 = add_product(v, p, a2); b2 = add_product(w, p, b2); }
      { let p = subgroupBroadcast(q, 3); a3 = add_product(v, p, a3); b3 = add_product(w, p, b3); }
      { let p = subgroupBroadcast(q, 4); a4 = add_product(v, p, a4); b4 = add_product(w, p, b4); }
      { let p = subgroupBroadcast(q, 5); a5 = add_product(v, p, a5); b5 = add_product(w, p, b5); }
      { let p = subgroupBroadcast(q, 6); a6 = add_product(v, p, a6); b6 = add_product(w, p, b6); }
      { let p = subgroupBroadcast(q, 7); a7 = add_product(v, p, a7); b7 = add_product(w, p, b7); }
    }
    { // columns 12 … 15 of the block
      let q = input(row, i + 3); let v = low(s, 3); let w = high(s, 3);
      { let p = subgroupBroadcast(q, 0); a0 = add_product(v, p, a0); b0 = add_product(w, p, b0); }
      { let p = subgroupBroadcast(q, 1); a1 = add_product(v, p, a1); b1 = add_product(w, p, b1); }
      { let p = subgroupBroadcast(q, 2); a2 = add_product(v, p, a2); b2 = add_product(w, p, b2); }
      { let p = subgroupBroadcast(q, 3); a3 = add_product(v, p, a3); b3 = add_product(w, p, b3); }
      { let p = subgroupBroadcast(q, 4); a4 = add_product(v, p, a4); b4 = add_product(w, p, b4); }
      { let p = subgroupBroadcast(q, 5); a5 = add_product(v, p, a5); b5 = add_product(w, p, b5); }
      { let p = subgroupBroadcast(q, 6); a6 = add_product(v, p, a6); b6 = add_product(w, p, b6); }
      { let p = subgroupBroadcast(q, 7); a7 = add_product(v, p, a7); b7 = add_product(w, p, b7); }
    }
    { // columns 16 … 19 of the block
      let q = input(row, i + 4); let v = low(s, 4); let w = high(s, 4);
      { let p = subgroupBroadcast(q, 0); a0 = add_product(v, p, a0); b0 = add_product(w, p, b0); }
      { let p = subgroupBroadcast(q, 1); a1 = add_product(v, p, a1); b1 = add_product(w, p, b1); }
      { let p = subgroupBroadcast(q, 2); a2 = add_product(v, p, a2); b2 = add_product(w, p, b2); }
      { let p = subgroupBroadcast(q, 3); a3 = add_product(v, p, a3); b3 = add_product(w, p, b3); }
      { let p = subgroupBroadcast(q, 4); a4 = add_product(v, p, a4); b4 = add_product(w, p, b4); }
      { let p = subgroupBroadcast(q, 5); a5 = add_product(v, p, a5); b5 = add_product(w, p, b5); }
      { let p = subgroupBroadcast(q, 6); a6 = add_product(v, p, a6); b6 = add_product(w, p, b6); }
      { let p = subgroupBroadcast(q, 7); a7 = add_product(v, p, a7); b7 = add_product(w, p, b7); }
    }
    { // columns 20 … 23 of the block
      let q = input(row, i + 5); let v = low(s, 5); let w = high(s, 5);
      { let p = subgroupBroadcast(q, 0); a0 = add_product(v, p, a0); b0 = add_product(w, p, b0); }
      { let p = subgroupBroadcast(q, 1); a1 = add_product(v, p, a1); b1 = add_product(w, p, b1); }
      { let p = subgroupBroadcast(q, 2); a2 = add_product(v, p, a2); b2 = add_product(w, p, b2); }
      { let p = subgroupBroadcast(q, 3); a3 = add_product(v, p, a3); b3 = add_product(w, p, b3); }
      { let p = subgroupBroadcast(q, 4); a4 = add_product(v, p, a4); b4 = add_product(w, p, b4); }
      { let p = subgroupBroadcast(q, 5); a5 = add_product(v, p, a5); b5 = add_product(w, p, b5); }
      { let p = subgroupBroadcast(q, 6); a6 = add_product(v, p, a6); b6 = add_product(w, p, b6); }
      { let p = subgroupBroadcast(q, 7); a7 = add_product(v, p, a7); b7 = add_product(w, p, b7); }
    }
    { // columns 24 … 27 of the block
      let q = input(row, i + 6); let v = low(s, 6); let w = high(s, 6);
      { let p = subgroupBroadcast(q, 0); a0 = add_product(v, p, a0); b0 = add_product(w, p, b0); }
      { let p = subgroupBroadcast(q, 1); a1 = add_product(v, p, a1); b1 = add_product(w, p, b1); }
      { let p = subgroupBroadcast(q, 2); a2 = add_product(v, p, a2); b2 = add_product(w, p, b2); }
      { let p = subgroupBroadcast(q, 3); a3 = add_product(v, p, a3); b3 = add_product(w, p, b3); }
      { let p = subgroupBroadcast(q, 4); a4 = add_product(v, p, a4); b4 = add_product(w, p, b4); }
      { let p = subgroupBroadcast(q, 5); a5 = add_product(v, p, a5); b5 = add_product(w, p, b5); }
      { let p = subgroupBroadcast(q, 6); a6 = add_product(v, p, a6); b6 = add_product(w, p, b6); }
      { let p = subgroupBroadcast(q, 7); a7 = add_product(v, p, a7); b7 = add_product(w, p, b7); }
    }
    { // columns 28 … 31 of the block
      let q = input(row, i + 7); let v = low(s, 7); let w = high(s, 7);
      { let p = subgroupBroadcast(q, 0); a0 = add_product(v, p, a0); b0 = add_product(w, p, b0); }
      { let p = subgroupBroadcast(q, 1); a1 = add_product(v, p, a1); b1 = add_product(w, p, b1); }
      { let p = subgroupBroadcast(q, 2); a2 = add_product(v, p, a2); b2 = add_product(w, p, b2); }
      { let p = subgroupBroadcast(q, 3); a3 = add_product(v, p, a3); b3 = add_product(w, p, b3); }
      { let p = subgroupBroadcast(q, 4); a4 = add_product(v, p, a4); b4 = add_product(w, p, b4); }
      { let p = subgroupBroadcast(q, 5); a5 = add_product(v, p, a5); b5 = add_product(w, p, b5); }
      { let p = subgroupBroadcast(q, 6); a6 = add_product(v, p, a6); b6 = add_product(w, p, b6); }
      { let p = subgroupBroadcast(q, 7); a7 = add_product(v, p, a7); b7 = add_product(w, p, b7); }
    }
    sum[0] += vec2f(a0, b0);
    sum[1] += vec2f(a1, b1);
    sum[2] += vec2f(a2, b2);
    sum[3] += vec2f(a3, b3);
    sum[4] += vec2f(a4, b4);
    sum[5] += vec2f(a5, b5);
    sum[6] += vec2f(a6, b6);
    sum[7] += vec2f(a7, b7);
  }
  store(rows, t + 0, tile, lane, sum[0]);
  store(rows, t + 1, tile, lane, sum[1]);
  store(rows, t + 2, tile, lane, sum[2]);
  store(rows, t + 3, tile, lane, sum[3]);
  store(rows, t + 4, tile, lane, sum[4]);
  store(rows, t + 5, tile, lane, sum[5]);
  store(rows, t + 6, tile, lane, sum[6]);
  store(rows, t + 7, tile, lane, sum[7]);
}
