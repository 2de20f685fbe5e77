// Methods of Python's texts, lists and mappings that a template may call. Those that are not here are refused by name.

import { type Argument, bound, placed } from './jinja-arguments.js';
import { joined } from './jinja-filters.js';
import { isRange, itemsOf, view } from './jinja-items.js';
import type { Value } from './jinja-library.js';
import { isMarked } from './jinja-marks.js';
import { alike } from './jinja-order.js';
import { replaced, wholeOf } from './jinja-texts.js';
import { formatted } from './jinja-percent.js';
import { isList, isText, isTrue, listOf, kindOf, runtime, type Spend, text, tupleOf } from './jinja-values.js';
import {
  capitalised,
  centred,
  isLower,
  isUpper,
  linesOf,
  pointsIn,
  rightSplit,
  split,
  strip,
  titled,
} from './python-text.js';

/** `object.name(args)`; null where the type has no such method, or Loupe has none. */
export function called(object: Value, name: string, args: readonly Argument[], spend: Spend): Value | null {
  if (isText(object)) {
    if (isMarked(object)) throw new Error('it calls a method of a text that is marked as safe');
    spend((object.value as string).length >> 4);
    return ofText(object.value as string, name, args, spend);
  }
  if (object.type === 'ObjectValue') return ofMapping(object, name, args);
  if (isList(object) || isRange(object)) return ofList(object, name, args, spend);
  return null;
}

function ofMapping(object: Value, name: string, args: readonly Argument[]): Value | null {
  const map = object.value as Map<string, Value>;
  switch (name) {
    case 'get': {
      const [key, otherwise] = placed(name, args, 2, 1);
      if (isList(key!) || key!.value instanceof Map) throw new Error(`get takes no ${kindOf(key!).slice(2)}`);
      return (isText(key!) ? map.get(key!.value as string) : undefined) ?? otherwise ?? runtime(null);
    }
    case 'items':
      bound(name, args, []);
      return view('items', map);
    case 'keys':
      bound(name, args, []);
      return view('keys', map);
    case 'values':
      bound(name, args, []);
      return view('values', map);
    case 'copy':
      bound(name, args, []);
      return object;
    default:
      return null;
  }
}

function ofList(object: Value, name: string, args: readonly Argument[], spend: Spend): Value | null {
  const items = itemsOf(name, object, spend);
  spend(items.length >> 4);
  switch (name) {
    case 'count':
    case 'index': {
      const [one] = placed(name, args, 1, 1);
      if (name === 'count') return runtime(items.filter(item => alike(item, one!, spend)).length);
      const at = items.findIndex(item => alike(item, one!, spend));
      if (at < 0) throw new Error('it asks for the index of what is not in a list');
      return runtime(at);
    }
    case 'copy':
      bound(name, args, []);
      return object.type === 'ArrayValue' ? listOf([...items]) : null;
    default:
      return null;
  }
}

/** Tests of a text, whose answer for none is False. */
const IS: Readonly<Record<string, (value: string) => boolean>> = {
  isalpha: value => /^\p{L}+$/u.test(value),
  isalnum: value => /^[\p{L}\p{N}]+$/u.test(value),
  isascii: value => !/[^\0-\x7f]/.test(value),
  isdecimal: value => /^\p{Nd}+$/u.test(value),
  isdigit: value => {
    if (/(?!\p{Nd})\p{N}/u.test(value)) throw new Error('Unknown method: isdigit of such a text');
    return /^\p{Nd}+$/u.test(value);
  },
  islower: isLower,
  isupper: isUpper,
  isspace: value => value !== '' && strip(value) === '',
};

function ofText(value: string, name: string, args: readonly Argument[], spend: Spend): Value | null {
  if (Object.hasOwn(IS, name)) {
    bound(name, args, []);
    return runtime(IS[name](value));
  }
  switch (name) {
    case 'upper':
      bound(name, args, []);
      return text(value.toUpperCase());
    case 'lower':
      bound(name, args, []);
      return text(value.toLowerCase());
    case 'capitalize':
      bound(name, args, []);
      return text(capitalised(value));
    case 'title':
      bound(name, args, []);
      spend(value.length >> 1); // words
      return text(titled(value));
    case 'format':
      return text(formatted(value, args));
    case 'strip':
    case 'lstrip':
    case 'rstrip': {
      const [characters] = placed(name, args, 1);
      const set = characters && characters.type !== 'NullValue' ? textOf(name, characters) : undefined;
      return runtime(strip(value, name, set));
    }
    case 'replace': {
      const [old, fresh, count] = placed(name, args, 3, 2);
      return replaced(value, runtime(textOf(name, old!)), runtime(textOf(name, fresh!)), count);
    }
    case 'split':
    case 'rsplit': {
      const [separator, most] = bound(name, args, ['sep', 'maxsplit']);
      const by = separator && separator.type !== 'NullValue' ? textOf(name, separator) : null;
      if (by === '') throw new Error(`${name} takes a text that is not empty`);
      if (most !== undefined && most.type !== 'IntegerValue') throw new Error(`${name} takes a whole number of cuts`);
      const parts = (name === 'split' ? split : rightSplit)(value, by, most?.value as number | undefined);
      spend(parts.length);
      return runtime(parts);
    }
    case 'splitlines': {
      const lines = linesOf(value, isTrue(bound(name, args, ['keepends'])[0]));
      spend(lines.length);
      return runtime(lines);
    }
    case 'join': {
      const [list] = placed(name, args, 1, 1);
      const items = itemsOf(name, list!, spend);
      for (const item of items) textOf(name, item);
      return joined(items, runtime(value), spend);
    }
    case 'startswith':
    case 'endswith': {
      const [part, ...between] = placed(name, args, 3, 1);
      const parts = part!.type === 'TupleValue' ? (part!.value as Value[]) : [part!];
      const piece = sliced(name, value, between);
      const wanted = parts.map(one => textOf(name, one));
      return runtime(
        piece !== null && wanted.some(one => (name === 'startswith' ? piece.startsWith(one) : piece.endsWith(one))),
      );
    }
    case 'count':
    case 'find':
    case 'rfind':
    case 'index':
    case 'rindex':
      return found(value, name, args);
    case 'zfill': {
      const [width] = placed(name, args, 1, 1);
      const [, sign, rest] = /^([+-]?)(.*)$/s.exec(value)!;
      return text(sign + '0'.repeat(Math.max(0, wholeOf(name, width!) - pointsIn(value))) + rest);
    }
    case 'center':
    case 'ljust':
    case 'rjust': {
      const [width, fill] = placed(name, args, 2, 1);
      const unit = fill ? textOf(name, fill) : ' ';
      if (Array.from(unit).length !== 1) throw new Error(`${name} takes one character`);
      const to = wholeOf(name, width!);
      if (name === 'center') return text(centred(value, to, unit));
      const more = unit.repeat(Math.max(0, to - pointsIn(value)));
      return text(name === 'ljust' ? value + more : more + value);
    }
    case 'partition':
    case 'rpartition': {
      const by = textOf(name, placed(name, args, 1, 1)[0]!);
      if (by === '') throw new Error(`${name} takes a text that is not empty`);
      const at = name === 'partition' ? value.indexOf(by) : value.lastIndexOf(by);
      const whole = name === 'partition' ? [value, '', ''] : ['', '', value];
      return tupleOf((at < 0 ? whole : [value.slice(0, at), by, value.slice(at + by.length)]).map(runtime));
    }
    case 'removeprefix':
    case 'removesuffix': {
      const part = textOf(name, placed(name, args, 1, 1)[0]!);
      if (name === 'removeprefix') return runtime(value.startsWith(part) ? value.slice(part.length) : value);
      return runtime(part !== '' && value.endsWith(part) ? value.slice(0, -part.length) : value);
    }
    default:
      return null;
  }
}

function textOf(what: string, value: Value): string {
  if (!isText(value)) throw new Error(`${what} takes a text`);
  return value.value as string;
}

/** Where a slice of `length` begins and ends; null where it begins behind the end. */
function bounds(
  what: string,
  length: number,
  [from, to]: readonly (Value | undefined)[],
): readonly [number, number] | null {
  const place = (value: Value | undefined, otherwise: number) => {
    if (value === undefined || value.type === 'NullValue') return otherwise;
    const at = wholeOf(what, value);
    return at < 0 ? Math.max(0, at + length) : at;
  };
  const start = place(from, 0);
  const end = Math.min(length, place(to, length));
  return start > end ? null : [start, end];
}

function sliced(what: string, value: string, between: readonly (Value | undefined)[]): string | null {
  if (between.every(one => one === undefined)) return value;
  const points = Array.from(value);
  const at = bounds(what, points.length, between);
  return at && points.slice(...at).join('');
}

function found(value: string, name: string, args: readonly Argument[]): Value {
  const [sub, ...between] = placed(name, args, 3, 1);
  const part = textOf(name, sub!);
  const points = Array.from(value);
  const at = bounds(name, points.length, between);
  const piece = at === null ? null : points.slice(...at).join('');
  if (name === 'count') {
    if (piece === null) return runtime(0);
    return runtime(part === '' ? pointsIn(piece) + 1 : piece.split(part).length - 1);
  }
  const place = piece === null ? -1 : name.startsWith('r') ? piece.lastIndexOf(part) : piece.indexOf(part);
  if (place >= 0) return runtime(at![0] + pointsIn(piece!.slice(0, place)));
  if (name.endsWith('index')) throw new Error(`it asks for the ${name} of what is not in a text`);
  return runtime(-1);
}
