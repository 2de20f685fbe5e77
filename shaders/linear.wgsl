// linear [T,OUT] = x [T,IN] · weightᵀ [OUT,IN] on a GPU: a workgroup 64 rows and 64 tokens, 32 columns at a time through workgroup memory, eight rows
// and four tokens a lane in registers. Nothing is assumed of subgroups. IN % 4 = 0.
// Assembled with a format (formats/), a store (stores/) and a place for its results (results/). With LAST only rows first_row … T−1 of x are used (logits).

const LANES: u32 = 8;
const SIDE: u32 = 64;     // rows, and tokens, of a workgroup
const PITCH: u32 = 9;     // quads of 32 columns, and one so that neighbours lie in other banks
const GROUPS: u32 = 16;   // of eight lanes, each with the same four tokens: its own, and every sixteenth after it
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

var<workgroup> weights: array<vec4f, SIDE * PITCH>;  // [row][quad]
var<workgroup> inputs: array<vec4f, SIDE * PITCH>;   // [token][quad]

/** Four inputs of the row of x that begins at `row`; none past its end. */
fn input(row: u32, i: u32) -> vec4f {
  if (IN % 128 == 0) { return x[row + i]; }
  return select(vec4f(), x[row + min(i, IN / 4 - 1)], vec4<bool>(i < IN / 4));
}

/** Puts a lane's two rows of a block where all can read them. */
fn keep(s: Block, at: u32) {
  for (var j = 0u; j < 8; j++) {
    weights[at + j] = low(s, j);
    weights[at + LANES * PITCH + j] = high(s, j);
  }
}

/** Quad `at` of the same row of four tiles: a column of each, and then the next column. */
fn columns(at: u32) -> mat4x4f {
  let step = 2 * LANES * PITCH;
  return transpose(mat4x4f(weights[at], weights[at + step], weights[at + 2 * step], weights[at + 3 * step]));
}

fn sum(w: mat4x4f, x: vec4f, before: vec4f) -> vec4f {
  return fma(w[3], vec4f(x.w), fma(w[2], vec4f(x.z), fma(w[1], vec4f(x.y), fma(w[0], vec4f(x.x), before))));
}

fn store(rows: u32, t: u32, tile: u32, lane: u32, a: vec4f, b: vec4f) {
  if (t >= rows) { return; }
  for (var i = 0u; i < 4; i++) {
    if ((tile + i) * 2 * LANES < OUT) { put(t, tile + i, lane, a[i], b[i]); }
  }
}

@compute @workgroup_size(128)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) local: u32) {
  let first = select(0u, chunk.first_row, LAST);
  let rows = chunk.tokens - first;
  let lane = local % LANES;
  let mine = local / LANES;
  // What this lane loads: if it is of the first 32, a block of two rows of a tile; and quad `lane` of four tokens.
  let tile = min(group.x * 4 + mine % 4, (OUT + 15) / 16 - 1);
  let at = (mine % 4 * 2 * LANES + lane) * PITCH;
  let t = group.y * SIDE + mine;
  let x0 = (first + min(t, rows - 1)) * (IN / 4);
  let x1 = (first + min(t + GROUPS, rows - 1)) * (IN / 4);
  let x2 = (first + min(t + 2 * GROUPS, rows - 1)) * (IN / 4);
  let x3 = (first + min(t + 3 * GROUPS, rows - 1)) * (IN / 4);
  let to = mine * PITCH + lane;
  // What it computes: row `lane` of four tiles and the row eight below it, for the four tokens that it loads.
  var a0 = vec4f(); var a1 = vec4f(); var a2 = vec4f(); var a3 = vec4f();
  var b0 = vec4f(); var b1 = vec4f(); var b2 = vec4f(); var b3 = vec4f();
  for (var k = 0u; k < IN; k += 32) {
    if (mine < 4) { keep(block(tile, (k / 128 * TEXELS) * LANES + lane, (k / 32) % 4), at); }
    inputs[to] = input(x0, k / 4 + lane);
    inputs[to + GROUPS * PITCH] = input(x1, k / 4 + lane);
    inputs[to + 2 * GROUPS * PITCH] = input(x2, k / 4 + lane);
    inputs[to + 3 * GROUPS * PITCH] = input(x3, k / 4 + lane);
    workgroupBarrier();
    for (var j = 0u; j < 8; j++) {
      let v = columns(lane * PITCH + j);
      let w = columns((lane + LANES) * PITCH + j);
      let y = mine * PITCH + j;
      { let x = inputs[y]; a0 = sum(v, x, a0); b0 = sum(w, x, b0); }
      { let x = inputs[y + GROUPS * PITCH]; a1 = sum(v, x, a1); b1 = sum(w, x, b1); }
      { let x = inputs[y + 2 * GROUPS * PITCH]; a2 = sum(v, x, a2); b2 = sum(w, x, b2); }
      { let x = inputs[y + 3 * GROUPS * PITCH]; a3 = sum(v, x, a3); b3 = sum(w, x, b3); }
    }
    workgroupBarrier();
  }
  store(rows, t, group.x * 4, lane, a0, b0);
  store(rows, t + GROUPS, group.x * 4, lane, a1, b1);
  store(rows, t + 2 * GROUPS, group.x * 4, lane, a2, b2);
  store(rows, t + 3 * GROUPS, group.x * 4, lane, a3, b3);
}
