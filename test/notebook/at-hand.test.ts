// Whatever one holds explains itself: Tab has its properties and methods, Shift+Tab a sentence on each and an example where there is one.

import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { packageRoot } from '../../engine/files.js';
import { complete, inspect } from '../../lab/kernel/assist.js';
import { type Cells, cellsIn } from './cells.js';

/** What makes each, and some of what Tab must have. */
const HELD: Readonly<Record<string, readonly [source: string, ...names: string[]]>> = {
  'a session': ['model', 'run', 'diff', 'edit', 'generate', 'roofline', 'patching', 'chat', 'config'],
  'a run': ['run', 'at', 'attention', 'lens', 'beside', 'logits', 'save', 'norms'],
  'a golden': ['g', 'ids', 'stages', 'read', 'name'],
  'an activation': ["run.at('layers.5.resid')", 'slice', 'mean', 'minus', 'outliers', 'toArrow', 'save'],
  statistics: ["run.at('layers.5.resid').stats()", 'min', 'l2', 'masked'],
  'a histogram': ["run.at('layers.5.resid').histogram()", 'of'],
  outliers: ["run.at('layers.5.resid').outliers()", 'rows'],
  'an attention view': ['run.attention()', 'heads', 'byToken', 'patterns'],
  'all heads': ['run.attention(1).heads()', 'patterns'],
  'what tokens read': ['run.attention(1).byToken()', 'patterns'],
  norms: ['run.norms()', 'norms'],
  logits: ['run.logits', 'top', 'values'],
  'next tokens': ['run.logits.top(3)', 'rows', 'prompt'],
  'a next token': ['run.logits.top(3).rows[0]', 'probability', 'logit'],
  surprisal: ['run.surprisal()', 'tokens'],
  'a token foreseen': ['run.surprisal().tokens[0]', 'entropy', 'rank'],
  'two runs': ['run.beside(run)', 'kl', 'rows'],
  'a lens': ['await run.lens()', 'cells', 'tokens'],
  'a cell of a lens': ['(await run.lens()).cells[0][0]', 'finalRank', 'text'],
  patching: [
    "await model.patching({ clean: 'The capital of France is', corrupt: 'The capital of Italy is', stages: 'embed' })",
    'restored',
    'answer',
  ],
  'a stage': ["model.stage('layers.0.attn.q')", 'run', 'stage', 'weightBytes'],
  'a diff': ['await model.diff(g)', 'first', 'rows', 'at', 'toArrow'],
  'a row of a diff': ['(await model.diff(g)).rows[0]', 'verdict', 'accumulated', 'where'],
  'an edit': ["await model.edit('rope', wgsl => wgsl + ' ')", 'by', 'note'],
  'a picture of the plan': ['model.picture()', 'diff'],
  'a plan': ['model.plan', 'stages', 'stage'],
  'a stage of a plan': ['model.plan.stages[0]', 'inputs', 'weight', 'axes'],
  'a configuration': ['model.config', 'layers', 'headDim', 'slidingWindow'],
  'a roofline': ['await model.roofline({ rounds: 1 })', 'steps', 'operations', 'ceilings'],
  'a batch of tokens': ["model.generate(['In', 'On'], { maxTokens: 2 })", 'soFar', 'next'],
  continuations: ["(await model.generate(['In', 'On'], { maxTokens: 2 }))[0]", 'ids', 'text', 'stop'],
  'a conversation': ['model.chat()', 'say', 'write', 'messages', 'stats'],
  perplexity: ["await model.perplexity('The capital of France is Paris')", 'bits', 'window'],
  'a picture of one’s own': ['plot([1, 2])', 'figure', 'text'],
};
/** Called by the lab's own rooms, and by nobody else. */
const NOT_FOR_CELLS = ['depend', 'giveWay', 'noteEdit', 'ready', 'made'];
/** Of the language. */
const PLAIN = ['next', 'return', 'throw', 'then'];

let cells: Cells;
beforeAll(async () => {
  cells = cellsIn(join(packageRoot(), 'notebooks'));
  await cells.run("import { golden, open, plot } from 'gemma-loupe';");
  await cells.run("const model = await open('atlas', { quiet: true }); const g = await golden('atlas/capital');");
  await cells.run("const run = await model.run('The capital of Japan is', { tap: '**', logits: 'all' });");
}, 240_000);

let count = 0;
async function hold(source: string): Promise<string> {
  const name = `held${++count}`;
  await cells.run(`const ${name} = ${source};`);
  return name;
}
const tab = (source: string, variables: Record<string, unknown> = {}) =>
  complete(cells.compiler, variables, source, [...source].length).matches as string[];
const shiftTab = (source: string) =>
  (inspect(cells.compiler, {}, source, [...source].length).data as Record<string, string>)['text/plain'] ?? '';

describe('Tab and Shift+Tab', { timeout: 240_000 }, () => {
  test.each(Object.entries(HELD))('on %s', async (_, [source, ...wanted]) => {
    const name = await hold(source);
    const found = tab(`${name}.`);
    expect(found).toEqual(expect.arrayContaining(wanted));
    expect(found.filter(one => NOT_FOR_CELLS.includes(one))).toEqual([]);
    const bare = found
      .filter(one => !PLAIN.includes(one))
      .filter(one => !/^.+\n\n.{8}/s.test(shiftTab(`${name}.${one}`)));
    expect(bare).toEqual([]);
    expect(shiftTab(name)).toMatch(/^.+\n\n.{8}/s);
  });

  test('on the tokens of a generation', async () => {
    await cells.run(
      "let token; for await (const one of model.generate('In', { maxTokens: 1 })) { token = one; break }",
    );
    expect(tab("for await (const one of model.generate('In')) one.")).toEqual(
      expect.arrayContaining(['id', 'text', 'position', 'stop', 'last', 'at']),
    );
    expect(tab("for await (const one of model.generate(['In'])) one.")).toEqual(
      expect.arrayContaining(['id', 'text', 'sequence']),
    );
  });

  test('shows an example and where it goes wrong', () => {
    const text = shiftTab('model.run');
    expect(text).toContain('Session.run(prompt: string | readonly number[], given?: RunOptions): Promise<Run>');
    expect(text).toContain('Throws PromptError');
    expect(text).toContain("@example const run = await model.run('The capital of France is'");
  });

  test('shows of a variable its type as written and what is said of its class', () => {
    expect(shiftTab('model')).toContain('const model: Session');
    expect(shiftTab('model')).toContain('A model in use: run it, look at one stage');
  });

  test('shows what may be null, of properties, methods, results and variables', async () => {
    expect(shiftTab('model.tokenizer')).toContain('Session.tokenizer: Tokenizer | null');
    expect(shiftTab('model.edit')).toContain('change: ((wgsl: string) => string) | null');
    await cells.run('const written = model.chatTemplate; const pair = [g.pieces] as const;');
    expect(shiftTab('written')).toMatch(/^const written: string \| null$/m);
    expect(shiftTab('pair')).toContain('readonly string[] | null');
    await cells.run(
      'let later: typeof model | null = null; const none = []; function firstOf(a: number[]) { return a.length > 0 ? a[0] : null }',
    );
    expect(shiftTab('firstOf')).toContain('number | null');
    expect(shiftTab('none')).toContain('any[]');
    expect(shiftTab('later')).toContain('Session | null');
    expect(shiftTab('later')).toContain('A model in use');
  });

  test.each([
    [
      'an activation',
      "const one = run.at('layers.5.resid')",
      'one',
      'Activation',
      'What one stage gave: float32 values with named dimensions',
    ],
    ['a promise', 'const coming = run.lens()', 'coming', 'Promise<Lens>', 'What each layer would say'],
    [
      'a list',
      'const listed = run.logits.top(3).rows',
      'listed',
      'readonly TopToken[]',
      'One of the likeliest next tokens',
    ],
    ['an interface', 'const config = model.config', 'config', 'GemmaConfig', 'The geometry of a Gemma text model'],
    ['a number, nothing', 'const five = run.ids.length', 'five', 'number', ''],
  ])('of %s it shows the comment of its type', async (_, source, name, type, comment) => {
    await cells.run(`${source};`);
    const [signature, ...said] = shiftTab(name).split('\n\n');
    expect(signature).toBe(`const ${name}: ${type}`);
    expect(said.join('\n\n').startsWith(comment)).toBe(true);
    expect(said.length > 0).toBe(comment !== '');
  });

  test('knows the options of a call', () => {
    expect(tab('model.run("x", { ')).toEqual(expect.arrayContaining(['tap', 'slice', 'patch', 'logits', 'chunks']));
    expect(tab('model.roofline({ ')).toEqual(expect.arrayContaining(['plan', 'tokens', 'context', 'rounds']));
    expect(tab("open('atlas', { ")).toEqual(expect.arrayContaining(['adapter', 'cache', 'quantise']));
  });

  test('knows stages and shaders wherever one is named', async () => {
    const variables = Object.fromEntries(
      await Promise.all(['model', 'run', 'g'].map(async name => [name, await cells.run(name)])),
    ) as Record<string, unknown>;
    for (const call of ["g.read('", "run.at('", "model.stage('", "await run.lens('", "run.norms('"])
      expect([call, tab(`${call}layers.3.res`, variables)]).toEqual([call, ['layers.3.resid_mid', 'layers.3.resid']]);
    const options = ["model.run('x', { tap: '", "model.run('x', { patch: { stage: '", "model.patching({ stages: ['"];
    for (const call of options)
      expect([call, tab(`${call}layers.*.attn.mi`, variables)]).toEqual([call, ['layers.*.attn.mix']]);
    expect(tab("model.shader('rop", variables)).toEqual(['rope']);
  });
});
