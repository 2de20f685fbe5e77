// Cells that look at their own errors, never end, or take away what the kernel lives by: through Jupyter's own client.

import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { packageRoot } from '../../engine/files.js';
import { runPython } from './jupyter.js';

let result: Record<string, unknown>;
beforeAll(() => {
  const folder = mkdtempSync(join(tmpdir(), 'loupe-rough-'));
  const { status, stderr } = runPython(join(packageRoot(), 'test/notebook/rough.py'), join(folder, 'result.json'));
  if (status !== 0) throw new Error(stderr);
  result = JSON.parse(readFileSync(join(folder, 'result.json'), 'utf8'));
  rmSync(folder, { recursive: true });
}, 400_000);

describe('an error that a cell looks at itself', () => {
  test.each([
    ['logged', /^Error: here\n {4}at f \(cell-1:4:9\)\n {4}at cell-1:6:7$/],
    ['stack', /^Error: kept\n {4}at cell-2:2:14$/],
    ['later', /^Error: kept\n {4}at cell-2:2:14\nError: kept\n {4}at cell-2:2:14\n\n1 interface A \{\}\n2 const kept/],
    ['value', /^Error: value\n {4}at cell-4:2:1 \{\n {2}\[cause\]: TypeError: inner\n {6}at cell-4:2:29\n\}$/],
    ['awaited', /^RangeError: awaited\n {4}at g \(cell-5:2:40\)\n {4}at (async )?cell-5:3:1$/],
    ['timer', /^Error: timer\n {4}at Timeout\._onTimeout \(cell-6:2:64\)$/],
    ['of_node', /^TypeError \[ERR_INVALID_ARG_TYPE\]: The "size".*\n {4}at .*\(node:buffer.*\n {4}at cell-7:2:14$/],
    ['captured', /^Error\n {4}at cell-8:2:37$/],
    ['traced', /^Trace: traced\n {4}at cell-9:2:9$/],
    ['evaluated', /^Error: evaluated\n {4}at eval \(eval at <anonymous> \(cell-10:2:7\), .*\n.*\n {4}at cell-10:2:7$/],
    ['of_file', /^Error: in file\n {4}at fails \(\S+throws\.ts:4:9\)\n {4}at cell-11:2:\d+$/],
    [
      'of_the_lab',
      /^ModelFileError: There is no model[^\n]*\n( {4}at .*\/lab\/session\/open\.js.*\n)+ {4}at cell-12:2:7$/,
    ],
    ['undefined', /^Error: u\n {4}at cell-13:2:59$/],
    ['deleted', /^Error: d\n {4}at cell-14:2:54$/],
    ['after_deleted', /^Error: a\n {4}at cell-15:3:13$/],
    ['own_sites', /^cell-16:2:(\d+) sitesOf \(cell-16:2:\1\)\|cell-16:3:15 cell-16:3:15$/],
    ['own_text', /^x at 3$/],
    ['own_still', /^y at 4$/],
    ['own_twice', /^t at 2$/],
    ['after_defined', /^Error: z\n {4}at cell-21:2:13$/],
    ['of_class', /^TypeError: mine\n {4}at cell-22:3:13$/],
    ['reported', /^Error: reported\n {4}at cell-23:3:7\n/],
    ['no_trace', /^at deep \(cell-24:1:\d+\)$/],
  ])('%s: has its places in the cells, and no frames of the kernel', (name, told) => {
    const text = (result.own_errors as Record<string, string>)[name];
    expect(text).toMatch(told);
    expect(text).not.toMatch(/lab\/kernel|node:vm|tslab/);
  });
});

describe('Stop', () => {
  test('ends a recursion that goes on from finally or catch', () => {
    expect(result.recursions).toEqual(Array(6).fill(['error', 'Interrupted']));
  });

  test('ends what such a cell began', () => {
    expect(result.interval).toEqual(['error', 'Interrupted']);
    expect(result.interval_after).toEqual(['true,0']);
    // In the square of their number this took a minute and longer.
    expect(result.many_intervals).toEqual(['ok', ['1'], '']);
    expect(result.many_stopped).toEqual([['error', 'Interrupted'], ['true']]);
  });

  test('ends the child that a cell waits for, with its own children, and no other', () => {
    expect(result.children).toEqual(Array(6).fill(['error', 'Interrupted']));
    expect(result.children_seconds).toBeLessThan(60);
    expect(result.children_after).toEqual(['clean,,,well\n']);
  });
});

describe('the kernel lives on', () => {
  const SENTENCE = /^LoupeError: process\.\w+\(.*\) would end the kernel and its session/;
  test.each([
    ['all', 'ok', ['1'], /^Uncaught: Error: late\n {4}at /],
    ['lost', 'ok', ['1'], /^A promise that nobody awaits was rejected: Error: lost\n/],
    ['signal', 'ok', ['0'], /^$/],
    ['signal_after', 'ok', ['1'], /^$/],
    ['listener', 'ok', ['1'], /^Uncaught: Error: late\n[\s\S]*\nUncaught: Error: within\n/],
    ['own', 'ok', ['1,0'], /^Uncaught: Error: late\n/],
    ['abort', 'error', [], SENTENCE],
    ['exit', 'error', [], SENTENCE],
    ['kill', 'error', [], SENTENCE],
    ['alive', 'ok', ['true'], /^$/],
  ])('when its means are taken away: %s', (name, status, shown, said) => {
    expect((result.lived as Record<string, unknown>)[name]).toEqual([status, shown, expect.stringMatching(said)]);
  });

  test('and can be stopped', () => {
    expect(result.lived_stop).toEqual([
      ['error', 'Interrupted'],
      ['ok', ['3'], ''],
    ]);
  });

  test('or says in the next one’s first cell that it has not', () => {
    expect(result.died).toEqual([
      [
        'ok',
        ['1'],
        expect.stringMatching(/^The kernel before this one ended without being shut down: .*variables are gone\.$/),
      ],
      ['ok', ['1'], ''],
    ]);
    expect(result.restarted).toEqual(['ok', ['1'], '']);
  });
});

test('what the compiler puts into a cell shows nowhere', () => {
  expect(result.added).toEqual({
    clone: 'DataCloneError: () => (1) could not be cloned.',
    text: '(x) => (x + 1)',
    method: 'class A {\n        m() { for (;;) {\n            return 1;\n        } }\n    }',
    waits: 'async (x) => { for (const y of [1]) {\n        (await x);\n    } return { x: (await y()) }; }',
    concatenated: 'function () { return given(); }',
    called: 'TypeError: given is not a function',
    made: 'TypeError: given is not a constructor',
    member: 'TypeError: given.none is not a function',
    iterated: 'TypeError: given is not iterable',
    taken_apart: "TypeError: Cannot destructure property 'a' of 'nothing' as it is undefined.",
    awaited: 'TypeError: (intermediate value) is not a function',
    caught: 'given is not a function',
    lost: 'A promise that nobody awaits was rejected: TypeError: given is not a function',
    of_node: 'function toString() { [native code] },function max() { [native code] }',
    own_text: 'globalThis.Reflect.get([1], 0)',
    elsewhere: '8',
  });
});

test('a promise or a timer shows nothing of what Node keeps on it', () => {
  const { promise, pending, subclass, timer, immediate } = result.shown as Record<string, string[]>;
  expect([promise, pending, subclass]).toEqual([
    ['Promise { 1 }'],
    ['[ Promise { <pending> } ]'],
    ['Own [Promise] { 2 }'],
  ]);
  expect(timer[0]).toMatch(/^Timeout \{/);
  expect(timer[0] + immediate[0]).not.toContain('kResourceStore');
});
