// What four columns of a block are worth, 4j … 4j + 3, of a lane's row and of the row eight below: the numbers of the format (formats/), raw_low and raw_high, times their scale and the
// powers of two that make up for where they lie. To the bit what the CPU dequantises: all of these products are exact in f32.

fn low(s: Block, j: u32) -> vec4f { return raw_low(s, j) * (scale(s, j).x * powers(j)); }
fn high(s: Block, j: u32) -> vec4f { return raw_high(s, j) * (scale(s, j).y * powers(j)); }
