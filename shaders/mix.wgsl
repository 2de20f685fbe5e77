// attn.mix [T,A,D] = pattern [A,T,S] · v. Keys that the window hides have weight 0 and are not visited: their slots in the
// ring hold other positions by now. D % 4 = 0.
// Assembled with where tokens stand (sequences/).

override WG: u32 = 64;
override A: u32;
override K: u32;
override D: u32;
override WINDOW: u32 = 0;                                          // 0: none
override RING: u32;

struct Chunk {
  tokens: u32,     // T: tokens in this chunk
  start: u32,      // position of the first of them
  keys: u32,       // S: start + tokens, keys that exist now
  first_row: u32,  // first token whose logits are wanted
}

@group(0) @binding(0) var<uniform> chunk: Chunk;
@group(0) @binding(1) var<storage, read> pattern: array<f32>;      // [A,T,S]
@group(0) @binding(2) var<storage, read> v: array<Quad>;           // [slots,K,D]
@group(0) @binding(3) var<storage, read_write> y: array<vec4f>;    // [T,A,D]

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) at: vec3u) {
  let n = D / 4;
  let t = at.y;
  if (at.x >= A * n || t >= chunk.tokens) { return; }
  let a = at.x / n;
  let i = at.x % n;
  let position = position_of(chunk.start + t);
  let oldest = select(0u, position + 1 - WINDOW, WINDOW > 0 && position + 1 > WINDOW);
  let row = (a * chunk.tokens + t) * chunk.keys;
  let head = a / (A / K);
  let ring = first_slot(chunk.start + t, RING);
  var sum = vec4f();
  for (var s = oldest; s <= position; s++) {
    sum = fma(vec4f(pattern[row + s]), cached(v[((ring + s % RING) * K + head) * n + i]), sum);
  }
  y[(t * A + a) * n + i] = sum;
}
