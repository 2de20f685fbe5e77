// Sessions of one model: brought back, opened beside each other, closed. What is refused leaves them what they were, and none holds memory that nobody sees.

import { readFileSync, renameSync, utimesSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterEach, expect, test, vi } from 'vitest';
import { ModelFileError } from '../../engine/errors.js';
import { open, report } from '../../lab/index.js';
import { DISPLAY, INSPECT } from '../../lab/values/shown.js';
import { atlasWith } from '../fixtures/atlas-weights.js';
import { freshFolder } from '../fixtures/folder.js';

afterEach(() => void vi.restoreAllMocks());
const PROMPT = [2, 300, 301, 17];
const first = async (model: Awaited<ReturnType<typeof open>>) => [...(await model.run(PROMPT)).logits.values.data];

/** What may be wrong with the files of a session that is brought back. */
const CHANGES: Readonly<Record<string, (folder: string) => void>> = {
  'weights that were written since': folder => utimesSync(join(folder, 'model.safetensors'), 2e9, 2e9),
  'a folder that is gone': folder => renameSync(folder, `${folder}-gone`),
  ...Object.fromEntries(
    Object.entries({ sliding_window: 4, rms_norm_eps: 0.1, final_logit_softcapping: 1, eos_token_id: 7 }).map(
      ([key, value]) => [
        `another ${key}`,
        (folder: string) => {
          const path = join(folder, 'config.json');
          writeFileSync(path, JSON.stringify({ ...JSON.parse(readFileSync(path, 'utf8')), [key]: value }));
        },
      ],
    ),
  ),
};

test.each(Object.entries(CHANGES))('reopen refuses %s, and the session is what it was', async (what, change) => {
  const folder = atlasWith(freshFolder(), {});
  using model = await open(folder, { quiet: true });
  const before = await first(model);
  const { liveBytes } = model.gpu;
  change(folder);
  await expect(model.reopen()).rejects.toThrow(ModelFileError);
  if (what.startsWith('another')) {
    await expect(model.reopen()).rejects.toThrow(
      `${folder} is not what it was when it was opened: its configuration says something else since. What runs is what it was. Open it again.`,
    );
  }
  expect(await first(model)).toEqual(before);
  expect(model.gpu.liveBytes).toBe(liveBytes);
});

test('what is opened beside is closed by no later opening, and from the third on is told', async () => {
  const folder = atlasWith(freshFolder(), {});
  const said = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
  const told = () => said.mock.calls.map(([text]) => String(text)).filter(text => text.includes('another'));
  // Two cells of a notebook, run three times.
  const [models, others]: Awaited<ReturnType<typeof open>>[][] = [[], []];
  for (let i = 0; i < 3; i++) {
    models.push(await open(folder));
    others.push(await open(folder, { another: true }));
  }
  expect(models.map(({ disposed }) => disposed)).toEqual([true, true, false]);
  expect(others.map(({ disposed }) => disposed)).toEqual([false, false, false]);
  expect(told().map(text => text.slice(0, 22))).toEqual(['loupe: 3 sessions with']);
  const live = models[2].gpu.liveBytes;
  others.shift()![Symbol.dispose]();
  expect(models[2].gpu.liveBytes).toBeLessThan(live);
  using _third = await open(folder, { another: true });
  expect(told().at(-1)).toMatch(
    /^loupe: 3 sessions with '.*' that were opened with \{ another: true \} are open; the GPU holds [\d.]+ MB\. /,
  );
  for (const one of [models[2], ...others]) one[Symbol.dispose]();
});

test('one that is closed twice takes none of the others from the count', async () => {
  const folder = atlasWith(freshFolder(), {});
  const said = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
  const beside = () => open(folder, { another: true });
  const closed = await beside();
  closed[Symbol.dispose]();
  using _one = await beside();
  closed[Symbol.dispose]();
  using _two = await beside();
  using _three = await beside();
  const told = said.mock.calls.map(([text]) => String(text)).filter(text => text.includes('another'));
  expect(told.map(text => text.slice(0, 22))).toEqual(['loupe: 3 sessions with']);
});

test('one that was opened beside and is closed is kept by nobody', async () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const folder = atlasWith(freshFolder(), {});
  const closed = await (async () => {
    using one = await open(folder, { another: true, quiet: true });
    return new WeakRef(one);
  })();
  await vi.waitFor(() => {
    collect();
    expect(closed.deref() === undefined).toBe(true); // an error about the session would hold it
  });
});

test('one that is closed is shown as that, wherever it is shown', async () => {
  const folder = freshFolder();
  const model = await open(atlasWith(folder, {}), { quiet: true });
  const { name } = model;
  const generation = model.generate(PROMPT, { maxTokens: 9 });
  await generation.next();
  model[Symbol.dispose]();
  const closed = `${name}, closed`;
  expect([model[INSPECT](), `${model}`, model[DISPLAY]()['text/plain']]).toEqual([closed, closed, closed]);
  const page = join(folder, 'page.html');
  await report(page, model);
  expect(readFileSync(page, 'utf8')).toContain(closed);
  const sentence = `This session with '${name}' was closed. Open the model again: open('${folder}').`;
  await expect(generation.next()).rejects.toThrow(new ModelFileError(sentence));
  for (const call of [() => model.stage('embed'), () => model.picture()])
    expect(call).toThrow(new ModelFileError(sentence));
});

const TURNED = (wgsl: string) => wgsl.replace('a * turn.x - b', 'a * turn.x + b');

test('reopen where the device lives ends nothing that runs', async () => {
  using model = await open(atlasWith(freshFolder(), {}), { quiet: true });
  const text = async (model: Awaited<ReturnType<typeof open>>, during = async () => {}) => {
    const ids: number[] = [];
    for await (const { id } of model.generate(PROMPT, { maxTokens: 30 })) {
      ids.push(id);
      if (ids.length === 2) await during();
    }
    return ids;
  };
  const [before, ids, loaded] = [await first(model), await text(model), model.model];
  expect(await text(model, () => model.reopen())).toEqual(ids);
  const [, scores, tokens, , run] = await Promise.all([
    model.reopen(),
    model.headScores(),
    text(model),
    model.reopen(),
    first(model),
  ]);
  expect([tokens, run, model.model]).toEqual([ids, before, loaded]);
  expect(scores.run.logits.values.data.every(Number.isFinite)).toBe(true);
});

test.each([false, true])(
  'an edit that is asked for while the model is brought back is what it says (lost: %s)',
  async lost => {
    using model = await open(atlasWith(freshFolder(), {}), { quiet: true });
    const plain = await first(model);
    await model.edit('rope', TURNED);
    const turned = await first(model);
    const whole = async (asked: (() => Promise<unknown>)[]) => {
      if (lost) {
        model.gpu.device.destroy();
        await model.gpu.device.lost;
      }
      return (await Promise.allSettled(asked.map(ask => ask()))).map(({ status }) => status);
    };
    const back = () => model.reopen();
    const [edit, undo] = [() => model.edit('rope', TURNED), () => model.edit('rope', null)];
    for (const [asked, without] of [
      [[back, undo], 1],
      [[edit, back], 0],
      [[undo, back], 0],
      [[back, edit], 1],
    ] as const) {
      const editedBefore = model.shader('rope').includes('turn.x + b');
      const taken = (await whole([...asked]))[without] === 'fulfilled';
      const wanted = taken ? asked[without] === edit : editedBefore;
      expect(taken).toBe(!lost); // a lost device takes none, and says so
      expect(model.provenance().edited_shaders).toBe(wanted ? 'rope' : '');
      expect(await first(model)).toEqual(wanted ? turned : plain);
    }
  },
);

test('an edit that waits for a lost model is taken after those from before, or refused', async () => {
  using model = await open(atlasWith(freshFolder(), {}), { quiet: true });
  const plain = await first(model);
  await model.edit('mul', wgsl => `${wgsl}\n`);
  await model.edit('rope', TURNED);
  const turned = await first(model);
  model.gpu.device.destroy();
  await model.gpu.device.lost;
  const back = model.reopen();
  const undone: boolean[] = [];
  for (let open = true; open; await new Promise(setImmediate)) {
    back.finally(() => (open = false)).catch(() => {});
    undone.push(
      await model.edit('rope', null).then(
        () => true,
        () => false,
      ),
    );
  }
  await back;
  expect(await first(model)).toEqual(undone.includes(true) ? plain : turned);
  expect(model.provenance().edited_shaders).toBe(undone.includes(true) ? 'mul' : 'rope,mul');
});

test('a device that is lost while reopen looks at the files is replaced by the same call', async () => {
  using model = await open(atlasWith(freshFolder(), {}), { quiet: true });
  const before = await first(model);
  const back = model.reopen();
  model.gpu.device.destroy();
  await model.gpu.device.lost;
  await back;
  expect(await first(model)).toEqual(before);
});

test('a model that was opened by a relative path is brought back from another folder, and said by it', async () => {
  const [folder, before] = [atlasWith(freshFolder(), {}), process.cwd()];
  process.chdir(dirname(folder));
  const model = await open(basename(folder), { quiet: true });
  const numbers = await first(model);
  try {
    process.chdir(freshFolder());
    model.gpu.device.destroy();
    await model.gpu.device.lost;
    await model.reopen();
    expect(await first(model)).toEqual(numbers);
    using again = await open(folder, { quiet: true });
    expect([model.disposed, again.disposed]).toEqual([true, false]);
  } finally {
    process.chdir(before);
  }
  using whole = await open(folder, { quiet: true });
  whole[Symbol.dispose]();
  await expect(whole.run(PROMPT)).rejects.toThrow(`Open the model again: open('${folder}').`);
});

test('what was lost with its device, and whose files were written since, is not said to run', async () => {
  const folder = atlasWith(freshFolder(), {});
  using model = await open(folder, { quiet: true });
  utimesSync(join(folder, 'model.safetensors'), 2e9, 2e9);
  model.gpu.device.destroy();
  await model.gpu.device.lost;
  await expect(model.reopen()).rejects.toThrow(
    `${folder} is not what it was when it was opened: it was written since. What ran went with its device. Open it again.`,
  );
});
