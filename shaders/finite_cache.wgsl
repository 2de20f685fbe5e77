// As finite.wgsl, for a cache, as it is kept (caches/).

override WG: u32 = 64;

struct Part {
  size: u32,     // quads of x to look at
  slot: u32,     // where to write what was found
  mask: u32,     // 1: −∞ is a mask here and no fault
}

const EXPONENT: u32 = 0x7f800000u;
const MINUS_INFINITY: u32 = 0xff800000u;

@group(0) @binding(0) var<uniform> part: Part;
@group(0) @binding(1) var<storage, read> x: array<Quad>;
@group(0) @binding(2) var<storage, read_write> found: array<atomic<u32>>;    // [slots,2]: first index; 1 NaN, 2 +∞, 4 −∞

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) at: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var i = at.x; i < part.size; i += groups.x * WG) {
    let four = bitcast<vec4u>(cached(x[i]));
    for (var j = 0u; j < 4; j++) {
      let bits = four[j];
      if ((bits & EXPONENT) != EXPONENT) { continue; }
      atomicMin(&found[2u * part.slot], 4 * i + j);
      let infinite = select(2u, 4u, bits == MINUS_INFINITY);
      atomicOr(&found[2u * part.slot + 1u], select(1u, infinite, (bits & 0x7fffffffu) == EXPONENT));
    }
  }
}
