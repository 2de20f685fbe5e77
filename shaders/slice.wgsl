// A tap: copies a box out of an activation, x [·,N1,N2] at (FROM0, FROM1, FROM2), to y [n0,n1,n2], so that only what was asked
// for leaves the GPU. Sizes come from a uniform because they change with T and S.

override WG: u32 = 64;

struct Box {
  size: vec4u,     // n0, n1, n2 of the box
  origin: vec4u,    // where it starts
  shape: vec4u,    // sizes of x; the first is not needed
}

@group(0) @binding(0) var<uniform> box: Box;
@group(0) @binding(1) var<storage, read> x: array<u32>;            // bits, so that NaN and its payload pass unchanged
@group(0) @binding(2) var<storage, read_write> y: array<u32>;

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) at: vec3u) {
  if (at.x >= box.size.z || at.y >= box.size.y || at.z >= box.size.x) { return; }
  let source = ((box.origin.x + at.z) * box.shape.y + box.origin.y + at.y) * box.shape.z + box.origin.z + at.x;
  y[(at.z * box.size.y + at.y) * box.size.z + at.x] = x[source];
}
