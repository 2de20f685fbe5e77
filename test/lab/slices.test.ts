// An index is the position in the model: in what is sliced before the run, in what is cut after it, and in everything that is shown or
// written of either. What is not there is refused, by axis and size.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { tableFromIPC, tableToIPC } from 'apache-arrow';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { OptionError, StageError } from '../../engine/errors.js';
import { writeSafetensors } from '../../engine/weights/safetensors-write.js';
import { Activation } from '../../lab/values/activation.js';
import { traceToIpc } from '../../lab/values/arrow.js';
import { attentionBundle } from '../../lab/display/attention.js';
import { tokensBundle } from '../../lab/display/attention-tokens.js';
import { type Bundle, DISPLAY, INSPECT, type Shown } from '../../lab/values/shown.js';
import { golden } from '../../lab/values/golden.js';
import { open } from '../../lab/session/open.js';
import type { RunOptions } from '../../lab/session/request.js';
import type { Run } from '../../lab/session/run.js';
import type { Session } from '../../lab/session/session.js';
import { freshFolder } from '../fixtures/folder.js';
import { type Packed, unpacked } from '../fixtures/plotly.js';
import { writeTiny } from '../fixtures/tiny-model.js';

const FIGURE = 'application/vnd.plotly.v1+json';
const of = (value: unknown): Bundle => (value as Shown)[DISPLAY]();
const text = (value: unknown): string => of(value)['text/plain'];

const LONG =
  'The capital of Ghana is Accra. The people of Ghana speak English. The capital of France is Paris. The people of France speak French.';
const WINDOW = 16;

let model: Session;
let ids: number[];
let whole: Run;
beforeAll(async () => {
  model = await open('atlas', { quiet: true });
  ids = model.encode(LONG).slice(0, 40);
  expect(ids).toHaveLength(40);
  whole = await model.run(ids, { tap: '**', logits: 'all' });
});
afterAll(() => model[Symbol.dispose]());

/** The figure's traces: name, row names, column names and values. */
function grids(value: unknown): { name: string; y: string[]; x: string[]; z: number[][] }[] {
  return of(value)[FIGURE]!.data.map(d => ({
    name: String(d.name ?? d.hovertemplate),
    y: d.y as string[],
    x: d.x as string[],
    z: unpacked(d.z as Packed),
  }));
}

const position = (name: string) => Number(/^\d+/.exec(name)?.[0]);

describe('attention that was sliced before the run', () => {
  const slices: RunOptions['slice'][] = [
    { head: [2, 4] },
    { query: [0, 10] },
    { query: [17, 18] },
    { key: [20, 30] },
    { key: [3, 9], query: [5, 40], head: [1, 3] },
    { query: [-4, Number.POSITIVE_INFINITY], head: [-1, Number.POSITIVE_INFINITY] },
  ];
  for (const [layer, slice] of slices.flatMap(s => [0, 5].map(l => [l, s] as const))) {
    test(`layer ${layer}, ${JSON.stringify(slice)}: every weight where it is, none hidden`, async () => {
      const stage = `layers.${layer}.attn.pattern`;
      const run = await model.run(ids, { tap: stage, slice });
      const pattern = run.at(stage);
      const all = whole.at(stage);
      const window = layer === 5 ? null : WINDOW;
      const [head, query, key] = pattern.dims;
      for (const view of [run.attention(layer), run.attention(layer).heads()]) {
        const traces = grids(view);
        expect(traces).toHaveLength(head.size);
        traces.forEach(({ name, x, y, z }, h) => {
          expect(name).toMatch(new RegExp(`^head ${head.from + h}\\b`));
          expect(y.map(position)).toEqual(Array.from({ length: query.size }, (_, i) => query.from + i));
          expect(x.map(position)).toEqual(Array.from({ length: key.size }, (_, i) => key.from + i));
          z.forEach((row, i) => {
            row.forEach((value, j) => {
              const [q, k] = [query.from + i, key.from + j];
              const seen = k <= q && (window === null || k > q - window);
              if (seen) expect(value).toBeCloseTo(all.get(head.from + h, q, k), 5);
              else expect(value).toBeNaN();
            });
          });
        });
      }
      const first = `head ${head.from} · kv 0`;
      const bundle = of(run.attention(layer));
      expect(bundle['text/plain']).toContain(`${first}: `);
      expect(bundle['text/plain']).toContain(`the last query, ${query.from + query.size - 1}`);
      expect(bundle['image/svg+xml']).toContain(first);
      const [title] = (bundle[FIGURE]!.layout.title as { text: string }).text.split('<br>');
      expect(bundle['image/svg+xml']).toContain(title);
    });
  }

  test('the edge and the window are drawn where they are', async () => {
    const shapesOf = async (layer: number, slice: RunOptions['slice']) => {
      const run = await model.run(ids, { tap: `layers.${layer}.attn.pattern`, slice });
      return (of(run.attention(layer))[FIGURE]!.layout.shapes as { path: string }[]).map(({ path }) => path);
    };
    // Of queries 20 and 21 over keys 0 to 39, the edge is right of key 20 and 21, the window left of keys 5 and 6.
    expect(await shapesOf(0, { query: [20, 22] })).toEqual([
      'M20.5,-0.5L20.5,0.5L21.5,0.5L21.5,1.5',
      'M4.5,-0.5L4.5,0.5L5.5,0.5L5.5,1.5',
    ]);
    expect(await shapesOf(5, { query: [20, 22] })).toEqual(['M20.5,-0.5L20.5,0.5L21.5,0.5L21.5,1.5']);
    expect(await shapesOf(5, { query: [20, 22], key: [20, 30] })).toEqual(['M0.5,-0.5L0.5,0.5L1.5,0.5L1.5,1.5']);
    // Three hundred tokens are pooled by 3: the line is as far down as the edge, also of a part.
    const long = await model.run(Array<number>(300).fill(300), {
      tap: 'layers.0.attn.pattern',
      slice: { query: [100, 300] },
    });
    const { shapes } = of(long.attention(0))[FIGURE]!.layout as { shapes: { path: string }[] };
    const by = 3;
    for (const [i, lag] of [0, WINDOW].entries()) {
      const [x0, y0, x1, y1] = shapes[i].path.slice(1).split(/[L,]/).map(Number);
      expect(y1 - y0).toBeGreaterThan(200 / by - 2);
      for (const [x, y] of [
        [x0, y0],
        [x1, y1],
      ])
        expect((x + 0.5) * by).toBeCloseTo(100 + (y + 0.5) * by - lag + 0.5);
    }
    // All keys are seen by all these queries: no edge crosses the picture.
    expect(await shapesOf(5, { query: [30, 40], key: [0, 5] })).toEqual([]);
  });

  test('byToken has the keys that each query reads, and the model’s number of the head', async () => {
    const run = await model.run(ids, { tap: 'layers.5.attn.pattern', slice: { head: [2, 4], query: [3, 5] } });
    const view = run.attention(5).byToken();
    const html = of(view)['text/html']!;
    expect([...html.matchAll(/<label[^>]*>([^<]*)</g)].map(m => m[1])).toEqual([
      'strongest head',
      'head 2 · kv 0',
      'head 3 · kv 0',
    ]);
    // Three panels of two queries, at 3 and 4, that read 4 and 5 keys.
    expect(html.match(/class="q"/g)).toHaveLength(6);
    expect(html.match(/<span title="\d+: /g)).toHaveLength(3 * (4 + 5));
    expect(html).toContain('class="q" tabindex="0" title="3"');
    const share = whole.at('layers.5.attn.pattern').get(3, 4, 0);
    expect(html).toContain(`title="0: ${(100 * share).toFixed(1)} %"`);
    expect(text(view)).toMatch(/^Attention, layer 5 .*: head 2–3, query 3–4, the strongest head/);
    expect(text(view)).toMatch(/\n {2}3 '.*' reads '/);
    expect(text(view)).toMatch(/\n {2}4 '.*' reads '/);
    const behind = await model.run(ids, {
      tap: 'layers.5.attn.pattern',
      slice: { query: [3, 5], key: [10, 12] },
    });
    expect(text(behind.attention(5).byToken())).toMatch(/reads none of these/);
  });
});

describe('one rule for an index, before and after', () => {
  test('slices keep their indices through slice after slice', async () => {
    const run = await model.run(ids, { tap: ['layers.5.attn.pattern', 'layers.5.resid'], slice: { head: [2, 4] } });
    const a = run.at('layers.5.attn.pattern');
    const all = whole.at('layers.5.attn.pattern');
    expect(`${a}`).toBe('layers.5.attn.pattern [head 2:4 of 4, query 40, key 40]');
    expect(a.head(2).get(7, 3)).toBeCloseTo(all.get(2, 7, 3), 6);
    expect(() => a.head(0)).toThrow(/has 2 entries along 'head', 2 to 3, so 0 is outside\. Take 2 to 3/);
    expect(() => a.get(0, 7, 3)).toThrow(/has 2 entries along 'head', 2 to 3, so 0 is outside\. Take 2 to 3/);
    const b = a.slice({ query: [10, 20] }).slice({ query: [12, 14], key: -1 });
    expect(b.name).toBe('layers.5.attn.pattern[query 10:20][query 12:14, key 39]');
    // A range is said once, where it says of how many.
    expect(`${b}`).toBe('layers.5.attn.pattern[key 39] [head 2:4 of 4, query 12:14 of 40]');
    expect(`${a.slice({ query: [3, 9] })}`).toBe('layers.5.attn.pattern [head 2:4 of 4, query 3:9 of 40, key 40]');
    expect(`${a.slice({ query: [0, 40] })}`).toBe('layers.5.attn.pattern [head 2:4 of 4, query 40, key 40]');
    expect(b.dims[1].labels).toEqual(whole.tokens.slice(12, 14));
    expect(b.get(3, 13)).toBeCloseTo(all.get(3, 13, 39), 6);
    expect(b.token(13).shape).toEqual([2]);
    expect(() => b.token(1)).toThrow(/12 to 13, so 1 is outside/);
    const last = whole.at('layers.5.resid').slice({ token: -1 });
    expect(last.name).toBe('layers.5.resid[token 39]');
    expect(last.get(5)).toBe(whole.at('layers.5.resid').get(39, 5));
    const negative = a.slice({ head: -1 });
    expect(negative.name).toBe('layers.5.attn.pattern[head 3]');
    expect(negative.get(7, 3)).toBeCloseTo(all.get(3, 7, 3), 6);
  });

  test('top, outliers, norms, histogram and the picture name what is there', async () => {
    const resid = whole.at('layers.5.resid');
    const part = resid.slice({ token: [30, 34], channel: [100, 110] });
    const row = [...Array(10).keys()].map(i => resid.get(33, 100 + i));
    expect(part.top(1)[0]).toEqual({ index: 100 + row.indexOf(Math.max(...row)), value: Math.max(...row) });
    const [worst] = part.outliers(1).rows;
    expect(worst.channel).toBeGreaterThanOrEqual(100);
    expect(worst.row).toBe(worst.at[0]);
    expect(Math.abs(resid.get(worst.at[0], worst.channel))).toBeCloseTo(worst.maxAbs, 6);
    expect(text(part.outliers(1))).toMatch(new RegExp(`${worst.row} `));
    const [grid] = of(part)[FIGURE]!.data;
    expect((grid.y as string[]).map(position)).toEqual([30, 31, 32, 33]);
    expect({ x0: grid.x0, dx: grid.dx }).toEqual({ x0: 100, dx: 1 });
    expect(text(part)).toContain('token 30:34 of 40, channel 100:110 of 128');
    expect(text(part.histogram())).toContain('channel 100:110 of 128');
    expect(of(part)['image/svg+xml']).toMatch(/>100<[\s\S]*>108</);
    const run = await model.run(ids, { tap: 'layers.*.resid', slice: { token: [30, 34] } });
    const lines = of(run.norms())
      [FIGURE]!.data.slice(0, 4)
      .map(d => position(String(d.name)));
    expect(lines).toEqual([30, 31, 32, 33]);
    expect(text(run.norms())).toMatch(/by layer: token 30–33, mean over 4 tokens/);
    // Heads have a norm each: the rows are named, not counted as tokens.
    const heads = await model.run(ids, { tap: 'layers.*.attn.q', slice: { head: [1, 3], token: [5, 7] } });
    expect(
      of(heads.norms('layers.*.attn.q'))
        [FIGURE]!.data.slice(0, 4)
        .map(d => String(d.name).replace(/ [^,]*,/, ',')),
    ).toEqual(['5, head 1', '5, head 2', '6, head 1', '6, head 2']);
  });

  test('Arrow and traces say where, and Arrow brings it back', async () => {
    const run = await model.run(ids, {
      tap: ['layers.5.attn.pattern', 'layers.5.resid'],
      slice: { head: [2, 4], query: [8, 10], key: [4, 6] },
    });
    const a = run.at('layers.5.attn.pattern');
    const table = tableFromIPC(tableToIPC(a.toArrow(), 'file'));
    expect([...table].map(r => [r.head, r.query, r.query_text])).toEqual(
      [2, 3].flatMap(h => [8, 9].map(q => [h, q, whole.tokens[q]])),
    );
    const back = Activation.fromArrow(table);
    expect(back).toEqual(a);
    expect(back.get(3, 9, 5)).toBeCloseTo(whole.at('layers.5.attn.pattern').get(3, 9, 5), 6);
    const trace = tableFromIPC(traceToIpc([a, whole.at('layers.5.resid').slice({ token: [8, 9] })], {}));
    expect([...trace].map(r => [r.row, r.token, r.head, r.query, r.first, r.dims])).toEqual([
      [2 * 40 + 8, null, 2, 8, 4, 'head=2:4,query=8:10,key=4:6'],
      [2 * 40 + 9, null, 2, 9, 4, 'head=2:4,query=8:10,key=4:6'],
      [3 * 40 + 8, null, 3, 8, 4, 'head=2:4,query=8:10,key=4:6'],
      [3 * 40 + 9, null, 3, 9, 4, 'head=2:4,query=8:10,key=4:6'],
      [8, 8, null, null, 0, 'token=8:9,channel=128'],
    ]);
  });

  test('whatever chunks read it, a slice has one shape, and keys that did not exist yet are masked', async () => {
    const slice = { query: [3, 20], key: [5, 25] } as const;
    const tap = ['layers.5.attn.pattern', 'layers.5.attn.scores'];
    const once = await model.run(ids, { tap, slice });
    for (const chunks of [[4, 4, 32], [20, 20], [1, 1, 1, 1, 36], Array<number>(40).fill(1)]) {
      const run = await model.run(ids, { tap, slice, chunks });
      for (const name of tap) {
        expect(run.at(name).dims).toEqual(once.at(name).dims);
        for (const [i, v] of run.at(name).data.entries()) expect(v).toBeCloseTo(once.at(name).data[i], 4);
      }
    }
  });

  test('decode: a token’s activations are at its position', async () => {
    const prompt = model.encode('The capital of France is');
    const seen: string[] = [];
    for await (const token of model.generate(prompt, {
      maxTokens: 4,
      ignoreEos: true,
      tap: ['layers.5.attn.pattern', 'layers.5.resid', 'logits'],
      slice: { head: [1, 3], key: [2, prompt.length + 4] },
    })) {
      const pattern = token.at('blocks.5.attn.hook_pattern');
      seen.push(`${pattern}`);
      const [, query, key] = pattern.dims;
      expect(query.from + query.size).toBe(token.position);
      expect(key.from).toBe(2);
      expect(key.from + key.size).toBe(token.position);
      const resid = token.at('model.layers.5');
      expect(resid.dims[0].from).toBe(query.from);
      expect(token.at('logits').dims[0].from).toBe(token.position - 1);
      expect(resid.dims[0].labels).toEqual(query.labels);
      expect(() => resid.token(query.from + query.size)).toThrow(OptionError);
    }
    expect(seen).toEqual([
      'layers.5.attn.pattern [head 1:3 of 4, query 7, key 2:7 of 7], recomputed',
      'layers.5.attn.pattern [head 1:3 of 4, query 7:8 of 8, key 2:8 of 8], recomputed',
      'layers.5.attn.pattern [head 1:3 of 4, query 8:9 of 9, key 2:9 of 9], recomputed',
      'layers.5.attn.pattern [head 1:3 of 4, query 9:10 of 10, key 2:10 of 10], recomputed',
    ]);
  });

  test('a stage alone on a golden, and the logits of its last token, are at their positions', async () => {
    const g = await golden('atlas/capital');
    const alone = await model.stage('layers.3.attn.q_rope').run(g);
    expect(`${alone}`).toBe('layers.3.attn.q_rope [token 7, head 4, dim 32]'.replace('7', String(g.ids.length)));
    const last = await model.run(ids, { tap: ['logits', 'layers.5.resid'], slice: { token: [3, 4] } });
    expect(() => last.at('logits')).toThrow(
      /computed for token 39 alone, and the slice asks for tokens 3 to 3\. Run with/,
    );
    const one = await model.run(ids, { tap: 'logits' });
    expect(`${one.at('logits')}`).toBe('logits [token 39:40 of 40, vocab 512]');
    const some = await model.run(ids, { tap: 'logits', logits: 'all', slice: { token: [3, 5], vocab: [100, 200] } });
    expect(some.at('logits').get(4, 150)).toBeCloseTo(whole.at('logits').get(4, 150), 4);
    expect(() => some.surprisal()).toThrow(/needs all logits of every token/);
  });
});

test('a diff against the logits of the last token alone says which token they are of', async () => {
  const run = await model.run(ids, { tap: '**' });
  const path = join(freshFolder(), 'last.safetensors');
  const tensors = [...run.activations.values()].map(({ name, shape, data }) => ({
    name,
    shape,
    data: name === 'logits' ? data.map((v, i) => (i === 77 ? v + 9 : v)) : data,
  }));
  await writeSafetensors(path, tensors, { loupe_golden: '1', ids: JSON.stringify(ids), chunks: '[40]' });
  const diff = await model.diff(await golden(path), { alone: false });
  expect(diff.at('lm_head')).toMatchObject({ stage: 'logits', pass: false, accumulated: { worst: [39, 77] } });
  expect(diff[INSPECT]()).toContain('all of it in vocab 77, worst at [39,77]');
});

describe('what is not there is refused', () => {
  test('by get, slice, head, token, top and outliers', () => {
    const a = whole.at('layers.5.resid'); // [40,128]
    const wrong: [() => unknown, RegExp][] = [
      [() => a.get(0, 500), /has 128 entries along 'channel', so 500 is outside\. Take 0 to 127/],
      [() => a.get(40, 0), /has 40 entries along 'token', so 40 is outside/],
      [() => a.get(-1, 0), /so -1 is outside.*slice\(\) also counts from the end/],
      [() => a.get(0, 1.5), /so 1\.5 is outside/],
      [() => a.get(0, Number.NaN), /so NaN is outside/],
      [() => a.get(0, '1' as never), /so '1' is outside/],
      [() => a.get(0), /has 2 dimensions \(token, channel\), and get\(\) was given 1 indices/],
      [() => a.get(0, 0, 0), /was given 3 indices/],
      [() => a.slice({ token: 40 }), /has 40 entries along 'token', so 40 is outside/],
      [() => a.slice({ token: -41 }), /so -41 is outside/],
      [() => a.slice({ token: [3, 3] }), /so \[3, 3\] is empty/],
      [() => a.slice({ token: [5, 3] }), /so \[5, 3\] is empty/],
      [() => a.slice({ token: [38, 41] }), /so \[38, 41\] is outside.*within \[0, 40\]/],
      [() => a.slice({ token: 1.5 }), /so 1\.5 is outside/],
      [() => a.slice({ token: [0, 1.5] }), /whole numbers, not \[0, 1\.5\]/],
      [() => a.slice({ token: [Number.NaN, 3] }), /whole numbers, not \[NaN, 3\]/],
      [() => a.slice({ token: [1] as never }), /not \[1\]/],
      [() => a.slice({ token: '3' as never }), /not '3'/],
      [
        () => a.slice({ tokens: 3 } as never),
        /has no dimension 'tokens'; it has token, channel\. The nearest is 'token'/,
      ],
      [() => a.slice(3 as never), /A slice is \{ axis: .* not 3/],
      [() => a.slice(null as never), /not null/],
      [() => a.head(0), /has no dimension 'head'/],
      [() => a.token(undefined as never), /so NaN is outside/],
      [() => a.top(0), /top\(\) of layers\.5\.resid gives 1 to 128 entries, not 0/],
      [() => a.top(-3), /not -3/],
      [() => a.top(129), /not 129/],
      [() => a.top(2.5), /not 2\.5/],
      [() => a.outliers(0), /outliers\(\) of layers\.5\.resid gives 1 to 128/],
      [() => a.slice({ token: 0, channel: 0 }).top(), /is one value/],
      [() => whole.logits.top(0), /gives 1 to 512 entries, not 0/],
      [() => whole.logits.top(1e9), /gives 1 to 512 entries, not 1000000000/],
      [() => whole.beside({} as never), /beside\(\) takes another run, not an object/],
      [() => whole.beside(whole, -1), /beside\(\) gives 1 to 512/],
      [() => new Activation('x', [{ name: 'token', size: 2 }], new Float32Array(3)), /has 3 values for a shape of 2/],
    ];
    for (const [act, says] of wrong) {
      expect(act).toThrow(says);
      expect(act).toThrow(OptionError);
    }
    expect(a.slice({})).toBe(a);
    expect(whole.logits.top(512).rows).toHaveLength(512);
    expect(text(whole.logits.top(512))).toMatch(/and 412 more, in \.rows/);
  });

  const taps = ['layers.5.attn.pattern', 'layers.5.attn.k'];
  const sliced: [RunOptions, RegExp][] = [
    [{ slice: { head: [7, 9] } }, /'layers\.5\.attn\.k' has 1 entry along 'head', so \[7, 9\] is outside/],
    [{ slice: { head: [0, 2] } }, /'layers\.5\.attn\.k' has 1 entry along 'head', so \[0, 2\] is outside/],
    [{ tap: taps[0], slice: { head: [2, 2] } }, /so \[2, 2\] is empty/],
    [{ tap: taps[0], slice: { query: [0, 41] } }, /has 40 entries along 'query', so \[0, 41\] is outside/],
    [{ tap: taps[0], slice: { query: [0.5, 4] } }, /not \[0\.5, 4\]/],
    [
      { tap: taps[0], slice: { qeury: [0, 4] } as never },
      /has no dimension 'qeury' to slice; .*The nearest is 'query'/,
    ],
    [{ slice: { channel: [0, 4] } }, /None of the 2 stages tapped has a dimension 'channel' to slice/],
    [{ tap: [], slice: { head: [0, 1] } }, /nothing is tapped/],
    [{ slice: { head: 2 } }, /'layers\.5\.attn\.k' has 1 entry along 'head', so 2 is outside/],
    [{ slice: [0, 1] as never }, /A slice is/],
    [{ tap: 'logits', slice: { token: [0, 3] } }, /'logits' is computed for token 39 alone/],
  ];
  for (const [options, says] of sliced) {
    test(`by a run, before it: ${JSON.stringify(options)}`, async () => {
      const before = model.gpu.liveBytes;
      const run = model.run(ids, { tap: taps, ...options });
      await expect(run).rejects.toThrow(says);
      await expect(run).rejects.toThrow(OptionError);
      expect(model.gpu.liveBytes).toBe(before);
    });
  }

  test('by generate, before it', async () => {
    const prompt = model.encode('Once');
    const first = async (slice: unknown, tap = 'layers.5.attn.pattern') => {
      for await (const token of model.generate(prompt, { maxTokens: 2, tap, slice: slice as never })) {
        token.at(tap);
        break;
      }
    };
    await expect(first({ head: [4, 5] })).rejects.toThrow(/has 4 entries along 'head', so \[4, 5\] is outside/);
    await expect(first({ haed: [0, 1] })).rejects.toThrow(/The nearest is 'head'/);
    await expect(first({ query: [0, 500] })).rejects.toThrow(/along 'query', so \[0, 500\] is outside/);
    await expect(first({ query: [-2, -1] })).rejects.toThrow(/counts from an end that a generation does not have yet/);
    await expect(first({ head: [-2, Number.POSITIVE_INFINITY] })).resolves.toBeUndefined();
    await expect(first({ query: [prompt.length, prompt.length + 1] })).rejects.toThrow(
      /Nothing of 'layers\.5\.attn\.pattern' lies within the slice query \[\d+, \d+\] while tokens 0 to \d+ were read/,
    );
  });

  test('by attention, norms and the lens', async () => {
    for (const layer of [99, 6, -1, 1.5, Number.NaN])
      expect(() => whole.attention(layer)).toThrow(/The model has 6 layers, 0 to 5, so layer .* is outside/);
    expect(() => whole.attention('layers.2.resid')).toThrow(/is no attention pattern/);
    expect(() => whole.norms('layers.9.resid')).toThrow(/No stage matches 'layers\.9\.resid'/);
    expect(() => whole.norms([])).toThrow(StageError);
    expect(() => whole.norms(7 as never)).toThrow(/not by 7/);
    expect(() => whole.norms(['layers.0.resid', 'layers.0.attn.q'])).toThrow(/with the same rows/);
    await expect(whole.lens('layers.99.resid')).rejects.toThrow(/No stage matches/);
    const cut = await model.run(ids, { tap: 'layers.*.resid', slice: { channel: [0, 64] } });
    await expect(cut.lens()).rejects.toThrow(
      /reads whole residual streams, \[T,128\], and 'layers\.0\.resid' was cut to \[40,64\]/,
    );
  });

  const values = () => whole.at('layers.2.resid');
  const patches: [string, () => RunOptions['patch'], RegExp][] = [
    [
      'head 7 of 4',
      () => ({ stage: 'layers.1.attn.mix', values: 0, slice: { head: [7, 9] } }),
      /has 4 entries along 'head'/,
    ],
    [
      'token 50 of 40',
      () => ({ stage: 'layers.1.resid', values: 0, slice: { token: [50, 51] } }),
      /has 40 entries along 'token'/,
    ],
    [
      'an axis misspelt',
      () => ({ stage: 'layers.1.attn.mix', values: 0, slice: { haed: [0, 1] } as never }),
      /no dimension 'haed'.*'head'/,
    ],
    [
      'an axis of another stage',
      () => ({ stage: 'layers.*.resid', values: 0, slice: { head: [0, 1] } }),
      /no dimension 'head'/,
    ],
    [
      'too many values',
      () => ({ stage: 'layers.2.resid', values: values(), slice: { token: [0, 3] } }),
      /has 40 entries along 'token', and 3 are to be replaced/,
    ],
    [
      'too few values',
      () => ({ stage: 'layers.2.resid', values: values().slice({ channel: [0, 4] }) }),
      /has 4 entries along 'channel', and 128 are/,
    ],
    [
      'values with a dimension less',
      () => ({ stage: 'layers.2.resid', values: values().token(3) }),
      /needs values of 2 dimensions/,
    ],
    [
      'values of other dimensions',
      () => ({ stage: 'layers.2.attn.pattern', values: whole.at('layers.2.attn.q') }),
      /the stage has head, query, key/,
    ],
    [
      'values that are none',
      () => ({ stage: 'layers.2.resid', values: undefined as never }),
      /are a number or an activation, not undefined/,
    ],
    ['an array of values', () => ({ stage: 'layers.2.resid', values: [1, 2] as never }), /not \[1, 2\]/],
    [
      'logits that are not computed',
      () => ({ stage: 'logits', values: 0, slice: { token: [0, 3] } }),
      /only token 39 has logits/,
    ],
    ['no stage', () => ({ stage: [], values: 0 }), /not by \[\]/],
    [
      'keys that come later',
      () => ({ stage: 'layers.5.attn.pattern', values: 1, slice: { query: [0, 5], key: [20, 25] } }),
      /'layers\.5\.attn\.pattern' at query 0 to 4 and key 20 to 24 would change nothing: no query may see a later key/,
    ],
    [
      'a key before the window',
      () => ({ stage: 'layers.0.attn.scores', values: 1, slice: { query: 39, key: [0, 24] } }),
      /at query 39 and key 0 to 23 would change nothing: a query of this stage sees the last 16 tokens/,
    ],
  ];
  for (const [name, patch, says] of patches) {
    test(`by a patch: ${name}`, async () => {
      await expect(model.run(ids, { patch: patch() })).rejects.toThrow(says);
    });
  }

  test('by a run: a prompt or an option that is none', async () => {
    await expect(model.run(undefined as never)).rejects.toThrow(
      /A prompt is text or a list of token ids, not undefined/,
    );
    await expect(model.run(ids, { logits: 'some' as never })).rejects.toThrow(/is 'last' or 'all', not 'some'/);
    await expect(model.patching({} as never)).rejects.toThrow(/give \{ clean, corrupt \}/);
  });

  test('by patching: an answer that is no token', async () => {
    const prompts = { clean: 'The capital of France is', corrupt: 'The capital of Italy is' };
    for (const answer of [512, -1, 1.5, Number.NaN])
      await expect(model.patching({ ...prompts, answer })).rejects.toThrow(/is no token id; ids go from 0 to 511/);
  });
});

test('heads are called by the key/value head that they share, also where only some are here', async () => {
  using tiny = await open(await writeTiny(freshFolder()), { quiet: true }); // 4 heads, 2 key/value heads
  const run = await tiny.run([2, 5, 9], { tap: 'layers.1.attn.pattern', slice: { head: [1, 3] } });
  const bundle = of(run.attention(1));
  expect(bundle[FIGURE]!.data.map(d => d.name)).toEqual(['head 1 · kv 0', 'head 2 · kv 1']);
  for (const name of ['head 1 · kv 0', 'head 2 · kv 1']) {
    expect(bundle['text/plain']).toContain(name);
    expect(of(run.attention(1).byToken())['text/html']).toContain(name);
  }
  // Without a script the first head is seen, and how many there are besides.
  expect(bundle['image/svg+xml']).toContain('head 1 · kv 0; 1 more view where scripts run');
  const notes = of(run.attention(1).heads())[FIGURE]!.layout.annotations as { text: string }[];
  expect(notes.slice(0, 2).map(({ text: note }) => note.replace(/<[^>]*>/g, ''))).toEqual([
    'head 1 ■ kv 0',
    'head 2 ■ kv 1',
  ]);
});

test('a pattern of one query, made by hand or decoded, has its query at the end of its keys', () => {
  const dims = [
    { name: 'head' as const, size: 1 },
    { name: 'query' as const, size: 1 },
    { name: 'key' as const, size: 30 },
  ];
  const pattern = new Activation('layers.0.attn.pattern', dims, new Float32Array(30).fill(1 / 30));
  const figure = { layers: [{ layer: 0, pattern, window: null }], heads: 1, kvHeads: 1 };
  expect(unpacked(attentionBundle(figure)[FIGURE]!.data[0].z as Packed)[0].every(v => v > 0)).toBe(true);
  expect(tokensBundle(figure)['text/html']!.match(/<span title="\d+: 3\.3 %"/g)).toHaveLength(2 * 30);
});

test('what is masked is a hole in the picture of scores, not a 0', () => {
  const grid = unpacked(of(whole.at('layers.5.attn.scores').head(1))[FIGURE]!.data[0].z as Packed);
  grid.forEach((row, q) => {
    row.forEach((v, k) => {
      expect(Number.isNaN(v)).toBe(k > q);
    });
  });
});

test.each<RunOptions['slice']>([
  { query: 1, key: [10, 17] },
  { query: [0, 5], key: [30, 40] },
  { query: [3, 7], key: [4, 20] },
  { query: 39, key: 0 },
])('queries and the keys behind them are what they are, however the prompt was read: %j', async slice => {
  const tap = ['layers.5.attn.pattern', 'layers.5.attn.scores', 'layers.0.attn.pattern'];
  const [one, cut] = [await model.run(ids, { tap, slice }), await model.run(ids, { tap, slice, chunks: [5, 12, 23] })];
  for (const name of tap) {
    expect(cut.at(name).dims).toEqual(one.at(name).dims);
    expect([...cut.at(name).data]).toEqual([...one.at(name).data]);
    expect([...cut.at(name).data]).toEqual([...whole.at(name).slice(slice!).data]);
  }
});

test('a data set has the rows of queries whose keys came in a later chunk', async () => {
  const long = (n: number) => Array.from({ length: n }, (_, i) => 300 + (i % 50));
  const path = join(freshFolder(), 'early.arrow');
  const options = { tap: 'layers.5.attn.pattern', slice: { query: [0, 10], key: [70, 80] } } as const;
  await model.runs([long(150), long(120)], options).save(path);
  expect(tableFromIPC(readFileSync(path)).numRows).toBe(20); // there were none, and exit 0
});
