// What stands behind a dot or between brackets in a template, as Python's Jinja finds it.

import { isOnce, isRange, placeOf } from './jinja-items.js';
import type { Value } from './jinja-library.js';
import { ofMacro } from './jinja-macros.js';
import { isText, kindOf, runtime, type Spend } from './jinja-values.js';

/** The type of `loop`, which is no mapping. */
export const LOOP = 'LoopValue';

const words = (text: string): ReadonlySet<string> => new Set(text.split(/\s+/));

const WHOLE =
  words(`as_integer_ratio bit_count bit_length conjugate denominator from_bytes imag is_integer numerator real
  to_bytes`);

/** Methods of Python's types that a template may ask for; those that change a value are none in transformers' sandbox. */
const METHODS: Readonly<Record<string, ReadonlySet<string>>> = {
  StringValue:
    words(`capitalize casefold center count encode endswith expandtabs find format format_map index isalnum isalpha
    isascii isdecimal isdigit isidentifier islower isnumeric isprintable isspace istitle isupper join ljust lower lstrip maketrans
    partition removeprefix removesuffix replace rfind rindex rjust rpartition rsplit rstrip split splitlines startswith strip
    swapcase title translate upper zfill`),
  ArrayValue: words('copy count index'),
  TupleValue: words('count index'),
  RangeValue: words('count index'),
  ViewValue: words('isdisjoint mapping'),
  ObjectValue: words('copy fromkeys get items keys values'),
  IntegerValue: WHOLE,
  BooleanValue: WHOLE,
  FloatValue: words('as_integer_ratio conjugate fromhex hex imag is_integer real'),
};
/** Those that change a mapping come before its keys, and are refused. */
const CHANGING = words('clear pop popitem setdefault update');

/** A method as a value: it is defined, and nothing can be done with it but calling it, which is another's affair. */
export function method(object: Value, name: string): Value {
  return runtime(() => {
    throw new Error(`Unknown method: ${name} of ${kindOf(object)}`);
  });
}

/**
 * `object.key` or `object[key]`. Throws Error for a method that a sandboxed template may not have.
 * @param computed it is `object[key]`
 */
export function memberOf(object: Value, key: Value, computed: boolean, spend: Spend): Value {
  const nothing = runtime(undefined);
  const name = isText(key) ? (key.value as string) : null;
  if (name !== null) {
    if (object.type === 'FunctionValue') return ofMacro(object, name) ?? nothing;
    if (isRange(object) && /^(start|stop|step)$/.test(name)) throw new Error(`Unknown attribute: ${name} of a range`);
    if (isOnce(object)) throw new Error(`Unknown attribute: ${name.slice(0, 40)} of ${kindOf(object)}`);
    const methods = METHODS[object.type] as ReadonlySet<string> | undefined;
    const ofType = methods?.has(name) ? method(object, name) : undefined;
    if (!(object.value instanceof Map)) return ofType ?? nothing;
    const own = object.value.get(name) as Value | undefined;
    if (object.type === 'NamespaceValue' || object.type === LOOP || computed) return own ?? ofType ?? nothing;
    if (CHANGING.has(name) && own !== undefined) throw new Error(`Unknown method: ${name} of a mapping`);
    return ofType ?? own ?? nothing;
  }
  const at = key.type === 'IntegerValue' || key.type === 'BooleanValue' ? Number(key.value) : null;
  if (at === null) return nothing;
  if (!isText(object)) return placeOf(object, at) ?? nothing;
  const units = object.value as string;
  spend(units.length >> 6);
  if (!/[\ud800-\udfff]/.test(units)) return runtime(units.at(at));
  spend(units.length >> 3);
  return runtime(Array.from(units).at(at));
}

/** Reads what an `attribute` names in an item: `a.b.0`, or a place. Throws Error where it reads on in what is undefined. */
export function attributeOf(attribute: Value, spend: Spend): (item: Value) => Value {
  if (attribute.type !== 'IntegerValue' && !isText(attribute)) {
    throw new Error(`attribute takes a text, and not ${kindOf(attribute)}`);
  }
  const parts = isText(attribute)
    ? (attribute.value as string).split('.').map(part => runtime(/^\d+$/.test(part) ? Number(part) : part))
    : [attribute];
  return item =>
    parts.reduce((value, part) => {
      if (value.type === 'UndefinedValue') throw new Error(`'${part.value}' is asked of what is undefined`);
      return memberOf(value, part, true, spend);
    }, item);
}
