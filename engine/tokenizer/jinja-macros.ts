// Macros, and what they say of themselves: a macro sees the block that it is written in, and nothing of the one that it is called from.

import type { Argument } from './jinja-arguments.js';
import type { Frame } from './jinja-frames.js';
import type { Node, Value } from './jinja-library.js';
import type { Plan } from './jinja-shape.js';
import { parameterOf } from './jinja-symbols.js';
import { objectOf, runtime, tupleOf } from './jinja-values.js';

/** A macro, or the block of a call. */
export interface Macro {
  readonly node: Node;
  readonly plan: Plan;
  /** The block that it is written in. */
  readonly around: Frame;
  /** null for the block of a call. */
  readonly name: string | null;
  readonly parameters: readonly Node[];
}

const MACROS = new WeakMap<Value, Macro>();

/** A value that can be called, and what is called with it. */
export function macroValue(node: Node, plan: Plan, around: Frame): Value {
  const own = node.type === 'Macro';
  const value = runtime(() => {
    throw new Error('a macro is called by what is no template');
  });
  const parameters = ((own ? node.args : node.callerArgs) ?? []) as readonly Node[];
  const name = own ? String((node.name as Node).value) : null;
  MACROS.set(value, { node, plan, around, name, parameters });
  return value;
}

export const macroOf = (value: Value): Macro | null => MACROS.get(value) ?? null;

const MEMBERS = ['name', 'arguments', 'catch_kwargs', 'catch_varargs', 'caller', 'explicit_caller'];

/** A member of a macro; null for another function. Throws Error for what is not known of a block. */
export function ofMacro(value: Value, member: string): Value | null {
  const macro = macroOf(value);
  if (!macro || !MEMBERS.includes(member)) return null;
  const { name, parameters, plan } = macro;
  if (name === null) throw new Error(`Unknown attribute: ${member} of caller`);
  const names = parameters.map(parameterOf);
  switch (member) {
    case 'name':
      return runtime(name);
    case 'arguments':
      return tupleOf(names.map(runtime));
    case 'explicit_caller':
      return runtime(names.includes('caller'));
    case 'caller':
      return runtime(plan.asksForCaller === true);
    default:
      return runtime(plan.catches!.has(member.slice('catch_'.length)));
  }
}

/**
 * Gives a macro its arguments, in the order in which Jinja does. Throws Error for too many, and for names that it has not.
 * @param frame the macro's own, which has begun @param fill the value of a default
 */
export function bind(
  { name, parameters, plan }: Macro,
  frame: Frame,
  args: readonly Argument[],
  fill: (node: unknown) => Value,
): void {
  const said = name === null ? 'the block of a call' : `macro '${name}'`;
  const places = args.filter(([key]) => key === null).map(([, value]) => value);
  const named = new Map<string, Value>();
  for (const [key, value] of args) {
    if (key === null) continue;
    if (named.has(key)) throw new Error(`${said} takes ${key} once`);
    named.set(key, value);
  }
  const names = parameters.map(parameterOf);
  let foundCaller = names.includes('caller') && places.length >= names.length;
  const missing: Node[] = [];
  for (const [i, parameter] of parameters.entries()) {
    let value: Value | undefined = places[i];
    if (value === undefined) {
      value = named.get(names[i]);
      named.delete(names[i]);
      if (names[i] === 'caller') foundCaller = true;
    }
    if (value === undefined) missing.push(parameter);
    frame.set(names[i], value ?? runtime(undefined));
  }
  const catches = plan.catches!;
  if (plan.asksForCaller && !foundCaller) {
    const caller = named.get('caller');
    named.delete('caller');
    if (catches.has('caller'))
      frame.set('caller', caller === undefined || caller.type === 'NullValue' ? runtime(undefined) : caller);
    else throw new Error(`${said} has 'caller' among its parameters, and gets it by its place`);
  }
  if (catches.has('kwargs')) frame.set('kwargs', objectOf(named));
  else if (named.has('caller')) throw new Error(`${said} asks for no caller, and is called with a block`);
  else if (named.size > 0) throw new Error(`${said} takes no ${[...named.keys()][0]}`);
  const more = places.slice(parameters.length);
  if (catches.has('varargs')) frame.set('varargs', tupleOf(more));
  else if (more.length > 0) throw new Error(`${said} takes not more than ${parameters.length} values`);
  for (const parameter of missing)
    if (parameter.type === 'KeywordArgumentExpression') frame.set(parameterOf(parameter), fill(parameter.value));
}
