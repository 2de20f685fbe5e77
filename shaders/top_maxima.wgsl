// The largest logits, first step: every lane finds the largest in its share of a row, one in so many, so that neighbours are in different
// shares. Of the last rows, as many as the grid is high. At least as many logits as shares reach what the k-th of these reaches. NaN and ±∞ come before all, told by their bits.

override N: u32;                                                   // V

struct Chunk {
  tokens: u32,     // T: tokens in this chunk
  start: u32,      // position of the first of them
  keys: u32,       // S: start + tokens, keys that exist now
  first_row: u32,  // first token whose logits are wanted
}

@group(0) @binding(0) var<uniform> chunk: Chunk;
@group(0) @binding(1) var<storage, read> x: array<u32>;            // [T − first_row,N], bits of f32
@group(0) @binding(2) var<storage, read_write> maxima: array<u32>; // [rows,lanes], as ordered() has them

const NONE: u32 = 0xffffffffu;
const EXPONENT: u32 = 0x7f800000u;                                 // all ones: no number
const SIGN: u32 = 0x80000000u;

/** Bits that are in order as integers: above 0 for every number, NONE for what is none. −0 is 0. */
fn ordered(bits: u32) -> u32 {
  if ((bits & EXPONENT) == EXPONENT) { return NONE; }
  return select(bits | SIGN, ~bits, bits > SIGN);
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let row = (chunk.tokens - chunk.first_row - groups.y + group.y) * N;
  var top = 0u;                                                    // below every number: of an empty share
  for (var i = id.x; i < N; i += groups.x * 64) { top = max(top, ordered(x[row + i])); }
  maxima[group.y * groups.x * 64 + id.x] = top;
}
