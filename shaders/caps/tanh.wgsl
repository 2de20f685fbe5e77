// How a score or a logit is held within a bound: SOFTCAP, which the shader that is assembled with this declares.

/** SOFTCAP · tanh(x / SOFTCAP). Of a small argument by its series: the error of tanh is one of 1 there, and the cap multiplies it. */
fn capped(x: f32) -> f32 {
  let u = clamp(x / SOFTCAP, -15.0, 15.0);                          // tanh of a large number is NaN on some GPUs
  let q = u * u;
  let series = u * fma(q, fma(q, fma(q, fma(q, 62.0 / 2835.0, -17.0 / 315.0), 2.0 / 15.0), -1.0 / 3.0), 1.0);
  let nan = (bitcast<u32>(x) & 0x7fffffffu) > 0x7f800000u;          // clamp would make a number of it
  return select(SOFTCAP * select(tanh(u), series, q < 0.0625), x, nan);
}
