// attn.scores [A,T,S] = softcap(q · k × SCALE), or the lowest f32 where the query may not see the key: a later key, or one
// WINDOW or more tokens back. Query head a reads key/value head a / (A/K). D % 4 = 0.
// Assembled with where tokens stand (sequences/) and the cap (caps/).

override WG: u32 = 64;
override A: u32;
override K: u32;
override D: u32;
override SCALE: f32;
override SOFTCAP: f32 = 0.0;                                       // 0: none
override WINDOW: u32 = 0;                                          // 0: none
override RING: u32;

const MASKED: f32 = -3.4028234663852886e38;                        // the lowest f32, as PyTorch's mask has it

struct Chunk {
  tokens: u32,     // T: tokens in this chunk
  start: u32,      // position of the first of them
  keys: u32,       // S: start + tokens, keys that exist now
  first_row: u32,  // first token whose logits are wanted
}

@group(0) @binding(0) var<uniform> chunk: Chunk;
@group(0) @binding(1) var<storage, read> q: array<vec4f>;          // [T,A,D]
@group(0) @binding(2) var<storage, read> k: array<Quad>;           // [slots,K,D]
@group(0) @binding(3) var<storage, read_write> y: array<f32>;      // [A,T,S]

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) at: vec3u) {
  let s = at.x;
  let t = at.y;
  let a = at.z;
  if (s >= chunk.keys || t >= chunk.tokens) { return; }
  let position = position_of(chunk.start + t);
  let to = (a * chunk.tokens + t) * chunk.keys + s;
  if (s > position || (WINDOW > 0 && s + WINDOW <= position)) {
    y[to] = MASKED;
    return;
  }
  let n = D / 4;
  let from_q = (t * A + a) * n;
  let from_k = ((first_slot(chunk.start + t, RING) + s % RING) * K + a / (A / K)) * n;
  var sum = vec4f();
  for (var i = 0u; i < n; i++) { sum = fma(q[from_q + i], cached(k[from_k + i]), sum); }
  var score = dot(sum, vec4f(1.0)) * SCALE;
  if (SOFTCAP > 0.0) { score = capped(score); }
  y[to] = score;
}
