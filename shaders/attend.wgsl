// attn.mix [T,A,D] from queries and caches, for any adapter: scores, softmax and mix as one, with no matrix of T × S. A workgroup takes a
// block of rows (a row is a token's head; rows that share a key/value head lie together) and one of gridDim.z parts of the keys, in tiles of
// KEYS: scores into workgroup memory, the running maximum, then the mix, a lane four dimensions of four rows over one of SHARES shares of the keys.
// Keys that a row may not see are not visited. Of several parts attend_join.wgsl makes one. D % 4 = 0; nothing is assumed of subgroups.
// Assembled with where tokens stand (sequences/) and the cap (caps/).

override A: u32;
override K: u32;
override D: u32;
override SCALE: f32;
override SOFTCAP: f32 = 0.0;                                       // 0: none
override WINDOW: u32 = 0;                                          // 0: none
override RING: u32;
override PADDED: u32 = A / K;                                      // rows that a token takes, where tokens of several sequences share no block
override GROUPS: u32;                                              // groups of D/4 lanes, each with four rows; a power of two to 8
override SHARES: u32 = 1;                                          // of the keys of a tile, each with lanes of its own; 256 lanes at most

const MASKED: f32 = -3.4028234663852886e38;                        // the lowest f32: what scores.wgsl gives hidden keys
const KEYS: u32 = 32;
override STRIPES: u32 = 8 / GROUPS;                                // lanes that share a dot product
override N: u32 = D / 4;
override LANES: u32 = N * GROUPS * SHARES;
override ROWS: u32 = 4 * GROUPS;

struct Chunk {
  tokens: u32,     // T: tokens in this chunk
  start: u32,      // position of the first of them
  keys: u32,       // S: start + tokens, keys that exist now
  first_row: u32,  // first token whose logits are wanted
}

@group(0) @binding(0) var<uniform> chunk: Chunk;
@group(0) @binding(1) var<storage, read> q: array<f32>;            // [T,A,D]
@group(0) @binding(2) var<storage, read> k: array<Quad>;           // [slots,K,D]
@group(0) @binding(3) var<storage, read> v: array<Quad>;           // [slots,K,D]
@group(0) @binding(4) var<storage, read_write> y: array<vec4f>;    // [T,A,D]; of several parts [parts,T,A,D + 4]: sums; then maximum, total, parts

// Of four rows each, by groups.
var<workgroup> query: array<vec4f, GROUPS * D>;
var<workgroup> stripe: array<vec4f, GROUPS * KEYS * STRIPES>;
var<workgroup> score: array<vec4f, GROUPS * KEYS>;                 // then weights; −1 where a row may not see the key
var<workgroup> top: array<vec4f, GROUPS>;
var<workgroup> fade: array<vec4f, GROUPS>;                         // what the sums so far are worth under the new maximum

/** Token and query head of a row of the block; rows past the end are the last row again. */
fn place(row: u32, head: u32) -> vec2u {
  let G = A / K;
  let r = min(row, chunk.tokens * PADDED - 1);
  return vec2u(r / PADDED, head * G + min(r % PADDED, G - 1));
}

fn oldest(position: u32) -> u32 {
  return select(0u, position + 1 - WINDOW, WINDOW > 0 && position + 1 > WINDOW);
}

/** Position of a row's token. */
fn position(row: u32, head: u32) -> u32 { return position_of(chunk.start + place(row, head).x); }

/** Positions of a group's four rows. */
fn positions(row: u32, head: u32) -> vec4u {
  return vec4u(position(row, head), position(row + 1, head), position(row + 2, head), position(row + 3, head));
}

/** Which of four rows may see a key. */
fn sees(position: vec4u, key: u32) -> vec4<bool> {
  let seen = vec4u(key) <= position;
  if (WINDOW == 0) { return seen; }
  return seen & (vec4u(key) + WINDOW > position);
}

/** The sum over all shares of the keys. */
fn gathered(mine: vec4f, lane: u32) -> vec4f {
  workgroupBarrier();
  stripe[lane] = mine;
  workgroupBarrier();
  var sum = vec4f();
  for (var at = lane % (N * GROUPS); at < LANES; at += N * GROUPS) { sum += stripe[at]; }
  return sum;
}

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
  let last = position(row0 + ROWS - 1, head);
  let earliest = oldest(position(row0, head));
  let ring = first_slot(chunk.start + place(row0, head).x, RING);
  let share = (last + 1 - earliest + groups.z - 1) / groups.z;
  let begin = earliest + group.z * share;
  let end = min(begin + share, last + 1);

  for (var at = lane; at < GROUPS * D; at += LANES) {
    let row = row0 + at / D * 4;
    let a = place(row, head);
    let b = place(row + 1, head);
    let c = place(row + 2, head);
    let d = place(row + 3, head);
    let n = at % D;
    query[at] = vec4f(q[(a.x * A + a.y) * D + n], q[(b.x * A + b.y) * D + n], q[(c.x * A + c.y) * D + n], q[(d.x * A + d.y) * D + n]);
  }
  if (lane < GROUPS) { top[lane] = vec4f(MASKED); }
  workgroupBarrier();

  let i = lane % N;
  let mine = lane / N % GROUPS;                                    // the lane's group
  let part = lane / (N * GROUPS);                                  // and its share of the keys
  var a = vec4f();
  var b = vec4f();
  var c = vec4f();
  var d = vec4f();
  var sums = vec4f();
  for (var s = begin; s < end; s += KEYS) {
    let many = min(KEYS, end - s);
    for (var at = lane; at < GROUPS * KEYS * STRIPES; at += LANES) {
      let key = at / STRIPES % KEYS;
      if (key >= many) { continue; }
      let row = ((ring + (s + key) % RING) * K + head) * N;
      let from_q = at / (STRIPES * KEYS) * D;
      var sum = vec4f();
      for (var n = at % STRIPES; n < N; n += STRIPES) {
        let x = cached(k[row + n]);
        let y = from_q + 4 * n;
        sum = fma(query[y], vec4f(x.x), fma(query[y + 1], vec4f(x.y), fma(query[y + 2], vec4f(x.z), fma(query[y + 3], vec4f(x.w), sum))));
      }
      stripe[at] = sum;
    }
    workgroupBarrier();
    for (var at = lane; at < GROUPS * KEYS; at += LANES) {
      var x = stripe[at * STRIPES];
      for (var n = 1u; n < STRIPES; n++) { x += stripe[at * STRIPES + n]; }
      x *= SCALE;
      if (SOFTCAP > 0.0) { x = vec4f(capped(x.x), capped(x.y), capped(x.z), capped(x.w)); }
      score[at] = x;
    }
    workgroupBarrier();
    if (lane < GROUPS) {
      let position = positions(row0 + lane * 4, head);
      var best = top[lane];
      for (var j = 0u; j < many; j++) { best = select(best, max(best, score[lane * KEYS + j]), sees(position, s + j)); }
      fade[lane] = exp(top[lane] - best);
      top[lane] = best;
    }
    workgroupBarrier();
    for (var at = lane; at < GROUPS * KEYS; at += LANES) {
      let g = at / KEYS;
      let seen = sees(positions(row0 + g * 4, head), s + at % KEYS) & vec4<bool>(at % KEYS < many);
      score[at] = select(vec4f(-1), exp(score[at] - top[g]), seen);
    }
    workgroupBarrier();
    let old = fade[mine];
    a *= old.x;
    b *= old.y;
    c *= old.z;
    d *= old.w;
    sums *= old;
    // As many turns for every tile, so that all can be on their way at once; keys past the end weigh nothing.
    for (var j = part; j < KEYS; j += SHARES) {
      let x = cached(v[((ring + min(s + j, end - 1) % RING) * K + head) * N + i]);
      let p = score[mine * KEYS + j];
      a = mixed(a, p.x, x);
      b = mixed(b, p.y, x);
      c = mixed(c, p.z, x);
      d = mixed(d, p.w, x);
      sums = select(sums + p, sums, p < vec4f());
    }
  }
  if (SHARES > 1) {
    a = gathered(a, lane);
    b = gathered(b, lane);
    c = gathered(c, lane);
    d = gathered(d, lane);
    sums = gathered(sums, lane);
  }
  let best = top[mine];
  for (var r = part; r < 4; r += SHARES) {
    let row = row0 + mine * 4 + r;
    if (row >= chunk.tokens * PADDED || row % PADDED >= A / K) { break; }
    let at = place(row, head);
    let position = position_of(chunk.start + at.x);
    let sum = select(select(a, b, r == 1), select(c, d, r == 3), r > 1);
    if (groups.z > 1) {
      let to = ((group.z * chunk.tokens + at.x) * A + at.y) * (N + 1);
      y[to + i] = sum;
      if (i == 0) { y[to + N] = vec4f(best[r], sums[r], f32(groups.z), 0); }
      continue;
    }
    // Hidden keys weigh as in softmax.wgsl: nothing, unless all that is seen is −∞.
    let hidden = keys_of(chunk.start + at.x, chunk.keys) - (position + 1 - oldest(position));
    y[(at.x * A + at.y) * N + i] = sum * (1.0 / (sums[r] + select(0.0, f32(hidden), best[r] == MASKED)));
  }
}
