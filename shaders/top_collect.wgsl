// The largest logits, third step: all that reach the threshold, in any order, as far as there is room; and, where a temperature is given, what the others
// weigh together, by lanes, where the largest weighs 1. Of the last rows, as many as the grid is high.

override N: u32;                                                   // V
override ROOM: u32;

struct Chunk {
  tokens: u32,     // T: tokens in this chunk
  start: u32,      // position of the first of them
  keys: u32,       // S: start + tokens, keys that exist now
  first_row: u32,  // first token whose logits are wanted
}

struct Wanted {
  many: u32,         // k
  temperature: f32,  // 0: weights are not asked for
}

struct State {
  count: atomic<u32>,
  threshold: u32,
  largest: u32,
}

@group(0) @binding(0) var<uniform> chunk: Chunk;
@group(0) @binding(1) var<uniform> wanted: Wanted;
@group(0) @binding(2) var<storage, read> x: array<u32>;            // [T − first_row,N], bits of f32
@group(0) @binding(3) var<storage, read> maxima: array<u32>;       // [rows,lanes]
@group(0) @binding(4) var<storage, read_write> state: array<State>;  // [rows]
@group(0) @binding(5) var<storage, read_write> candidates: array<vec2u>; // [rows,ROOM]: as ordered() has it, place
@group(0) @binding(6) var<storage, read_write> sums: array<f32>;   // [rows,lanes]

const NONE: u32 = 0xffffffffu;
const EXPONENT: u32 = 0x7f800000u;                                 // all ones: no number
const SIGN: u32 = 0x80000000u;

/** Bits that are in order as integers: above 0 for every number, NONE for what is none. −0 is 0. */
fn ordered(bits: u32) -> u32 {
  if ((bits & EXPONENT) == EXPONENT) { return NONE; }
  return select(bits | SIGN, ~bits, bits > SIGN);
}

/** What ordered() made of a number. */
fn number(key: u32) -> f32 { return bitcast<f32>(select(~key, key ^ SIGN, key >= SIGN)); }

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let row = (chunk.tokens - chunk.first_row - groups.y + group.y) * N;
  let lane = group.y * groups.x * 64 + id.x;
  let weighed = wanted.temperature > 0;
  let top = number(state[group.y].largest);
  let threshold = state[group.y].threshold;
  var sum = 0.0;
  if (weighed || maxima[lane] >= threshold) {
    for (var i = id.x; i < N; i += groups.x * 64) {
      let bits = x[row + i];
      let key = ordered(bits);
      if (key >= threshold) {
        let at = atomicAdd(&state[group.y].count, 1u);
        if (at < ROOM) { candidates[group.y * ROOM + at] = vec2u(key, i); }
      } else if (weighed) {
        sum += exp(-min((top - bitcast<f32>(bits)) / wanted.temperature, 100.0));
      }
    }
  }
  sums[lane] = sum;
}
