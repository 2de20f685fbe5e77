// Greedy sampling, last step: the largest of the candidates that argmax.wgsl found, the lowest index among equals. One lane a
// row: the candidates are few. NONE where a share had none: then some logit is no number.

override N: u32;                                                   // V
override PARTS: u32;

struct Chunk {
  tokens: u32,     // T: tokens in this chunk
  start: u32,      // position of the first of them
  keys: u32,       // S: start + tokens, keys that exist now
  first_row: u32,  // first token whose logits are wanted
}

@group(0) @binding(0) var<uniform> chunk: Chunk;
@group(0) @binding(1) var<storage, read> x: array<f32>;            // [T − first_row,N]
@group(0) @binding(2) var<storage, read> places: array<u32>;       // [rows,PARTS], in the order of the vocabulary
@group(0) @binding(3) var<storage, read_write> best: array<u32>;   // [rows]

const NONE: u32 = 0xffffffffu;

@compute @workgroup_size(1)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let row = (chunk.tokens - chunk.first_row - groups.y + group.y) * N;
  let first = group.y * PARTS;
  var at = places[first];
  for (var i = first + 1; i < first + PARTS; i++) {
    if (at == NONE || places[i] == NONE) { at = NONE; }
    else if (x[row + places[i]] > x[row + at]) { at = places[i]; }
  }
  best[group.y] = at;
}
