// attn.mix [T,A,D] from the parts that attend*.wgsl made of the keys: each under a maximum of its own, brought under the highest.
// Assembled with where tokens stand (sequences/).

override WG: u32 = 64;
override A: u32;
override D: u32;
override WINDOW: u32 = 0;                                          // 0: none

const MASKED: f32 = -3.4028234663852886e38;                        // the lowest f32: what scores.wgsl gives hidden keys

struct Chunk {
  tokens: u32,     // T: tokens in this chunk
  start: u32,      // position of the first of them
  keys: u32,       // S: start + tokens, keys that exist now
  first_row: u32,  // first token whose logits are wanted
}

@group(0) @binding(0) var<uniform> chunk: Chunk;
@group(0) @binding(1) var<storage, read> parts: array<vec4f>;      // [parts,T,A,D + 4]: sums; then maximum, total, parts
@group(0) @binding(2) var<storage, read_write> y: array<vec4f>;    // [T,A,D]

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) at: vec3u) {
  let n = D / 4;
  let t = at.y;
  if (at.x >= A * n || t >= chunk.tokens) { return; }
  let a = at.x / n;
  let i = at.x % n;
  let splits = u32(parts[(t * A + a) * (n + 1) + n].z);
  var best = MASKED;
  var total = 0.0;
  var sum = vec4f();
  for (var s = 0u; s < splits; s++) {
    let row = ((s * chunk.tokens + t) * A + a) * (n + 1);
    let part = parts[row + n];
    let above = max(best, part.x);
    let was = exp(best - above);
    let is = exp(part.x - above);
    sum = fma(parts[row + i], vec4f(is), sum * was);
    total = fma(part.y, is, total * was);
    best = above;
  }
  let position = position_of(chunk.start + t);
  let oldest = select(0u, position + 1 - WINDOW, WINDOW > 0 && position + 1 > WINDOW);
  let hidden = keys_of(chunk.start + t, chunk.keys) - (position + 1 - oldest);
  // Hidden keys weigh as in softmax.wgsl: nothing, unless all that is seen is −∞.
  y[(t * A + a) * n + i] = sum * (1.0 / (total + select(0.0, f32(hidden), best == MASKED)));
}
