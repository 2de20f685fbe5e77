// Where the results of a product go, of two matrices that lie in tiles together, eight rows of either: y = gelu(lower) × upper, as gelu_tanh.wgsl
// and mul.wgsl have it.

override COLS: u32;

@group(0) @binding(2) var<storage, read_write> y: array<f32>;      // [T,COLS]

/** Takes what a lane's two rows of a tile give for token t. */
fn put(t: u32, tile: u32, lane: u32, low: f32, high: f32) {
  let u = clamp(0.7978845608028654 * (low + 0.044715 * low * low * low), -40.0, 40.0);
  y[t * COLS + tile * LANES + lane] = low / (1.0 + exp(-2.0 * u)) * high;
}
