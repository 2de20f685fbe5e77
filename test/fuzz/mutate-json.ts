// Changes of JSON that know its form: values of other types and sizes, keys that are gone, come twice or are those of every object. Objects
// are lists of pairs here, so that a key can come twice, and numbers are text, so that they can be none.

import type { Random } from './random.js';

export type Json = { readonly literal: string } | Json[] | { entries: [string, Json][] };

/** Lists have a method of that name. */
const hasEntries = (value: Json): value is { entries: [string, Json][] } => !Array.isArray(value) && 'entries' in value;

export const parsed = (text: string): Json => formOf(JSON.parse(text));

export function formOf(value: unknown): Json {
  if (Array.isArray(value)) return value.map(formOf);
  if (typeof value === 'object' && value !== null)
    return { entries: Object.entries(value).map(([key, one]) => [key, formOf(one)]) };
  return { literal: JSON.stringify(value) };
}

export function written(form: Json): string {
  if (Array.isArray(form)) return `[${form.map(written).join()}]`;
  if ('literal' in form) return form.literal;
  return `{${form.entries.map(([key, value]) => `${JSON.stringify(key)}:${written(value)}`).join()}}`;
}

const literal = (text: string): Json => ({ literal: text });
const deep = (n: number, open = '[', close = ']') => literal(open.repeat(n) + close.repeat(n));

// Values that programs trip over.
const VALUES: readonly (() => Json)[] = [
  ...[
    'null',
    'true',
    'false',
    '0',
    '-0',
    '-1',
    '1',
    '0.5',
    '1.0',
    '1e2',
    '1e-7',
    '1e308',
    '1e999',
    '-1e999',
    'NaN',
    'Infinity',
  ],
  ...[
    '9007199254740993',
    '18446744073709551615',
    '18446744073709551616',
    '4294967296',
    '2147483648',
    '16777216',
    '65536',
    '01',
    '+1',
    '.5',
  ],
  ...[
    '""',
    '"a"',
    '"\\u0000"',
    '"\\ud800"',
    '"\\ufeff"',
    '"__proto__"',
    '"constructor"',
    '"toString"',
    '"length"',
    '"0"',
    '"1e999"',
    '" "',
    '"\u2581"',
  ],
  ...[
    '[]',
    '{}',
    '[[]]',
    '[null]',
    '[{}]',
    '{"a":{}}',
    '{"toString":1}',
    '{"toString":null,"valueOf":null}',
    '{"length":-1}',
    '{"__proto__":null}',
  ],
  ...[
    '{"__proto__":{"x":1}}',
    '{"constructor":{"prototype":1}}',
    '{"toJSON":1}',
    '{"then":1}',
    '[1,2,3]',
    '["a","b"]',
    '[-1]',
    '[1e999]',
    '[0.5]',
  ],
].map(text => () => literal(text));
const LARGE: readonly (() => Json)[] = [
  () => deep(150),
  () => deep(20_000),
  () => literal(`${'{"a":'.repeat(20_000)}1${'}'.repeat(20_000)}`),
  () => literal(`"${'x'.repeat(100_000)}"`),
  () => literal(`[${'0,'.repeat(50_000)}0]`),
  () => literal(`[${'[],'.repeat(20_000)}[]]`),
  () => literal(`{${Array.from({ length: 5000 }, (_, i) => `"k${i}":${i}`).join()}}`),
];
const KEYS = [
  '__proto__',
  'constructor',
  'toString',
  'valueOf',
  'hasOwnProperty',
  '',
  '0',
  'length',
  'then',
  'toJSON',
  '\ud800',
  'a'.repeat(300),
];

export const oddValue = (random: Random): Json => random.of(random.once(25) ? LARGE : VALUES)();

interface Place {
  readonly value: Json;
  put(value: Json): void;
  /** The list or object it is in, and where. */
  readonly inside: Json[] | [string, Json][] | null;
  readonly at: number;
}

/** One to three changes anywhere in the value. */
export function mutateJson(form: Json, random: Random): Json {
  const root = { form: structuredClone(form) };
  for (let n = random.once(3) ? 1 + random.below(3) : 1; n > 0; n--) change(root, random);
  return root.form;
}

function places(root: { form: Json }): Place[] {
  const found: Place[] = [];
  const visit = (value: Json, put: (value: Json) => void, inside: Place['inside'], at: number): void => {
    found.push({ value, put, inside, at });
    if (Array.isArray(value)) {
      value.forEach((one, i) => {
        visit(one, fresh => void (value[i] = fresh), value, i);
      });
    } else if (hasEntries(value)) {
      value.entries.forEach((entry, i) => {
        visit(entry[1], fresh => void (entry[1] = fresh), value.entries, i);
      });
    }
  };
  visit(root.form, fresh => void (root.form = fresh), null, 0);
  return found;
}

function change(root: { form: Json }, random: Random): void {
  const all = places(root);
  const { value, put, inside, at } = random.of(all);
  switch (random.below(10)) {
    case 0:
    case 1:
    case 2:
      put(oddValue(random));
      return;
    case 3:
      inside?.splice(at, 1);
      return;
    case 4:
      if (inside)
        for (let n = random.once(10) ? 2000 : 1; n > 0; n--)
          (inside as Json[]).splice(at, 0, structuredClone(inside[at]) as Json);
      return;
    case 5: {
      const other = random.of(all).value;
      put(structuredClone(other));
      return;
    }
    case 6:
      if (hasEntries(value))
        value.entries.splice(random.below(value.entries.length + 1), 0, [random.of(KEYS), oddValue(random)]);
      else if (Array.isArray(value)) value.splice(random.below(value.length + 1), 0, oddValue(random));
      else put(nudged(value.literal, random));
      return;
    case 7: {
      // another name, or that of a key that is there
      const entry = inside?.[at];
      if (Array.isArray(entry) && typeof entry[0] === 'string') {
        const names = inside!.map(one => (one as [string, Json])[0]);
        (entry as [string, Json])[0] = random.once(2) ? random.of(KEYS) : random.of(names);
      }
      return;
    }
    case 8:
      put([value]);
      return;
    default:
      if ('literal' in value) put(nudged(value.literal, random));
      else put(oddValue(random));
  }
}

function nudged(text: string, random: Random): Json {
  const number = Number(text);
  if (text !== '' && Number.isFinite(number) && !text.startsWith('"')) {
    return literal(
      String(
        random.of([
          number + 1,
          number - 1,
          -number,
          number * 2,
          number * 1000,
          number + 0.5,
          number / 3,
          2 ** 31,
          1e21,
        ]),
      ),
    );
  }
  if (!text.startsWith('"')) return oddValue(random);
  const at = 1 + random.below(Math.max(1, text.length - 1));
  const part = random.of([
    '',
    ' ',
    '\\u0000',
    '\\ud800',
    '\\n',
    '\u2581',
    '<',
    '%}',
    '{{',
    '9',
    '\u202e',
    '🙂',
    'x'.repeat(2000),
  ]);
  return literal(text.slice(0, at) + part + text.slice(random.once(2) ? at : Math.min(at + 1, text.length - 1)));
}
