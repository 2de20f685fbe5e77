// Names out of files: of models, goldens, stages, dimensions, tokens, prompts. Whatever they hold, plotly's titles, ticks, legends and hovers show
// it as text, and neither a page nor a terminal gets a character that steers.

import { afterAll, beforeAll, expect, test } from 'vitest';
import { LoupeError, ModelFileError } from '../../engine/errors.js';
import { printable, printableJson, visible } from '../../engine/printable.js';
import { Activation } from '../../lab/values/activation.js';
import { activationBundle } from '../../lab/display/activation.js';
import { type Bundle, DISPLAY, INSPECT, plain, type Shown } from '../../lab/values/shown.js';
import { modelBundle } from '../../lab/display/model.js';
import { PlanView } from '../../lab/session/views.js';
import { html, label } from '../../lab/values/html.js';
import { histogramBundle, normsBundle, outliersBundle } from '../../lab/display/spread.js';
import { Norms, Outliers } from '../../lab/values/spread.js';
import { golden } from '../../lab/values/golden.js';
import { open } from '../../lab/session/open.js';
import { Run } from '../../lab/session/run.js';
import type { Session } from '../../lab/session/session.js';
import { withOther } from '../fixtures/other.js';

const FIGURE = 'application/vnd.plotly.v1+json';
const STEERING =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/;
const HOSTILE = [
  '<b>bold</b>',
  '<a href="javascript:alert(1)">click</a>',
  '<br><br>',
  '<sup>2</sup>',
  '<img src=x onerror=alert(1)>',
  '</script><script>alert(1)</script>',
  '$\\unicode{x41}$',
  '$$x^2$$',
  '%{x}%{customdata[0]}',
  '<extra>gone</extra>',
  '&lt;b&gt;',
  '\u001b]52;c;ZXZpbA==\u0007',
  '\u001b[2J\u001b]8;;http://evil\u0007link',
  '\u009b31mred\u0085',
  '\u202egnp.exe\u202c',
  '\u2066isolated\u2069\u200f\u061c',
  'half \ud83d of a pair',
  '\0\u0008\u007f\r',
];
const ALL = HOSTILE.join(' ');

let model: Session;
beforeAll(async () => {
  model = await open('atlas', { quiet: true });
});
afterAll(() => model[Symbol.dispose]());

const strings = (value: unknown, path = ''): [string, string][] =>
  typeof value === 'string'
    ? [[path, value]]
    : typeof value === 'object' && value !== null
      ? Object.entries(value).flatMap(([key, v]) => strings(v, `${path}.${key}`))
      : [];

/** What of a text plotly would take for more than text, our own markup apart. */
function markup(path: string, text: string): string[] {
  const template = /template$|^\.data\.0\.customdata\.\d+\.\d+$/.test(path); // of the plan's blocks the notes
  const rest = text
    .replaceAll(/<b>(?=[^<]*<\/b>)|<\/b>/g, template ? '' : '$&') // the name of a stage
    .replaceAll('<br>', path.endsWith('.subtitle.text') ? '' : '<br>') // a line each
    .replaceAll(/<br>|<extra><\/extra>|<extra>%\{fullData\.name\}<\/extra>/g, template ? '' : '$&')
    .replace('<span style="font-size:22px">&nbsp;</span>', /\.colorbar(\.0)?\.title\.text$/.test(path) ? '' : '$&') // room
    .replaceAll(/<span style="color:#[0-9a-f]{6}">■ kv \d+<\/span>/g, '')
    .replaceAll(/%\{(x|y|z|id|text|customdata(\[\d\])?)(:[^{}]*)?\}/g, template ? '' : '$&');
  return rest.match(/<|>|\$|%\{/g) ?? [];
}

function expectTame(name: string, bundle: Bundle): void {
  const figure = bundle[FIGURE];
  for (const [path, text] of strings(figure)) {
    expect([name, path, text, markup(path, text)]).toEqual([name, path, text, []]);
  }
  for (const [path, text] of strings(bundle))
    expect([name, path, STEERING.exec(text)?.[0]]).toEqual([name, path, undefined]);
  for (const page of [bundle['text/html'] ?? '', bundle['image/svg+xml'] ?? '']) {
    expect(page).not.toMatch(/<(img|a|sup|b) ?(src|href|>bold|>2)|<script>alert/);
  }
}

test('displays of activations whose names, dimensions and tokens are hostile', () => {
  const dims = [
    { name: ALL as never, size: 2 },
    { name: 'token' as const, size: HOSTILE.length, labels: HOSTILE },
    { name: `${ALL}!` as never, size: 3 },
  ];
  const data = Float32Array.from({ length: 2 * 3 * HOSTILE.length }, (_, i) => Math.sin(i));
  const hostile = new Activation(ALL, dims, data);
  expectTame('activation', hostile[DISPLAY]());
  expectTame('bundle', { ...activationBundle(hostile), 'text/plain': '' });
  const flat = new Activation(ALL, dims.slice(1), data.subarray(0, 3 * HOSTILE.length));
  expectTame('histogram', {
    ...histogramBundle(flat.histogram()),
    'text/plain': flat.histogram()[DISPLAY]()['text/plain'],
  });
  expectTame('outliers', flat.outliers()[DISPLAY]());
  expectTame('outliers', { ...outliersBundle(new Outliers(flat, 0)), 'text/plain': '' });
  expectTame('norms', { ...normsBundle(new Norms([flat, flat])), 'text/plain': '' });
  for (const text of [hostile[INSPECT](), flat.histogram()[INSPECT](), flat.outliers()[INSPECT]()])
    expect(text).not.toMatch(STEERING);
});

/** What a session shows under another name: its methods know only its own. */
const drawn = (bundle: Bundle): Shown => ({
  [DISPLAY]: () => plain(bundle),
  [INSPECT]: () => plain(bundle)['text/plain'],
});

test('displays of a model, a run, a lens, a diff and a golden with hostile names', async () => {
  const run = await model.run(
    HOSTILE.map((_, i) => 10 + i),
    { tap: '**', logits: 'all' },
  );
  const texts = (ids: readonly number[]) => ids.map(id => HOSTILE[id % HOSTILE.length]);
  const session = withOther(model, {
    labels: texts,
    name: ALL,
    provenance: () => ({ model: ALL, adapter: ALL, fingerprint: 'f', edited_shaders: '' }),
  });
  const relabelled = ({ name, dims, data }: Activation) =>
    new Activation(
      name,
      dims.map(dim => (dim.labels ? { ...dim, labels: HOSTILE } : dim)),
      data,
    );
  const activations = new Map([...run.activations].map(([name, activation]) => [name, relabelled(activation)]));
  const renamed = new Run(session, run.ids, HOSTILE, activations, run.logits.values);
  const all: Record<string, Shown> = {
    run: renamed as unknown as Shown,
    top: renamed.logits.top(12),
    beside: renamed.beside(renamed),
    surprisal: renamed.surprisal(),
    attention: renamed.attention(),
    heads: renamed.attention(0).heads(),
    byToken: renamed.attention(0).byToken(),
    lens: await renamed.lens(),
    model: drawn(modelBundle(session)),
    plan: new PlanView(session, null),
  };
  const g = await golden('atlas/short');
  const diff = await model.diff(g);
  const named = Object.assign(diff, { golden: ALL, provenance: { adapter: ALL } });
  all.diff = named;
  all.verdicts = new PlanView(session, named);
  for (const [name, value] of Object.entries(all)) {
    expectTame(name, value[DISPLAY]());
    expect(value[INSPECT]()).not.toMatch(STEERING);
  }
});

test('an error quotes a name without what steers a terminal', () => {
  for (const name of HOSTILE) {
    expect(new ModelFileError(`There is no '${name}'.`).message).not.toMatch(STEERING);
  }
  expect(new LoupeError('two\n\tlines').message).toBe('two\n\tlines');
  expect(new LoupeError('an \u001b[31m').message).toBe('an ␛[31m');
});

test('text for people: what steers becomes a sign, and what does not stays', () => {
  expect(printable('a\tb\nc\r\nd\r')).toBe('a\tb\nc\nd␍');
  expect(printable('\u001b]0;title\u0007 \u007f \u009b \u202e \u2066 \ud83d!')).toBe(
    '␛]0;title␇ ␡ \ufffd \ufffd \ufffd \ufffd!',
  );
  const innocent = 'naïve 日本語 עברית العربية 👩‍🔬 🏳️‍🌈 ▁x \u00a0 नमस्ते';
  expect([printable(innocent), visible(innocent)]).toEqual([innocent, innocent]);
  expect(visible(' a\n\tb\u200b ')).toBe('␣a↵⇥b·␣');
  expect(label('$x$ <b> %{y} 50 % "q"')).toBe('&#36;x&#36; &lt;b&gt; &#37;{y} 50 % &quot;q&quot;');
  expect(html`<i>${'\u202e<'}</i>`.text).toBe('<i>\ufffd&lt;</i>');
});

test('JSON holds the same values, and nothing that steers', () => {
  const value = { [ALL]: HOSTILE.slice(0, -2), n: [1, null, true] };
  const text = printableJson(value, 1);
  expect(text).not.toMatch(STEERING);
  expect(JSON.parse(text)).toEqual(value);
  expect(printableJson([Number.NaN, 1, Number.POSITIVE_INFINITY])).toBe('["NaN",1,"Infinity"]');
});
