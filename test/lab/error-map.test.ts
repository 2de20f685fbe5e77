// A row of a diff, opened: every value of the stage beside what it should be, the worst place found, and the picture that shows it.

import { afterAll, beforeAll, expect, test } from 'vitest';
import { join } from 'node:path';
import '../../lab/display/all.js';
import { setNotebook } from '../../lab/host/notebook.js';
import { show } from '../../lab/host/show.js';
import type { Diff } from '../../lab/diff/diff.js';
import type { ErrorMap } from '../../lab/diff/error-map.js';
import { compare } from '../../lab/session/compare.js';
import { open } from '../../lab/session/open.js';
import type { Session } from '../../lab/session/session.js';
import { golden } from '../../lab/values/golden.js';
import { DISPLAY, type Figure } from '../../lab/values/shown.js';
import { trace } from '../../lab/values/trace.js';
import { freshFolder } from '../fixtures/folder.js';

const folder = freshFolder();
let model: Session;
/** Sliding layers see one token more than they should. */
let window: Diff;
/** RoPE turns the other way. */
let rope: Diff;
beforeAll(async () => {
  model = await open('atlas', { quiet: true });
  const g = await golden('atlas/long');
  await model.edit('scores', wgsl => wgsl.replace('s + WINDOW <= position', 's + WINDOW < position'));
  window = await model.diff(g, { stages: ['layers.0.attn.*', 'layers.5.attn.scores', 'layers.1.resid'] });
  await model.edit('scores', null);
  await model.edit('rope', wgsl => wgsl.replace('a * turn.x - b', 'a * turn.x + b'));
  rope = await model.diff(g, { stages: 'layers.0.attn.*' });
  await model.edit('rope', null);
});
afterAll(() => model[Symbol.dispose]());

interface Drawn {
  readonly z: { readonly bdata: string; readonly shape: string };
  readonly customdata: { readonly bdata: string; readonly shape: string };
  readonly zmax: number;
}
const figureOf = (map: ErrorMap): Figure => map[DISPLAY]()['application/vnd.plotly.v1+json']!;
const floats = ({ bdata }: { readonly bdata: string }) =>
  new Float32Array(Uint8Array.from(Buffer.from(bdata, 'base64')).buffer);

test('scores: a panel a head, wrong at one distance alone, with the mask of either side and the right value in float64', async () => {
  const map = await window.map('layers.0.attn.scores');
  const [heads, T] = map.ours.shape;
  expect([map.alone, map.window, map.kvHeads, heads]).toEqual([true, 16, 1, 4]);
  map.relative.forEach((error, i) => {
    const [q, k] = [Math.floor(i / T) % T, i % T];
    if (k > q || q - k > 16) expect(error).toBeNaN();
    else if (q - k === 16) expect(error).toBe(Number.POSITIVE_INFINITY);
    else expect(error).toBeLessThan(1e-5);
  });
  const around = map.around();
  expect(around.map(({ place }) => place)).toEqual([0, 1, 2, 3, 4].map(k => [0, 16, k]));
  expect(around[0].ours).toBeGreaterThan(-1e4);
  expect(around[0].theirs).toBeLessThan(-1e30);
  expect(around[0].exact).toBeLessThan(-1e30);
  for (const { ours, exact } of around.slice(1)) expect(ours).toBeCloseTo(exact!, 4);
  const { data, layout } = figureOf(map);
  expect(data.length).toBe(heads + 1);
  const [first] = data as unknown as Drawn[];
  expect(first.z.shape).toBe(`${T}, ${T}`);
  expect(floats(first.z)[16 * T]).toBe(first.zmax);
  // What is pointed at says the place in the model.
  expect([...floats(first.customdata).subarray(4 * (17 * T + 3), 4 * (17 * T + 3) + 2)]).toEqual([17, 3]);
  // The causal edge and the window's in every panel.
  expect(
    (layout.shapes as { xref: string; line: { dash: string } }[]).map(({ xref, line }) => `${xref} ${line.dash}`),
  ).toEqual(['x', 'x2', 'x3', 'x4'].flatMap(x => [`${x} solid`, `${x} dot`]));
  expect(String(map)).toMatch(
    /^layers\.0\.attn\.scores, alone, \[head 4, query 28, key 28\]: source, ∞ relative L2, only in the key just beyond the window, 16 before the query, only positions ≥ 16/,
  );
  expect(String(map)).toMatch(/ \[0,16,0\] +[^ ]+ +masked +masked\n/);
});

test('a value of heads: tokens down, channels across, heads told apart; and float64 is nearer to PyTorch', async () => {
  const map = await rope.map('blocks.0.attn.hook_rot_q');
  expect(map.row.stage).toBe('layers.0.attn.q_rope');
  const [T, A, D] = map.ours.shape;
  expect(map.relative.subarray(0, A * D).every(error => error < 1e-6)).toBe(true); // position 0 is not turned
  for (const { ours, theirs, exact } of map.around()) {
    expect(Math.abs(theirs - exact!)).toBeLessThan(1e-4);
    expect(Number.isFinite(ours)).toBe(true);
  }
  const [{ z, customdata }] = figureOf(map).data as unknown as Drawn[];
  expect(z.shape).toBe(`${T}, ${A * D}`);
  expect([...floats(customdata).subarray(5 * (A * D + D + 3), 5 * (A * D + D + 3) + 3)]).toEqual([1, 1, 3]);
  expect((figureOf(map).layout.shapes as unknown[]).length).toBe(A - 1);
});

test('what only carries is shown in the run, or alone where that is asked for; float64 is of right inputs alone', async () => {
  const map = await window.map('layers.1.resid');
  expect(map.row.verdict).toBe('carrier');
  expect([map.alone, map.exact]).toEqual([false, null]);
  expect(map.row.accumulated.worst).toEqual(
    map.around().find(({ place }) => place.join() === map.row.accumulated.worst.join())?.place,
  );
  const alone = await window.map('layers.1.resid', { alone: true });
  expect(Math.max(...alone.relative)).toBeLessThan(1e-5);
  expect(alone.exact?.length).toBe(alone.ours.data.length);
  expect(alone.toJSON()).toMatchObject({
    stage: 'layers.1.resid',
    alone: true,
    dims: [{ name: 'token' }, { name: 'channel' }],
  });
});

test('pooled where it is large: the worst of a cell stays, at its own place', async () => {
  const ids = Array.from({ length: 120 }, (_, i) => 3 + ((i * 7) % 250));
  const right = await model.run(ids, { tap: ['layers.5.attn.scores', 'layers.5.resid'] });
  await model.edit('scores', wgsl =>
    wgsl.replace('* SCALE', '* SCALE + select(0.0, 1.0, s == 57u && position == 101u)'),
  );
  const wrong = await model.run(ids, { tap: ['layers.5.attn.scores', 'layers.5.resid'] });
  const diff = await compare(right, wrong);
  await model.edit('scores', null);
  const map = await diff.map('layers.5.attn.scores');
  expect(map.whose).toBe('theirs');
  const figure = figureOf(map);
  const [first] = figure.data as unknown as Drawn[];
  const [rows] = first.z.shape.split(', ').map(Number);
  expect(rows).toBe(60);
  const z = floats(first.z);
  const at = z.indexOf(Math.max(...z.filter(Number.isFinite)));
  expect([...floats(first.customdata).subarray(4 * at, 4 * at + 2)]).toEqual([101, 57]);
  expect(JSON.stringify(figure).length).toBeLessThan(1e6);
});

test('of a trace, of two traces without a model, and of what cannot be shown', async () => {
  const path = join(folder, 'right.safetensors');
  const run = await model.run('The capital of France is', { tap: '**', logits: 'all' });
  await run.save(path);
  const theirs = await trace(path);
  const diff = await model.diff(theirs);
  const map = await diff.map('layers.3.attn.scores');
  expect([map.alone, map.whose, Math.max(...map.relative.filter(Number.isFinite))]).toEqual([
    true,
    'theirs',
    expect.any(Number),
  ]);
  expect(map.exact?.length).toBe(map.ours.data.length);
  const bare = await compare(theirs, await trace(path));
  const same = await bare.map('layers.3.resid');
  expect([same.alone, same.exact, Math.max(...same.relative)]).toEqual([false, null, 0]);
  expect(same[DISPLAY]()['image/svg+xml']).toContain('<svg');
  await expect(bare.map('layers.3.resid', { alone: true })).rejects.toThrow(/was not run alone in this diff/);
  await expect(diff.map('layers.3.atn.scores')).rejects.toThrow(/layers\.3\.attn\.scores/);
  await expect(diff.map('layers.3.resid', { aloone: true } as never)).rejects.toThrow(/aloone/);
});

test('a row leads to its map: that of the first failing stage stands on the page, and others say how they are asked for', async () => {
  const page = window[DISPLAY]()['text/html']!;
  expect(page).toContain('value by value: the map under the table');
  expect(page.split('the map under the table').length).toBe(2);
  const other = window.rows.find(row => !row.pass && row !== window.first)!.stage;
  expect(page).toContain(`await diff.map(&#39;${other}&#39;)`);
  const [, title, source] =
    /<summary[^>]*>(layers\.0\.attn\.scores, alone, value by value)<\/summary><img src="data:image\/svg\+xml,([^"]+)"/.exec(
      page,
    )!;
  expect(title).toBeDefined();
  // The very picture of the map.
  const map = await window.map('layers.0.attn.scores');
  expect(decodeURIComponent(source).replaceAll("'", '"')).toBe(map[DISPLAY]()['image/svg+xml']);
  // What passes has no need of one.
  const passing = window.rows.find(({ pass }) => pass)!.stage;
  expect(page).not.toContain(`diff.map(&#39;${passing}&#39;)`);
});

test('of what is too large for a page the row says how its map is asked for', async () => {
  const wide = await model.run(Array.from({ length: 182 }, (_, i) => 3 + (i % 250)));
  await model.edit('scores', wgsl => wgsl.replace('* SCALE', '* SCALE * 1.01'));
  const diff = await compare(wide, await model.run(wide.ids), { alone: false });
  await model.edit('scores', null);
  expect(diff.first?.shape).toEqual([4, 182, 182]);
  const page = diff[DISPLAY]()['text/html']!;
  expect(page).not.toContain('map under the table');
  expect(page).toContain(`await diff.map(&#39;${diff.first!.stage}&#39;)`);
});

test('a click on a stage of the plan’s picture shows its row, and how its map is asked for', () => {
  const figure = model.picture(window)[DISPLAY]()['application/vnd.plotly.v1+json']!;
  const notes = figure.layout.annotations as { text: string; clicktoshow?: string; x: number; xclick: string }[];
  const first = notes.find(({ text }) => text.includes('layers.0.attn.scores'))!;
  expect(first).toMatchObject({ clicktoshow: 'onout', x: 1, xclick: '0' }); // behind `in`
  expect(first.text).toContain('source: ∞ in the run, ∞ alone');
  expect(first.text).toContain('only in the key just beyond the window, 16<br>before the query, only positions ≥ 16');
  expect(first.text).toMatch(/worst at \[0,16,0\]<br>ours [^<]+, PyTorch’s masked/);
  expect(first.text).toContain('its map: in the list above'); // the first failing stage's is at hand
  expect(notes.find(({ text }) => text.includes('<b>layers.1.resid'))!.text).toContain(
    'await diff.map(&#39;layers.1.resid&#39;)',
  );
  expect(
    notes.find(({ text }) => text.startsWith('layers.0.attn.q_norm') || text.startsWith('<b>layers.0.attn.q_norm'))!
      .text,
  ).not.toContain('diff.map');
});

test('in a cell failing stages bring their maps along: folded under the table, and in the plan’s picture in the place of the plan', async () => {
  const carrier = 'layers.1.resid';
  expect(window.maps.map(({ row }) => row.stage)).toEqual(['layers.0.attn.scores']); // nobody has looked
  const again = await window.withMaps();
  expect(again).toBe(window);
  const failing = window.rows.filter(({ pass }) => !pass).map(({ stage }) => stage);
  expect(failing).toContain(carrier);
  expect(window.maps.map(({ row }) => row.stage).sort()).toEqual([...failing].sort());
  expect(window.maps.find(({ row }) => row.stage === carrier)!.ours.data).toEqual(
    (await window.map(carrier)).ours.data,
  );
  const page = window[DISPLAY]()['text/html']!;
  expect(page.match(/<details open style="margin-top:8px">/g)?.length).toBe(1);
  expect(page.match(/value by value<\/summary><img src="data:image/g)?.length).toBe(failing.length);
  expect(page).toMatch(/<details style="margin-top:8px"><summary[^>]*>layers\.1\.resid, in the run, value by value/);
  expect(page.length).toBeLessThan(600_000);

  const bundle = model.picture(window)[DISPLAY]();
  expect(JSON.stringify(bundle).length).toBeLessThan(1_000_000);
  const { data, layout } = bundle['application/vnd.plotly.v1+json']!;
  const menus = layout.updatemenus as { buttons: { label: string; args: [{ visible: boolean[] }, object] }[] }[];
  const choice = menus.find(({ buttons }) => buttons[0].label === 'error maps')!;
  expect(choice.buttons.map(({ label }) => label)).toEqual(['error maps', ...window.maps.map(({ row }) => row.stage)]);
  // Where no script runs the list's name is no view.
  expect(bundle['image/svg+xml']).toMatch(/>all stages, by verdict; \d+ more views where scripts run</);
  // The plan alone at first; of a choice one map alone, with a strip of values.
  expect(data.map(({ visible }) => visible)).toEqual([undefined, ...data.slice(1).map(() => false)]);
  const [{ visible }, view] = choice.buttons[1].args;
  expect(visible.map((is, i) => (is ? data[i].xaxis : '')).filter(Boolean)).toEqual(['x2', 'x3', 'x4', 'x5', 'x6']);
  expect((view as { shapes: { xref: string }[] }).shapes.map(({ xref }) => xref)).toEqual(
    ['x2', 'x3', 'x4', 'x5'].flatMap(x => [x, x]),
  );
  const notes = layout.annotations as { text: string }[];
  expect(notes.find(({ text }) => text.includes(`<b>${carrier}`))!.text).toContain('its map: in the list above');
  // Where no script runs the plan stands.
  expect(bundle['image/svg+xml']).toContain('maps of all');
  expect(bundle['image/svg+xml']).not.toContain('back to the plan');
});

test('shown in a cell it stands there at once and its maps come into the same place; in a terminal nobody makes them', async () => {
  const sent: { html: string; update: boolean; id?: string }[] = [];
  const waits: Promise<unknown>[] = [];
  show(rope);
  expect(rope.maps.length).toBe(1);
  setNotebook({
    display: ({ data, transient }, update) =>
      void sent.push({ html: data['text/html']!, update, id: transient.display_id }),
    vanish: () => {},
    clear: () => {},
    ask: async () => '',
    until: done => void waits.push(done),
  });
  try {
    show(rope);
    expect(sent.map(({ update }) => update)).toEqual([false]);
    await Promise.all(waits);
  } finally {
    setNotebook(undefined as never);
  }
  // On a slow machine a line says meanwhile what is waited for.
  const own = sent.filter(({ id }) => id === sent[0].id);
  expect(own.map(({ update }) => update)).toEqual([false, true]);
  const maps = ({ html }: { html: string }) => html.split('value by value</summary>').length - 1;
  expect(own.map(maps)).toEqual([1, rope.rows.filter(({ pass }) => !pass).length]);
});

test('a diff whose model is closed shows what it has', async () => {
  const closed = await open('atlas', { quiet: true });
  await closed.edit('scores', wgsl => wgsl.replace('* SCALE', '* SCALE * 1.01'));
  const diff = await closed.diff(await golden('atlas/long'), { stages: 'layers.0.attn.*' });
  closed[Symbol.dispose]();
  await expect(diff.withMaps()).rejects.toThrow();
  expect(diff[DISPLAY]()['text/html']).toContain('the map under the table');
});
