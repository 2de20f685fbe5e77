// linear [T,OUT] = x [T,IN] · weightᵀ [OUT,IN]: tiled mat-mul for prefill and for sizes that are no multiple of four.
// A workgroup makes a TILE × TILE block of the result; both operands pass through workgroup memory once.
// With LAST only rows first_row … T−1 of x are used (logits). The weight may be split: this binding has OUT rows, which
// go to columns COL0 … of a result COLS wide.

const TILE: u32 = 16;
override IN: u32;
override OUT: u32;
override COL0: u32 = 0;
override COLS: u32;
override LAST: bool = false;

struct Chunk {
  tokens: u32,     // T: tokens in this chunk
  start: u32,      // position of the first of them
  keys: u32,       // S: start + tokens, keys that exist now
  first_row: u32,  // first token whose logits are wanted
}

@group(0) @binding(0) var<uniform> chunk: Chunk;
@group(0) @binding(1) var<storage, read> x: array<f32>;            // [T,IN]
@group(0) @binding(2) var<storage, read> weight: array<f32>;       // [OUT,IN]
@group(0) @binding(3) var<storage, read_write> y: array<f32>;      // [T,COLS]

var<workgroup> xs: array<array<f32, TILE>, TILE>;
var<workgroup> ws: array<array<f32, TILE + 1>, TILE>;              // + 1: lanes that walk a column hit different banks

@compute @workgroup_size(TILE, TILE)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_id) local: vec3u) {
  let first = select(0u, chunk.first_row, LAST);
  let rows = chunk.tokens - first;
  let t = group.y * TILE + local.y;
  let o = group.x * TILE + local.x;
  let loaded = group.x * TILE + local.y;                           // the weight row this lane brings in
  var sum = 0.0;
  for (var k = 0u; k < IN; k += TILE) {
    let i = k + local.x;
    xs[local.y][local.x] = select(0.0, x[(first + t) * IN + i], t < rows && i < IN);
    ws[local.y][local.x] = select(0.0, weight[loaded * IN + i], loaded < OUT && i < IN);
    workgroupBarrier();
    for (var j = 0u; j < TILE; j++) { sum += xs[local.y][j] * ws[local.x][j]; }
    workgroupBarrier();
  }
  if (t < rows && o < OUT) { y[t * COLS + COL0 + o] = sum; }
}
