// Another engine that dumped one value or two: they bear no witness of rounding. What its file rounds is known, what it computes in can be told, and where it was not it is asked for.

import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { writeFileSync } from 'node:fs';
import { safetensorsParts, writeSafetensors } from '../../engine/weights/safetensors-write.js';
import type { Diff, DiffOptions } from '../../lab/diff/diff.js';
import { placeOf } from '../../lab/diff/row.js';
import { compare } from '../../lab/session/compare.js';
import { open } from '../../lab/session/open.js';
import type { Session } from '../../lab/session/session.js';
import { golden } from '../../lab/values/golden.js';
import { trace } from '../../lab/values/trace.js';
import { freshFolder } from '../fixtures/folder.js';
import { bf16, type OtherOptions, otherEngine, weightsOf } from '../fixtures/other-engine.js';

const folder = freshFolder();
const ids = [2, 300, 17, 18, 19, 40, 41, 42, 43, 77, 78, 79, 101, 102, 103, 104, 105, 300, 17, 18, 55, 56];
let model: Session;
let known: Awaited<ReturnType<typeof weightsOf>>;
let made = 0;
beforeAll(async () => {
  known = await weightsOf('golden/atlas');
  model = await open('atlas', { quiet: true, another: true });
});
afterAll(() => model[Symbol.dispose]());

const dumped = (options: OtherOptions, kept: RegExp) =>
  [...otherEngine(known.config, known.weights, ids, options)]
    .filter(([name]) => kept.test(name))
    .map(([name, { shape, data }]) => ({ name, shape, data: Float32Array.from(data) }));

/** What an engine with these options dumped, judged. */
async function judged(options: OtherOptions, kept: RegExp, how: DiffOptions = {}): Promise<Diff> {
  const path = join(folder, `${made++}.safetensors`);
  await writeSafetensors(path, dumped(options, kept), { ids: JSON.stringify(ids) });
  return model.diff(await trace(path), how);
}

const LOGITS = /^logits$/;
const TWO = /^(layers\.2\.resid|logits)$/;
const FEW = [LOGITS, TWO, /^layers\.5\.resid$/] as const;

test.each(FEW)(
  '%s of an engine that rounds: named, with what would explain it; noise once that is told',
  async kept => {
    const engines = [
      [{ round: 'bf16' }, 'BF16'],
      [{ weightSteps: 127 }, 'Q8_0'],
      [{ weightSteps: 7 }, 'Q4_0'],
    ] as const;
    for (const [options, rounds] of engines) {
      const alone = await judged(options, kept);
      expect(alone.first).toMatchObject({ verdict: 'source', mayRound: expect.any(String) });
      expect(String(alone)).toContain(`--rounds ${alone.first!.mayRound!.toLowerCase()}`);
      const diff = await judged(options, kept, { rounds });
      expect(diff.rows.map(row => [placeOf(row), row.verdict, row.mayRound])).toEqual(
        diff.rows.map(row => [placeOf(row), 'noise', undefined]),
      );
      // Told otherwise, it is none.
      expect((await judged(options, kept, { rounds: 'F32' })).first?.verdict).toBe('source');
    }
    expect((await judged({}, kept)).pass).toBe(true);
  },
);

test('a fault is one, whatever was told', async () => {
  for (const [options, rounds] of [
    [{ round: 'bf16' }, 'BF16'],
    [{ weightSteps: 127 }, 'Q8_0'],
  ] as const) {
    for (const fault of ['post-norm skipped', 'window ignored', '√H missing', 'KV slot off by one'] as const) {
      const diff = await judged({ ...options, fault }, LOGITS, { rounds });
      expect([fault, diff.first && placeOf(diff.first), diff.first?.verdict]).toEqual([
        ...[fault, 'from ids to logits', 'source'],
      ]);
    }
  }
  const diff = await judged({ round: 'bf16', fault: 'post-norm skipped' }, /./, { rounds: 'BF16' });
  expect(diff.first?.stage).toBe('layers.2.resid_mid');
  expect((await judged({ round: 'bf16' }, /./, { rounds: 'BF16' })).pass).toBe(true);
  // What is rounded to eight bits is no rounding of f16.
  expect((await judged({ weightSteps: 127 }, /./, { rounds: 'F16' })).first?.stage).toBe('embed');
});

test('values that are right to f32 and stored in 16 bits are right', async () => {
  const half = (dtype: 'BF16' | 'F16', name: string, kept: RegExp) => {
    const tensors = dumped({}, kept);
    const stored = tensors.map(({ name, shape, data }) => ({ name, shape, bytes: bytesOf(dtype, data) }));
    const path = join(folder, `${name}.safetensors`);
    let offset = 0;
    const header = Object.fromEntries(
      stored.map(({ name, shape, bytes }) => [
        name,
        { dtype, shape, data_offsets: [offset, (offset += bytes.length)] },
      ]),
    );
    const [length] = [...safetensorsParts([])];
    const json = Buffer.from(JSON.stringify({ __metadata__: { ids: JSON.stringify(ids) }, ...header }));
    Buffer.from(length.buffer, length.byteOffset, 8).writeBigUInt64LE(BigInt(json.length));
    writeFileSync(path, Buffer.concat([length, json, ...stored.map(({ bytes }) => bytes)]));
    return path;
  };
  for (const dtype of ['BF16', 'F16'] as const)
    for (const [i, kept] of [...FEW, /^layers\.2\.(mlp\.up|mlp\.act)$/].entries()) {
      const diff = await model.diff(await trace(half(dtype, `${dtype}${i}`, kept)));
      expect([dtype, kept, diff.rows.map(({ verdict }) => verdict)]).toEqual([
        ...[dtype, kept, diff.rows.map(() => 'noise')],
      ]);
    }
});

function bytesOf(dtype: 'BF16' | 'F16', data: Float32Array): Uint8Array {
  if (dtype === 'F16') {
    // Eleven bits are kept, of numbers that are neither too large nor too small for f16.
    const bits = Uint16Array.from(data, half);
    return new Uint8Array(bits.buffer);
  }
  const rounded = Float32Array.from(data, bf16);
  const words = new Uint16Array(rounded.buffer);
  return new Uint8Array(Uint16Array.from(rounded, (_, i) => words[2 * i + 1]).buffer);
}

/** The nearest half float. */
function half(value: number): number {
  const size = Math.abs(value);
  if (size < 2 ** -24) return 0;
  const exponent = Math.max(-14, Math.floor(Math.log2(size)));
  const steps = Math.round(size / 2 ** (exponent - 10));
  return (value < 0 ? 0x8000 : 0) + ((exponent + 14) << 10) + steps;
}

test('what is no format, and where rounding has nothing to say, is refused', async () => {
  await expect(judged({}, LOGITS, { rounds: 'q3' as 'F32' })).rejects.toThrow(
    "rounds is what another engine computes in, F32, F16, BF16, Q8_0, Q6_K, Q5_K, Q5_1, Q5_0, Q4_K, Q4_1, Q4_0, not 'q3'.",
  );
  await expect(model.diff(await golden('atlas/capital'), { rounds: 'BF16' })).rejects.toThrow(
    'rounds is what another engine computes in, and this is a golden of PyTorch in f32.',
  );
  const path = join(folder, 'a.safetensors');
  await writeSafetensors(path, dumped({}, LOGITS), { ids: JSON.stringify(ids) });
  await expect(compare(await trace(path), await trace(path), { rounds: 'BF16' })).rejects.toThrow(
    'Rounding is told of stages that are run alone, and no model is there to run them.',
  );
});
