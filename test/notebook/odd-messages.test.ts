// Messages that no front end should send: every one is refused with a word, those that somebody waits for are answered, and the kernel lives.

import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { packageRoot } from '../../engine/files.js';
import { runPython } from './jupyter.js';

describe('odd messages', () => {
  let result: Record<string, unknown>;
  beforeAll(() => {
    const folder = mkdtempSync(join(tmpdir(), 'loupe-odd-'));
    const program = join(packageRoot(), 'test/notebook/odd-messages.py');
    const { status, stderr } = runPython(program, join(folder, 'result.json'));
    if (status !== 0) throw new Error(stderr);
    result = JSON.parse(readFileSync(join(folder, 'result.json'), 'utf8'));
    rmSync(folder, { recursive: true });
  }, 600_000);

  test('a message called __proto__ or constructor is one that nobody knows', () => {
    expect(Object.values(result.names as object)).toEqual(Array.from({ length: 8 }, () => 'ok'));
  });

  test.each([
    ['deep', 'execute_reply', 'nested more than 200 deep'],
    ['deep_history', 'history_reply', 'nested more than 200 deep'],
    ['no_json', 'execute_reply', 'that is no JSON'],
    ['array', 'execute_reply', 'a part that is no JSON object'],
    ['null', 'execute_reply', 'a part that is no JSON object'],
    ['no_text', 'execute_reply', 'a message that is not UTF-8'],
    ['large', 'execute_reply', 'a message of 20.0 MB, where 16.8 MB are the most'],
  ])('content that is %s is answered with a sentence', (kind, type, why) => {
    expect(result[kind]).toEqual([type, 'error', expect.stringContaining(why)]);
  });

  test('who comes back under one name is answered', () => {
    expect(result.same_name).toEqual(Array(4).fill(['kernel_info_reply', 'ok', '']));
  });

  test('a frame of 400 MB, one that no one signed, and a heartbeat of 10 MB end nothing', () => {
    expect(result.large_header).toBe(null);
    expect([result.after_odd_content, result.after_giant]).toEqual(['ok', 'ok']);
    expect(result.after_heartbeat).toEqual(['ok', true]);
  });

  test('every request is answered, whatever is in its fields', () => {
    expect(result.wrong).toEqual({});
    expect(result.no_code).toBe("The front end sent 'code' as nothing, where text is needed.");
    expect(result.control).toEqual(['ok']);
    expect(result.after).toEqual(['ok', ['2'], '']);
  });

  test('who begins to listen is welcomed before anything else, whatever is being said', () => {
    expect(result.first).toEqual([[['iopub_welcome', true], 300]]);
    expect(result.after_listeners).toBe('ok');
  });

  test('who opens a line for a widget hears that nobody is there', () => {
    expect(result.comm).toEqual([['comm_close', 'a']]);
  });

  test('a search of forty stars is quick, and a plain one finds', () => {
    expect(result.stars).toEqual([[], [], []]);
    expect(result.stars_quick).toBe(true);
    expect(result.found).toEqual(["'b' + 'c'"]);
  });

  test('expressions beside a cell are answered by name', () => {
    expect(Object.entries(result.expressions as object)).toEqual([
      ['sum', '2'],
      ['__proto__', 'named'],
      ['bad', 'TypeScriptError'],
      ['thrown', 'Thrown'],
      ['number', 'LoupeError'],
    ]);
  });
});
