// attn.pattern [A,T,S]: softmax over the keys of the row's sequence, the row's maximum taken out first. One workgroup a row.
// Assembled with where tokens stand (sequences/).

override WG: u32 = 64;  // a power of two: maximum and sum are trees

struct Chunk {
  tokens: u32,     // T: tokens in this chunk
  start: u32,      // position of the first of them
  keys: u32,       // S: start + tokens, keys that exist now
  first_row: u32,  // first token whose logits are wanted
}

@group(0) @binding(0) var<uniform> chunk: Chunk;
@group(0) @binding(1) var<storage, read> x: array<f32>;            // [A,T,S]
@group(0) @binding(2) var<storage, read_write> y: array<f32>;      // [A,T,S]

var<workgroup> partial: array<f32, WG>;

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let row = (group.y * chunk.tokens + group.x) * chunk.keys;
  let keys = keys_of(chunk.start + group.x, chunk.keys);
  var top = x[row];
  for (var s = lane; s < keys; s += WG) { top = max(top, x[row + s]); }
  partial[lane] = top;
  workgroupBarrier();
  for (var half = WG / 2; half > 0; half /= 2) {
    if (lane < half) { partial[lane] = max(partial[lane], partial[lane + half]); }
    workgroupBarrier();
  }
  top = partial[0];
  workgroupBarrier();
  var sum = 0.0;
  for (var s = lane; s < keys; s += WG) {
    let e = exp(x[row + s] - top);
    y[row + s] = e;
    sum += e;
  }
  partial[lane] = sum;
  workgroupBarrier();
  for (var half = WG / 2; half > 0; half /= 2) {
    if (lane < half) { partial[lane] += partial[lane + half]; }
    workgroupBarrier();
  }
  let scale = 1.0 / partial[0];
  for (var s = lane; s < keys; s += WG) { y[row + s] *= scale; }
}
