// What cells import: packages and files as they are found from the notebook's folder, by an import line, by import() and by require.

import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { packageRoot } from '../../engine/files.js';
import { setNotebook } from '../../lab/host/notebook.js';
import { freshFolder } from '../fixtures/folder.js';
import { type Cells, cellsIn } from './cells.js';

function write(folder: string, files: Record<string, string>): void {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
}

const PACKAGES = {
  'node_modules/commonjs/package.json': '{ "name": "commonjs", "version": "1.0.0", "main": "main.js" }',
  'node_modules/commonjs/main.js':
    'const made = {}; made["la" + "bel"] = "commonjs"; module.exports = Object.assign(function whole() { return "called"; }, made);',
  'node_modules/compiled/package.json': '{ "name": "compiled", "version": "1.0.0", "main": "main.js" }',
  'node_modules/compiled/main.js':
    'Object.defineProperty(exports, "__esModule", { value: true }); exports.default = "own default"; exports.named = "named";',
  'node_modules/esm-only/package.json':
    '{ "name": "esm-only", "version": "1.0.0", "type": "module", "exports": { ".": { "types": "./main.d.ts", "import": "./main.js" }, "./sub": { "import": "./sub.js" } } }',
  'node_modules/esm-only/main.js':
    'await null; export const name = "esm"; export default 7; export let count = 0; export const add = () => { count += 1; return count; };',
  'node_modules/esm-only/main.d.ts':
    'export declare const name: string; declare const seven: 7; export default seven; export declare let count: number; export declare function add(): number;',
  'node_modules/esm-only/sub.js': 'export const sub = "untyped";',
  'node_modules/broken/package.json': '{ "name": "broken", "version": "1.0.0", "main": "main.js" }',
  'node_modules/broken/main.js': 'require("not-there-at-all")',
};
const FILES = {
  'nb/tools.ts':
    "import { twice } from './deep/twice.js';\nimport data from './data.json';\nexport interface Pair { a: number; b: number }\nexport const sum = ({ a, b }: Pair): number => a + b;\nexport const four = twice(data.n);\nexport default class Tool { constructor(readonly n = 1) {} }\nexport function fails(): never {\n  throw new Error('in tools');\n}\n",
  'nb/deep/twice.ts': 'export const twice = (n: number) => 2 * n;\n',
  'nb/data.json': '\ufeff{ "n": 2, "list": ["a"] }',
  'above.ts': "export const above = 'above' as const;\n",
  'nb/waits.ts': 'export const waited = await Promise.resolve(3);\n',
  'nb/waits-too.ts': 'export const waited = await Promise.resolve(3);\n',
  'nb/ring-a.ts': "import { b } from './ring-b';\nexport const a = () => b() + 1;\n",
  'nb/ring-b.ts': "import { a } from './ring-a';\nexport const b = () => 1;\nexport const viaA = () => a();\n",
  'nb/old.cjs': "module.exports = { old: true, json: require('./data.json').n };\n",
  'nb/plain.js':
    "import { join } from 'node:path';\nexport const joined = join('a', 'b');\nexport const here = import.meta.url;\n",
  'nb/index/index.ts': 'export const index = 1;\n',
  'nb/uses.ts':
    "import whole, * as all from 'commonjs';\nimport own, { named } from 'compiled';\nimport seven, { name, add } from 'esm-only';\nexport const used = [(whole as any)(), (all as any).label, own, named, seven, name, typeof add];\n",
  'nb/wrong.ts': "export const wrong: number = 'x';\n",
  'nb/m.mjs': 'export const m = 4;\n',
  'nb/typed.mts': 'export const m: number = 4;\nexport default 7;\n// the end\n',
  'nb/again.mjs': "export * from './m.mjs';\nexport { m as four } from './m.mjs';\n",
  'nb/awaits.js':
    "import { m } from './m.mjs';\nexport { m };\nexport default await Promise.resolve(m + 1);\n/* the\nend */\n",
  'nb/commonjs.js': 'module.exports = { m: 4 };\n',
  'nb/angles.js': 'const [f, T, x] = [1, 2, 3];\nexport const compared = f<T>(x);\n',
  'nb/data.txt': 'text',
  'nb/no-ending': 'text',
  'nb/addon.node': 'no addon',
  'nb/empty/note.txt': 'text',
  'nb/top.ts': "interface A {}\n\nthrow new TypeError('top');\nexport const t = 1;\n",
  'nb/bare.ts': 'throw 1;\nexport const t = 1;\n',
  'node_modules/needs/package.json': '{ "name": "needs", "type": "module", "exports": "./main.js" }',
  'node_modules/needs/main.js': "import 'not-there-at-all';",
  'node_modules/with-data/package.json': '{ "name": "with-data", "main": "main.js" }',
  'node_modules/with-data/main.js': '',
  'node_modules/with-data/data.json': '{ "n": 3 }',
  'nb/half.ts': 'export const half = ;\n',
  'nb/asks.mjs': "import { mm } from './m.mjs';\nexport const asked = () => mm;\n",
  'nb/asks-package.ts': "import nothing, { name } from 'esm-only/sub';\nexport const asked = () => [nothing, name];\n",
  'nb/nodefault.js': 'exports.there = undefined;\n',
};

describe.each(['without gemma-loupe there', 'with gemma-loupe there'])(
  'from a folder %s',
  { timeout: 240_000 },
  how => {
    const top = freshFolder();
    const folder = join(top, 'nb');
    let cells: Cells;
    const run = (source: string) => cells.run(source);
    beforeAll(() => {
      write(top, { ...PACKAGES, ...FILES });
      if (how.startsWith('with ')) symlinkSync(packageRoot(), join(top, 'node_modules', 'gemma-loupe'));
      cells = cellsIn(folder);
    });

    test.each([
      ["import { open } from 'gemma-loupe'; typeof open", 'function'],
      ["import { m } from './m.mjs'; m", 4],
      ["import * as M from './m.mjs'; Object.keys(M).includes('m')", true],
      ["import seven, { m } from './typed.mts'; [seven, m]", [7, 4]],
      ["import seven, { m } from './typed.mjs'; [seven, m]", [7, 4]],
      ["import { m, four } from './again.mjs'; [m, four]", [4, 4]],
      ["import five, { m } from './awaits.js'; [five, m]", [5, 4]],
      ["import { m } from './commonjs.js'; m", 4],
      ["import { compared } from './angles.js'; compared", false],
      ["(await import('./m.mjs')).m + require('./m.mjs').m + require('./commonjs.js').m", 12],
      ["import whole, { label } from 'commonjs'; [whole(), label]", ['called', 'commonjs']],
      ["import * as all from 'commonjs'; all.label", 'commonjs'],
      ["import own, { named } from 'compiled'; [own, named]", ['own default', 'named']],
      ["import seven, { name as esm, add } from 'esm-only'; [seven, esm, add() > 0]", [7, 'esm', true]],
      ["import * as every from 'esm-only'; every.add(); every.count > 0", true],
      ["import { sub } from 'esm-only/sub'; sub", 'untyped'],
      ["(await import('esm-only')).name", 'esm'],
      ["(await import('commonjs')).default()", 'called'],
      ["require('commonjs').label", 'commonjs'],
      ["import equals = require('commonjs'); equals.label", 'commonjs'],
      ["const arrow = await import('apache-arrow');\narrow.tableFromArrays({ a: [1, 2] }).numRows", 2],
      ["import { tableFromArrays } from 'apache-arrow'; tableFromArrays({ a: [1] }).numCols", 1],
      [
        "import { toArrow, Activation } from 'gemma-loupe'; const t = toArrow(new Activation('x', [{ name: 'dim', size: 2 }], new Float32Array(2))); t instanceof (await import('apache-arrow')).Table",
        true,
      ],
      [
        "import Tool, { sum, four, type Pair } from './tools'; const p: Pair = { a: 1, b: 2 }; [sum(p), four, new Tool().n]",
        [3, 4, 1],
      ],
      ["import { four as four2 } from './tools.ts'; four2", 4],
      ["import { four as four3 } from './tools.js'; four3", 4],
      ["(await import('./tools.ts')).four", 4],
      ["require('./tools.ts').four + require('./tools').four", 8],
      ["import data from './data.json'; data.list[0].length + data.n", 3],
      ["(await import('./data.json')).default.n", 2],
      ["require('./data.json').n", 2],
      ["import { above } from '../above'; above", 'above'],
      ["(await import('../above.ts')).above + require('../above').above", 'aboveabove'],
      ["import { waited } from './waits'; waited", 3],
      ["import { a } from './ring-a'; import { viaA } from './ring-b'; a() + viaA()", 4],
      ["import old2 from './old.cjs'; [old2.old, old2.json]", [true, 2]],
      ["import { joined, here } from './plain.js'; [joined, here.endsWith('/nb/plain.js')]", ['a/b', true]],
      ["import { index } from './index'; index", 1],
      ["import { used } from './uses'; used", ['called', 'commonjs', 'own default', 'named', 7, 'esm', 'function']],
      [
        "import 'commonjs'; import './tools'; import type { Pair as P } from './tools'; const p2: P = { a: 1, b: 1 }; p2.a",
        1,
      ],
      ["import { readFileSync } from 'fs'; JSON.parse(readFileSync('package.json', 'utf8').slice(0, 0) || '1')", 1],
      [
        "[__dirname.endsWith('/nb'), import.meta.url.includes('/nb/cell-'), import.meta.resolve('./x').endsWith('/nb/x')]",
        [true, true, true],
      ],
      [
        "import fs, { promises } from 'node:fs'; import * as os from 'os'; [typeof fs.statSync, typeof promises.open, typeof os.cpus]",
        ['function', 'function', 'function'],
      ],
    ])('%s', async (source, value) => expect(await run(source)).toEqual(value));

    test('what is not there is told in the cell’s line', async () => {
      await expect(run("import x from 'not-there-at-all'")).rejects.toThrow(
        /1:15 - error TS2307: Cannot find module 'not-there-at-all'/,
      );
      await expect(run("import x from './not-there'")).rejects.toThrow(/TS2307: Cannot find module '.\/not-there'/);
      await expect(run("await import('not-' + 'there-at-all')")).rejects.toThrow(
        /LoupeError: There is no package 'not-there-at-all' for /,
      );
      await expect(run("require('esm-only')")).rejects.toThrow(
        /LoupeError: 'esm-only' cannot be required: it is there for import alone/,
      );
      await expect(run("require('./waits-too')")).rejects.toThrow(
        /waits-too.ts' awaits outside its functions and cannot be required/,
      );
      await expect(run("import broken from 'broken'; broken")).rejects.toThrow(/not-there-at-all/);
    });

    test.each([
      ["import './data.txt'", "'./data.txt' cannot be imported: a file that ends in '.txt' is no module, only "],
      ["await import('./data.txt' as string)", "'./data.txt' cannot be imported: a file that ends in '.txt' "],
      ["require('./data.txt')", "'./data.txt' cannot be imported: a file that ends in '.txt' "],
      ["import './no-ending'", "'./no-ending' cannot be imported: a file without an ending is no module"],
      [
        "import './addon.node'",
        "only .ts, .mts, .cts, .js, .mjs, .cjs and .json are. Load it with require('./addon.node').",
      ],
      ["import './empty'", 'nb/empty is a folder without an index.ts or index.js.'],
      ["await import('./nothing' as string)", "'./nothing' cannot be imported: there is no file "],
      ["require('./nothing')", "'./nothing' cannot be imported: there is no file "],
      [
        "import 'esm-only/nothing'",
        "'esm-only/nothing' cannot be imported: its package does not export it. What it exports ",
      ],
      ["require('esm-only/nothing')", "'esm-only/nothing' cannot be imported: its package does not export it."],
      ["require('esm-only/sub')", "'esm-only/sub' cannot be required: it is there for import alone."],
      ["import 'commonjs/nothing'", "'commonjs/nothing' cannot be imported: Cannot find module "],
      ["require('commonjs/nothing')", "'commonjs/nothing' cannot be imported: Cannot find module "],
      ["import 'with-data/data.json'", "Node reads JSON of a package by require('with-data/data.json')."],
      ["import 'node:nothing'", "'node:nothing' cannot be imported: No such built-in module"],
      ["import 'https://nothing.invalid/x.js'", 'cannot be imported: Only URLs with a scheme in: file, data'],
    ])('%s is refused in a sentence, with the cell’s line', async (source, told) => {
      const message = await run(`\n${source}`).then(String, error => (error as Error).message);
      expect(message.startsWith('LoupeError: ')).toBe(true);
      expect(message).toContain(told);
      expect(message).toMatch(/\n {4}at cell-\d+:2:\d+\n\n1 \n2 \S/);
    });

    test.each([
      ["import x from 'gemma-loupe'", 'gemma-loupe', 'default'],
      ["import x from 'apache-arrow'", 'apache-arrow', 'default'],
      ["import { sub as s, subb } from 'esm-only/sub'", 'esm-only/sub', 'subb'],
      ["import sub from 'esm-only/sub'", 'esm-only/sub', 'default'],
      ["import { default as own } from 'esm-only/sub'", 'esm-only/sub', 'default'],
      ["import { lable } from 'commonjs'", 'commonjs', 'lable'],
      ["import { old3 } from './old.cjs' // @ts-ignore", './old.cjs', 'old3'],
      ["export { subbb } from 'esm-only/sub'", 'esm-only/sub', 'subbb'],
      ["import './asks.mjs'", './m.mjs', 'mm'],
      ["import { asked } from './asks-package'; asked()", 'esm-only/sub', 'default'],
    ])('%s: what is not exported is told by module and name', async (source, module, name) => {
      const message = await run(`// @ts-nocheck\n${source}`).then(String, error => (error as Error).message);
      expect(message.split('\n')[0]).toContain(
        `LoupeError: The requested module '${module}' does not provide an export named '${name}'.`,
      );
      expect(message).toMatch(/\n {4}at cell-\d+:2:\d+\n/);
    });

    test('the nearest name is told, and how to import what has no default', async () => {
      await expect(run("import { subb } from 'esm-only/sub'")).rejects.toThrow("The nearest is 'sub'.");
      await expect(run("import x from 'gemma-loupe'")).rejects.toThrow(
        "Import what it exports by name, import { … } from 'gemma-loupe', or all of it, import * as name from 'gemma-loupe'.",
      );
    });

    test.each([
      ["import { there } from './nodefault.js'; typeof there", 'undefined'],
      ["import all from './nodefault.js'; Object.keys(all)", ['there']],
      ["import { sub, Sub } from 'esm-only/sub'; const typed = (given: Sub) => sub; typed(1)", 'untyped'],
      ["import type { Nothing } from 'esm-only/sub'; 1", 1],
      ["import { type Nothing, sub } from 'esm-only/sub'; sub", 'untyped'],
      ["import * as all from 'esm-only/sub'; (all as any).nothing", undefined],
      ["(await import('esm-only/sub')).nothing", undefined],
    ])('%s: what is there, if only as undefined or as a type, is no mistake', async (source, value) =>
      expect(await run(source)).toEqual(value),
    );

    test('what a package or a file throws while it is loaded has its own lines, and the cell’s', async () => {
      await expect(run("import 'needs'")).rejects.toThrow(/Error: Cannot find package 'not-there-at-all' imported/);
      await expect(run("const one = 1;\nimport { t } from './top';\nt")).rejects.toThrow(
        /^TypeError: top\n {4}at \S*top\.ts:3:7\n[\s\S]* {4}at cell-\d+:2:1\n\n2 \n3 throw new TypeError/,
      );
      await expect(run("import { t } from './bare'; t")).rejects.toThrow(/^Thrown: 1\n {4}at cell-\d+:1:1\n\n1 import/);
    });

    test('mistakes in a file beside the notebook are told with its name and line', async () => {
      await expect(run("import { wrong } from './wrong'")).rejects.toThrow(
        /wrong\.ts:1:14 - error TS2322[\s\S]*\n1 export const wrong: number/,
      );
      await expect(run("import { half } from './half'")).rejects.toThrow(/half\.ts:1:21 - error TS1109/);
      await expect(run("import { fails } from './tools';\n\nfails()")).rejects.toThrow(
        /Error: in tools\n {4}at fails \(.*tools\.ts:8:9\)\n {4}at cell-\d+:3:1\n/,
      );
    });

    test('a file is read again when it, or one that it imports, has changed', async () => {
      write(folder, {
        'inner.ts': 'export const inner = 1;\n',
        'outer.ts': "import { inner } from './inner';\nexport const outer = inner + 10;\n",
        'changing.json': '{ "v": 1 }',
      });
      const read =
        "import { outer } from './outer';\nimport changing from './changing.json';\nimport { inner as direct } from './inner';\n[outer, changing.v, direct, require('./outer').outer, (await import('./outer')).outer]";
      expect(await run(read)).toEqual([11, 1, 1, 11, 11]);
      write(folder, {
        'inner.ts': 'export const inner = 200;\nexport const more = "typed";\n',
        'changing.json': '{ "v": 22, "w": 3 }',
      });
      expect(await run(read)).toEqual([210, 22, 200, 210, 210]);
      expect(
        await run(
          "import { more } from './inner'; import { default as c2 } from './changing.json'; more.length + c2.w",
        ),
      ).toBe(8);
    });

    test('a variable of a module is up to date where it is read through the module', async () => {
      write(folder, { 'counts.ts': 'export let count = 0;\nexport const add = () => { count += 1; };\n' });
      await run("import { count, add } from './counts'; import * as counts from './counts'; add();");
      expect(await run('add(); [count, counts.count]')).toEqual([0, 2]);
      expect(await run("import { count as now } from './counts'; now")).toBe(2);
    });

    test('two import lines that lead to one file have one module', async () => {
      write(folder, {
        'shared.ts': 'export const shared = {};\n',
        'left.ts': "export { shared as left } from './shared';\n",
        'right.ts': "export { shared as right } from './shared';\n",
      });
      const lines =
        "import { shared } from './shared'; import { left } from './left'; import { right } from './right';";
      expect(await run(`${lines} [shared === left, left === right]`)).toEqual([true, true]);
    });

    test('a file that did not change keeps what it holds', async () => {
      write(folder, { 'state.ts': 'export const state = { n: 0 };\n' });
      await run("import { state } from './state'; state.n += 1");
      expect(await run("import { state as again } from './state'; again.n")).toBe(1);
    });

    test('a package that is installed meanwhile is found', async () => {
      await expect(run("import late from 'late'")).rejects.toThrow(/TS2307/);
      await expect(run("require('late')")).rejects.toThrow(/There is no package 'late'/);
      await expect(run("await import('la' + 'te')")).rejects.toThrow(/There is no package 'late'/);
      write(top, {
        'node_modules/late/package.json':
          '{ "name": "late", "version": "1.0.0", "main": "main.js", "types": "main.d.ts" }',
        'node_modules/late/main.js': 'module.exports = { late: 5 };',
        'node_modules/late/main.d.ts': 'export declare const late: number;',
      });
      expect(await run("import { late } from 'late'; late")).toBe(5);
    });
  },
);

test('tslab’s own display shows in the cell, once and again', async () => {
  const folder = freshFolder();
  // Its own, as in the folder of Loupe itself, shows nowhere.
  mkdirSync(join(folder, 'node_modules'));
  symlinkSync(join(packageRoot(), 'node_modules', 'tslab'), join(folder, 'node_modules', 'tslab'));
  const { run } = cellsIn(folder);
  const shown: unknown[] = [];
  setNotebook({
    display: ({ data, transient }, update) => void shown.push([data, transient.display_id !== undefined, update]),
    vanish() {},
    clear() {},
    ask: async () => '',
  });
  await run("import * as tslab from 'tslab';\ntslab.display.html('<b>x</b>');\nconst place = tslab.newDisplay();");
  await run(
    "place.text('one');\nplace.text('two');\nconst { display } = await import('tslab');\ndisplay.png(new Uint8Array([1]))",
  );
  await run("(require('tslab') as typeof tslab).display.text(tslab.versions.tslab)");
  expect(shown).toEqual([
    [{ 'text/html': '<b>x</b>' }, false, false],
    [{ 'text/plain': 'one' }, true, false],
    [{ 'text/plain': 'two' }, true, true],
    [{ 'image/png': 'AQ==' }, false, false],
    [{ 'text/plain': '1.0.22' }, false, false],
  ]);
});

test('what tslab’s display is given is checked and bounded as what show is given', async () => {
  const { run } = cellsIn(freshFolder());
  const shown: unknown[] = [];
  const told: string[] = [];
  setNotebook({ display: ({ data }) => void shown.push(data), vanish() {}, clear() {}, ask: async () => '' });
  const { write } = process.stderr;
  process.stderr.write = ((text: string) => told.push(text) > 0) as typeof write;
  try {
    await run("import * as tslab from 'tslab';\ntslab.display.html('x'.repeat(5e7));");
    await run("tslab.display.text('y'.repeat(5e7));\ntslab.display.png(new Uint8Array(5e6));");
    await run('const any = (x: any) => x; tslab.display.html(any(5)); tslab.display.text(any({ a: 1 }))');
    await run(
      "tslab.display.html(any(undefined)); tslab.display.raw('nonsense', 'x'); tslab.display.svg(any(() => 1))",
    );
  } finally {
    process.stderr.write = write;
  }
  const tooMuch = 'a page cannot show so much. Write it to a file instead.';
  expect(shown).toEqual([
    { 'text/plain': `A value's 'text/html', 50.0 MB, was left out: ${tooMuch}` },
    { 'text/plain': 'y'.repeat(2e6) },
    { 'text/plain': `A value's 'image/png', 6.7 MB, was left out: ${tooMuch}` },
    { 'text/html': '5' },
    { 'text/plain': "A value's 'text/plain' cannot be shown: it is an object, where text is needed." },
    { 'text/plain': 'The display of a value returned a bundle without any form.' },
    { 'text/plain': "'nonsense' of a value's display is no mime type." },
    { 'text/plain': "A value's 'image/svg+xml' cannot be shown: it is a function, where text is needed." },
  ]);
  expect(told).toEqual([`The rest of a value, 48.0 MB, was left out: ${tooMuch}\n`]);
  shown.length = 0;
  await run("const later = tslab.newDisplay(); later.html('x'.repeat(5e7)); later.html('<b>fits</b>')");
  expect(shown[1]).toEqual({ 'text/html': '<b>fits</b>' });
});

test('two notebooks in one process run by turns, each in its own scope', async () => {
  const [one, two] = [cellsIn(freshFolder()), cellsIn(freshFolder())];
  await one.run('const who = "one"');
  await two.run('const who = "two"');
  expect([await one.run('who'), await two.run('await who')]).toEqual(['one', 'two']);
});
