// Values of the library's as Python writes them.

import { Environment, type Value } from './jinja-library.js';
import { floatText } from './python-text.js';

/** Counts steps. Throws Limit when there are too many. */
export type Spend = (steps: number) => void;

/** More steps, output or time than any template needs. */
export class Limit extends Error {}

export const LONGEST_TEXT = 1 << 22;
export const tooLong = (): Limit => new Limit(`a text of more than ${LONGEST_TEXT} characters`);

/** A value of the library's for one of JavaScript's. */
export function runtime(value: unknown): Value {
  if (typeof value === 'string') return new Text(value);
  if (typeof value === 'boolean') return value ? TRUE : FALSE;
  return new Environment().set('value', value);
}
/** A float, though it may be a whole number. */
export const float = (value: number): Value => new Float(value);
/** A list of values. */
export const listOf = (values: readonly Value[]): Value => new List(values);
/** A mapping, of a JavaScript's map. */
export const objectOf = (entries: Map<string, Value>): Value => Object.assign(new Mapping({}), { value: entries });
/** The same as a tuple, which is no list's equal. */
export const tupleOf = (values: readonly Value[]): Value => Object.assign(new List(values), { type: 'TupleValue' });
const [TRUE, FALSE] = [true, false].map(value => new Environment().set('value', value));
const Text = runtimeClass<string>('');
const Float = runtimeClass<number>(0.5);
const Mapping = runtimeClass<object>({});
const List = runtimeClass<readonly Value[]>([]);

function runtimeClass<T>(example: unknown): new (value: T) => Value {
  return new Environment().set('value', example).constructor as new (
    value: T,
  ) => Value;
}

/** A text of what may be too long for one. Throws Limit. */
export function text(value: string): Value {
  if (value.length > LONGEST_TEXT) throw tooLong();
  return runtime(value);
}

/** bool(value); nothing given is False. */
export const isTrue = (value: Value | undefined): boolean => value !== undefined && value.__bool__().value === true;
export const isNone = ({ type }: Value): boolean => type === 'NullValue';
export const isText = ({ type }: Value): boolean => type === 'StringValue';
export const isNumber = ({ type }: Value): boolean => type === 'IntegerValue' || type === 'FloatValue';
export const isList = ({ type }: Value): boolean => type === 'ArrayValue' || type === 'TupleValue';

/** str(value). Throws Error for what has no place in a prompt: lists, mappings, functions. */
export function printed(value: Value): string {
  switch (value.type) {
    case 'StringValue':
      return value.value as string;
    case 'UndefinedValue':
      return '';
    case 'NullValue':
      return 'None';
    case 'BooleanValue':
      return value.value ? 'True' : 'False';
    case 'IntegerValue':
      return value.toString();
    case 'FloatValue':
      return floatText(value.value as number);
    default:
      throw new Error(`it writes ${kindOf(value)} where a text belongs`);
  }
}

const NAMES: Readonly<Record<string, string>> = {
  ArrayValue: 'a list',
  TupleValue: 'a list',
  RangeValue: 'a range',
  ViewValue: 'a part of a mapping',
  GeneratorValue: 'a generator',
  ObjectValue: 'a mapping',
  KeywordArgumentsValue: 'a mapping',
  NamespaceValue: 'a namespace',
  LoopValue: 'a loop',
  FunctionValue: 'a function',
  StringValue: 'a text',
  IntegerValue: 'a number',
  FloatValue: 'a number',
  BooleanValue: 'True or False',
  NullValue: 'None',
  UndefinedValue: 'what is undefined',
};
/** What a person calls a value. */
export const kindOf = ({ type }: Value): string => NAMES[type];
