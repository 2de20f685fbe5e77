// Keys and values in the cache as they are, f32.

alias Pair = vec2f;
alias Quad = vec4f;

fn kept2(x: vec2f) -> Pair { return x; }
fn kept4(x: vec4f) -> Quad { return x; }
fn cached(x: Quad) -> vec4f { return x; }
