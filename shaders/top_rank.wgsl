// The largest logits, last step: every candidate counts those that come before it, the larger ones and of equal ones those of lower places, and the
// first k go where they belong. What the others weigh is added to what top_collect.wgsl left out. Of as many rows as the grid is high.

override ROOM: u32;
override GROUPS: u32;                                              // workgroups: 64 · GROUPS lanes, each with one candidate and one sum

struct Wanted {
  many: u32,         // k
  temperature: f32,  // 0: weights are not asked for
}

struct State {
  count: u32,
  threshold: u32,
  largest: u32,
}

@group(0) @binding(0) var<uniform> wanted: Wanted;
@group(0) @binding(1) var<storage, read> state: array<State>; // [rows]
@group(0) @binding(2) var<storage, read> candidates: array<vec2u>; // [rows,ROOM]: as ordered() has it, place
@group(0) @binding(3) var<storage, read> sums: array<f32>;         // [rows,64 · GROUPS]
@group(0) @binding(4) var<storage, read_write> found: array<u32>;  // of each row: candidates, largest; GROUPS sums; k pairs of bits of f32 and place

const SIGN: u32 = 0x80000000u;
var<workgroup> part: array<f32, 64>;

/** What ordered() made of a number. */
fn number(key: u32) -> f32 { return bitcast<f32>(select(~key, key ^ SIGN, key >= SIGN)); }

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(workgroup_id) group: vec3u,
        @builtin(local_invocation_index) lane: u32) {
  let of_row = state[group.y];
  let count = min(of_row.count, ROOM);
  let first = group.y * ROOM;
  let to = group.y * (2 + GROUPS + 2 * wanted.many);
  var rest = sums[group.y * 64 * GROUPS + id.x];
  if (id.x < count) {
    let mine = candidates[first + id.x];
    var rank = 0u;
    for (var i = 0u; i < count; i++) {
      let other = candidates[first + i];
      rank += select(0u, 1u, other.x > mine.x || (other.x == mine.x && other.y < mine.y));
    }
    if (rank < wanted.many) {
      found[to + 2 + GROUPS + 2 * rank] = bitcast<u32>(number(mine.x));
      found[to + 3 + GROUPS + 2 * rank] = mine.y;
    } else if (wanted.temperature > 0) {
      rest += exp(-min((number(of_row.largest) - number(mine.x)) / wanted.temperature, 100.0));
    }
  }
  part[lane] = rest;
  workgroupBarrier();
  if (lane == 0) {
    var sum = 0.0;
    for (var i = 0u; i < 64; i++) { sum += part[i]; }
    found[to + 2 + group.x] = bitcast<u32>(sum);
  }
  if (id.x == 0) {
    found[to] = of_row.count;
    found[to + 1] = of_row.largest;
  }
}
