// What a macro says of itself in Jinja: its name, its arguments, and which of the special ones its body asks for.

import type { Node, Value } from './jinja-library.js';
import { runtime, tupleOf } from './jinja-values.js';

type Members = ReadonlyMap<string, Value>;
const MEMBERS = new WeakMap<Value, Members>();
const CALLERS = new WeakSet<Value>();
const NAMES = ['name', 'arguments', 'catch_kwargs', 'catch_varargs', 'caller', 'explicit_caller'];

/** Notes what a macro is, whose node has just been evaluated. */
export function noteMacro(node: Node, macro: Value): void {
  const names = (node.args as readonly Node[]).map(nameOfParameter);
  const asked = specialIn(node.body!);
  const catches = (name: string) => runtime(asked.has(name) && !names.includes(name));
  const facts: readonly Value[] = [
    runtime((node.name as Node).value),
    tupleOf(names.map(runtime)),
    catches('kwargs'),
    catches('varargs'),
    runtime(asked.has('caller')),
    runtime(names.includes('caller')),
  ];
  MEMBERS.set(macro, new Map(NAMES.map((name, i) => [name, facts[i]])));
}

/** Notes a `caller`: the block of a call, of which the library says nothing. */
export const noteCaller = (caller: Value): void => {
  if (!MEMBERS.has(caller)) CALLERS.add(caller); // a macro may be called so too
};

/** A member of a macro; null for another function. Throws Error for what is not known of a block. */
export function ofMacro(value: Value, name: string): Value | null {
  if (CALLERS.has(value) && NAMES.includes(name)) throw new Error(`Unknown attribute: ${name} of caller`);
  return MEMBERS.get(value)?.get(name) ?? null;
}

const nameOfParameter = (parameter: Node): string =>
  String((parameter.type === 'KeywordArgumentExpression' ? (parameter.key as Node) : parameter).value);

/** Of `caller`, `kwargs` and `varargs`, those that are read before they are set, in the order in which Jinja looks. */
function specialIn(body: readonly Node[]): ReadonlySet<string> {
  const left = new Set(['caller', 'kwargs', 'varargs']);
  const found = new Set<string>();
  const set = (target: unknown): void => {
    const { type, value } = target as Node;
    if (type === 'Identifier') left.delete(String(value));
    else if (type === 'TupleLiteral') for (const one of value as readonly Node[]) set(one);
    else visit(target); // ns.x is read
  };
  const parameters = (list: unknown): void => {
    const all = (list ?? []) as readonly Node[];
    for (const parameter of all) left.delete(nameOfParameter(parameter));
    for (const parameter of all) if (parameter.type === 'KeywordArgumentExpression') visit(parameter.value);
  };
  // What of a node is looked at, in order; what it sets is taken out of what is left on the way.
  const partsOf = ({ type, ...part }: Node): readonly unknown[] => {
    // The name of a filter is no variable.
    const filter = part.filter as Node | undefined;
    const ofFilter = filter?.type === 'CallExpression' ? filter.args : null;
    switch (type) {
      case 'For': {
        const over = part.iterable as Node;
        const chosen = over.type === 'SelectExpression';
        set(part.loopvar);
        return [chosen ? over.lhs : over, part.body, part.defaultBlock, chosen ? over.test : null];
      }
      case 'Set':
        set(part.assignee);
        return [part.value, part.body];
      case 'Macro':
        parameters(part.args);
        return [part.body];
      case 'CallStatement':
        visit(part.call);
        parameters(part.callerArgs);
        return [part.body];
      case 'FilterExpression':
        return [part.operand, ofFilter];
      case 'FilterStatement':
        return [part.body, ofFilter];
      case 'TestExpression':
        return [part.operand];
      case 'MemberExpression':
        return [part.object, part.computed ? part.property : null];
      case 'KeywordArgumentExpression':
        return [part.value];
      default:
        return Object.values(part);
    }
  };
  const visit = (node: unknown): void => {
    if (typeof node !== 'object' || node === null) return;
    if (!Array.isArray(node) && !(node instanceof Map) && (node as Node).type === 'Identifier') {
      const name = String((node as Node).value);
      if (left.has(name)) found.add(name);
      return;
    }
    const parts = Array.isArray(node) ? node : node instanceof Map ? [...node] : partsOf(node as Node);
    for (const part of parts) visit(part);
  };
  visit(body);
  return found;
}
