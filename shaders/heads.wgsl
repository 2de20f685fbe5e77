// Fast plan: what queries, keys and values pass through on their way to attention. Query heads: y = turn(norm(q)); key heads: the same, into the
// cache; value heads: into the cache as they are. One workgroup a head and token. The norm (without NORM there is none) is rms_norm.wgsl's, the
// turn rope.wgsl's, the slots are cache_write.wgsl's.
// Assembled with where tokens stand (sequences/) and how keys and values are kept (caches/). D % 4 = 0.

override WG: u32 = 64;  // a power of two: the sum is a tree
override A: u32;
override K: u32;
override D: u32;
override NORM: bool;
override EPS: f32 = 0.0;
override RING: u32;

struct Chunk {
  tokens: u32,     // T: tokens in this chunk
  start: u32,      // position of the first of them
  keys: u32,       // S: start + tokens, keys that exist now
  first_row: u32,  // first token whose logits are wanted
}

@group(0) @binding(0) var<uniform> chunk: Chunk;
@group(0) @binding(1) var<storage, read> q: array<f32>;              // [T,A,D]
@group(0) @binding(2) var<storage, read> k: array<f32>;              // [T,K,D]
@group(0) @binding(3) var<storage, read> v: array<f32>;              // [T,K,D]
@group(0) @binding(4) var<storage, read> q_gain: array<f32>;         // [D]
@group(0) @binding(5) var<storage, read> k_gain: array<f32>;         // [D]
@group(0) @binding(6) var<storage, read> turns: array<vec2f>;        // [positions,D/2] (cos, sin)
@group(0) @binding(7) var<storage, read_write> y: array<f32>;        // [T,A,D]
@group(0) @binding(8) var<storage, read_write> keys: array<Pair>;    // [slots,K,D]
@group(0) @binding(9) var<storage, read_write> values: array<Pair>;  // [slots,K,D]

var<workgroup> partial: array<f32, WG>;

/** 1 / √(mean of squares + EPS), of what every lane has of a head. */
fn scale_of(lane: u32, own: f32) -> f32 {
  partial[lane] = own;
  workgroupBarrier();
  for (var half = WG / 2; half > 0; half /= 2) {
    if (lane < half) { partial[lane] += partial[lane + half]; }
    workgroupBarrier();
  }
  return 1.0 / sqrt(partial[0] / f32(D) + EPS);
}

@compute @workgroup_size(WG)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let t = group.y;
  let position = position_of(chunk.start + t);
  let slot = (first_slot(chunk.start + t, RING) + position % RING) * K * D;
  let query = group.x < A;
  let head = select(group.x - A, group.x, query);
  if (group.x >= A + K) {
    let of_values = (head - K) * D;
    let from_v = t * K * D + of_values;
    for (var i = 2 * lane; i < D; i += 2 * WG) { values[(slot + of_values + i) / 2] = kept2(vec2f(v[from_v + i], v[from_v + i + 1])); }
    return;
  }
  let base = select(t * K * D, t * A * D, query) + head * D;
  var scale = 1.0;
  if (NORM) {
    var own = 0.0;
    for (var i = lane; i < D; i += WG) {
      let x = head_value(query, base + i);
      own += x * x;
    }
    scale = scale_of(lane, own);
  }
  let pairs = D / 2;
  let turn0 = position * pairs;
  for (var i = 2 * lane; i < pairs; i += 2 * WG) {
    let c = turned(query, base, i, scale, turns[turn0 + i]);
    let d = turned(query, base, i + 1, scale, turns[turn0 + i + 1]);
    if (query) {
      y[base + i] = c.x;
      y[base + i + 1] = d.x;
      y[base + pairs + i] = c.y;
      y[base + pairs + i + 1] = d.y;
    } else {
      keys[(slot + head * D + i) / 2] = kept2(vec2f(c.x, d.x));
      keys[(slot + head * D + pairs + i) / 2] = kept2(vec2f(c.y, d.y));
    }
  }
}

/** Values i and D/2 + i of a head, normed and turned. */
fn turned(query: bool, base: u32, i: u32, scale: f32, turn: vec2f) -> vec2f {
  let pairs = D / 2;
  var a = head_value(query, base + i);
  var b = head_value(query, base + pairs + i);
  if (NORM) {
    a = a * scale * gain(query, i);
    b = b * scale * gain(query, pairs + i);
  }
  return vec2f(a * turn.x - b * turn.y, b * turn.x + a * turn.y);
}

fn head_value(query: bool, at: u32) -> f32 {
  if (query) { return q[at]; }
  return k[at];
}

fn gain(query: bool, i: u32) -> f32 {
  if (query) { return q_gain[i]; }
  return k_gain[i];
}
