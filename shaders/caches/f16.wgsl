// Keys and values in the cache in f16, two a word. What f16 does not reach, beyond ±65504, and what is no number, becomes NaN, which passes through attention
// to the logits and is told there: ±∞ could hide, as a key that nobody looks at.

alias Pair = u32;
alias Quad = vec2u;

const LARGEST: vec2u = vec2u(0x477fe000u);                          // 65504, bits of f32

fn kept2(x: vec2f) -> Pair {
  let beyond = (bitcast<vec2u>(x) & vec2u(0x7fffffffu)) > LARGEST;
  let halves = pack2x16float(select(x, vec2f(), beyond));
  return halves | select(0u, 0x7e00u, beyond.x) | select(0u, 0x7e000000u, beyond.y);
}

fn kept4(x: vec4f) -> Quad { return vec2u(kept2(x.xy), kept2(x.zw)); }
fn cached(x: Quad) -> vec4f { return vec4f(unpack2x16float(x.x), unpack2x16float(x.y)); }
