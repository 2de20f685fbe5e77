// Logits that are no numbers: where they come from, in a sentence. The chunk that gave them is read once more with a check after every
// stage; only where its cache was not finite before is all of the sequence read again.

import { F16_LARGEST } from './cache-format.js';
import type { ReadChunk } from './forward.js';
import { BudgetError, NumberError } from './errors.js';
import { type Broken, filesForWeight, FiniteCheck } from './finite.js';
import type { Shaders } from './kernel.js';
import type { LoadedModel } from './loaded.js';
import { running } from './submits.js';

/** @param again reads a chunk with the check; the stages that are not finite, in the plan's order */
export async function notFinite(
  model: LoadedModel,
  shaders: Shaders,
  chunks: readonly ReadChunk[],
  again: (chunk: ReadChunk) => Promise<readonly Broken[]>,
): Promise<NumberError> {
  try {
    const last = chunks[chunks.length - 1];
    const broken = await again(last);
    let [first] = broken;
    /** Whether it came again when its chunk was read again. */
    let came = first !== undefined && !isOlder(first, last);
    if (broken.some(one => isOlder(one, last))) {
      const order = new Map(model.plan.stages.map(({ name }, i) => [name, i]));
      const found: Broken[] = [];
      for (const chunk of chunks) found.push(...(await again(chunk)).filter(one => !isOlder(one, chunk)));
      found.sort((a, b) => order.get(a.stage.name)! - order.get(b.stage.name)!);
      first = found[0] ?? first;
      came ||= found.length > 0;
    }
    if (!first)
      return new NumberError(`${SOME}, but none when the same was run again: an edited shader may race. ${CURE}`);
    return new NumberError(`${SOME}: ${await told(model, shaders, first, chunks, came)}`);
  } catch (error) {
    if (error instanceof BudgetError) return new NumberError(`${SOME}; there is no memory left to look for the stage.`);
    throw error;
  }
}

const SOME = 'The logits hold values that are no numbers (NaN or ±∞), so there is no next token';
const CURE = 'Tap the stage, or compare with PyTorch by diff.';

/** A cache of which an earlier chunk wrote the value. */
const isOlder = ({ stage, at }: Broken, { extent }: ReadChunk) => stage.state && at[0] < extent.keys - extent.tokens;

async function told(
  model: LoadedModel,
  shaders: Shaders,
  first: Broken,
  chunks: readonly ReadChunk[],
  came: boolean,
): Promise<string> {
  const { stage, at, kinds } = first;
  const names = stage.axes.map(({ name }) => (name === 'slot' ? 'token' : name));
  const place = at.map((n, i) => ({ text: `${names[i]} ${n}`, token: names[i] === 'token' ? 0 : 1 }));
  const where = place.sort((a, b) => a.token - b.token).map(({ text }) => text);
  const begins = `the first stage that holds ${kinds.join(' and ')} is '${stage.name}', at ${where.join(', ')}`;
  if (chunks.some(({ patches }) => patches.some(patch => patch.stage === stage))) {
    return `${begins}, which a patch of this run put there.`;
  }
  if (stage.state && model.cache === 'f16' && came) {
    return `${begins}. The cache keeps f16, which ends at ±${F16_LARGEST}, and what it was given goes beyond, or is no number. Open the model without { cache: 'f16' }, in a terminal --cache f16.`;
  }
  if (stage.state) return `${begins}, which was read before; the same, read again, is finite. Read the prompt anew.`;
  const weight = await brokenWeight(model, shaders, first);
  if (weight) return `${begins}, because its weight does: ${weight}. Fetch or convert the model again.`;
  const edited = shaders.edited.length > 0 ? `, or in the edited shaders (${shaders.edited.join(', ')})` : '';
  const inputs = stage.weight ? 'Its inputs and its weight are finite' : 'Its inputs are finite';
  return `${begins}. ${inputs}, so it begins in that stage's arithmetic${edited}. ${CURE}`;
}

/** Where the weight of a stage is no number, if it is anywhere. */
async function brokenWeight(model: LoadedModel, shaders: Shaders, { stage }: Broken): Promise<string | null> {
  if (!stage.weight) return null;
  const { name, shape } = stage.weight;
  const shards = model.shards(name);
  using check = new FiniteCheck(model.gpu, shaders, shards.length);
  const columns = shape[1] ?? 1;
  const passes = [];
  for (const shard of shards) passes.push(await check.bindWeight(shard, columns));
  const encoder = model.gpu.device.createCommandEncoder();
  const pass = encoder.beginComputePass();
  for (const encode of passes) encode(pass);
  pass.end();
  const files = new Set(shards.flatMap(filesForWeight));
  const edited = shaders.edited.filter(shader => files.has(shader));
  const what = running(`a check of the weight '${name}'`, edited);
  model.gpu.submit(what, [encoder.finish()], undefined, edited.length > 0);
  const found = await check.read();
  for (const [i, first] of found.entries()) {
    if (!first) continue;
    const row = shards[i].start + Math.floor(first.index / columns);
    const place = shape.length > 1 ? `[${row}, ${first.index % columns}]` : `[${row}]`;
    return `'${name}' holds ${first.kinds.join(' and ')} at ${place}`;
  }
  return null;
}
