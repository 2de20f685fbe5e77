// Node's types from a folder that has none, as with `loupe kernel install`: the packages of the lab bring types of another Node along.

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { freshFolder } from '../fixtures/folder.js';
import { type Cells, cellsIn } from './cells.js';

/** A package that asks for types of Node, has some of its own, which say other things, and types of a third package. */
const PACKAGE = {
  'package.json': '{ "name": "typed", "version": "1.0.0", "types": "main.d.ts", "main": "main.js" }',
  'main.js': 'exports.made = { on() {} }; exports.third = 3;',
  'main.d.ts':
    '/// <reference types="node" />\n/// <reference types="third" />\nexport declare const made: import("events").EventEmitter;\nexport declare const third: Third;',
  'node_modules/@types/node/package.json': '{ "name": "@types/node", "version": "99.0.0", "types": "index.d.ts" }',
  'node_modules/@types/node/index.d.ts':
    'declare module "events" { class EventEmitter { other: 1 } namespace EventEmitter { export { EventEmitter }; } export = EventEmitter; }\ninterface NewInNode99 { n: 1 }',
  'node_modules/@types/third/package.json': '{ "name": "@types/third", "version": "1.0.0", "types": "index.d.ts" }',
  'node_modules/@types/third/index.d.ts': 'type Third = 3;',
};

describe.each([
  ['a folder without packages, with the lab', "import { open, toArrow } from 'gemma-loupe'", false],
  [
    'a folder whose package has types of another Node',
    "import { made, third } from 'typed'; made; const t: 3 = third;",
    true,
  ],
])('from %s', { timeout: 240_000 }, (_, first, withPackage) => {
  let cells: Cells;
  beforeAll(async () => {
    const folder = freshFolder();
    for (const [name, text] of withPackage ? Object.entries(PACKAGE) : []) {
      const path = join(folder, 'node_modules', 'typed', name);
      mkdirSync(join(path, '..'), { recursive: true });
      writeFileSync(path, text);
    }
    cells = cellsIn(folder);
    await cells.run(first);
  });

  test.each([
    ["import { spawn } from 'node:child_process'; typeof spawn('true').on('exit', () => {}).once", 'function'],
    ["import { Worker } from 'node:worker_threads'; typeof Worker.prototype.on", 'function'],
    ["import { Interface } from 'node:readline'; typeof Interface.prototype.removeListener", 'function'],
    ["import cluster from 'node:cluster'; typeof cluster.emit", 'function'],
    ["import net from 'node:net'; typeof new net.Socket().listenerCount", 'function'],
    ["import zlib from 'node:zlib'; typeof zlib.createGzip().pipe", 'function'],
    ["import { EventEmitter } from 'node:events'; class Own extends EventEmitter {}\ntypeof new Own().on", 'function'],
    ["import events, { once } from 'events'; [typeof new events().emit, typeof once].join()", 'function,function'],
    ['typeof process.stdin.on', 'function'],
    ["const bytes = Buffer.from('a'); const view: Uint8Array = bytes; view.length", 1],
  ])('%s', async (source, value) => expect(await cells.run(source)).toBe(value));

  test('and no other Node’s', async () => {
    await expect(cells.run('type Other = NewInNode99')).rejects.toThrow(/TS2304: Cannot find name 'NewInNode99'/);
  });
});
