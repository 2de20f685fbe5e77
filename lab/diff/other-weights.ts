// Whether a golden can be of a model's weights. A file's bytes do not say it: the same values are stored in many ways. What the golden holds does: of every
// stage with a weight it has what went in and what came out, so a few rows of the weight, as the file has them, are multiplied on the CPU, which no
// shader takes part in. Asked where a diff fails: else there is nothing to explain.

import type { GemmaConfig } from '../../engine/config.js';
import type { Stage } from '../../engine/plan.js';
import type { WeightSource } from '../../engine/weights/source.js';
import type { Golden } from '../values/golden.js';

/** Relative to the terms of a sum. The rounding of sums, PyTorch's and ours, is below 1e-6. */
const SAME = 2e-5;
/** What rounding of weights to BF16 explains, of the file's or of the golden's: half of 2⁻⁸ for each. */
const ROUNDED = 4e-3;
/** What no quantisation explains: Q2_K changes a product by a third. */
const QUANTISED = 0.8;
const PLAIN = new Set(['F32', 'F16', 'BF16']);
/** Rows of a matrix that are looked at. */
const ROWS = 4;

interface Look {
  readonly stage: string;
  readonly format: string;
  /** How far what the weight makes is from what the golden has. */
  readonly error: number;
}

/** A sentence where the golden was made from other weights, or where that cannot be told; null where they are these, or nothing can be said. */
export async function otherWeights(
  { stages }: { readonly stages: readonly Stage[] },
  config: Pick<GemmaConfig, 'vocab'>,
  weights: WeightSource,
  golden: Golden,
): Promise<string | null> {
  const { provenance } = golden;
  // A trace of edited or patched stages, or one that rounded on its way, is what it is.
  if (['edited_shaders', 'patched', 'activations', 'refused_edits'].some(key => provenance.get(key))) return null;
  const looks: Look[] = [];
  for (const stage of stages) if (stage.weight) looks.push(await look(stage, weights, golden, config.vocab));
  const others = looks.filter(({ format, error }) => error > (PLAIN.has(format) ? ROUNDED : QUANTISED));
  const model = provenance.get('model');
  const named = model ? ` It says it is of '${model}'.` : '';
  if (others.length > 0) {
    const [first] = others;
    return others.length === 1
      ? `The golden has at '${first.stage}' what this model's weight does not make of the golden's own input, on the CPU either: it was made from another weight there, or changed since.${named}`
      : `The golden was made from other weights, or changed since: of the ${looks.length} that this model has, ${others.length} do not make of the golden's own inputs what it has, on the CPU either, the first at '${first.stage}'.${named}`;
  }
  const rounded = looks.filter(({ error }) => error > SAME);
  if (rounded.length === 0) return null;
  const formats = [...new Set(rounded.map(({ format }) => format))].join(', ');
  return `The golden was not made from these very weights: ${rounded.length} of ${looks.length} (${formats}) give other values, no farther than rounding or quantising explains, so that it cannot be told whether it is of the same model.${named} Make one from this model's files with golden/make_golden.py.`;
}

/** What a model, or a trace of one, says of the weights. */
interface Said {
  /** What it is called in a sentence. */
  readonly name: string;
  /** As `ModelFiles.fingerprint`; undefined where it says none. */
  readonly fingerprint: string | undefined;
}

/** A sentence where two name different weights, the first what the others are held against; null where they are the same, or do not say. */
export function otherFingerprints([here, ...others]: readonly Said[]): string | null {
  const known = others.filter(({ fingerprint }) => fingerprint && here.fingerprint && fingerprint !== here.fingerprint);
  if (known.length === 0) return null;
  const short = (text: string | undefined) => text?.slice(0, 8);
  const [{ name, fingerprint }] = known;
  const all = known.length > 1 && known.every(one => one.fingerprint === fingerprint);
  const who = all ? `${known.map(one => one.name).join(' and ')} were` : `${name} was`;
  return `${who} made of other weights than ${here.name}: fingerprint ${short(fingerprint)}, and there ${short(here.fingerprint)}.`;
}

async function look(stage: Stage, weights: WeightSource, golden: Golden, vocab: number): Promise<Look> {
  const { name, operation } = stage;
  const weight = stage.weight!;
  const { format } = weights.entries.get(weight.name)!;
  const found = await golden.read(name);
  const error =
    operation.kind === 'embed'
      ? await ofEmbedding(operation.scale)
      : await ofRow(await golden.read(stage.inputs[0].name));
  return { stage: name, format, error };

  /** Of the first tokens: their rows themselves. */
  async function ofEmbedding(scale: number): Promise<number> {
    const hidden = weight.shape[1];
    let worst = 0;
    for (const [at, id] of golden.ids.slice(0, ROWS).entries()) {
      if (id >= vocab) continue;
      const row = await weights.readRows(weight.name, id, 1);
      let [off, all] = [0, 0];
      for (let i = 0; i < hidden; i++) {
        const value = row[i] * scale;
        off += (value - found[at * hidden + i]) ** 2;
        all += value ** 2;
      }
      worst = Math.max(worst, ratio(off, all));
    }
    return worst;
  }

  /** Of the last token. */
  async function ofRow(input: Float32Array): Promise<number> {
    const width = weight.shape.at(-1)!;
    const x = input.subarray(input.length - width);
    if (operation.kind === 'rmsNorm') {
      const gain = await weights.readRows(weight.name, 0, width);
      const y = found.subarray(found.length - width);
      const size = Math.sqrt(x.reduce((sum, v) => sum + v * v, 0) / width + operation.eps);
      let [off, all] = [0, 0];
      for (let i = 0; i < width; i++) {
        off += ((x[i] / size) * gain[i] - y[i]) ** 2;
        all += ((x[i] / size) * gain[i]) ** 2;
      }
      return ratio(off, all);
    }
    const [high] = weight.shape;
    const y = found.subarray(found.length - high);
    const softcap = operation.kind === 'head' ? operation.softcap : null;
    let [off, all] = [0, 0];
    for (let i = 0; i < ROWS; i++) {
      const at = Math.floor(((high - 1) * i) / (ROWS - 1));
      const row = await weights.readRows(weight.name, at, 1);
      let [sum, terms] = [0, 0];
      for (let j = 0; j < width; j++) {
        sum += row[j] * x[j];
        terms += (row[j] * x[j]) ** 2;
      }
      off += ((softcap === null ? sum : softcap * Math.tanh(sum / softcap)) - y[at]) ** 2;
      all += terms;
    }
    return ratio(off, all);
  }
}

/** 0 where numbers are none, or nothing was multiplied: that says nothing of weights. */
function ratio(off: number, all: number): number {
  const error = Math.sqrt(off / all);
  return Number.isFinite(error) ? error : 0;
}
