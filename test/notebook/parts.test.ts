// The kernel's parts that need no Jupyter: what comes over the wire, what a connection file may ask for, loops that can be stopped,
// whether a line is complete, and what was typed.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { completeness } from '../../lab/kernel/completeness.js';
import { readConnection } from '../../lab/kernel/connection.js';
import { pointsOf, unitsOf } from '../../lab/kernel/cursor.js';
import { originalOffset } from '../../lab/kernel/edits.js';
import { History } from '../../lab/kernel/history.js';
import { CellOutput } from '../../lab/kernel/output.js';
import { CHECK, stoppable } from '../../lab/kernel/stoppable.js';
import { type Request, Wire } from '../../lab/kernel/wire.js';
import { freshFolder } from '../fixtures/folder.js';

const folder = freshFolder();

describe('the wire', () => {
  const parent = { identities: [Buffer.from('front')], header: { username: 'u', msg_id: '1' }, content: {} };
  const frames = (key = 'k') =>
    new Wire(key).frames('execute_request', '{"code":"1"}', parent as unknown as Request) as Buffer[];

  test('reads what it wrote, return address included', () => {
    const { identities, header, content } = new Wire('k').parse(frames());
    expect(identities.map(String)).toEqual(['front']);
    expect(header.msg_type).toBe('execute_request');
    expect(content).toEqual({ code: '1' });
  });

  test('takes a message once', () => {
    const wire = new Wire('k');
    const message = frames();
    wire.parse(message);
    expect(() => wire.parse(message)).toThrow('a message that was sent before');
  });

  test.each([
    ['signed with another key', frames('other'), 'a message with a wrong signature'],
    [
      'changed after signing',
      [...frames().slice(0, 6), Buffer.from('{"code":"2"}')],
      'a message with a wrong signature',
    ],
    ['with a short signature', [...frames().slice(0, 2), Buffer.from('ab'), ...frames().slice(3)], 'a wrong signature'],
    ['without delimiter', [Buffer.from('junk')], 'without the delimiter'],
    ['too short', frames().slice(0, 5), 'a message of 2 parts'],
    ['empty', [], 'without the delimiter'],
  ])('refuses a message %s', (_, message, error) => {
    expect(() => new Wire('k').parse(message)).toThrow(error);
  });

  test('looks at the signature before it parses', () => {
    const message = frames();
    message[3] = Buffer.from('{ no JSON');
    expect(() => new Wire('k').parse(message)).toThrow('a message with a wrong signature');
  });
});

describe('a connection file', () => {
  const ports = { iopub_port: 1, shell_port: 2, control_port: 3, stdin_port: 4, hb_port: 5 };
  const whole = { ...ports, transport: 'tcp', ip: '127.0.0.1', key: 'k', signature_scheme: 'hmac-sha256' };
  const read = (text: string) => {
    const path = join(folder, 'connection.json');
    writeFileSync(path, text);
    return () => readConnection(path);
  };

  test('is read', () => expect(read(JSON.stringify(whole))()).toMatchObject(whole));

  test.each([
    [{ ip: '0.0.0.0' }, 'loopback alone'],
    [{ ip: '192.168.1.4' }, 'loopback alone'],
    [{ ip: '127.0.0.1.evil.example' }, 'loopback alone'],
    [{ transport: 'ipc' }, 'loopback alone'],
    [{ key: '' }, 'without a key'],
    [{ signature_scheme: 'hmac-md5' }, 'takes hmac-sha256 alone'],
    [{ shell_port: 'x' }, 'five ports'],
    [{ hb_port: 70_000 }, 'five ports'],
  ])('is refused with %o', (change, error) => {
    expect(read(JSON.stringify({ ...whole, ...change }))).toThrow(error);
  });

  test.each(['', 'null', '[]', '{'])('is refused when it is %s', text => expect(read(text)).toThrow('five ports'));

  test('is asked for', () => {
    expect(() => readConnection(undefined)).toThrow('No connection file was given');
    expect(() => readConnection(join(folder, 'none'))).toThrow('cannot be read: there is no such file');
  });
});

describe('a loop that can be stopped', () => {
  /** Runs code in which the check throws at its nth call. */
  const calls = (code: string, most = 1000): number => {
    let count = 0;
    const check = () => {
      if (++count >= most) throw new Error('stopped');
    };
    const globals = globalThis as Record<string, unknown>;
    globals[CHECK] = check;
    try {
      new Function(stoppable(code).code)();
    } catch (error) {
      if ((error as Error).message !== 'stopped') throw error;
    } finally {
      delete globals[CHECK];
    }
    return count;
  };

  test.each([
    'while (true) {}',
    'while (true);',
    'for (;;) if (false) {}',
    'do { } while (true)',
    'do ; while (true)',
    'for (;;) for (;;) ;',
    'const f = () => f(); f()',
    'const f = x => ({ a: f(x) }); f(1)',
    'function f() { return f() } f()',
    'class A { constructor() { while (1); } } new A()',
    'for (const x of (function* () { while (true) yield 1 })()) ;',
    'label: while (true) continue label;',
    "while (true) { if (1) continue; 'not a directive'; }",
    "while (true) { 'looks like one'; }",
  ])('%s', code => expect(calls(code)).toBe(1000));

  test('awaits give what they gave, wherever they stand', async () => {
    const code = `
      const one = await Promise.resolve(1)
      await null
      const two = [await 2, (await Promise.resolve({ a: [await 3] })).a[0]]
      const f = async x => await x
      const g = async () => { try { await Promise.reject(4) } catch (e) { return await e } finally { await 5 } }
      let sum = 0
      for (const x of await [1, 2]) sum += await x
      for await (const x of [await 3]) sum += x
      const v = !await false && typeof await 1
      return [one, two, await f(6), await g(), sum, v, \`\${await 7}\`]`;
    const AsyncFunction = (async () => {}).constructor as new (code: string) => () => Promise<unknown>;
    expect(await new AsyncFunction(stoppable(code).code)()).toEqual(await new AsyncFunction(code)());
  });

  test('computes what it did before', () => {
    const code =
      'let n = 0; for (let i = 0; i < 5; i++) for (const j of [1, 2]) n += [3].map(x => x * j)[0] + (y => ({ y }))(1).y; return n';
    expect(new Function(stoppable(code).code)()).toBe(new Function(code)());
  });

  test('keeps a function strict', () => {
    const code =
      "return (function () { 'use strict'; return this === undefined })() && !(function () { return this === undefined })()";
    expect(new Function(stoppable(code).code)()).toBe(true);
  });

  test('keeps lines, and finds places again', () => {
    const code = 'const f = (a) => a;\nfor (;;) f(1);\nthrow new Error("here")';
    const running = stoppable(code);
    expect(running.code.split('\n').length).toBe(3);
    for (const word of ['const', '=>', 'f(1)', 'throw', 'here']) {
      expect(originalOffset(running, running.code.indexOf(word))).toBe(code.indexOf(word));
    }
  });
});

test.each([
  ['complete', ['1', 'const x = 1;', 'for await (const t of y) {}', 'f(\n1)', '']],
  ['incomplete', ['if (x) {', 'const a = [1,', '`abc', '/* c', 'f(', 'const f = () =>', 'class A {\n  m() {\n']],
  ['invalid', ['const = 4', "'abc", '1 +* 2', ')', 'let 1x']],
])('Enter after %s code', (status, samples) => {
  for (const sample of samples) expect({ sample, ...completeness(sample) }).toMatchObject({ sample, status });
});

test('Enter indents within braces', () => {
  expect(completeness('if (x) {\n  while (y) {')).toEqual({ status: 'incomplete', indent: '    ' });
  expect(completeness('('.repeat(20_000))).toEqual({ status: 'unknown' }); // deeper than the compiler goes
});

test('a cursor after an emoji is where the editor says', () => {
  expect(unitsOf('a😀b', 2)).toBe(3);
  expect(pointsOf('a😀b', 3)).toBe(2);
});

test('history: tail, range, search, and what another session typed', () => {
  const file = join(folder, 'history.jsonl');
  const first = new History(file);
  first.add(1, 'const a = 1');
  first.add(2, 'a + 1', '2');
  writeFileSync(file, '{ half a line', { flag: 'a' });
  const second = new History(file);
  second.add(1, 'a + (b) * 2', '4');
  second.add(2, 'a + (b) * 2', '4');
  expect(first.read({ hist_access_type: 'tail', n: 1, output: true })).toEqual([[1, 2, ['a + 1', '2']]]);
  expect(second.read({ hist_access_type: 'tail', n: 3 }).map(([, , source]) => source)).toEqual([
    'a + 1',
    'a + (b) * 2',
    'a + (b) * 2',
  ]);
  expect(second.read({ hist_access_type: 'range', session: 1, start: 1, stop: 2 })).toEqual([[1, 1, 'const a = 1']]);
  expect(second.read({ hist_access_type: 'range', session: 0, start: 1, stop: 2 })).toEqual([[2, 1, 'a + (b) * 2']]);
  expect(second.read({ hist_access_type: 'search', pattern: 'a + (?)*', unique: true })).toEqual([
    [2, 2, 'a + (b) * 2'],
  ]);
});

describe('a cell’s output', () => {
  const display = { data: { 'text/plain': 'x' }, metadata: {}, transient: { display_id: 'a' } };
  const sent: [string, unknown][] = [];
  const output = () => {
    sent.length = 0;
    return new CellOutput((type, content) => sent.push([type, content]));
  };

  test('a progress line that was alone in its cell is taken away; one among others becomes empty', () => {
    const alone = output();
    alone.display(display, false);
    alone.display(display, true);
    alone.vanish('a');
    expect(sent.map(([type]) => type)).toEqual(['display_data', 'update_display_data', 'clear_output']);
    const beside = output();
    beside.display(display, false);
    beside.write('stdout', 'text');
    beside.vanish('a');
    expect(sent.map(([type]) => type)).toEqual(['display_data', 'stream', 'update_display_data']);
  });

  test('keeps the order of streams and displays, and characters that come in halves', () => {
    const cell = output();
    const [first, second] = [Buffer.from('😀').subarray(0, 2), Buffer.from('😀').subarray(2)];
    cell.write('stdout', 'a');
    cell.write('stdout', first);
    cell.write('stderr', 'b');
    cell.write('stdout', second);
    cell.display(display, false);
    const texts = sent.map(([type, content]) => (content as { text?: string }).text ?? type);
    expect(texts.join('|')).toBe('a|b|😀|display_data');
  });

  test('says nothing more once its cell was stopped', () => {
    const cell = output();
    cell.write('stdout', 'before');
    cell.stop();
    cell.write('stdout', 'after');
    cell.display(display, false);
    cell.flush();
    expect(sent).toEqual([['stream', { name: 'stdout', text: 'before' }]]);
  });
});
