// What is kept of logits [T,V]: how well the prompt was foreseen, and the largest of each token.

/** Mean surprisal of all tokens but the first, in bits; null of one alone. */
export function meanBits(logits: Float32Array, ids: readonly number[]): number | null {
  if (ids.length < 2) return null;
  const vocab = logits.length / ids.length;
  let nats = 0;
  for (let at = 1; at < ids.length; at++) {
    const row = logits.subarray((at - 1) * vocab, at * vocab);
    const most = row.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
    let sum = 0;
    for (let i = 0; i < vocab; i++) sum += Math.exp(row[i] - most);
    nats += most + Math.log(sum) - row[ids[at]];
  }
  return nats / (ids.length - 1) / Math.LN2;
}

/** The k largest of a row, the largest first, of equal ones the first: ids and logits. */
export function largest(row: Float32Array, k: number, ids: Int32Array, values: Float32Array): void {
  let many = 0;
  for (let id = 0; id < row.length; id++) {
    const value = row[id];
    if (many === k && !(value > values[k - 1])) continue;
    let at = many < k ? many++ : k - 1;
    for (; at > 0 && value > values[at - 1]; at--) {
      values[at] = values[at - 1];
      ids[at] = ids[at - 1];
    }
    values[at] = value;
    ids[at] = id;
  }
}
