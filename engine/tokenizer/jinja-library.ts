// The library's interpreter with types: its declarations name files without their endings, which Node's resolution does not find.

import * as jinja from '@huggingface/jinja';

/** A value while a template runs; `type` is its class' name. */
export interface Value {
  readonly type: string;
  readonly value: unknown;
  /** What stands behind a dot. */
  readonly builtins?: ReadonlyMap<string, Value>;
  toString(): string;
  /** True or False: what the value counts as in a condition. */
  __bool__(): { readonly value: unknown };
}

/** Variables, and those of the scopes around. */
export interface Scope {
  lookupVariable(name: string): Value;
  set(name: string, value: unknown): Value;
}

/** A node of the syntax tree. */
export interface Node {
  readonly type: string;
  readonly value?: unknown;
  readonly body?: readonly Node[];
  readonly [part: string]: unknown;
}

interface Library {
  readonly Environment: new (parent?: Scope) => Scope;
  readonly Interpreter: new () => { readonly global: Scope; evaluate(node: Node | undefined, scope: Scope): Value };
  parse(tokens: unknown): Node;
  tokenize(source: string, options: object): unknown;
}

export const { Environment, Interpreter, parse, tokenize } = jinja as unknown as Library;

/** How a loop is left early; `partial` is what its body had written. */
interface Control extends Error {
  partial?: string;
}
// The library's classes for these are its own: they are known by what throws them.
const thrownBy = (type: string): (abstract new () => Error) => {
  let thrown: unknown;
  try {
    new Interpreter().evaluate({ type }, new Environment());
  } catch (error) {
    thrown = error;
  }
  return (thrown as Error).constructor as new () => Error;
};
const BREAK = thrownBy('Break');
const CONTINUE = thrownBy('Continue');
export const isBreak = (error: unknown): boolean => error instanceof BREAK;
export const isControl = (error: unknown): error is Control => isBreak(error) || error instanceof CONTINUE;
