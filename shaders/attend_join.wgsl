// attn.mix [T,A,D] from the parts that attend*.wgsl made of the keys: each under a maximum of its own, brought under the highest.
// Assembled with where tokens stand (sequences/).

override WG: u32 = 64;
override SHARES: u32 = 1;                                          // of the parts, each with lanes of its own
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

/** Parts that were brought under one maximum. */
struct Joined {
  best: f32,
  total: f32,
  sum: vec4f,
}

fn joined(a: Joined, b: Joined) -> Joined {
  let best = max(a.best, b.best);
  let was = exp(a.best - best);
  let is = exp(b.best - best);
  return Joined(best, fma(b.total, is, a.total * was), fma(b.sum, vec4f(is), a.sum * was));
}

var<workgroup> shares: array<Joined, WG * SHARES>;

@compute @workgroup_size(WG, SHARES)
fn main(@builtin(global_invocation_id) at: vec3u, @builtin(local_invocation_id) lane: vec3u) {
  let n = D / 4;
  let t = at.z;
  let a = min(at.x / n, A - 1);
  let i = at.x % n;
  let splits = u32(parts[(t * A + a) * (n + 1) + n].z);
  var mine = Joined(MASKED, 0, vec4f());
  for (var s = lane.y; s < splits; s += SHARES) {
    let row = ((s * chunk.tokens + t) * A + a) * (n + 1);
    let part = parts[row + n];
    mine = joined(mine, Joined(part.x, part.y, parts[row + i]));
  }
  if (SHARES > 1) {
    shares[lane.y * WG + lane.x] = mine;
    workgroupBarrier();
    if (lane.y > 0) { return; }
    for (var share = 1u; share < SHARES; share++) { mine = joined(mine, shares[share * WG + lane.x]); }
  }
  if (at.x >= A * n) { return; }
  let position = position_of(chunk.start + t);
  let oldest = select(0u, position + 1 - WINDOW, WINDOW > 0 && position + 1 > WINDOW);
  let hidden = keys_of(chunk.start + t, chunk.keys) - (position + 1 - oldest);
  // Hidden keys weigh as in softmax.wgsl: nothing, unless all that is seen is −∞.
  y[(t * A + a) * n + i] = mine.sum * (1.0 / (mine.total + select(0.0, f32(hidden), mine.best == MASKED)));
}
