// The kernel through Jupyter's own client: values, errors, completion, Stop, and a session that lives on.

import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { packageRoot } from '../../engine/files.js';
import { runPython } from './jupyter.js';

describe('the kernel', () => {
  let result: Record<string, unknown>;
  beforeAll(() => {
    const folder = mkdtempSync(join(tmpdir(), 'loupe-kernel-'));
    const { status, stderr } = runPython(join(packageRoot(), 'test/notebook/kernel.py'), join(folder, 'result.json'));
    if (status !== 0) throw new Error(stderr);
    result = JSON.parse(readFileSync(join(folder, 'result.json'), 'utf8'));
    rmSync(folder, { recursive: true });
  }, 240_000);

  test('speaks TypeScript and shows the last expression', () => {
    expect(result.language).toBe('typescript');
    expect(result.value).toEqual(['2']);
    expect(result.traffic).toEqual(['execute_input', 'stream', 'execute_result']);
  });

  test('knows a variable of an earlier cell in { shorthand }', () => {
    expect(result.shorthand).toEqual(['[{"kept":7},{"given":1,"kept":7}]']);
  });

  test('awaits within an await', () => {
    expect(result.nested_await).toEqual(['2']);
  });

  test('shows all type errors, each at its line and column with the source under it', () => {
    expect(result.type_errors).toEqual([
      [
        "cell-6:1:7 - error TS2322: Type 'string' is not assignable to type 'number'.",
        '',
        "1 const x: number = 'no';",
        '        ~',
        '',
        "cell-6:2:5 - error TS2322: Type 'number' is not assignable to type 'string'.",
        '',
        '2 let y: string = 3;',
        '      ~',
      ].join('\n'),
    ]);
    expect(result.syntax_error).toEqual([
      expect.stringMatching(/^cell-7:1:7 - error TS1134: Variable declaration expected/),
    ]);
  });

  test('shows where in which cell an error was thrown, in the cell’s own lines', () => {
    expect(result.thrown_deep).toEqual([
      [
        "TypeError: Cannot read properties of null (reading 'x')",
        '    at f (cell-8:6:15)',
        '    at cell-9:3:1',
        '',
        '5   const none: any = null;',
        '6   return none.x + p.x;',
        '                ^',
      ].join('\n'),
    ]);
    expect(result.thrown_string).toEqual(['Thrown: text']);
    expect(result.thrown_null).toEqual(['Thrown: null']);
  });

  test('shows a user’s mistake as one sentence and its place', () => {
    expect(result.mistake).toEqual([
      expect.stringMatching(/^ModelFileError: There is no model 'nothing'.*\n {4}at cell-12:1:21\n\n1 const model/),
    ]);
    expect(result.exit).toEqual([expect.stringMatching(/would end the kernel/)]);
  });

  test('has the lab in scope, with an import line and without', () => {
    expect(result.opened).toBe('ok');
    expect(result.imported).toBe('ok');
  });

  test('runs a cell whose only await is for await', () => {
    expect(result.for_await).toBe('...');
  });

  test('completes methods, and stage names within quotes', () => {
    expect(result.completions).toEqual(expect.arrayContaining(['run', 'diff', 'stage', 'generate', 'edit', 'plan']));
    expect(result.quoted).toEqual(['layers.0.attn.q_norm', 'layers.0.attn.q_rope']);
    expect(result.taps).toEqual(['layers.*.resid_mid', 'layers.*.resid']);
    expect(result.tapped).toEqual(['layers.2.resid']);
    expect(result.after_emoji).toEqual(['generate']);
  });

  test('inspects: signature and documentation, from within the arguments too, and of a stage', () => {
    expect(result.inspected).toMatch(/Session\.generate\(prompt: Prompt[\s\S]*Continues a prompt/);
    expect(result.inspected_arguments).toBe(result.inspected);
    expect(result.inspected_stage).toBe('stage layers.0.attn.pattern [4,T,S]');
  });

  test('cuts 50 MB of output, and says so', () => {
    expect(result.flood).toEqual([
      'ok',
      2_000_000,
      "The rest of this cell's output, 48.6 MB, was left out: a page cannot show so much. Write it to a file instead.",
    ]);
  });

  test('what prints late prints into its own cell, and a lost rejection is told', () => {
    expect(result.late).toEqual([
      expect.stringMatching(/A promise that nobody awaits was rejected: Error: lost\n {4}at cell-\d+:1:\d+[\s\S]*late/),
      'other\n',
    ]);
  });

  test('shows a string as text, whatever is in it', () => {
    expect(result.markup).toEqual([['text/plain']]);
  });

  test('aborts the cells that were sent before one failed, and no later one', () => {
    expect(result.aborted).toEqual(['error', 'aborted']);
    expect(result.after_abort).toEqual(['0']);
  });

  test('Stop ends a generation, nothing prints afterwards, GPU memory is free, and the session goes on', () => {
    expect(result.stopped_generation).toEqual(['error', 'Interrupted']);
    expect(result.printed_after).toBe(0);
    const [before, after] = result.stopped_bytes as [string[], string[]];
    expect(after).toEqual(before);
    expect(result.variables).toEqual(['true']);
    expect(result.goes_on).toEqual([['application/vnd.plotly.v1+json', 'image/svg+xml', 'text/plain']]);
  });

  test.each(['sync', 'late_sync', 'microtasks', 'recursion', 'timer', 'diff', 'run', 'signal'])(
    'Stop ends an endless loop: %s',
    kind => {
      expect(result[`stopped_${kind}`]).toEqual(['error', 'Interrupted']);
      expect(result.printed_after_timer).toBe(0);
    },
  );

  test('Stop never hits the cell after the one it was meant for', () => {
    expect(result.hit_after_stop).toBe(0);
  });

  test('asks the person in front, and says so where there is none', () => {
    expect(result.asked).toEqual(['name? ', ['Hello Ada']]);
    expect(result.nobody_to_ask).toEqual([expect.stringMatching(/^LoupeError: Nobody can be asked 'name\? '/)]);
  });

  test('answers what is signed, once; nothing that is replayed, forged or junk', () => {
    expect(result.answered).toEqual([true, false, false, false, false]);
  });

  test('a shutdown ends a kernel that generates, and one that hangs; Jupyter need not kill it', () => {
    expect(result.exit_code).toBe(0);
    expect(result.hung_kernel_ended_itself).toBe(true);
  });
});
