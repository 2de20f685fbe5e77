// One writing of a template: the library's interpreter with a count of steps, loops with scopes of their own, and Python's values.

import { filtered } from './jinja-filters.js';
import { FUNCTIONS } from './jinja-functions.js';
import { isUnplaced, iterated, noteRange, rangeLike } from './jinja-items.js';
import { Environment, Interpreter, isBreak, isControl, type Node, type Scope, type Value } from './jinja-library.js';
import { Loops } from './jinja-loops.js';
import { noteCaller, noteMacro } from './jinja-macros.js';
import { memberOf } from './jinja-members.js';
import { called } from './jinja-methods.js';
import { argument, COMPARES, nameOf, operatorOf } from './jinja-nodes.js';
import { binary } from './jinja-operators.js';
import { GROUP, NEGATED, TEST, WITH } from './jinja-syntax.js';
import { tested } from './jinja-tests.js';
import { isText, isTrue, kindOf, Limit, printed, runtime, tupleOf } from './jinja-values.js';

const STEPS = 2_000_000;
const MILLISECONDS = 700; // of the second that a template may take, garbage collection included
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
  /** What loops go over, and whether they take each item apart. */
  readonly #iterables = new WeakMap<object, boolean>();
  readonly #loops = new Loops();
  /** Loops under way, the innermost last. */
  readonly #passes: { begun: boolean; ended: boolean }[] = [];
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
    const unpacks = this.#iterables.get(node);
    if (unpacks !== undefined) {
      value = iterated(value, unpacks);
      // The library makes scopes for all passes before the first.
      if (Array.isArray(value.value)) this.#spend(4 * value.value.length);
    }
    const { type } = value;
    if (type === 'StringValue') this.#spend((value.value as string).length >> 10);
    else if (type === 'IntegerValue' && !Number.isSafeInteger(value.value))
      throw new Error('it has a whole number beyond 2**53, which is not kept whole');
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
      case 'Identifier': {
        const value = as(node);
        if (value.type === 'UndefinedValue' && LACKING.has(String(node.value))) {
          throw new Error(`Unknown function: ${node.value}`);
        }
        if (node.value === 'caller' && value.type === 'FunctionValue') noteCaller(value);
        return value;
      }
      case 'Macro': {
        const nothing = as(node);
        noteMacro(node, scope.lookupVariable(String((node.name as Node).value)));
        return nothing;
      }
      case ITERATION:
        return this.#iteration(node, scope);
      case 'For': {
        const { iterable, loopvar } = node as { iterable?: Node; loopvar?: Node };
        const over = (iterable?.type === 'SelectExpression' ? iterable.lhs : iterable) as object;
        this.#iterables.set(over, loopvar?.type === 'TupleLiteral');
        return this.#loop(node, scope, as);
      }
      case 'Set':
        return node.value || !node.body ? as(node) : this.#set(node, scope, at, as);
      case 'If':
        if ((node.test as Node).value !== WITH || (node.test as Node).type !== 'Identifier') return as(node);
        return runtime(this.#block(node.body!, new Environment(scope)));
      case 'BinaryExpression': {
        const operator = operatorOf(node);
        if (operator === 'and' || operator === 'or') return as(node);
        if (COMPARES.has(operator)) return this.#chain(node, at);
        return binary(operator, at(node.left), at(node.right), spend);
      }
      case 'FilterExpression':
        return this.#filter(node, at);
      case 'FilterStatement': {
        const text = runtime(this.#block(node.body!, new Environment(scope)));
        const filtered = at({ type: 'FilterExpression', operand: given(text), filter: node.filter });
        if (!isText(filtered)) throw new Error(`it writes ${kindOf(filtered)} where a text belongs`);
        return filtered;
      }
      case 'MemberExpression':
        return this.#member(node, at, as);
      case 'CallExpression':
        return this.#call(node, at, as);
      default:
        return as(node);
    }
  }

  /** Comparisons one after the other, of which each value is looked at once: `a < b < c`. */
  #chain(node: Node, at: (child: unknown) => Value): Value {
    const left = node.left as Node;
    const spend = (steps: number) => this.#spend(steps);
    if (left.type !== 'BinaryExpression' || !COMPARES.has(operatorOf(left))) {
      return binary(operatorOf(node), at(left), at(node.right), spend);
    }
    const links: Node[] = [node];
    for (let one = left; one.type === 'BinaryExpression' && COMPARES.has(operatorOf(one)); one = one.left as Node)
      links.unshift(one);
    let before = at(links[0].left);
    let value = runtime(true);
    for (const link of links) {
      const next = at(link.right);
      value = binary(operatorOf(link), before, next, spend);
      if (!isTrue(value)) return value;
      before = next;
    }
    return value;
  }

  #filter(node: Node, at: (child: unknown) => Value): Value {
    const operand = at(node.operand);
    const filter = node.filter as Node;
    const name = String((filter.type === 'CallExpression' ? (filter.callee as Node) : filter).value);
    if (name === GROUP) return operand;
    const args = ((filter.args as readonly Node[] | undefined) ?? []).map(arg => argument(arg, at));
    const spend = (steps: number) => this.#spend(steps);
    if (name.startsWith(NEGATED)) return runtime(!tested(name.slice(NEGATED.length), operand, args, spend));
    if (name.startsWith(TEST)) return runtime(tested(name.slice(TEST.length), operand, args, spend));
    return filtered(name, operand, args, spend);
  }

  #member(node: Node, at: (child: unknown) => Value, as: (changed: Node) => Value): Value {
    const object = at(node.object);
    if (object.type === 'UndefinedValue') throw new Error(`${nameOf(node.object as Node)} is undefined`);
    const property = node.property as Node;
    if (property.type === 'SliceExpression') {
      if (isUnplaced(object)) throw new Error('it slices what has no places');
      const [start, stop, step] = ['start', 'stop', 'step'].map(part => {
        const value = property[part] === undefined ? runtime(undefined) : at(property[part]);
        if (property[part] !== undefined && value.type === 'UndefinedValue')
          throw new Error('it slices at what is undefined');
        if (value.type === 'NullValue') return runtime(undefined);
        return value.type === 'BooleanValue' ? runtime(Number(value.value)) : value;
      });
      if (step.value === 0) throw new Error('it slices with a step of zero');
      const slice = { ...property, start: given(start), stop: given(stop), step: given(step) };
      const made = as({ ...node, object: given(object), property: slice });
      return object.type === 'TupleValue' ? tupleOf(made.value as Value[]) : rangeLike(object, made);
    }
    const key = node.computed ? at(property) : runtime(property.value);
    return memberOf(object, key, node.computed === true);
  }

  #call(node: Node, at: (child: unknown) => Value, as: (changed: Node) => Value): Value {
    const callee = node.callee as Node;
    if (callee.type !== 'MemberExpression') return callee.value === 'range' ? noteRange(as(node)) : as(node);
    const object = at(callee.object);
    if (object.type === 'UndefinedValue') throw new Error(`${nameOf(callee.object as Node)} is undefined`);
    const key = callee.computed ? at(callee.property) : runtime((callee.property as Node).value);
    const name = String(key.value);
    const own = memberOf(object, key, callee.computed === true);
    const known = object.value instanceof Map && object.value.get(name) === own;
    if (!known) {
      const args = (node.args as readonly Node[]).map(arg => argument(arg, at));
      const value = called(object, name, args, steps => this.#spend(steps));
      if (value !== null) return value;
      throw new Error(`Unknown method: ${name.slice(0, 40)} of ${kindOf(object)}`);
    }
    const ofLoop = this.#loops.called(object, name, () => (node.args as readonly Node[]).map(arg => argument(arg, at)));
    return ofLoop ?? as({ ...node, callee: given(own) });
  }

  /** A loop, and its other part where no pass came to its end: a break or a continue may have ended all of them. */
  #loop(node: Node, scope: Scope, as: (changed: Node) => Value): Value {
    const passes = { begun: false, ended: false };
    this.#passes.push(passes);
    let text: Value;
    try {
      text = as(node);
    } finally {
      this.#passes.pop();
    }
    const other = node.defaultBlock as readonly Node[];
    if (!passes.begun || passes.ended || other.length === 0) return text;
    return runtime(text.value + this.#block(other, new Environment(scope)));
  }

  /** `{% set x | filter %}text{% endset %}`: what is set in the text is gone with it. */
  #set(node: Node, scope: Scope, at: (child: unknown) => Value, as: (changed: Node) => Value): Value {
    let value = runtime(this.#block(node.body!, new Environment(scope)));
    let assignee = node.assignee as Node;
    const filters: unknown[] = [];
    for (; assignee.type === 'FilterExpression'; assignee = assignee.operand as Node) filters.unshift(assignee.filter);
    for (const filter of filters) value = at({ type: 'FilterExpression', operand: given(value), filter });
    return as({ ...node, assignee, value: given(value) });
  }

  /** One pass of a loop, in a scope of its own. */
  #iteration({ body }: Node, scope: Scope): Value {
    const ended = this.#broken.get(scope);
    if (ended) throw ended;
    this.#loops.complete(scope);
    const passes = this.#passes[this.#passes.length - 1];
    passes.begun = true;
    try {
      const text = this.#block(body!, new Environment(scope));
      passes.ended = true;
      return runtime(text);
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
      if (!(STATEMENTS.has(statement.type) && NOTHING.has(value.type))) text += printed(value);
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

/** Jinja's own functions that there are none of here. */
const LACKING = new Set(['dict', 'lipsum', 'cycler', 'joiner', 'self']);

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

const NOTHING = new Set(['NullValue', 'UndefinedValue']);
