// f32, as it is.
// A turn: for each block of 32 columns and each four of them a texel of the row and one of the row eight below.

const TEXELS: u32 = 64;

struct Block { tile: u32, at: u32 }

fn block(tile: u32, at: u32, b: u32) -> Block { return Block(tile, at + 16 * b * LANES); }
fn raw_low(s: Block, j: u32) -> vec4f { return bitcast<vec4f>(texel(s.tile, s.at + 2 * j * LANES)); }
fn raw_high(s: Block, j: u32) -> vec4f { return bitcast<vec4f>(texel(s.tile, s.at + (2 * j + 1) * LANES)); }
fn scale(s: Block, j: u32) -> vec2f { return vec2f(1); }
fn powers(j: u32) -> vec4f { return vec4f(1); }
