// What a product with one vector is given: attn.mix from the parts that attend.wgsl made of the keys, as attend_join.wgsl has it. Every workgroup makes
// it for itself, which costs a GPU less than another dispatch does; the first leaves it to who reads it later. IN = A · D, D % 4 = 0.

override A: u32;
override WINDOW: u32 = 0;                                          // 0: none
override PARTS: u32;                                               // the most that there are

const MASKED: f32 = -3.4028234663852886e38;                        // the lowest f32: what scores.wgsl gives hidden keys

@group(0) @binding(1) var<storage, read> parts: array<vec4f>;      // [parts,A,D + 4]: sums; then maximum, total, parts
@group(0) @binding(5) var<storage, read_write> mix: array<vec4f>;  // [A,D]

var<workgroup> given: array<vec4f, IN / 4>;
var<workgroup> share: array<vec2f, A * PARTS>;                     // maximum and total of a head's parts; then what a part's sums are worth

/** Makes the inputs. @param first whether this workgroup is the one that leaves them to others */
fn prepare(first: bool, local: u32) {
  let n = IN / A / 4;
  let splits = u32(parts[n].z);
  for (var at = local; at < A * splits; at += WG) { share[at] = parts[(at % splits * A + at / splits) * (n + 1) + n].xy; }
  workgroupBarrier();
  // A lane a head: as few as there are, so that each weight is made once.
  for (var head = local; head < A; head += WG) {
    var best = MASKED;
    for (var s = 0u; s < splits; s++) { best = max(best, share[head * splits + s].x); }
    var total = 0.0;
    for (var s = 0u; s < splits; s++) {
      let part = share[head * splits + s];
      total = fma(part.y, exp(part.x - best), total);
    }
    // Hidden keys weigh as in softmax.wgsl: nothing, unless all that is seen is −∞.
    let seen = select(chunk.start + 1, min(chunk.start + 1, WINDOW), WINDOW > 0);
    let scale = 1.0 / (total + select(0.0, f32(chunk.keys - seen), best == MASKED));
    for (var s = 0u; s < splits; s++) { share[head * splits + s].y = exp(share[head * splits + s].x - best) * scale; }
  }
  workgroupBarrier();
  for (var i = local; i < IN / 4; i += WG) {
    let head = i / n;
    var sum = vec4f();
    for (var s = 0u; s < splits; s++) {
      sum = fma(parts[(s * A + head) * (n + 1) + i % n], vec4f(share[head * splits + s].y), sum);
    }
    given[i] = sum;
    if (first) { mix[i] = sum; }
  }
  workgroupBarrier();
}

/** Four inputs; none past the end. */
fn input(row: u32, i: u32) -> vec4f {
  if (IN % 128 == 0) { return given[i]; }
  return select(vec4f(), given[min(i, IN / 4 - 1)], vec4<bool>(i < IN / 4));
}
