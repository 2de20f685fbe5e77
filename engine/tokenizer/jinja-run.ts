// One writing of a template: the library's interpreter with a count of steps, loops with scopes of their own, and Python's values.

import { FUNCTIONS } from './jinja-functions.js';
import { Environment, Interpreter, isBreak, isControl, type Node, type Scope, type Value } from './jinja-library.js';
import { type Argument, filtered } from './jinja-filters.js';
import { memberOf, methodOf } from './jinja-methods.js';
import { binary, tested } from './jinja-operators.js';
import { isNothing, isText, Limit, printed, runtime } from './jinja-values.js';

const STEPS = 2_000_000;
const MILLISECONDS = 900;
const UNTIMED = 200_000; // steps; a thousand turns take half of them, and a busy machine is no reason to refuse these
const MOST_OUTPUT = 1 << 22; // characters; a context of 131,072 tokens has some 600,000
const DEEPEST = 500; // expressions and blocks within each other

/** A pass of a loop: its body as a block. */
export const ITERATION = 'Iteration';
const GIVEN = 'Given';
/** A value in the place of a node that has been evaluated already. */
const given = (value: Value): Node => ({ type: GIVEN, value });

/** Runs once. */
export class Run extends Interpreter {
  /** Index of the message that was looked at last. */
  turn: number | null = null;
  readonly #turns = new WeakMap<object, number>();
  /** Loops that a break has ended, by their scope. */
  readonly #broken = new WeakMap<Scope, unknown>();
  readonly #loops = new WeakSet<object>();
  readonly #literals = new WeakMap<Node, Value>();
  #steps = 0;
  #depth = 0;
  readonly #until = performance.now() + MILLISECONDS;

  constructor() {
    super();
    // A block's text is collected here, so that what was written before a break or a continue is kept.
    Object.defineProperty(this, 'evaluateBlock', {
      value: (statements: readonly Node[], scope: Scope) => runtime(this.#block(statements, scope)),
    });
  }

  whole(program: Node, variables: Readonly<Record<string, unknown>>): string {
    const env = this.global;
    const constants = { true: true, True: true, false: false, False: false, none: null, None: null };
    for (const [name, value] of Object.entries({ ...constants, ...FUNCTIONS, ...variables })) {
      const made = env.set(name, value) as Value;
      if (name === 'messages') for (const [i, turn] of (made.value as Value[]).entries()) this.#turns.set(turn, i);
    }
    return this.#block(program.body!, env);
  }

  override evaluate(node: Node | undefined, scope: Scope): Value {
    if (!node) return super.evaluate(node, scope);
    if (node.type === GIVEN) return node.value as Value;
    this.#spend(1);
    // Well before the stack ends: near its end the library takes variables for undefined.
    if (this.#depth >= DEEPEST) throw new Limit('it calls itself too deep');
    this.#depth += 1;
    let value: Value;
    try {
      value = this.#value(node, scope);
    } finally {
      this.#depth -= 1;
    }
    if (this.#loops.has(node)) {
      value = iterated(value);
      // The library makes scopes for all passes before the first.
      if (Array.isArray(value.value)) this.#spend(4 * value.value.length);
    }
    const { type } = value;
    if (type === 'StringValue') this.#spend((value.value as string).length >> 10);
    else if (type === 'ObjectValue') this.turn = this.#turns.get(value) ?? this.turn;
    return value;
  }

  #value(node: Node, scope: Scope): Value {
    const at = (child: unknown) => this.evaluate(child as Node, scope);
    const as = (changed: Node) => super.evaluate(changed, scope);
    const spend = (steps: number) => this.#spend(steps);
    switch (node.type) {
      case 'StringLiteral': {
        const known = this.#literals.get(node) ?? runtime(node.value);
        this.#literals.set(node, known);
        return known;
      }
      case ITERATION:
        return this.#iteration(node, scope);
      case 'For': {
        const { iterable } = node as { iterable?: Node };
        this.#loops.add((iterable?.type === 'SelectExpression' ? iterable.lhs : iterable) as object);
        return as(node);
      }
      case 'BinaryExpression': {
        const operator = (node.operator as { value: string }).value;
        if (operator === 'and' || operator === 'or') return as(node);
        const [left, right] = [at(node.left), at(node.right)];
        return binary(operator, left, right, spend) ?? as({ ...node, left: given(left), right: given(right) });
      }
      case 'FilterExpression': {
        const operand = at(node.operand);
        const filter = node.filter as Node;
        const name = String((filter.type === 'CallExpression' ? (filter.callee as Node) : filter).value);
        const listed = () => ((filter.args as readonly Node[] | undefined) ?? []).map(arg => argument(arg, at));
        return filtered(name, operand, listed, spend) ?? as({ ...node, operand: given(operand) });
      }
      case 'FilterStatement': {
        const text = runtime(this.#block(node.body!, scope));
        return at({ type: 'FilterExpression', operand: given(text), filter: node.filter });
      }
      case 'TestExpression': {
        const operand = at(node.operand);
        const yes = tested(String((node.test as Node).value), operand);
        return yes === null ? as({ ...node, operand: given(operand) }) : runtime(yes !== (node.negate === true));
      }
      case 'MemberExpression':
        return this.#member(node, at, as);
      case 'CallExpression':
        return this.#call(node, at, as);
      default:
        return as(node);
    }
  }

  #member(node: Node, at: (child: unknown) => Value, as: (changed: Node) => Value): Value {
    const object = at(node.object);
    if (object.type === 'UndefinedValue') throw new Error(`${nameOf(node.object as Node)} is undefined`);
    const property = node.property as Node;
    if (property.type === 'SliceExpression') {
      const { step } = property as { step?: Node };
      if (step && Number(at(step).value ?? 1) === 0) throw new Error('it slices with a step of zero');
      return as({ ...node, object: given(object) });
    }
    const key = node.computed ? at(property) : runtime(property.value);
    return (
      memberOf(object, key, node.computed === true) ??
      as({ ...node, object: given(object), computed: true, property: given(key) })
    );
  }

  #call(node: Node, at: (child: unknown) => Value, as: (changed: Node) => Value): Value {
    const callee = node.callee as Node;
    if (callee.type !== 'MemberExpression' || callee.computed) return as(node);
    const object = at(callee.object);
    const name = String((callee.property as Node).value);
    if (object.type === 'UndefinedValue') throw new Error(`${nameOf(callee.object as Node)} is undefined`);
    if (isText(object)) {
      const args = () => (node.args as readonly Node[]).map(arg => argument(arg, at));
      const value = methodOf(name, object.value as string, args, steps => this.#spend(steps));
      if (value !== null) return value;
    }
    return as({ ...node, callee: { ...callee, object: given(object) } });
  }

  /** One pass of a loop, in a scope of its own. */
  #iteration({ body }: Node, scope: Scope): Value {
    const ended = this.#broken.get(scope);
    if (ended) throw ended;
    try {
      return runtime(this.#block(body!, new Environment(scope)));
    } catch (error) {
      const { partial, name } = error as { partial?: string; name?: string };
      if (partial === undefined || name === 'RangeError') throw error;
      // A break ends the loop with the next pass, so that what this one has written is kept.
      if (isBreak(error)) this.#broken.set(scope, error);
      return runtime(partial);
    }
  }

  #block(statements: readonly Node[], scope: Scope): string {
    let text = '';
    for (const statement of statements) {
      let value: Value;
      try {
        value = this.evaluate(statement, scope);
      } catch (error) {
        if (isControl(error)) error.partial = text + (error.partial ?? '');
        throw error;
      }
      if (!(STATEMENTS.has(statement.type) && isNothing(value))) text += printed(value);
      if (text.length > MOST_OUTPUT) throw new Limit(`more than ${MOST_OUTPUT} characters`);
    }
    this.#spend(text.length >> 10);
    return text;
  }

  #spend(steps: number): void {
    const before = this.#steps;
    this.#steps += steps;
    if (this.#steps > STEPS) throw new Limit(`more than ${STEPS} steps`);
    if (this.#steps > UNTIMED && before >> 6 !== this.#steps >> 6 && performance.now() > this.#until)
      throw new Limit(`${MILLISECONDS} ms are over`);
  }
}

/** Nodes that write nothing, or what their blocks have written. */
const STATEMENTS = new Set([
  'Program',
  'Set',
  'If',
  'For',
  'Macro',
  'CallStatement',
  'FilterStatement',
  'Comment',
  ITERATION,
]);

/** What a loop goes over: nothing of what is undefined, the characters of a text. */
function iterated(value: Value): Value {
  if (value.type === 'UndefinedValue') return runtime([]);
  return value.type === 'StringValue' ? runtime(Array.from(value.value as string)) : value;
}

function argument(node: Node, at: (child: unknown) => Value): Argument {
  if (node.type !== 'KeywordArgumentExpression') return [null, at(node)];
  return [String((node.key as Node).value), at(node.value)];
}

const nameOf = (node: Node): string =>
  node.type === 'Identifier'
    ? `'${node.value}'`
    : node.type === 'MemberExpression' && !node.computed
      ? `'${(node.property as Node).value}'`
      : 'a value';
