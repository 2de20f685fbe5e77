// Where the results of a product go, of two matrices that lie in tiles together, eight rows of either: the lower eight to y0, the upper eight to y1.

override COLS: u32;

@group(0) @binding(2) var<storage, read_write> y0: array<f32>;     // [T,COLS]
@group(0) @binding(3) var<storage, read_write> y1: array<f32>;     // [T,COLS]

/** Takes what a lane's two rows of a tile give for token t. */
fn put(t: u32, tile: u32, lane: u32, low: f32, high: f32) {
  let at = t * COLS + tile * LANES + lane;
  y0[at] = low;
  y1[at] = high;
}
