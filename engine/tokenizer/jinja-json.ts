// json.dumps, as transformers' tojson calls it.

import type { Value } from './jinja-library.js';
import { comparedTexts } from './jinja-order.js';
import { isList, LONGEST_TEXT, kindOf, type Spend, tooLong } from './jinja-values.js';
import { floatText } from './python-text.js';

export interface JsonLayout {
  /** Blanks a level, each value on a line of its own; null for one line. */
  readonly indent: number | null;
  /** Between values, and between a key and its value. */
  readonly separators: readonly [string, string];
  readonly sortKeys: boolean;
  /** Writes what is not ASCII as escapes. */
  readonly ascii: boolean;
}

/** Spends a step a value, so that what holds itself over and over is not written out. Throws Error for what JSON has no form for. */
export function jsonOf(value: Value, { indent, separators, sortKeys, ascii }: JsonLayout, spend: Spend): string {
  let length = 0;
  const counted = (part: string) => {
    length += part.length;
    if (length > LONGEST_TEXT) throw tooLong();
    return part;
  };
  const quoted = (text: string) => {
    const plain = JSON.stringify(text);
    return counted(
      ascii ? plain.replace(/[\x7f-\uffff]/g, unit => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`) : plain,
    );
  };
  const [between, colon] = separators;
  const around = (open: string, parts: readonly string[], close: string, depth: number) => {
    if (parts.length === 0 || indent === null) return open + parts.join(between) + close;
    const line = (level: number) => `\n${' '.repeat(indent * level)}`;
    return open + line(depth + 1) + parts.join(between + line(depth + 1)) + line(depth) + close;
  };
  const written = (one: Value, depth: number): string => {
    spend(1);
    if (isList(one)) {
      return around(
        '[',
        (one.value as Value[]).map(item => pad(depth) + written(item, depth + 1)),
        ']',
        depth,
      );
    }
    switch (one.type) {
      case 'NullValue':
        return 'null';
      case 'BooleanValue':
      case 'IntegerValue':
        return counted(String(one.value));
      case 'FloatValue':
        return counted(jsonFloat(one.value as number));
      case 'StringValue':
        return quoted(one.value as string);
      case 'ObjectValue': {
        const entries = [...(one.value as Map<string, Value>)];
        if (sortKeys) entries.sort(([a], [b]) => comparedTexts(a, b));
        return around(
          '{',
          entries.map(([key, item]) => pad(depth) + quoted(key) + colon + written(item, depth + 1)),
          '}',
          depth,
        );
      }
      default:
        throw new Error(`it writes ${kindOf(one)} as JSON`);
    }
  };
  /** Counts the blanks before a value. */
  const pad = (depth: number) => {
    length += (indent ?? 0) * (depth + 1);
    return counted('');
  };
  return written(value, 0);
}

const jsonFloat = (value: number): string =>
  Number.isFinite(value) ? floatText(value) : Number.isNaN(value) ? 'NaN' : value < 0 ? '-Infinity' : 'Infinity';
