// A check of a weight in tiles, as finite.wgsl checks values: the first place, row by row, that is NaN or ±∞, and which of the three there are.
// Assembled with a format (formats/) and a store (stores/). A lane looks at four columns at a time.

const LANES: u32 = 8;
override WG: u32 = 64;
override IN: u32;
override OUT: u32;
override SIDE: u32 = 2;   // 0, 1: only the lower or upper eight rows of a tile are this weight's; 2: all

struct Part {
  size: u32,
  slot: u32,     // where to write what was found
  mask: u32,
}

const EXPONENT: u32 = 0x7f800000u;
const MINUS_INFINITY: u32 = 0xff800000u;

@group(0) @binding(0) var<uniform> part: Part;
@group(0) @binding(2) var<storage, read_write> found: array<atomic<u32>>;    // [slots,2]: first index; 1 NaN, 2 +∞, 4 −∞

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) at: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let quads = IN / 4;
  for (var n = at.x; n < OUT * quads; n += groups.x * WG) {
    let row = n / quads;
    let i = n % quads;
    // Its row among those that the tiles hold.
    let r = select(row / LANES * 2 * LANES + SIDE * LANES + row % LANES, row, SIDE == 2);
    let s = block(r / (2 * LANES), (i / 32 * TEXELS) * LANES + r % LANES, i / 8 % 4);
    var values: vec4f;
    if (r % (2 * LANES) < LANES) { values = low(s, i % 8); } else { values = high(s, i % 8); }
    for (var c = 0u; c < 4; c++) {
      let bits = bitcast<u32>(values[c]);
      if ((bits & EXPONENT) != EXPONENT) { continue; }
      atomicMin(&found[2u * part.slot], row * IN + 4 * i + c);
      let infinite = select(2u, 4u, bits == MINUS_INFINITY);
      atomicOr(&found[2u * part.slot + 1u], select(1u, infinite, (bits & 0x7fffffffu) == EXPONENT));
    }
  }
}
