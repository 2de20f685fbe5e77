// The kernel through Jupyter's own client: values, errors, completion, Stop, and a session that lives on.

import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { packageRoot } from '../../engine/files.js';
import { runPython } from './jupyter.js';

describe('the kernel', () => {
  let result: Record<string, unknown>;
  beforeAll(() => {
    const { status, stdout, stderr } = runPython(join(packageRoot(), 'test/notebook/kernel.py'));
    if (status !== 0) throw new Error(stderr);
    result = JSON.parse(stdout);
  }, 240_000);

  test('speaks TypeScript and shows the last expression', () => {
    expect(result.language).toBe('typescript');
    expect(result.value).toEqual(['2']);
  });

  test('shows a type error at its place, and a user’s mistake as one sentence', () => {
    expect(result.type_error).toEqual([
      expect.stringMatching(/^1:7 - Type 'string' is not assignable to type 'number'/),
    ]);
    expect(result.mistake).toMatchObject({
      ename: 'ModelFileError',
      traceback: [expect.stringMatching(/There is no model 'nothing'/)],
    });
  });

  test('opens a model by the package’s name, and completes its methods', () => {
    expect(result.opened).toBe('ok');
    expect(result.completions).toEqual(expect.arrayContaining(['run', 'diff', 'stage', 'generate', 'edit', 'plan']));
  });

  test('runs a cell whose only await is for await', () => {
    expect(result.for_await).toEqual(['...']);
  });

  test('Stop ends a generation, nothing prints afterwards, and the session goes on', () => {
    expect(result.interrupted).toEqual(['error', 'Interrupted']);
    expect(result.printed_after).toBe(0);
    expect(result.variables).toEqual(['true']);
    expect(result.goes_on).toEqual([['application/vnd.plotly.v1+json', 'image/svg+xml', 'text/plain']]);
  });

  test('a shutdown ends a kernel that generates; Jupyter need not kill it', () => {
    expect(result.exit_code).toBe(0);
  });
});
