// Shaders taken up as they are saved: whichever way an editor saves, the model has what is on the disk, and what does not compile leaves the old one in force.

import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { packageRoot, shaderNames } from '../../engine/files.js';
import { golden, open, type Session, type Watch } from '../../lab/index.js';
import { bundleOf, LIVE } from '../../lab/host/show.js';
import { freshFolder } from '../fixtures/folder.js';

const PROMPT = 'The capital of France is';
const of = (name: string) => join(packageRoot(), 'shaders', `${name}.wgsl`);
const rope = readFileSync(of('rope'), 'utf8');
const wrong = rope.replace('a * turn.x - b', 'a * turn.x + b');
const root = freshFolder();
let made = 0;
const fresh = () => join(root, `${made++}`);

let model: Session;
beforeEach(async () => {
  model = await open('atlas', { quiet: true });
});
afterEach(() => {
  model[Symbol.dispose]();
  expect(model.gpu.liveBytes).toBe(0);
});

/** What comes of saving. */
const after = async (watch: Watch, save: () => void) => {
  const next = watch.next();
  save();
  return (await next).map(({ file, outcome }) => `${file} ${outcome}`);
};

test('a folder that is not there is made with copies of all; what is saved is in force and what it changed is told', async () => {
  const folder = fresh();
  const before = model.gpu.liveBytes;
  const right = await golden('atlas/capital');
  using watch = await model.watch(folder, { against: right });
  expect(watch.copied).toBe(shaderNames().length);
  for (const name of shaderNames())
    expect(readFileSync(join(folder, `${name}.wgsl`), 'utf8')).toBe(readFileSync(of(name), 'utf8'));
  expect([watch.events, watch.diff!.pass, watch.taken]).toEqual([[], true, 0]);
  // The first stages: of the two kinds of layers the first, and what is outside.
  const layers = new Set(watch.diff!.rows.map(({ stage }) => /^layers\.(\d+)/.exec(stage)?.[1]));
  expect([...layers]).toEqual([undefined, '0', '5']);
  // 22 a layer, and three outside.
  expect([watch.diff!.note, right.stages.size]).toEqual([
    '47 of 135 stages were compared, those that were chosen.',
    135,
  ]);

  const file = join(folder, 'rope.wgsl');
  expect(await after(watch, () => writeFileSync(file, wrong))).toEqual(['rope.wgsl taken']);
  expect(model.shader('rope')).toBe(wrong);
  expect(watch.diff!.first).toMatchObject({ stage: 'layers.0.attn.q_rope', verdict: 'source' });
  expect(watch.changed[0]).toMatchObject({ stage: 'layers.0.attn.q_rope', before: { verdict: 'ok' } });
  expect(watch.changed.some(({ stage }) => stage === 'layers.0.attn.q')).toBe(false);
  const bundle = bundleOf(watch);
  expect(bundle['text/plain']).toMatch(
    /^Watching .*copies of \d+ shaders: 1 save taken\.\n\d\d:.* rope\.wgsl is in force/,
  );
  expect(bundle['text/html']).toContain('ok → source');

  // The package's again.
  expect(await after(watch, () => writeFileSync(file, rope))).toEqual(['rope.wgsl taken']);
  expect([watch.diff!.pass, model.provenance().edited_shaders]).toEqual([true, '']);
  expect(model.gpu.liveBytes).toBe(before);
});

test('a file that is emptied and then, after a while, written is one save', async () => {
  const folder = fresh();
  using watch = await model.watch(folder);
  const file = join(folder, 'rope.wgsl');
  const saved = () => {
    writeFileSync(file, '');
    setTimeout(() => writeFileSync(file, wrong), 400);
  };
  expect(await after(watch, saved)).toEqual(['rope.wgsl taken']);
  expect([model.shader('rope'), watch.events.length]).toEqual([wrong, 1]);
});

test('saved by rename, several at once, deleted, empty, broken: told each, and the old one stays', async () => {
  const folder = fresh();
  using watch = await model.watch(folder);
  const at = (name: string) => join(folder, name);
  const replaced = () => {
    writeFileSync(at('rope.wgsl~'), wrong);
    renameSync(at('rope.wgsl~'), at('rope.wgsl'));
  };
  expect(await after(watch, replaced)).toEqual(['rope.wgsl taken']);
  expect(model.shader('rope')).toBe(wrong);

  const norm = readFileSync(of('rms_norm'), 'utf8').replace('scale * gain[', 'scale * -gain[');
  const both = () => {
    writeFileSync(at('rope.wgsl'), `${wrong}\n// again\n`);
    writeFileSync(at('rms_norm.wgsl'), norm);
  };
  expect((await after(watch, both)).sort()).toEqual(['rms_norm.wgsl taken', 'rope.wgsl taken']);

  const broken = norm.replace('fn main', 'fn maim');
  expect(await after(watch, () => writeFileSync(at('rms_norm.wgsl'), broken))).toEqual(['rms_norm.wgsl refused']);
  expect(model.shader('rms_norm')).toBe(norm);
  const lines = norm.split('\n');
  const unclosed = [...lines.slice(0, 9), 'let = ;', ...lines.slice(9)].join('\n');
  expect(await after(watch, () => writeFileSync(at('rms_norm.wgsl'), unclosed))).toEqual(['rms_norm.wgsl refused']);
  expect(watch.events.at(-1)!.text).toMatch(/^rms_norm\.wgsl:10:\d+: .*\n {2}let = ;\n/);
  expect(bundleOf(watch)['text/plain']).toContain('is refused, and the old one stays');

  expect(await after(watch, () => writeFileSync(at('rms_norm.wgsl'), norm))).toEqual(['rms_norm.wgsl same']);
  expect(bundleOf(watch)['text/plain']).toMatch(/^.*\n\d\d:\d\d:\d\d rms_norm\.wgsl is what is in force already\.\n/);
  expect(await after(watch, () => writeFileSync(at('rms_norm.wgsl'), ''))).toEqual(['rms_norm.wgsl refused']);
  expect(watch.events.at(-1)!.text).toBe('rms_norm.wgsl cannot be read: it is empty.');
  expect(await after(watch, () => writeFileSync(at('rms_norm.wgsl'), Buffer.from([0xff, 0xfe])))).toEqual([
    'rms_norm.wgsl refused',
  ]);
  expect(await after(watch, () => rmSync(at('rms_norm.wgsl')))).toEqual(['rms_norm.wgsl gone']);
  expect(model.shader('rms_norm')).toBe(norm);
  expect(await after(watch, () => writeFileSync(at('mine.wgsl'), rope))).toEqual(['mine.wgsl unknown']);
  expect(await after(watch, () => copyFileSync(of('rms_norm'), at('rms_norm.wgsl')))).toEqual(['rms_norm.wgsl taken']);
});

test('two files that need each other: the one that was refused is taken once the other is', async () => {
  const folder = fresh();
  using watch = await model.watch(folder);
  const format = readFileSync(of('formats/f32'), 'utf8');
  const reader = readFileSync(of('embed'), 'utf8');
  const asks = reader
    .replace('fn main', 'fn twice(x: f32) -> f32 { return more(x); }\n@compute @workgroup_size(64)\nfn main')
    .replace(/@compute @workgroup_size\(([^)]*)\)\nfn twice/, 'fn twice');
  const size = /@compute @workgroup_size\([^)]*\)/.exec(reader)![0];
  const needs = asks.replace('@compute @workgroup_size(64)', size).replace(`${size}\nfn twice`, 'fn twice');
  expect(await after(watch, () => writeFileSync(join(folder, 'embed.wgsl'), needs))).toEqual(['embed.wgsl refused']);
  const gives = `${format}\nfn more(x: f32) -> f32 { return x; }\n`;
  expect(await after(watch, () => writeFileSync(join(folder, 'formats', 'f32.wgsl'), gives))).toEqual([
    join('formats', 'f32.wgsl taken'),
    'embed.wgsl taken',
  ]);
});

test('what differs on the disk is taken at once, of single files too; a run from before is a reference', async () => {
  const folder = fresh();
  mkdirSync(folder);
  const file = join(folder, 'rope.wgsl');
  writeFileSync(file, wrong);
  const run = await model.run(PROMPT, { tap: 'layers.0.attn.q_rope' });
  using watch = await model.watch([file], { against: run, stages: 'layers.0.**' });
  expect(watch.events.map(({ outcome }) => outcome)).toEqual(['taken']);
  expect([watch.trouble, watch.diff!.first!.stage, watch.diff!.other]).toEqual([null, 'layers.0.attn.q_rope', 'run']);
  expect(watch.diff!.rows.every(({ stage }) => stage.startsWith('layers.0.'))).toBe(true);
  expect(await after(watch, () => writeFileSync(file, rope))).toEqual(['rope.wgsl taken']);
  // To the bit: it is the same run.
  expect(watch.diff!.rows.map(({ accumulated, local }) => [accumulated.relL2, local!.relL2])).toEqual(
    watch.diff!.rows.map(() => [0, 0]),
  );
  expect(watch.changed.map(({ stage }) => stage)).toContain('layers.0.attn.q_rope');
});

test('a diff that another save breaks off is made all the same', async () => {
  const folder = fresh();
  using watch = await model.watch(folder, { against: await golden('atlas/capital') });
  writeFileSync(join(folder, 'rope.wgsl'), wrong);
  while (model.shader('rope') !== wrong) await new Promise(done => setTimeout(done, 10));
  const told: string[] = [];
  writeFileSync(join(folder, 'mine.wgsl'), rope);
  while (told.length < 2) for (const { file } of await watch.next()) told.push(file);
  expect(told).toEqual(['rope.wgsl', 'mine.wgsl']);
  expect(watch.diff!.first!.stage).toBe('layers.0.attn.q_rope');
});

test('it ends by stop, by a signal, by another watch and with its session, and nothing is left behind', async () => {
  const [began, ended] = [vi.spyOn(globalThis, 'setInterval'), vi.spyOn(globalThis, 'clearInterval')];
  const folder = fresh();
  const one = await model.watch(folder);
  let looks = 0;
  (one as unknown as Record<symbol, (changed: () => void) => void>)[LIVE](() => (looks += 1));
  await after(one, () => writeFileSync(join(folder, 'rope.wgsl'), wrong));
  expect(looks).toBe(1);
  const waiting = one.next();
  one.stop();
  await one.ended;
  expect([await waiting, one.watching, looks]).toEqual([[], false, 2]);
  expect(`${one}`).toMatch(/^No longer watching/);
  expect(model.shader('rope')).toBe(wrong); // what was taken stays
  await model.edit('rope', null);

  const stop = new AbortController();
  const two = await model.watch(folder, { signal: stop.signal });
  const three = await model.watch(fresh(), { signal: stop.signal });
  expect([two.watching, three.watching]).toEqual([false, true]);
  stop.abort();
  expect(three.watching).toBe(false);
  await expect(model.watch(folder, { signal: stop.signal })).rejects.toThrow();
  const four = await model.watch(folder);
  model[Symbol.dispose]();
  expect(four.watching).toBe(false);
  const intervals = began.mock.results.map(({ value }) => value);
  expect(intervals.length).toBeGreaterThanOrEqual(4);
  expect(ended.mock.calls.map(([timer]) => timer)).toEqual(expect.arrayContaining(intervals));
  vi.restoreAllMocks();
});

test('what cannot be reached is told once, by name, and the others are still seen', async () => {
  const folder = fresh();
  using watch = await model.watch(folder);
  const at = (name: string) => join(folder, name);
  const looped = () => {
    rmSync(at('rope.wgsl'));
    symlinkSync('rope.wgsl', at('rope.wgsl'));
  };
  expect(await after(watch, looped)).toEqual(['rope.wgsl refused']);
  expect(watch.events.at(-1)!.text).toMatch(/^rope\.wgsl cannot be read: /);
  expect(
    await after(watch, () => writeFileSync(at('embed.wgsl'), `// mine\n${readFileSync(of('embed'), 'utf8')}`)),
  ).toEqual(['embed.wgsl taken']);
  expect(watch.events).toHaveLength(2);
  const within = () => {
    rmSync(at('rope.wgsl'));
    symlinkSync('/etc/passwd/x', at('rope.wgsl'));
  };
  expect(await after(watch, within)).toEqual(['rope.wgsl gone']);
  expect(await after(watch, () => rmSync(folder, { recursive: true }))).toContain('embed.wgsl gone');
  writeFileSync(folder, '');
  const again = () => {
    rmSync(folder);
    mkdirSync(folder);
    writeFileSync(at('rope.wgsl'), wrong);
  };
  expect(await after(watch, again)).toEqual(['rope.wgsl taken']);
  expect(watch.watching).toBe(true);
});

test('bad input is one sentence', async () => {
  const g = await golden('atlas/capital');
  const other = join(root, 'no-shader.wgsl');
  writeFileSync(other, rope);
  symlinkSync('loop', join(root, 'loop'));
  for (const [call, text] of [
    [() => model.watch(join(root, 'nothing.wgsl')), /There is no file .*nothing\.wgsl\. Copy one/],
    [() => model.watch(other), /named after no shader/],
    [() => model.watch(3 as never), /takes a folder or \.wgsl files, not 3/],
    [() => model.watch(join(packageRoot(), 'README.md')), /neither/],
    [() => model.watch(join(root, 'loop')), /loop is neither \(ELOOP\)\. Give e\.g\./],
    [
      () => model.watch(join(packageRoot(), 'docs')),
      /docs has no shader in it, and watch takes up those that are called as in shaders/,
    ],
    [() => model.watch(undefined, { stages: 'embed' }), /nothing to compare with was given/],
    [() => model.watch(undefined, { against: 'atlas' as never }), /A golden is needed/],
    [() => model.watch(undefined, { against: g, stages: 'layers.9.resid' }), /No stage matches/],
    [() => model.watch(undefined, { folder: 'x' } as never), /has no option 'folder'/],
  ] as const)
    await expect((call as () => Promise<unknown>)()).rejects.toThrow(text as RegExp);
  expect(existsSync(join(root, 'nothing.wgsl'))).toBe(false);
  await expect(model.diff(g, { stages: 'nothing' })).rejects.toThrow(/No stage matches/);
});
