// A patch: puts a box x [n0,n1,n2] of given values into an activation y [·,N1,N2] at (origin), before the next stage reads it. The
// reverse of slice.wgsl. Sizes come from a uniform because they change with T and S. Where y is [A,T,S], a query keeps what stands at keys
// that it may not see: softmax reads later keys of the chunk, and a mask that a patch took off would let them in.

override WG: u32 = 64;

struct Box {
  size: vec4u,     // n0, n1, n2 of the box
  origin: vec4u,   // where it goes
  shape: vec4u,    // sizes of y; the first is not needed
  mask: vec4u,     // 1 where y is [A,T,S], position of its first query, window (0: none)
}

@group(0) @binding(0) var<uniform> box: Box;
@group(0) @binding(1) var<storage, read> x: array<f32>;
@group(0) @binding(2) var<storage, read_write> y: array<f32>;

@compute @workgroup_size(WG)
fn main(@builtin(global_invocation_id) at: vec3u) {
  if (at.x >= box.size.z || at.y >= box.size.y || at.z >= box.size.x) { return; }
  let query = box.mask.y + box.origin.y + at.y;
  let key = box.origin.z + at.x;
  if (box.mask.x == 1 && (key > query || (box.mask.z > 0 && key + box.mask.z <= query))) { return; }
  let place = ((box.origin.x + at.z) * box.shape.y + box.origin.y + at.y) * box.shape.z + box.origin.z + at.x;
  y[place] = x[(at.z * box.size.y + at.y) * box.size.z + at.x];
}
