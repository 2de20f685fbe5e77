// Where the results of a product go: its rows are columns COL0 … of y, COLS wide.

override COL0: u32 = 0;
override COLS: u32;

@group(0) @binding(2) var<storage, read_write> y: array<f32>;      // [T,COLS]

/** Takes what a lane's two rows of a tile give for token t. */
fn put(t: u32, tile: u32, lane: u32, low: f32, high: f32) {
  let o = tile * 2 * LANES + lane;
  let at = t * COLS + COL0 + o;
  if (o < OUT) { y[at] = low; }
  if (o + LANES < OUT) { y[at + LANES] = high; }
}
