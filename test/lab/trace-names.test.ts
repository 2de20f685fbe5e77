// Whose array is of which stage: a map's rules, and the names that four programs have. Names of Hugging Face are those of transformers 5.23's hooks and of its
// output_hidden_states, whose last is after the final norm.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { TraceError } from '../../engine/errors.js';
import { planOf } from '../../engine/gemma.js';
import { configFromJson } from '../../engine/weights/detect.js';
import { matchNames } from '../../lab/diff/match.js';
import { checkLayout, NameMap, readNames } from '../../lab/values/trace-names.js';
import { freshFolder } from '../fixtures/folder.js';

const folder = freshFolder();
const plan = planOf(
  configFromJson(
    {
      model_type: 'gemma3_text',
      hidden_activation: 'gelu_pytorch_tanh',
      query_pre_attn_scalar: 8,
      sliding_window: 8,
      vocab_size: 64,
      hidden_size: 32,
      intermediate_size: 48,
      num_hidden_layers: 12,
      num_attention_heads: 4,
      num_key_value_heads: 2,
      head_dim: 8,
      max_position_embeddings: 64,
      rms_norm_eps: 1e-6,
    },
    'c',
  ),
);
const rule = (stage: string | null, more = {}) => ({ stage, layout: null, factor: 1, before: null, ...more });

describe('a map of names', () => {
  test('a name alone, a layer, nothing, and what is said beside', () => {
    const map = readNames({
      a: 'embed',
      'l_out-{i}': 'layers.{i}.resid',
      none: null,
      whole: { stage: 'layers.0.attn.q', layout: 'head, token dim', factor: -0.5, before: 'scale' },
      'n{i}': { stage: null },
      '{i}/{i}.x': 'layers.{i}.attn.{i}',
    });
    expect(map.ruleOf('a')).toEqual(rule('embed'));
    expect(map.ruleOf('l_out-07')).toEqual(rule('layers.7.resid'));
    expect(map.ruleOf('l_out-11')).toEqual(rule('layers.11.resid'));
    expect(map.ruleOf('none')).toEqual(rule(null));
    expect(map.ruleOf('whole')).toEqual(
      rule('layers.0.attn.q', { layout: 'head,token,dim', factor: -0.5, before: 'scale' }),
    );
    expect(map.ruleOf('n3')).toEqual(rule(null));
    expect(map.ruleOf('4/4.x')).toEqual(rule('layers.4.attn.4'));
    for (const name of [
      '4/5.x',
      '4/44.x',
      'l_out-',
      'l_out-1x',
      'xl_out-1',
      'l_out-1\n',
      'A',
      '',
      'toString',
      '__proto__',
    ])
      expect(map.ruleOf(name)).toBeNull();
  });

  test('a name is taken as it is written, and the layer is one number wherever it stands', () => {
    const map = readNames({ 'a.b*c+({i})[0]?^$|\\': 'layers.{i}.resid', '{i}x{i}5': 'layers.{i}.attn.q' });
    expect(map.ruleOf('a.b*c+(3)[0]?^$|\\')).toEqual(rule('layers.3.resid'));
    expect(map.ruleOf('aXb*c+(3)[0]?^$|\\')).toBeNull();
    expect(map.ruleOf('2x25')).toEqual(rule('layers.2.attn.q'));
    expect(map.ruleOf('2x35')).toBeNull();
  });

  test('a name itself goes before one with a layer, and of those the first', () => {
    const map = new NameMap({ 'l{i}': 'layers.{i}.resid', l3: 'embed', 'l{i}{i}': 'logits' });
    expect(map.ruleOf('l3')?.stage).toBe('embed');
    expect(map.ruleOf('l33')?.stage).toBe('layers.33.resid');
  });

  test.each<[unknown, string]>([
    [1, 'no name of a stage: 1'],
    [['embed'], "no name of a stage: ['embed']"],
    [new Map(), 'no name of a stage: a Map'],
    [{}, 'no name of a stage: undefined'],
    [{ stage: 3 }, 'no name of a stage: 3'],
    [{ stage: 'embed', layuot: 'token' }, "a key 'layuot', and there are stage, layout, factor, before"],
    [{ stage: 'embed', factor: 0 }, 'a factor that is no number: 0'],
    [{ stage: 'embed', factor: '2' }, "a factor that is no number: '2'"],
    [{ stage: 'embed', factor: Number.POSITIVE_INFINITY }, 'a factor that is no number: Infinity'],
    [{ stage: 'embed', before: 'norm' }, "before 'norm', and there are 'gain', 'scale' and 'softcap'"],
    [
      { stage: 'embed', layout: 'token,channels' },
      "the layout 'token,channels', and dimensions are named from the outermost, e.g. 'head,token,dim': token, query, key, head, dim, channel, vocab",
    ],
  ])('refuses %j', (given, what) => {
    const name = 'n'.repeat(90);
    expect(() => readNames({ [name]: given })).toThrow(
      new TraceError(`The map of names has for '${name.slice(0, 80)}' ${what}.`),
    );
  });

  test('gain, scale and softcap may come last', () => {
    for (const before of ['gain', 'scale', 'softcap', null])
      expect(new NameMap({ a: { stage: 'embed', before } }).ruleOf('a')?.before).toBe(before);
  });

  test('entries that say something of no name: nothing has it, or another entry goes before', () => {
    const map = new NameMap({
      'l{i}': 'layers.{i}.resid',
      l3: 'embed',
      'l{i}{i}': 'logits',
      typo: null,
      'b{i}': 'embed',
    });
    expect(map.unused(['l3', 'x', ''])).toEqual(['typo', 'l{i}', 'l{i}{i}', 'b{i}']);
    expect(map.unused(['l33', 'typo', 'b1'])).toEqual(['l3', 'l{i}{i}']);
    expect(new NameMap({}).unused(['a'])).toEqual([]);
  });

  test('layouts: names with commas or blanks, each once', () => {
    const bad = (what: string) => new Error(what);
    const layouts = [null, undefined, 'token', 'vocab,token', 'head  token,dim', 'query, key,head', 'channel'];
    expect(layouts.map(layout => checkLayout(layout, bad))).toEqual([
      null,
      null,
      'token',
      'vocab,token',
      'head,token,dim',
      'query,key,head',
      'channel',
    ]);
    for (const layout of ['', 'token,token', 'token,', ',token', 'Token', 3, ['token']])
      expect(() => checkLayout(layout, bad)).toThrow(/^the layout /);
  });

  test('from a file', () => {
    const read = (text: string) => {
      const path = join(folder, 'names.json');
      writeFileSync(path, text);
      return () => readNames(path);
    };
    expect(read('{"a":"embed"}')().ruleOf('a')).toEqual(rule('embed'));
    expect(readNames(undefined).ruleOf('a')).toBeNull();
    expect(read('{"a":')).toThrow(/^The map of names .*names\.json cannot be read: it is no JSON \(.{1,100}\)\.$/);
    for (const text of ['[]', 'null', '"a"', '1'])
      expect(read(text)).toThrow(
        /cannot be read: it is no object of their names, such as \{ "l_out-\{i\}": "layers\.\{i\}\.resid" \}\.$/,
      );
    expect(read('{"a":"embed","a":null}')).toThrow(
      /cannot be read: it has the key a twice, and one of them would be lost\.$/,
    );
    expect(() => readNames(join(folder, 'none.json'))).toThrow(/^The map of names .*none\.json cannot be read: /);
    for (const names of [3, null, ['a']])
      expect(() => readNames(names)).toThrow(
        /^A map of names is an object of their names, such as \{ 'l_out-\{i\}': 'layers\.\{i\}\.resid' \}, or a JSON file of one, not /,
      );
  });
});

describe('arrays and stages', () => {
  const match = (names: string[], map = {}) => {
    const { matched, others } = matchNames(plan, names, readNames(map));
    return {
      matched: matched.map(({ stages, ...more }) => ({ ...more, stages: stages.map(({ name }) => name) })),
      others,
    };
  };
  const stagesOf = (name: string) =>
    match([name])
      .matched.map(({ stages }) => stages.join(' or '))
      .join();

  test.each([
    ['layers.3.resid', 'layers.3.resid'],
    ['blocks.3.hook_resid_post', 'layers.3.resid'],
    ['l_out-3', 'layers.3.resid'],
    ['Qcur-0', 'layers.0.attn.q_rope or layers.0.attn.q'],
    ['model.layers.0.mlp.up_proj', 'layers.0.mlp.up'],
    ['model.layers.0.mlp.up_proj.output', 'layers.0.mlp.up'],
    ['model.layers.0.mlp.up_proj.out', 'layers.0.mlp.up'],
    ['model.layers.0.mlp.up_proj_outputs', 'layers.0.mlp.up'],
    ['model.layers.0.mlp.up_proj.output.0', 'layers.0.mlp.up'],
    ['model.layers.0.mlp.up_proj.result0', 'layers.0.mlp.up'],
    ['model.layers.0.mlp.up_proj.0', 'layers.0.mlp.up'],
    ['module._orig_mod.model.layers.0.mlp.up_proj', 'layers.0.mlp.up'],
    ['_orig_mod.module.model.layers.0.mlp.up_proj', 'layers.0.mlp.up'],
    ['hidden_states.0', 'embed'],
    ['hidden_states.1', 'layers.0.resid'],
    ['hidden_states[11]', 'layers.10.resid'],
    ['out.hidden_states_3', 'layers.2.resid'],
    ['hidden_states.12', 'final_norm'],
    ['hidden_states.13', ''],
    ['xhidden_states.1', ''],
    ['hidden_states.1.x', ''],
    ['hidden_states', ''],
    ['attentions.3', 'layers.3.attn.pattern'],
    ['out.attentions[0]', 'layers.0.attn.pattern'],
    ['attentions.12', ''],
    ['attentions', ''],
    ['', ''],
    ['output', ''],
  ])('%s is %s', (name, stage) => expect(stagesOf(name)).toBe(stage));

  test('what a name stands for in another form, and what is near a name that is none', () => {
    expect(match(['inp_embd']).matched).toEqual([
      { theirs: 'inp_embd', stages: ['embed'], before: 'scale', factor: 1, layout: null },
    ]);
    const { matched, others } = match(['l_oot-3', 'layers.0.attn.k_cache', 'model.layers.0.self_attn.rotary_emb']);
    expect(matched).toEqual([]);
    expect(others[0]).toEqual({ theirs: 'l_oot-3', why: "The nearest is 'l_out-3'." });
    for (const { why } of others) expect(why).not.toBe('');
  });

  test.each([
    ['layers.0.resid', 'gain', 'no gain, scale or softcap'],
    ['layers.0.resid', 'scale', 'no gain, scale or softcap'],
    ['layers.0.resid', 'softcap', 'no gain, scale or softcap'],
    ['layers.0.attn.q', 'gain', 'no gain, scale or softcap'], // a matrix is no gain
    ['layers.0.input_norm', 'scale', 'only gain'],
    ['inp_embd', 'gain', 'only scale'],
    ['layers.0.attn.scores', 'softcap', 'only scale'], // Gemma 3 caps none
    ['logits', 'softcap', 'no gain, scale or softcap'],
    ['logits', 'scale', 'no gain, scale or softcap'],
  ])('%s is before no %s', (stage, before, has) => {
    const name = stage === 'inp_embd' ? 'embed' : stage;
    expect(() => match(['x'], { x: { stage, before } })).toThrow(
      new TraceError(
        `The map of names says that 'x' is before the ${before} of '${name}', which has ${has}. Leave before out, or name the stage that has it.`,
      ),
    );
  });

  test('without a model a soft-cap is not known, and a gain of none is', () => {
    const rules = (before: string, stage = 'logits') => readNames({ x: { stage, before } });
    expect(matchNames(plan, ['x'], rules('softcap'), false).matched[0].before).toBe('softcap');
    expect(() => matchNames(plan, ['x'], rules('gain'), false)).toThrow(/'logits', which has only softcap\./);
  });

  test('a rule goes before what is known; a stage may be called by any of its names', () => {
    const map = {
      embed: null,
      'l_out-{i}': { stage: 'blocks.{i}.hook_resid_pre', factor: 2, layout: 'token,channel' },
      raw: 'inp_embd',
      gained: { stage: 'blocks.0.ln1.hook_normalized', before: 'gain' },
    };
    expect(match(['embed', 'l_out-2', 'raw', 'gained'], map)).toEqual({
      matched: [
        { theirs: 'l_out-2', stages: ['layers.1.resid'], before: null, factor: 2, layout: 'token,channel' },
        { theirs: 'raw', stages: ['embed'], before: 'scale', factor: 1, layout: null },
        { theirs: 'gained', stages: ['layers.0.input_norm'], before: 'gain', factor: 1, layout: null },
      ],
      others: [],
    });
    expect(() => match(['x'], { x: 'layers.0.reisd' })).toThrow(
      new TraceError(
        "The map of names says that 'x' is 'layers.0.reisd', which is no stage of this model. The nearest are 'layers.0.resid', 'layers.1.resid' and 'layers.2.resid'.",
      ),
    );
  });
});
