// A shader that never ends: it is named, the call and those after it end with a sentence, and the process can exit. And no long run of
// a slow adapter is taken for one.

import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { OptionError } from '../../engine/errors.js';
import { packageRoot } from '../../engine/files.js';
import { partsOf } from '../../engine/submits.js';
import { Watchdog } from '../../engine/watchdog.js';
import { open } from '../../lab/session/open.js';

describe('the time it counts', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance'] }));
  afterEach(() => void vi.useRealTimers());

  function watching(seconds: number) {
    const told: string[] = [];
    const dog = new Watchdog(
      seconds,
      what => void told.push(what),
      () => void told.push('calm'),
    );
    const submit = (what: string, allowance = 0) => {
      let end = () => {};
      const done = new Promise<void>(resolve => (end = resolve));
      dog.watch(what, done, () => allowance);
      return async () => {
        end();
        await done;
        await Promise.resolve();
      };
    };
    return { told, submit };
  }
  const pass = (seconds: number) => void vi.advanceTimersByTime(1000 * seconds);

  test('what makes no end is told, once, and forgiven when it ends after all', async () => {
    const { told, submit } = watching(10);
    const end = submit('a');
    submit('b');
    pass(9);
    expect(told).toEqual([]);
    pass(3);
    expect(told).toEqual(['a']);
    pass(100);
    expect(told).toEqual(['a']);
    await end();
    expect(told).toEqual(['a', 'calm']);
  });

  test('every end begins it anew, and the first that has none is the one', async () => {
    const { told, submit } = watching(10);
    const ends = ['a', 'b', 'c'].map(what => submit(what));
    for (const end of ends.slice(0, 2)) {
      pass(9);
      await end();
    }
    pass(9);
    expect(told).toEqual([]);
    pass(3);
    expect(told).toEqual(['c']);
  });

  test('much arithmetic has more time', () => {
    const { told, submit } = watching(10);
    submit('a large layer', 300);
    pass(305);
    expect(told).toEqual([]);
    pass(10);
    expect(told).toEqual(['a large layer']);
  });

  test('a machine that slept and a cell that held the thread are no GPU that hangs', () => {
    const { told, submit } = watching(10);
    submit('a');
    pass(2);
    const asleep = performance.now() + 3_600_000;
    const own = performance.now;
    const late = vi.spyOn(performance, 'now').mockImplementation(() => own.call(performance) + 3_600_000);
    expect(performance.now()).toBeGreaterThanOrEqual(asleep);
    pass(2);
    expect(told).toEqual([]);
    pass(20);
    expect(told).toEqual(['a']);
    late.mockRestore();
  });

  test('0 waits for ever', () => {
    const { told, submit } = watching(0);
    submit('a');
    pass(100_000);
    expect(told).toEqual([]);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('with nothing submitted no timer keeps the process', async () => {
    const { submit } = watching(10);
    await submit('a')();
    expect(vi.getTimerCount()).toBe(0);
  });
});

test('a chunk is one submit, is cut at layers that are waited for, and around edited shaders', () => {
  const names = ['a', 'b', 'c', 'd', 'e'];
  const spans = (ends: number[], edited: Record<number, string[]> = {}) =>
    partsOf(names, ends, i => edited[i] ?? []).map(({ from, to, what, layer }) => [from, to, what, layer]);
  expect(spans([])).toEqual([[0, 5, "'a' … 'e'", null]]);
  expect(spans([1, 3])).toEqual([
    [0, 2, "'a' … 'b'", 1],
    [2, 4, "'c' … 'd'", 2],
    [4, 5, "'e'", null],
  ]);
  expect(spans([1], { 1: ['rope'], 2: ['mul', 'slice'] })).toEqual([
    [0, 1, "'a'", null],
    [1, 2, "'b', which runs the edited rope.wgsl", 1],
    [2, 3, "'c', which runs the edited mul.wgsl, slice.wgsl", null],
    [3, 5, "'d' … 'e'", null],
  ]);
});

test('what is no number of seconds is refused', async () => {
  for (const watchdog of [-1, Number.NaN, Number.POSITIVE_INFINITY, '5' as unknown as number]) {
    await expect(open('atlas', { watchdog, quiet: true })).rejects.toThrow(OptionError);
  }
  using model = await open('atlas', { quiet: true });
  expect(model.gpu.watchdog).toBe(120);
  const { status, stderr } = node([join(packageRoot(), 'dist/lab/cli/loupe.js'), 'generate', '-p', 'a'], 'abc');
  expect(stderr).toContain("LOUPE_WATCHDOG must be a number of seconds from 0, where 0 is for ever, not 'abc'.");
  expect(status).toBe(2);
});

test.each([
  ['rope', 'let pairs', "'layers.0.attn.q_rope', which runs the edited rope.wgsl"],
  ['argmax', 'let row', 'the search for the likeliest token, which runs the edited argmax.wgsl'],
  ['argmax_last', 'let row', 'the search for the likeliest token, which runs the edited argmax_last.wgsl'],
  ['slice', 'let source', "'layers.2.resid', which runs the edited slice.wgsl"],
  ['top_maxima', 'let row', 'the search for the largest logits, which runs the edited top_maxima.wgsl', 'drawn'],
  [
    'top_threshold',
    'var threshold',
    'the search for the largest logits, which runs the edited top_threshold.wgsl',
    'drawn',
  ],
  ['top_collect', 'let row', 'the search for the largest logits, which runs the edited top_collect.wgsl', 'drawn'],
  ['top_rank', 'let count', 'the search for the largest logits, which runs the edited top_rank.wgsl', 'drawn'],
  ['rope', 'let pairs', "'layers.0.attn.q_rope', which runs the edited rope.wgsl", 'several'],
] as const)(
  '%s that loops for ever is named; every call ends, and so does the process',
  (shader, before, what, how?: string) => {
    const script = `
    import { open } from ${JSON.stringify(join(packageRoot(), 'dist/lab/index.js'))};
    const model = await open('atlas', { quiet: true });
    await model.run('The capital of France is');
    const name = ${JSON.stringify(shader)};
    const y = { rope: 'y[0] += 1.0; if (y[1] == 77.125) { break; }', argmax: 'places[0] += 1u; if (places[1] == 77u) { break; }', slice: 'y[0] += 1u; if (y[1] == 77u) { break; }',
      argmax_last: 'best[0] ^= 1u; if (best[0] == 77777u) { break; }', top_maxima: 'maxima[0] += 1u; if (maxima[1] == 77u) { break; }', top_threshold: 'state[0].count += 1u; if (state[0].threshold == 77u) { break; }',
      top_collect: 'sums[0] += 1.0; if (sums[1] == 77.125) { break; }', top_rank: 'found[0] += 1u; if (found[1] == 77u) { break; }' };
    await model.edit(name, w => w.replace(${JSON.stringify(before)}, 'loop { ' + y[name] + ' }\\n' + ${JSON.stringify(before)}));
    const said = {};
    const call = async (key, work) => { try { await work(); said[key] = 'ended'; } catch (e) { said[key] = e.name + ': ' + e.message; } };
    const how = ${JSON.stringify(how ?? '')};
    const drawn = how === 'drawn' ? { temperature: 1, topK: 20 } : {};
    const generate = async () => { for await (const token of model.generate(how === 'several' ? ['Once', 'The'] : 'Once', { maxTokens: 3, plan: 'exact', ...drawn })) void token; };
    const run = () => model.run('The capital of France is', { tap: 'layers.2.resid' });
    const generated = call('generate', generate);
    // A run alone would end where only a generation has the shader.
    if (/^(argmax|top)/.test(name)) await generated;
    await Promise.all([generated, call('run', run)]);
    for (const [key, work] of Object.entries({ again: run, open: () => open('atlas'), edit: () => model.edit(name, null), stage: () => model.patching({ clean: [2, 5, 7], corrupt: [2, 6, 7] }) })) await call(key, work);
    said.bytes = model.gpu.liveBytes;
    model[Symbol.dispose]();
    said.left = model.gpu.liveBytes;
    process.stdout.write(JSON.stringify(said), () => process.exit(3));
  `;
    const { status, stdout } = node(['--input-type=module', '-e', script], '3');
    expect(status).toBe(3);
    const { bytes, left, ...said } = JSON.parse(stdout);
    const sentence = `DeviceError: The GPU has made no progress for `;
    expect(Object.keys(said)).toHaveLength(6);
    for (const [key, text] of Object.entries(said)) {
      expect(text, key).toContain(sentence);
      expect(text, key).toContain(` s in ${what}. If a loop there never ends, nothing can stop it but a restart`);
    }
    expect(bytes).toBeGreaterThan(0);
    expect(left).toBe(0);
  },
);

function node(args: string[], watchdog: string) {
  return spawnSync(process.execPath, args, {
    encoding: 'utf8',
    env: { ...process.env, LOUPE_WATCHDOG: watchdog },
    timeout: 110_000,
    killSignal: 'SIGKILL',
  });
}
