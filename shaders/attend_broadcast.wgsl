// attn.mix [T,A,D] from queries and caches on software adapters with subgroups: scores, softmax and mix as one, with no matrix of T × S. A
// workgroup is no more than a subgroup and needs no barrier. It takes four rows (a row is a token's head; rows that share a key/value head lie
// together), so that what it loads of the caches serves four, and one of gridDim.z parts of the keys, tile by tile. For the scores a lane is a key
// and queries are passed round; for the mix a lane is four dimensions and weights are. Keys that no row may see are not visited. Of several parts
// attend_join.wgsl makes one. D % 4 = 0.
// Assembled with where tokens stand (sequences/) and the cap (caps/).

enable subgroups;

override A: u32;
override K: u32;
override D: u32;
override SCALE: f32;
override SOFTCAP: f32 = 0.0;                                       // 0: none
override WINDOW: u32 = 0;                                          // 0: none
override RING: u32;
override PADDED: u32 = A / K;                                      // rows that a token takes, where tokens of several sequences share no block
override LANES: u32;                                               // 4 or 8
override KEYS: u32;                                                // of a tile, a multiple of 4 · LANES

const MASKED: f32 = -3.4028234663852886e38;                        // the lowest f32: what scores.wgsl gives hidden keys
override N: u32 = D / 4;
override HELD: u32 = LANES / 4;                                    // lanes that hold a row's queries

struct Chunk {
  tokens: u32,     // T: tokens in this chunk
  start: u32,      // position of the first of them
  keys: u32,       // S: start + tokens, keys that exist now
  first_row: u32,  // first token whose logits are wanted
}

@group(0) @binding(0) var<uniform> chunk: Chunk;
@group(0) @binding(1) var<storage, read> q: array<vec4f>;          // [T,A,D]
@group(0) @binding(2) var<storage, read> k: array<Quad>;           // [slots,K,D]
@group(0) @binding(3) var<storage, read> v: array<Quad>;           // [slots,K,D]
@group(0) @binding(4) var<storage, read_write> y: array<vec4f>;    // [T,A,D]; of several parts [parts,T,A,D + 4]: sums; then maximum, total, parts

// Of the four rows: scores, then weights; −1 where a row may not see the key. A place is one lane's own, who writes it and reads it.
var<workgroup> weight: array<vec4f, KEYS>;

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
fn place_position(row: u32, head: u32) -> u32 { return position_of(chunk.start + place(row, head).x); }

/** Four dimensions of a position's key. */
fn key(ring: u32, s: u32, head: u32, i: u32) -> vec4f { return cached(k[((ring + s % RING) * K + head) * N + i]); }

/** Four dimensions of a position's value. */
fn val(ring: u32, s: u32, head: u32, i: u32) -> vec4f { return cached(v[((ring + s % RING) * K + head) * N + i]); }

/** Scores of a key under four rows, scaled and soft-capped. */
fn scored(sum: vec4f) -> vec4f {
  let x = sum * SCALE;
  if (SOFTCAP > 0.0) { return vec4f(capped(x.x), capped(x.y), capped(x.z), capped(x.w)); }
  return x;
}

/** What the rows may see of a key's scores. */
fn seen(score: vec4f, key: u32, since: vec4u, position: vec4u) -> vec4f {
  return select(vec4f(MASKED), score, (vec4u(key) >= since) & (vec4u(key) <= position));
}

/** a + p · v, where the row may see the key. Rows of one token see the same. */
fn mixed(a: vec4f, p: f32, v: vec4f) -> vec4f {
  if (A / K % 4 == 0) { return fma(vec4f(p), v, a); }
  return select(fma(vec4f(p), v, a), a, vec4<bool>(p < 0));
}

/** The same of four rows. */
fn mixed4(sums: mat4x4f, p: vec4f, v: vec4f) -> mat4x4f {
  return mat4x4f(mixed(sums[0], p.x, v), mixed(sums[1], p.y, v), mixed(sums[2], p.z, v), mixed(sums[3], p.w, v));
}

@compute @workgroup_size(LANES)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(subgroup_invocation_id) lane: u32,
) {
  let head = group.y;
  let row = group.x * 4;
  let G = A / K;
  let many = select(chunk.tokens * G - row, G - row % PADDED, PADDED != G);
  let own = min(4, many);
  let split = groups.z > 1;
  let position = vec4u(place_position(row, head), place_position(row + 1, head), place_position(row + 2, head), place_position(row + 3, head));
  let ring = first_slot(chunk.start + place(row, head).x, RING);
  let since = vec4u(oldest(position.x), oldest(position.y), oldest(position.z), oldest(position.w));
  let share = (position.w + 1 - since.x + groups.z - 1) / groups.z;
  let begin = since.x + group.z * share;
  let end = max(begin, min(begin + share, position.w + 1));
  // One load brings 4 · HELD dimensions of four rows.
  let mine = place(row + lane / HELD, head);
  let query = (mine.x * A + mine.y) * N + lane % HELD;

  var top = vec4f(MASKED);
  var sums = vec4f();
  var s = begin;
  loop {                                                           // once at least: of a part without keys, nothing is written too
    let many = min(KEYS, end - s);
    var best = top;
    for (var j = 0u; j < many; j += 2 * LANES) {
      let k0 = min(s + j + lane, end - 1);
      let k1 = min(k0 + LANES, end - 1);
      var e0 = vec4f();
      var e1 = vec4f();
      for (var n = 0u; n < N; n += HELD) {
        let held = q[query + min(n, N - 1 - lane % HELD)];
        let stop = min(HELD, N - n);
        for (var l = 0u; l < stop; l++) {
          let a = subgroupShuffle(held, l);
          let b = subgroupShuffle(held, l + HELD);
          let c = subgroupShuffle(held, l + 2 * HELD);
          let d = subgroupShuffle(held, l + 3 * HELD);
          let x0 = key(ring, k0, head, n + l);
          e0 += vec4f(dot(a, x0), dot(b, x0), dot(c, x0), dot(d, x0));
          let x1 = key(ring, k1, head, n + l);
          e1 += vec4f(dot(a, x1), dot(b, x1), dot(c, x1), dot(d, x1));
        }
      }
      e0 = scored(e0);
      e1 = scored(e1);
      weight[j + lane] = e0;
      weight[j + lane + LANES] = e1;
      best = max(best, max(seen(e0, k0, since, position), seen(e1, k1, since, position)));
    }
    best = subgroupMax(best);
    let fade = exp(top - best);
    top = best;
    var more = vec4f();                                            // over the keys of this lane
    for (var j = lane; j < many; j += LANES) {
      let key = vec4u(s + j);
      let visible = (key >= since) & (key <= position);
      let p = select(vec4f(), exp(weight[j] - top), visible);
      more += p;
      weight[j] = select(vec4f(-1), p, visible);
    }
    sums = fma(sums, fade, subgroupAdd(more));
    // Hidden keys weigh as in softmax.wgsl: nothing, unless all that is seen is −∞.
    let hidden = select(vec4f(), vec4f(keys_of(chunk.start + place(row, head).x, chunk.keys) - (position + 1 - since)), top == vec4f(MASKED));
    let scale = select(vec4f(1), 1.0 / (sums + hidden), s + many == end && !split);
    for (var first = 0u; first < N; first += LANES) {
      let i = first + lane;
      let quad = min(i, N - 1);
      var mix = mat4x4f();
      var j = 0u;
      // Eight keys written out have their loads on their way together: a long cache is not in the processor's own.
      for (; LANES == 8 && j + 8 <= many; j += 8) {
        let held = weight[j + lane];
        let at = s + j;
        mix = mixed4(mix, subgroupBroadcast(held, 0), val(ring, at, head, quad));
        mix = mixed4(mix, subgroupBroadcast(held, 1), val(ring, at + 1, head, quad));
        mix = mixed4(mix, subgroupBroadcast(held, 2), val(ring, at + 2, head, quad));
        mix = mixed4(mix, subgroupBroadcast(held, 3), val(ring, at + 3, head, quad));
        mix = mixed4(mix, subgroupBroadcast(held, 4), val(ring, at + 4, head, quad));
        mix = mixed4(mix, subgroupBroadcast(held, 5), val(ring, at + 5, head, quad));
        mix = mixed4(mix, subgroupBroadcast(held, 6), val(ring, at + 6, head, quad));
        mix = mixed4(mix, subgroupBroadcast(held, 7), val(ring, at + 7, head, quad));
      }
      for (; j < many; j += LANES) {
        let held = weight[j + lane];
        let stop = min(LANES, many - j);
        for (var l = 0u; l < stop; l++) { mix = mixed4(mix, subgroupShuffle(held, l), val(ring, s + j + l, head, quad)); }
      }
      for (var r = 0u; r < own; r++) {
        if (i >= N) { break; }
        let at = place(row + r, head);
        let to = ((group.z * chunk.tokens + at.x) * A + at.y) * (N + u32(split));
        var sum = select(select(mix[0], mix[1], r == 1), select(mix[2], mix[3], r == 3), r > 1);
        if (s > begin) { sum = fma(y[to + i], vec4f(fade[r]), sum); }
        y[to + i] = sum * scale[r];
        if (split && i == 0) { y[to + N] = vec4f(top[r], sums[r], f32(groups.z), 0); }
      }
    }
    s += KEYS;
    if (s >= end) { break; }
  }
}
