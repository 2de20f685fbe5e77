// Where the results of a product go, of a matrix that lies in tiles with another, eight rows of either: this one's are the upper eight.

override COLS: u32;

@group(0) @binding(2) var<storage, read_write> y: array<f32>;      // [T,COLS]

/** Takes what a lane's two rows of a tile give for token t. */
fn put(t: u32, tile: u32, lane: u32, low: f32, high: f32) { y[t * COLS + tile * LANES + lane] = high; }
