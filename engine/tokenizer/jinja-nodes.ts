// What is read of a template's syntax tree beside its values.

import type { Argument } from './jinja-arguments.js';
import type { Node, Value } from './jinja-library.js';

/** Operators that stand in chains. */
export const COMPARES = new Set(['==', '!=', '<', '>', '<=', '>=', 'in', 'not in']);
export const operatorOf = (node: Node): string => (node.operator as { value: string }).value;

/** An argument with its name, where it has one. */
export function argument(node: Node, at: (child: unknown) => Value): Argument {
  if (node.type !== 'KeywordArgumentExpression') return [null, at(node)];
  return [String((node.key as Node).value), at(node.value)];
}

/** What a person calls the value of a node. */
export const nameOf = (node: Node): string =>
  node.type === 'Identifier'
    ? `'${node.value}'`
    : node.type === 'MemberExpression' && !node.computed
      ? `'${(node.property as Node).value}'`
      : 'a value';
