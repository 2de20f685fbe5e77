// Edits of shaders: in force for what is called after them, in their order, for every stage and every length; what changes nothing or
// fits not everywhere is refused, and what ran is what is told.

import { afterAll, beforeEach, expect, test, vi } from 'vitest';
import { OptionError, ShaderError } from '../../engine/errors.js';
import { shaderNames } from '../../engine/files.js';
import { bindingsOf } from '../../engine/bindings.js';
import { DISPLAY } from '../../lab/values/shown.js';
import { golden } from '../../lab/values/golden.js';
import { open } from '../../lab/session/open.js';
import type { Session } from '../../lab/session/session.js';

const PROMPT = 'The capital of France is';
const wrong = (wgsl: string) => wgsl.replace('a * turn.x - b', 'a * turn.x + b');
let model: Session;
beforeEach(async () => {
  model = await open('atlas', { quiet: true });
});
afterAll(() => {
  model[Symbol.dispose]();
  expect(model.gpu.liveBytes).toBe(0);
});

const logitsOf = async (session = model) => [...(await session.run(PROMPT)).logits.values.data.slice(0, 8)];

test('an edit that nobody waits for is in force in what is called next, and is told', async () => {
  const g = await golden('atlas/capital');
  const edit = model.edit('rope', wrong);
  const diff = await model.diff(g);
  expect(diff.pass).toBe(false);
  expect(diff.first!.stage).toBe('layers.0.attn.q_rope');
  expect(diff.provenance.edited_shaders).toBe('rope');
  await edit;

  const restored = model.edit('rope', null);
  expect((await model.diff(g)).pass).toBe(true);
  await restored;
  const plain = await logitsOf();
  for (const use of [
    async () => [...(await model.run(PROMPT)).logits.values.data.slice(0, 8)],
    async () => [...(await model.stage('layers.0.attn.q_rope').run(g)).data],
    async () => {
      const ids: number[] = [];
      for await (const { id } of model.generate(PROMPT, { maxTokens: 6 })) ids.push(id);
      return ids;
    },
    async () => {
      const { restored } = await model.patching({
        clean: PROMPT,
        corrupt: 'The capital of Italy is',
        answer: 5,
        wrong: 9,
      });
      return restored.flat();
    },
  ]) {
    const before = await use();
    void model.edit('rope', wrong);
    const during = await use();
    expect(during).not.toEqual(before);
    await model.edit('rope', null);
    expect(await use()).toEqual(before);
  }
  const run = await model.run(PROMPT, { tap: ['layers.*.resid', 'logits'], logits: 'all' });
  const seen = (await run.lens()).cells.map(row => row.map(({ probability }) => probability));
  void model.edit('rms_norm', wgsl => wgsl.replace('* gain[i]', '* gain[i] * 0.5'));
  expect((await run.lens()).cells.map(row => row.map(({ probability }) => probability))).not.toEqual(seen);
  await model.edit('rms_norm', null);
  expect(await logitsOf()).toEqual(plain);
});

test('a run keeps the shaders it began with, and says so', async () => {
  const ids = Array.from({ length: 40 }, (_, i) => 4 + i);
  const before = await model.run(ids, { chunks: [10, 10, 10, 10] });
  const running = model.run(ids, { chunks: [10, 10, 10, 10] });
  await Promise.resolve();
  const edit = model.edit('rope', wrong);
  const [run] = await Promise.all([running, edit]);
  expect(run.logits.values.data).toEqual(before.logits.values.data);
  expect(run.provenance.edited_shaders).toBe('');
  const after = await model.run(ids, { chunks: [10, 10, 10, 10] });
  expect(after.logits.values.data).not.toEqual(before.logits.values.data);
  expect(after.provenance.edited_shaders).toBe('rope');
});

test('what was called before an edit keeps the shaders of then, and what is called after has the new ones', async () => {
  const g = await golden('atlas/capital');
  const PAIR = { clean: PROMPT, corrupt: 'The capital of Italy is', answer: 5, wrong: 9 };
  const collected = async (tokens: AsyncIterable<{ readonly id: number; readonly edited: readonly string[] }>) => {
    const all: [number, ...string[]][] = [];
    for await (const { id, edited } of tokens) all.push([id, ...edited]);
    return all;
  };
  let seen = await model.run(PROMPT, { tap: 'layers.2.resid' });
  const uses: Record<string, () => Promise<{ value: unknown; edited?: string }>> = {
    diff: async () => {
      const { rows, provenance } = await model.diff(g);
      return {
        value: rows.map(({ accumulated, local }) => [accumulated.relL2, local?.relL2]),
        edited: provenance.edited_shaders,
      };
    },
    'diff by the fast plan': async () => {
      const { rows, provenance } = await model.diff(g, { plan: 'fast' });
      return {
        value: rows.map(({ accumulated, local }) => [accumulated.relL2, local?.relL2]),
        edited: provenance.edited_shaders,
      };
    },
    stage: async () => ({ value: [...(await model.stage('layers.0.attn.q_rope').run(g)).data] }),
    run: async () => {
      const { logits, provenance } = await model.run(PROMPT, { plan: 'fast' });
      return { value: [...logits.values.data], edited: provenance.edited_shaders };
    },
    patching: async () => ({ value: (await model.patching(PAIR)).restored }),
    perplexity: async () => {
      const { bits, provenance } = await model.perplexity(PROMPT);
      return { value: bits, edited: provenance.edited_shaders };
    },
    lens: async () => ({ value: (await seen.lens('layers.2.resid')).cells }),
    // Later tokens are of an edit that comes into them, and say so.
    'first token': async () => ({ value: await collected(model.generate(PROMPT, { maxTokens: 1 })) }),
    'first token, drawn': async () => ({
      value: await collected(model.generate(PROMPT, { maxTokens: 1, temperature: 1, seed: 3 })),
    }),
    'first tokens': async () => ({
      value: await collected(model.generate([PROMPT, 'The capital of Italy is'], { maxTokens: 1 })),
    }),
    'first token of a turn': async () => {
      using chat = model.chat();
      return { value: await collected(chat.say(PROMPT, { maxTokens: 1 })) };
    },
  };
  const changes: Record<string, (wgsl: string) => string> = {
    rope: wrong,
    rms_norm: wgsl => wgsl.replace('scale * gain[', 'scale * -gain['),
  };
  for (const [name, use] of Object.entries(uses)) {
    const shader = /lens|token/.test(name) ? 'rms_norm' : 'rope';
    seen = await model.run(PROMPT, { tap: 'layers.2.resid' });
    const plain = await use();
    const during = use();
    const edit = model.edit(shader, changes[shader]);
    expect(await during, `${name}, before an edit`).toEqual(plain);
    await edit;
    if (name === 'lens') seen = await model.run(PROMPT, { tap: 'layers.2.resid' });
    const edited = await use();
    expect(edited, `${name}, after an edit`).not.toEqual(plain);
    if (edited.edited !== undefined) expect([plain.edited, edited.edited]).toEqual(['', shader]);
    const still = use();
    const restored = model.edit(shader, null);
    expect(await still, `${name}, before an edit is taken back`).toEqual(edited);
    await restored;
  }
  // An iterator begins when its first token is asked for, and what becomes of several prompts when it is awaited: they are of their call all the same.
  const ask: Record<string, () => () => Promise<[number, ...string[]][]>> = {
    'one prompt': () => {
      const tokens = model.generate(PROMPT, { maxTokens: 3, ignoreEos: true });
      return () => collected(tokens);
    },
    'one prompt, drawn': () => {
      const tokens = model.generate(PROMPT, { maxTokens: 3, ignoreEos: true, temperature: 1, seed: 3 });
      return () => collected(tokens);
    },
    'several prompts': () => {
      const tokens = model.generate([PROMPT, 'The capital of Italy is'], { maxTokens: 3, ignoreEos: true });
      return () => collected(tokens);
    },
    'more prompts than places': () => {
      const prompts = [PROMPT, 'The capital of Italy is', 'Once'];
      const tokens = model.generate(prompts, { maxTokens: 1, atOnce: 2 });
      return () => collected(tokens);
    },
    'a turn': () => {
      const chat = model.chat();
      const tokens = chat.say(PROMPT, { maxTokens: 3, ignoreEos: true });
      return () => collected(tokens).finally(() => chat[Symbol.dispose]());
    },
  };
  for (const [name, call] of Object.entries(ask)) {
    const plain = await call()();
    const early = call();
    await model.edit('rms_norm', changes.rms_norm);
    const late = call();
    const [first, ...more] = await early();
    expect(first, `${name}, called before an edit`).toEqual(plain[0]);
    // What is read after the first token is of the edit, and told once a sequence.
    const told = more.filter(([, ...edited]) => edited.length > 0);
    const sequences = { 'several prompts': 2, 'more prompts than places': 1 }[name] ?? 1;
    expect(
      told.map(([, ...edited]) => edited),
      name,
    ).toEqual(Array(sequences).fill(['rms_norm']));
    const edited = await late();
    expect(
      edited.flatMap(([, ...told]) => told),
      name,
    ).toEqual([]);
    expect(edited, name).not.toEqual(plain);
    await model.edit('rms_norm', null);
    expect(await call()(), name).toEqual(plain);
  }
  const awaited = model.generate([PROMPT, 'Once'], { maxTokens: 1 });
  await model.edit('rms_norm', changes.rms_norm);
  const made = await awaited;
  await model.edit('rms_norm', null);
  expect(made).toEqual(await model.generate([PROMPT, 'Once'], { maxTokens: 1 }));
  // A roofline times what was in force, and says so.
  const before = model.roofline({ rounds: 1 });
  const edit = model.edit('rope', wrong);
  expect([(await before).edited, (await before).provenance.edited_shaders]).toEqual([[], '']);
  await edit;
});

test('edits at once are taken in the order they were asked for, each on what the one before left', async () => {
  const seen: string[] = [];
  const step = (text: string) => (wgsl: string) => {
    seen.push(/\/\/ now (.)/.exec(wgsl)?.[1] ?? '-');
    return `// now ${text}\n${wgsl}`;
  };
  await Promise.all([model.edit('rope', step('a')), model.edit('rope', step('b')), model.edit('rope', step('c'))]);
  expect(seen).toEqual(['-', 'a', 'b']);
  expect(model.shader('rope')).toMatch(/^\/\/ now c\n\/\/ now b\n\/\/ now a\n/);
  // One that is refused in between is as if it had not been.
  const results = await Promise.allSettled([
    model.edit('rope', null),
    model.edit('rope', wgsl => wgsl.replace('let pairs', 'let')),
    model.edit('rope', wrong),
  ]);
  expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  expect(model.shader('rope')).toContain('a * turn.x + b');
});

test('a run that waited for an edit that is refused goes on with the old shader and says so', async () => {
  const plain = await logitsOf();
  const edit = model.edit('rope', () => 'nonsense');
  edit.catch(() => {});
  const run = await model.run(PROMPT);
  expect([...run.logits.values.data.slice(0, 8)]).toEqual(plain);
  expect(run.provenance.edited_shaders).toBe('');
  expect(run.provenance.refused_edits).toMatch(/^rope: rope\.wgsl:1:1:/);
  await expect(edit).rejects.toThrow(ShaderError);
  expect((await model.run(PROMPT)).provenance.refused_edits).toBeUndefined();
});

test('an edit that is refused and that nobody waits for is not lost', async () => {
  const unhandled = vi.fn();
  const others = process.listeners('unhandledRejection');
  process.removeAllListeners('unhandledRejection');
  process.on('unhandledRejection', unhandled);
  try {
    void model.edit('rope', () => 'nonsense');
    await model.run(PROMPT);
    await new Promise(resolve => setTimeout(resolve, 20));
    expect(unhandled).toHaveBeenCalledTimes(1);
    expect(String(unhandled.mock.calls[0][0])).toMatch(/rope\.wgsl:1:1/);
  } finally {
    process.removeAllListeners('unhandledRejection');
    for (const listener of others) process.on('unhandledRejection', listener);
  }
});

test('what is no edit is refused in a sentence, and nothing changes', async () => {
  const edit = (name: string, change: unknown) => model.edit(name, change as () => string);
  const plain = await logitsOf();
  await expect(edit('rope', (w: string) => w.replace('nope', 'x'))).rejects.toThrow(
    /^The edit of 'rope' changes nothing: either what it replaces is not in the source in force, which is the file's, or it puts the same in its place\./,
  );
  for (const [value, told] of [
    [undefined, 'undefined'],
    [null, 'null'],
    [7, 'number'],
    [Promise.resolve('x'), 'a promise'],
  ] as const) {
    const refused = edit('rope', () => value);
    await expect(refused).rejects.toThrow(OptionError);
    await expect(refused).rejects.toThrow(`must return the whole new source as a string, and returned ${told}.`);
  }
  await expect(edit('rope', undefined)).rejects.toThrow(/needs a function from the source .* and got undefined/);
  await expect(edit('nosuch', (w: string) => w)).rejects.toThrow(/^There is no shader 'nosuch'\. The nearest are '/);
  await expect(edit('rop', (w: string) => w)).rejects.toThrow(/The nearest are 'rope'/);
  await expect(edit('ROPE', (w: string) => w)).rejects.toThrow(/The nearest are 'rope'/);
  await expect(edit('RMS_Norm', (w: string) => w)).rejects.toThrow(/The nearest are 'rms_norm'/);
  await expect(edit('rms_norm', (w: string) => w.replace('1.0', '1.0'))).rejects.toThrow(/puts the same in its place/);
  await expect(edit('../shaders/rope', wrong)).rejects.toThrow(ShaderError);
  await expect(edit('rope.wgsl', wrong)).rejects.toThrow(/'rope'/);
  await expect(
    edit('rope', () => {
      throw new RangeError('mine');
    }),
  ).rejects.toThrow(new RangeError('mine'));
  expect(model.provenance().edited_shaders).toBe('');
  expect(await logitsOf()).toEqual(plain);
  await model.edit('rope', wrong);
  await expect(model.edit('rope', wrong)).rejects.toThrow(/which is an edited one \(is the edit in it already\?\)/);
  await model.edit('rope', w => w.replace('a * turn.x + b', 'a * turn.x - b')); // by hand to what the file has
  expect(model.provenance().edited_shaders).toBe('');
  await model.edit('rope', null); // the file's is in force already: no fault
});

test('whatever is given as a name or thrown by the change, the next edit and run go on', async () => {
  const odd = [Symbol('s'), 5, null, undefined, {}, Object.create(null), { toString: () => Promise.reject() }];
  for (const name of odd)
    await expect(model.edit(name as string, wgsl => wgsl)).rejects.toThrow(/is edited by its name, such as 'rope'/);
  const thrown = [Object.create(null), Symbol('s'), undefined, new Proxy({}, { get: () => Symbol('x') })];
  for (const what of thrown) {
    const edit = model.edit('rope', () => {
      throw what;
    });
    await expect(
      edit.then(
        () => 'taken',
        () => 'refused',
      ),
    ).resolves.toBe('refused');
  }
  await model.edit('rope', wgsl => `${wgsl}\n`);
  expect((await model.run('The')).provenance.edited_shaders).toBe('rope');
  await model.edit('rope', null);
});

test('comments are no code', async () => {
  const plain = await logitsOf();
  const line = '@group(0) @binding(9) var<storage, read> q: array<f32>;';
  for (const comment of [`// ${line}`, `/* ${line} */`, `/* a /* ${line} */ ${line} */`, `/* // */ // */ ${line}`]) {
    await model.edit('rope', w => `${comment}\n${w}`);
    expect(await logitsOf()).toEqual(plain);
    await model.edit('rope', null);
  }
  const names = (source: string) => bindingsOf(source).map(({ index, name }) => `${index} ${name}`);
  expect(
    names('/* /* */ @group(0) @binding(0) var<uniform> a: u32; */ @binding(1u) @group(0) var<storage> b: f32;'),
  ).toEqual(['1 b']);
  expect(names('@group( 0 ) /* x */ @binding(2) // y\n var < storage , read_write > größe : u32;')).toEqual([
    '2 größe',
  ]);
  expect(names('let x = a */b; // */ @group(0) @binding(0) var<uniform> a: u32;')).toEqual([]);
});

test('bindings and overrides are checked against every stage and length before an edit is taken', async () => {
  const long = Array.from({ length: 70 }, (_, i) => 4 + i);
  const refused = async (name: string, change: (w: string) => string, message: RegExp) => {
    await expect(model.edit(name, change), `${name} ${change}`).rejects.toThrow(message);
    await expect(model.edit(name, change)).rejects.toThrow(ShaderError);
  };
  const more = '@group(0) @binding(9) var<storage, read> q: array<f32>;\n';
  await refused(
    'rope',
    w => `${more}${w}`,
    /declares 'q' for read, and 'layers\.0\.attn\.q_rope' does not give it; it gives chunk, x, turns, y/,
  );
  await refused(
    'rope',
    w => w.replace('var<storage, read> x', 'var<storage, read_write> x'),
    /declares 'x' for write, and '.*' gives it for read; it gives chunk/,
  );
  await refused(
    'rope',
    w => w.replace('var<storage, read> x:', 'var<uniform> x:').replace('x: array<f32>', 'x: array<vec4f, 8>'),
    /\.wgsl/,
  );
  await refused('rope', w => w.replace('@binding(1)', '@binding(2)'), /^rope\.wgsl/);
  await refused('rope', w => w.replace('@binding(1)', '@binding(100000)'), /^rope\.wgsl/);
  await refused(
    'rope',
    w => w.replace('@group(0) @binding(1)', '@group(1) @binding(1)'),
    /^rope\.wgsl cannot run with/,
  );
  await refused('rope', () => '', /rope\.wgsl/);
  await refused('rope', w => w.replaceAll('D', 'DD'), /cannot run with the constants/);
  await refused(
    'rope',
    w => `override MORE: u32;\n${w.replace('let pairs', 'let more = MORE; let pairs')}`,
    /cannot run with the constants/,
  );
  await refused(
    'rope',
    w => w.replace('first_row: u32,', 'first_row: u32, more: vec4u,'),
    /does not fit what '.*q_rope' binds/,
  );
  await refused(
    'rope',
    w => w.replace(/@group\(0\) @binding\(3\).*\n/, 'var<private> y: array<f32, 64>;\n'),
    /no longer declares 'y'/,
  );
  await refused(
    'scores',
    w => `${w}\nvar<workgroup> seen: array<f32, RING * 64>;`.replace('let n = D / 4;', 'let n = D / 4; seen[0] = 1.0;'),
    /cannot run with the constants/,
  );
  for (const name of ['slice', 'patch', 'finite']) {
    await refused(name, w => w.replace('@binding(2)', '@binding(3)'), /as binding 3, and '.*' gives it as binding 2/);
  }
  await refused('argmax', w => `${more}${w}`, /'the greedy choice' does not give it/);
  expect(model.provenance().edited_shaders).toBe('');
  // Each shader, edited without changing what it does, runs prompts of all kinds.
  const prompts = [[2], [2, 5, 9], long];
  const before = [];
  for (const ids of prompts) before.push((await model.run(ids, { tap: 'layers.5.resid' })).logits.values.data);
  const { liveBytes } = model.gpu;
  for (const name of shaderNames()) await model.edit(name, w => `// looked at\n${w}`);
  expect(model.gpu.liveBytes).toBe(liveBytes);
  for (const [i, ids] of prompts.entries()) {
    expect((await model.run(ids, { tap: 'layers.5.resid' })).logits.values.data).toEqual(before[i]);
  }
  expect(model.provenance().edited_shaders.split(',')).toEqual([...shaderNames()].sort());
});

test('an edit tells who uses the shader, and when nobody does', async () => {
  const rope = await model.edit('rope', wrong);
  expect(rope.by).toHaveLength(12);
  expect(rope[DISPLAY]()['text/plain']).toBe(
    "'rope' is edited: it computes layers.0.attn.q_rope and 11 more. While it is edited, 6 steps of the fast plan, which generates and chats, run as the stages they stand for.",
  );
  const softcap = await model.edit('softcap', w => `// x\n${w}`);
  expect(softcap.by).toEqual([]);
  expect(softcap.note).toMatch(/^No stage of this model uses 'softcap' on this adapter/);
  const unused = await model.edit(model.gpu.traits.software ? 'matvec' : 'matvec_lanes', w => `// x\n${w}`);
  expect(unused.note).toMatch(/^No stage .* Matrices are multiplied by '.*' and '.*'\.$/);
  const { software, subgroup } = model.gpu.traits;
  const ofSoftware = new Map([
    [4, 'linear_quads'],
    [8, 'linear_broadcast'],
  ]);
  const prefill = software ? (ofSoftware.get(subgroup ?? 0) ?? 'linear_lanes') : 'linear';
  const several = await model.edit(prefill, w => `// x\n${w}`);
  expect(several.note).toMatch(
    /^Only for chunks of several tokens; for one token the same stages use 'matvec.*', which is another file\.$/,
  );
  const vector = !software ? 'matvec' : (subgroup ?? 0) >= 8 ? 'matvec_broadcast' : 'matvec_lanes';
  const one = await model.edit(vector, w => `// x\n${w}`);
  expect(one.by).toContain('logits');
  expect(one.note).toMatch(
    /^Only for chunks of one token; .* which is another file\. The logits of a single row, as the last of a prompt, are computed by it in every chunk\.$/,
  );
  expect((await model.edit('slice', w => `// x\n${w}`)).by).toEqual(['taps']);
  expect((await model.edit('rope', null))[DISPLAY]()['text/plain']).toBe(
    "'rope' is the file’s again: it computes layers.0.attn.q_rope and 11 more.",
  );
});

test('two sessions on one device have their own shaders', async () => {
  using other = await open('atlas', { quiet: true, another: true });
  const plain = await logitsOf(other);
  await model.edit('rope', wrong);
  expect(await logitsOf(other)).toEqual(plain);
  expect(await logitsOf()).not.toEqual(plain);
  expect(other.provenance().edited_shaders).toBe('');
  model[Symbol.dispose]();
});

test('a session that was closed takes no edit', async () => {
  const old = model;
  model = await open('atlas', { quiet: true });
  await expect(old.edit('rope', wrong)).rejects.toThrow(/was closed/);
});

test('a generation that an edit comes into says so at its token, and so does the provenance', async () => {
  const edited: [number, readonly string[]][] = [];
  let at = 0;
  for await (const token of model.generate('Once', { maxTokens: 10, ignoreEos: true })) {
    if (token.edited.length > 0) edited.push([token.position, token.edited]);
    if (++at === 4) void model.edit('rope', wrong);
    if (at === 7) void model.edit('rope', null);
    if (at === 4) expect(edited).toEqual([]);
  }
  // What was under way when the edit was asked for is read again: it is in force from the next token on.
  const first = model.encode('Once').length;
  expect(edited).toEqual([
    [first + 4, ['rope']],
    [first + 7, ['rope']],
  ]);
  expect(model.provenance().edited_while_generating).toBe(`rope at token ${first + 4}; rope at token ${first + 7}`);
  // A conversation goes on from a cache of the old shader.
  using chat = model.chat();
  const say = async (text: string) => {
    const seen: string[] = [];
    for await (const token of chat.say(text, { maxTokens: 3 })) seen.push(...token.edited);
    return seen;
  };
  expect(await say('hi')).toEqual([]);
  await model.edit('scores', w => w.replace('* SCALE', '* SCALE * 0.5'));
  expect(await say('and now')).toEqual(['scores']);
  expect(await say('and now')).toEqual([]);
  expect((await model.run(PROMPT)).provenance.edited_shaders).toBe('scores');
});

test('a run from before the device was lost is looked at through the shaders of the model as it was opened again', async () => {
  await model.edit('rms_norm', wgsl => wgsl.replace('* gain[i]', '* gain[i] * 0.9'));
  const run = await model.run(PROMPT, { tap: 'layers.2.resid' });
  const before = (await run.lens('layers.2.resid')).cells;
  model.gpu.device.destroy();
  await model.gpu.device.lost;
  await model.reopen();
  expect((await run.lens('layers.2.resid')).cells).toEqual(before);
  expect((await model.run(PROMPT)).provenance.edited_shaders).toBe('rms_norm');
});
