// The score of the judge: every planted bug named with its place, and no alarm of right models. `npx vitest run test/lab/score.test.ts` prints it.

import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { lavapipeThere } from '../fixtures/adapters.js';
import { freshFolder } from '../fixtures/folder.js';
import { oracleModels } from '../fixtures/oracle-models.js';
import { BUGS, type Bug } from '../fixtures/planted-bugs.js';
import type { Diff } from '../../lab/diff/diff.js';
import { locationText } from '../../lab/diff/locate.js';
import { open } from '../../lab/session/open.js';
import type { Session } from '../../lab/session/session.js';
import { golden } from '../../lab/values/golden.js';

const folder = freshFolder();
const right = new Map((await oracleModels(join(folder, 'right'))).map(model => [model.name, model]));
const sessions = new Map<string, Session>();
afterAll(() => {
  for (const session of sessions.values()) session[Symbol.dispose]();
});

const pathOf = (model: string) => right.get(model)?.folder ?? model;
const goldenOf = (model: string) => golden(right.get(model)?.golden ?? 'atlas/capital');

async function session(model: string): Promise<Session> {
  if (!sessions.has(model)) sessions.set(model, await open(pathOf(model), { quiet: true }));
  return sessions.get(model)!;
}

async function diffOf({ model, chunks, edit, config, weights }: Bug, made: number): Promise<Diff> {
  const g = await goldenOf(model);
  const asked = chunks ? { ...g, chunks } : g;
  if (edit) {
    const [shader, from, to] = edit;
    const edited = await session(model);
    await edited.edit(shader, wgsl => wgsl.replace(from, to));
    try {
      return await edited.diff(asked);
    } finally {
      await edited.edit(shader, null);
    }
  }
  const wrong = await oracleModels(join(folder, String(made)), (name, c, w) => {
    if (name !== model) return;
    config?.(c);
    weights?.(w);
  });
  using other = await open(wrong.find(({ name }) => name === model)!.folder, { quiet: true });
  return await other.diff(asked);
}

const named: string[] = [];
for (const [i, bug] of BUGS.entries()) {
  test(`planted (${bug.kind}): ${bug.what}`, async () => {
    const { first } = await diffOf(bug, i);
    expect(first?.stage).toBe(bug.first);
    expect(locationText(first!.where)).toMatch(bug.where);
    named.push(bug.what);
  });
}

test('the score', () => {
  process.stderr.write(`Planted bugs named, with their place: ${named.length} of ${BUGS.length}\n`);
  expect(named.length).toBe(BUGS.length);
  expect(BUGS.length).toBeGreaterThanOrEqual(28);
  expect(new Set(BUGS.map(({ kind }) => kind))).toEqual(new Set(['shader', 'plan', 'weights', 'cache']));
});

// Three families in odd shapes and atlas, each read whole, a token at a time and in chunks of 2, 3 and 5.
const schedules: Readonly<Record<string, (tokens: number) => number[]>> = {
  whole: tokens => [tokens],
  'one by one': tokens => Array.from({ length: tokens }, () => 1),
  'in 2, 3 and 5': tokens => {
    const chunks: number[] = [];
    for (let left = tokens, i = 0; left > 0; left -= chunks.at(-1)!, i++) chunks.push(Math.min(left, [2, 3, 5][i % 3]));
    return chunks;
  },
};

for (const adapter of ['swiftshader', 'lavapipe']) {
  test.skipIf(adapter === 'lavapipe' && !(await lavapipeThere()))(
    `no alarm of twelve right models: ${adapter}`,
    async () => {
      const alarms: string[] = [];
      let models = 0;
      for (const model of [...right.keys(), 'atlas']) {
        using opened = await open(pathOf(model), { quiet: true, adapter });
        const g = await goldenOf(model);
        for (const [name, chunks] of Object.entries(schedules)) {
          const diff = await opened.diff({ ...g, chunks: chunks(g.ids.length) });
          models += 1;
          for (const row of diff.rows)
            if (row.verdict !== 'ok')
              alarms.push(`${model}, ${name}: ${row.stage} (${row.verdict}) ${row.accumulated.relL2}`);
        }
      }
      process.stderr.write(`Alarms of ${models} right models on ${adapter}: ${alarms.length}\n`);
      expect(alarms).toEqual([]);
      expect(models).toBe(12);
    },
  );
}
