// RoPE of every type and both generations of keys against transformers (golden/make_rope.py): the logits of atlas with that configuration.

import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { packageRoot } from '../../engine/files.js';
import { openSafetensors } from '../../engine/weights/safetensors.js';
import { compare } from '../../lab/diff/metrics.js';
import { open } from '../../lab/session/open.js';
import { freshFolder } from '../fixtures/folder.js';

interface Ran {
  readonly case: string;
  readonly config: object;
  readonly chunks: readonly number[];
}

const golden = await openSafetensors(join(packageRoot(), 'golden', 'rope.safetensors'));
const runs: Ran[] = JSON.parse(golden.metadata.get('logits')!);

describe('logits are those of transformers', () => {
  const folder = freshFolder();
  test.each(runs)('$case', async ({ case: name, config, chunks }) => {
    const at = join(folder, name);
    mkdirSync(at);
    writeFileSync(join(at, 'config.json'), JSON.stringify(config));
    copyFileSync(join(packageRoot(), 'golden', 'atlas', 'model.safetensors'), join(at, 'model.safetensors'));
    const tokens = chunks.reduce((a, b) => a + b);
    const ids = [...(await golden.readF32('ids'))].slice(0, tokens);
    using model = await open(at, { quiet: true });
    const run = await model.run(ids, { tap: 'logits', chunks });
    const theirs = await golden.readF32(`${name}/logits`);
    const { relL2 } = compare(run.at('logits').data, theirs, [theirs.length]);
    expect(relL2).toBeLessThan(1e-5);
  });
  test('and without its scaling each that is stretched is another model', async () => {
    const plain = await golden.readF32('plain/logits');
    for (const name of ['yarn', 'llama3', 'linear', 'longrope', 'dynamic', 'yarn-attention']) {
      expect(compare(await golden.readF32(`${name}/logits`), plain, [plain.length]).relL2, name).toBeGreaterThan(1e-3);
    }
  });
});
