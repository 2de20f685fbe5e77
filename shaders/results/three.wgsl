// Where the results of a product go, of three matrices that lie one after the other: columns 0 … of y0, then of y1, then of y2.

override COLS0: u32;
override COLS1: u32;
override COLS2: u32;

@group(0) @binding(2) var<storage, read_write> y0: array<f32>;     // [T,COLS0]
@group(0) @binding(3) var<storage, read_write> y1: array<f32>;     // [T,COLS1]
@group(0) @binding(4) var<storage, read_write> y2: array<f32>;     // [T,COLS2]

fn one(t: u32, o: u32, v: f32) {
  if (o < COLS0) { y0[t * COLS0 + o] = v; }
  else if (o < COLS0 + COLS1) { y1[t * COLS1 + o - COLS0] = v; }
  else if (o < COLS0 + COLS1 + COLS2) { y2[t * COLS2 + o - COLS0 - COLS1] = v; }
}

/** Takes what a lane's two rows of a tile give for token t. */
fn put(t: u32, tile: u32, lane: u32, low: f32, high: f32) {
  one(t, tile * 2 * LANES + lane, low);
  one(t, tile * 2 * LANES + lane + LANES, high);
}
