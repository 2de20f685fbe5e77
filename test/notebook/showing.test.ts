// Whatever a value, an error or a display is: the cell ends, shows what it can, and says what it cannot. What is too large is cut, what is
// too fast is slowed, what waits can be stopped.

import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { packageRoot } from '../../engine/files.js';
import { runPython } from './jupyter.js';

type Told = [status: string, shown: string[], said: string];
type Size = [characters: number, after: string, kinds: Record<string, number>, said: string];
type Loop = [status: string, kinds: Record<string, number>, last: string, said: string, seconds: number];

const OBJECT = '{ [Symbol(Jupyter.display)]: [Function: [Jupyter.display]] }';
const LEFT_OUT = 'was left out: a page cannot show so much. Write it to a file instead.';

describe('what a cell shows', () => {
  let result: Record<string, unknown> & {
    told: Record<string, Told>;
    large: Record<string, Size>;
    loop: Record<string, Loop>;
  };
  beforeAll(() => {
    const folder = mkdtempSync(join(tmpdir(), 'loupe-showing-'));
    const { status, stderr } = runPython(join(packageRoot(), 'test/notebook/showing.py'), join(folder, 'result.json'));
    if (status !== 0) throw new Error(stderr);
    result = JSON.parse(readFileSync(join(folder, 'result.json'), 'utf8'));
    rmSync(folder, { recursive: true });
  }, 600_000);

  test.each([
    ['throws', OBJECT, 'The display of a value failed: Error: no picture.'],
    ['throws_nothing', OBJECT, 'The display of a value failed: undefined.'],
    ['throws_proxy', OBJECT, 'The display of a value failed: {}.'],
    ['getter', '{ [Symbol(Jupyter.display)]: [Getter] }', 'The display of a value failed: Error: no method.'],
    ['nothing', OBJECT, /^The display of a value returned nothing, where a bundle such as .* is needed\.$/],
    ['text', OBJECT, /^The display of a value returned a string, where a bundle/],
    ['empty', OBJECT, 'The display of a value returned a bundle without any form.'],
    ['no_mime', OBJECT, "'html' of a value's display is no mime type."],
    ['bigint', OBJECT, "A value's 'text/plain' cannot be shown: it is a bigint, where text is needed."],
    ['symbol', '<b>x</b>', "A value's 'text/plain' cannot be shown: it is a symbol, where text is needed."],
    ['cycle', OBJECT, /^A value's 'application\/json' cannot be shown: TypeError: Converting circular structure/],
    ['function', OBJECT, "A value's 'application/vnd.plotly.v1+json' cannot be shown: it holds a function."],
    ['nested', OBJECT, "A value's 'application/json' cannot be shown: it is nested more than 200 deep."],
    ['bundle_proxy', OBJECT, 'The display of a value failed: 1.'],
    ['late', '<i>late</i>', ''],
    ['late_throws', OBJECT.replace('Function', 'AsyncFunction'), 'The display of a value failed: Error: too late.'],
    ['never', OBJECT, /^The display of a value failed: Error: it was not ready after 20 s/],
    ['png', 'iVBORw==', ''],
    ['buffer', 'iVBORw==', ''],
    ['inspect', /^\{\n {2}a: 1,/, 'The text of a value could not be made: Error: no text.'],
    ['proxy', '{ a: 1 }', 'The display of a value failed: 1.'],
    ['revoked', '<Revoked Proxy>', /^The display of a value failed: TypeError: Cannot perform 'get' on a proxy/],
    ['surrogate', 'half \ufffd whole 😀 \\ud800', ''],
    ['handle', 'a', ''],
    ['forms', '<b>bold</b>', ''],
    ['forms_last', "{ 'text/html': '<b>bold</b>' }", ''],
  ])('a value whose display is of the kind %s', (kind, shown, said) => {
    expect(result.told[kind]).toEqual([
      'ok',
      [typeof shown === 'string' ? shown : expect.stringMatching(shown)],
      typeof said === 'string' ? said : expect.stringMatching(said),
    ]);
  });

  test('a display of show() that fails is told, and the cell goes on', () => {
    expect(result.told.show_throws).toEqual(['ok', [OBJECT, 'goes on'], 'The display of a value failed: 1.']);
  });

  test.each([
    ['thrown_proxy', /^Thrown: \{\}$/],
    ['thrown_error_proxy', /^Thrown: Error: inside/],
    ['thrown_undefined', /^Thrown: undefined$/],
    ['thrown_symbol', /^Thrown: Symbol\(s\)$/],
    ['rejected', /^Thrown: \{\}$/],
    ['message', /^Error: \(its message cannot be read: Error: no message\)$/],
    ['stack', /^Error: m$/],
    ['name', /^Error: m\n {4}at cell-\d+:1:29\n/],
    ['odd_parts', /^Symbol\(n\): \{ a: 1 \}$/],
    ['cause', /^Error: m\n {4}at cell-\d+:1:18\n[\s\S]*\nCaused by: an error that is told above$/],
    ['causes', /^Error: outer\n {4}at cell-(\d+):1:7\n[\s\S]*\nCaused by: TypeError: inner\n {4}at cell-\1:1:35\n/],
    ['aggregate', /^AggregateError: many\n {2}- Error: a\n {2}- \{\}\n {2}- null\n {4}at cell-/],
  ])('an error of the kind %s', (kind, told) => {
    expect(result.told[kind]).toEqual(['error', [], expect.stringMatching(told)]);
  });

  test('an error that nobody catches, and that cannot be looked at', () => {
    expect(result.told.stray[2]).toBe('A promise that nobody awaits was rejected: {}');
    expect(result.told.stray_late[2]).toBe('Uncaught: {}');
  });

  test('Stop ends a display that never comes, one of show(), and one that never returns', () => {
    for (const kind of ['stopped', 'stopped_show', 'stopped_sync', 'stopped_loop']) {
      expect([kind, ...(result[kind] as string[])]).toEqual([kind, 'error', 'Interrupted']);
    }
  });

  test.each([
    ['value', 2_001_000, `The rest of a value, 48.0 MB, ${LEFT_OUT}`],
    ['shown', 2_001_000, `The rest of a value, 48.0 MB, ${LEFT_OUT}`],
    ['keys', 2_200_000, /^The rest of a value, 3\.\d MB, was left out/],
    ['error', 250_000, /The rest of the error, 49\.9 MB, was left out/],
    ['thrown', 250_000, /The rest of the error, 49\.9 MB, was left out/],
    ['name', 2000, 'm'],
    ['html', 1000, `A value's 'text/html', 50.0 MB, ${LEFT_OUT}`],
    ['json', 1000, `A value's 'application/json', 50.0 MB, ${LEFT_OUT}`],
    ['many', 21_500_000, /^9 displays of this cell before the last were left out/],
    ['errors', 2000, 'm'],
    ['strays', 20_000, /Further errors of this cell that nobody catches are not told\.$/],
  ])('of a %s of 50 MB at most %i characters go out, and what is missing is told', (kind, most, said) => {
    const [characters, after, , told] = result.large[kind];
    expect(characters).toBeLessThan(most);
    expect(after).toBe('ok');
    expect(told).toEqual(typeof said === 'string' ? said : expect.stringMatching(said));
  });

  test.each([
    ['show', 'display_data'],
    ['awaiting', 'display_data'],
    ['animation', 'clear_output'],
    ['update', 'update_display_data'],
  ])('a loop of three seconds with %s is slowed, and its last display is there', (kind, type) => {
    const [status, kinds, last, said, seconds] = result.loop[kind];
    expect([status, last, said]).toEqual(['ok', 'last', '']);
    expect(kinds[type]).toBeGreaterThan(5);
    expect(kinds[type]).toBeLessThan(101 + 110 * seconds);
  });

  test('of more displays than a page can hold the last is there, and the others are counted', () => {
    const [status, kinds, last, said] = result.loop.many;
    expect([status, kinds.display_data, last]).toEqual(['ok', 1001, '1299']);
    expect(said).toMatch(/^299 displays of this cell before the last were left out/);
  });

  test('what show() showed can be changed, from a later cell too', () => {
    expect(result.updated).toEqual(['one', 'two', 'update_display_data', 'three', true]);
    expect(result.updated_later).toEqual([
      ['update_display_data', 'four'],
      ['update_display_data', 'five'],
    ]);
  });

  test('two questions at once are both answered, one after the other', () => {
    expect(result.asked).toEqual([
      [
        ['a', false, true],
        ['b', true, true],
      ],
      ["[ 'first', 'second' ]"],
    ]);
  });

  test('an answer to a cell that was stopped goes to nobody, and a cell that has ended cannot be answered', () => {
    expect([result.asked_again, result.answered_again]).toEqual(['again', ['in time']]);
    expect(result.asked_late).toBe('ok');
    expect((result.refused_late as Told)[1]).toEqual([
      expect.stringMatching(/^Nobody answered 'never answered' before its cell/),
    ]);
    expect((result.odd_prompt as Told)[2]).toMatch(/^LoupeError: Nobody can be asked 'Symbol\(x\)'/);
  });

  test.each([
    ['exec', ['ok', 'before\nout\nafter\n', 'err\n', []]],
    ['failing', ['error', 'out\n', 'err\n', []]],
    ['file', ['ok', 'out\n', '', ['null']]],
    ['spawn_sync', ['ok', 'out\nerr\n', '', ['[ 3, null ]']]],
    ['spawn', ['ok', 'out\n', 'err\n', ['[ 3, null ]']]],
    ['piped', ['ok', '', '', ['out\n']]],
    ['descriptors', ['ok', 'out\n', 'err\n', ['8']]],
    ['none', ['ok', '', '', ['spawnSync no-such-program ENOENT']]],
    ['late', ['mine\n', true]],
  ])('what a child writes is its cell’s: %s', (kind, written) => {
    expect((result.children as Record<string, unknown>)[kind]).toEqual(written);
  });

  test('what a child writes has the limit that printing has', () => {
    const [out, said] = (result.children as Record<string, number[]>).large;
    expect(out).toBe(2_000_000);
    expect(said).toBeGreaterThan(50);
  });
});
