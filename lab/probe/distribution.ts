// Next-token distributions as logits have them, in float64.

/** The logarithm of the sum of exponentials, in float64, and where the largest is. */
export function logNorm(logits: Float32Array): { readonly log: number; readonly best: number } {
  let best = 0;
  for (let i = 1; i < logits.length; i++) if (logits[i] > logits[best]) best = i;
  const most = logits[best];
  let sum = 0;
  for (let i = 0; i < logits.length; i++) sum += Math.exp(logits[i] - most);
  return { log: most + Math.log(sum), best };
}

/** Kullback–Leibler divergence of q from p, in nats; not below 0, where sums of rounded terms may fall. */
export function divergence(p: Float32Array, normP: number, q: Float32Array, normQ: number): number {
  let sum = 0;
  for (let i = 0; i < p.length; i++) sum += Math.exp(p[i] - normP) * (p[i] - q[i]);
  return Math.max(0, sum - normP + normQ);
}
