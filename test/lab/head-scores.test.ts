// Scores of heads against NumPy's on transformers' attentions (golden/head_scores.py), and the way from a score to the head.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { OptionError, PromptError } from '../../engine/errors.js';
import { packageRoot } from '../../engine/files.js';
import '../../lab/index.js';
import { open } from '../../lab/session/open.js';
import type { Session } from '../../lab/session/session.js';
import { DISPLAY } from '../../lab/values/shown.js';

type Grid = (number | null)[][];
interface Case {
  readonly name: string;
  readonly ids: number[];
  readonly induction: Grid;
  readonly previous: Grid;
  readonly duplicate: Grid;
  readonly ablation: Grid;
}

let model: Session;
let before: number;
beforeAll(async () => {
  model = await open('atlas', { quiet: true });
  before = model.gpu.liveBytes;
});
afterAll(() => {
  expect(model.gpu.liveBytes).toBe(before);
  model[Symbol.dispose]();
});

const cases = JSON.parse(readFileSync(join(packageRoot(), 'golden/head_scores.json'), 'utf8')) as Case[];

test.each(cases)(
  'as NumPy has them of transformers’ attentions: $name',
  async ({ name: _, ids, ...grids }) => {
    const scores = await model.headScores({ prompt: ids });
    for (const [kind, grid] of Object.entries(grids) as [keyof typeof grids, Grid][]) {
      grid.forEach((row, layer) => {
        row.forEach((expected, head) => {
          const ours = scores[kind]![layer][head];
          if (expected === null) expect(ours).toBeNaN();
          else
            expect(Math.abs(ours - expected), `${kind} of ${layer}.${head}: ${ours}, ${expected}`).toBeLessThan(2e-5);
        });
      });
    }
  },
  60_000,
);

test('random tokens that come again, the same for the same seed, find the heads that copy', async () => {
  const scores = await model.headScores({ ablation: false });
  const { ids } = scores.run;
  expect(ids.length).toBe(1 + 4 * 10);
  expect(ids.slice(1, 11)).toEqual(ids.slice(11, 21));
  expect(new Set(ids).size).toBe(11);
  expect(model.labels(ids.slice(1)).some(text => /^</.test(text))).toBe(false);
  expect((await model.headScores({ ablation: false })).run.ids).toEqual(ids);
  const other = await model.headScores({ ablation: false, seed: 1, period: 7, times: 3 });
  expect(other.run.ids.length).toBe(22);
  for (const found of [scores, other]) expect(found.top('induction', 2).map(({ layer }) => layer)).toEqual([1, 1]);
  expect(scores.top().map(({ score }) => score)).toEqual(
    [...scores.induction.flat()].sort((a, b) => b - a).slice(0, 5),
  );
});

test('from a head to its pattern, in the picture and by a call', async () => {
  const scores = await model.headScores({ prompt: cases[0].ids });
  const [{ layer, head, score }] = scores.top('induction', 1);
  const { patterns } = scores.pattern(layer, head);
  const [{ pattern }] = patterns.layers;
  expect(pattern.dims[0]).toMatchObject({ name: 'head', from: head, size: 1 });
  expect(pattern.data).toEqual(scores.run.at(`layers.${layer}.attn.pattern`).slice({ head: [head, head + 1] }).data);
  const bundle = scores[DISPLAY]();
  const figure = bundle['application/vnd.plotly.v1+json']!;
  expect(figure.data.map(({ name, visible }) => [name, visible])).toEqual([
    ['induction', true],
    ['previous', false],
    ['duplicate', false],
    ['ablation', false],
  ]);
  expect((figure.data[0].z as number[][])[layer][head]).toBeCloseTo(score, 3);
  expect(figure.data[0].hovertemplate).toContain('scores.pattern(%{y}, %{x})');
  expect(bundle['image/svg+xml']).toContain(`scores.pattern(${layer}, ${head})`);
  expect(bundle['text/plain']).toContain(`1.  ${layer}.${head} ${(100 * score).toFixed(1)} %`);
  expect(Math.max(...bundle['text/plain'].split('\n').map(line => line.length))).toBeLessThanOrEqual(80);
  const once = (await model.headScores({ prompt: cases[3].ids, ablation: false }))[DISPLAY]();
  expect(once['text/plain']).toContain('induction and duplicate: no token of the prompt comes twice');
  expect(once['application/vnd.plotly.v1+json']!.data.map(({ name }) => name)).toEqual(['previous']);
});

test('what cannot be scored is said', async () => {
  const refused = async (options: object, kind: new (m: string) => Error, message: RegExp) => {
    const asked = model.headScores(options);
    await expect(asked).rejects.toThrow(message);
    await expect(asked).rejects.toBeInstanceOf(kind);
  };
  await refused({ prompt: [2] }, PromptError, /the prompt has one/);
  await refused({ prompt: 'a a', seed: 3 }, OptionError, /The option seed is of random tokens/);
  await refused({ ablation: 'no' }, OptionError, /ablation of headScores is true or false, not 'no'/);
  await refused({ period: 0 }, OptionError, /period is a whole number from 1, not 0/);
  await refused({ times: 1 }, OptionError, /times is a whole number from 2, not 1/);
  await refused({ period: 5000 }, OptionError, /tokens to draw from/);
  await refused({ heads: 1 }, OptionError, /no option 'heads'/);
  const scores = await model.headScores({ prompt: 'The capital of the capital', ablation: false });
  expect(() => scores.top('ablation')).toThrow(
    /There is no score 'ablation' here\. Take one of induction, previous, duplicate/,
  );
  expect(() => scores.top('x' as never)).toThrow(OptionError);
  expect(() => scores.pattern(6, 0)).toThrow(/layer 6 is outside/);
  expect(() => scores.pattern(0, 4)).toThrow(/head 4 is outside/);
});
