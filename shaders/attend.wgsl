// attn.mix [T,A,D] from queries and caches, for any adapter: scores, softmax and mix as one, with no matrix of T × S. A workgroup takes a
// block of rows (a row is a token's head; rows that share a key/value head lie together) and one of gridDim.z parts of the keys, in tiles of
// KEYS: scores into workgroup memory, the running maximum, then the mix, a lane four dimensions of four rows. Keys that a row may not see are
// not visited. Parts are put together by attend_join.wgsl. D % 4 = 0; nothing is assumed of subgroups.

override A: u32;
override K: u32;
override D: u32;
override SCALE: f32;
override SOFTCAP: f32 = 0.0;                                       // 0: none
override WINDOW: u32 = 0;                                          // 0: none
override RING: u32;
override GROUPS: u32;                                              // groups of D/4 lanes, each with four rows
override SLOTS: u32;                                               // rows of A heads that `parts` holds

const MASKED: f32 = -3.4028234663852886e38;                        // the lowest f32: what scores.wgsl gives hidden keys
const KEYS: u32 = 32;
const STRIPES: u32 = 4;                                            // lanes that share a dot product
override N: u32 = D / 4;
override LANES: u32 = N * GROUPS;
override ROWS: u32 = 4 * GROUPS;

struct Chunk {
  tokens: u32,     // T: tokens in this chunk
  start: u32,      // position of the first of them
  keys: u32,       // S: start + tokens, keys that exist now
  first_row: u32,  // first token whose logits are wanted
}

@group(0) @binding(0) var<uniform> chunk: Chunk;
@group(0) @binding(1) var<storage, read> q: array<vec4f>;          // [T,A,D]
@group(0) @binding(2) var<storage, read> k: array<vec4f>;          // [RING,K,D]
@group(0) @binding(3) var<storage, read> v: array<vec4f>;          // [RING,K,D]
@group(0) @binding(4) var<storage, read_write> y: array<vec4f>;    // [T,A,D]
@group(0) @binding(5) var<storage, read_write> parts: array<vec4f>;  // [splits,T,A,D], not divided by their sums
@group(0) @binding(6) var<storage, read_write> stats: array<vec2f>;  // [splits,T,A]: maximum and sum; then how many splits there are

var<workgroup> query: array<vec4f, ROWS * N>;
var<workgroup> stripe: array<f32, ROWS * KEYS * STRIPES>;
var<workgroup> score: array<f32, ROWS * KEYS>;                     // then weights; −1 where the row may not see the key
var<workgroup> top: array<f32, ROWS>;
var<workgroup> fade: array<f32, ROWS>;                             // what the sums so far are worth under the new maximum

/** Token and query head of a row of the block; rows past the end are the last row again. */
fn place(row: u32, head: u32) -> vec2u {
  let G = A / K;
  let r = min(row, chunk.tokens * G - 1);
  return vec2u(r / G, head * G + r % G);
}

fn oldest(position: u32) -> u32 {
  return select(0u, position + 1 - WINDOW, WINDOW > 0 && position + 1 > WINDOW);
}

fn is_nan(x: f32) -> bool { return (bitcast<u32>(x) & 0x7fffffffu) > 0x7f800000u; }

/** a + p · v, where the row may see the key. */
fn mixed(a: vec4f, p: f32, v: vec4f) -> vec4f { return select(fma(vec4f(p), v, a), a, vec4<bool>(p < 0)); }

@compute @workgroup_size(LANES)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let head = group.y;
  let row0 = group.x * ROWS;
  let first = chunk.start + place(row0, head).x;
  let last = chunk.start + place(row0 + ROWS - 1, head).x;
  let earliest = oldest(first);
  let share = (last + 1 - earliest + groups.z - 1) / groups.z;
  let begin = earliest + group.z * share;
  let end = min(begin + share, last + 1);

  for (var i = lane; i < ROWS * N; i += LANES) {
    let at = place(row0 + i / N, head);
    query[i] = q[(at.x * A + at.y) * N + i % N];
  }
  for (var r = lane; r < ROWS; r += LANES) { top[r] = MASKED; }
  workgroupBarrier();

  let i = lane % N;
  let mine = lane / N * 4;                                         // the first of the lane's four rows
  var a = vec4f();
  var b = vec4f();
  var c = vec4f();
  var d = vec4f();
  var sums = vec4f();
  for (var s = begin; s < end; s += KEYS) {
    let many = min(KEYS, end - s);
    for (var unit = lane; unit < many * STRIPES * GROUPS; unit += LANES) {
      let part = unit % STRIPES;
      let key = unit / STRIPES % many;
      let r = unit / (STRIPES * many) * 4;
      let row = (((s + key) % RING) * K + head) * N;
      var e = vec4f();
      var f = vec4f();
      var g = vec4f();
      var h = vec4f();
      for (var n = part; n < N; n += STRIPES) {
        let x = k[row + n];
        e = fma(query[r * N + n], x, e);
        f = fma(query[(r + 1) * N + n], x, f);
        g = fma(query[(r + 2) * N + n], x, g);
        h = fma(query[(r + 3) * N + n], x, h);
      }
      let at = (r * KEYS + key) * STRIPES + part;
      stripe[at] = dot(e, vec4f(1));
      stripe[at + KEYS * STRIPES] = dot(f, vec4f(1));
      stripe[at + 2 * KEYS * STRIPES] = dot(g, vec4f(1));
      stripe[at + 3 * KEYS * STRIPES] = dot(h, vec4f(1));
    }
    workgroupBarrier();
    for (var unit = lane; unit < ROWS * KEYS; unit += LANES) {
      let at = unit * STRIPES;
      var x = (stripe[at] + stripe[at + 1] + (stripe[at + 2] + stripe[at + 3])) * SCALE;
      if (SOFTCAP > 0.0 && !is_nan(x)) { x = SOFTCAP * tanh(clamp(x / SOFTCAP, -15.0, 15.0)); }  // clamp would make a number of NaN
      score[unit] = x;
    }
    workgroupBarrier();
    for (var r = lane; r < ROWS; r += LANES) {
      let position = chunk.start + place(row0 + r, head).x;
      let low = max(oldest(position), s) - s;
      let high = min(position + 1, s + many);                      // may lie before the tile
      var best = top[r];
      for (var j = low; j + s < high; j++) { best = max(best, score[r * KEYS + j]); }
      fade[r] = exp(top[r] - best);
      top[r] = best;
    }
    workgroupBarrier();
    for (var unit = lane; unit < ROWS * KEYS; unit += LANES) {
      let r = unit / KEYS;
      let key = s + unit % KEYS;
      let position = chunk.start + place(row0 + r, head).x;
      let seen = key >= oldest(position) && key <= position;
      score[unit] = select(-1.0, exp(score[unit] - top[r]), seen);
    }
    workgroupBarrier();
    let old = vec4f(fade[mine], fade[mine + 1], fade[mine + 2], fade[mine + 3]);
    a *= old.x;
    b *= old.y;
    c *= old.z;
    d *= old.w;
    sums *= old;
    for (var j = 0u; j < many; j++) {
      let x = v[(((s + j) % RING) * K + head) * N + i];
      let p = vec4f(score[mine * KEYS + j], score[(mine + 1) * KEYS + j], score[(mine + 2) * KEYS + j], score[(mine + 3) * KEYS + j]);
      a = mixed(a, p.x, x);
      b = mixed(b, p.y, x);
      c = mixed(c, p.z, x);
      d = mixed(d, p.w, x);
      sums = select(sums + p, sums, p < vec4f());
    }
    workgroupBarrier();
  }
  let best = vec4f(top[mine], top[mine + 1], top[mine + 2], top[mine + 3]);
  let row = row0 + mine;
  store(row, head, i, groups.z, group.z, a, best.x, sums.x);
  store(row + 1, head, i, groups.z, group.z, b, best.y, sums.y);
  store(row + 2, head, i, groups.z, group.z, c, best.z, sums.z);
  store(row + 3, head, i, groups.z, group.z, d, best.w, sums.w);
  if (all(group == vec3u()) && lane == 0) { stats[SLOTS * A] = vec2f(f32(groups.z), 0); }
}

/** Hidden keys weigh as in softmax.wgsl: nothing, unless all that is seen is −∞. */
fn store(row: u32, head: u32, i: u32, splits: u32, split: u32, sum: vec4f, best: f32, total: f32) {
  if (row >= chunk.tokens * (A / K)) { return; }
  let at = place(row, head);
  if (splits == 1) {
    let position = chunk.start + at.x;
    let hidden = chunk.keys - (position + 1 - oldest(position));
    let all = total + select(0.0, f32(hidden), best == MASKED);
    y[(at.x * A + at.y) * N + i] = sum * (1.0 / all);
    return;
  }
  let to = (split * chunk.tokens + at.x) * A + at.y;
  parts[to * N + i] = sum;
  if (i == 0) { stats[to] = vec2f(best, total); }
}
