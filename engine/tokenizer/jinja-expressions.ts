// Values of a template's expressions: the library's interpreter with Python's values, and a count of steps.

import type { Argument } from './jinja-arguments.js';
import { filtered } from './jinja-filters.js';
import { Frame } from './jinja-frames.js';
import { dictFrom, FUNCTIONS, rangeFrom } from './jinja-functions.js';
import { over } from './jinja-items.js';
import { Environment, Interpreter, type Node, type Scope, type Value } from './jinja-library.js';
import { loopOf } from './jinja-loops.js';
import { bind, type Macro, macroOf } from './jinja-macros.js';
import { memberOf } from './jinja-members.js';
import { called } from './jinja-methods.js';
import { argument, COMPARES, nameOf, operatorOf } from './jinja-nodes.js';
import { binary } from './jinja-operators.js';
import { sliced } from './jinja-slices.js';
import { CONSTANTS, type Symbols } from './jinja-symbols.js';
import { GROUP, NEGATED, TEST } from './jinja-syntax.js';
import { TUPLE } from './jinja-tuples.js';
import { tested } from './jinja-tests.js';
import { isTrue, kindOf, Limit, runtime, tupleOf } from './jinja-values.js';

const DEEPEST = 500; // expressions and blocks within each other

const GIVEN = 'Given';
/** A value in the place of a node that has been evaluated already. */
const given = (value: Value): Node => ({ type: GIVEN, value });

/** Functions that every template has, by their names. */
const OWN: ReadonlyMap<string, Value> = new Map(
  [...Object.entries(FUNCTIONS).map(([name, value]) => [name, runtime(value)] as const)].concat([
    ['namespace', new Environment().lookupVariable('namespace')],
  ]),
);
/** Jinja's own functions that there are none of here. */
const LACKING = new Set(['lipsum', 'cycler', 'joiner', 'self']);

export abstract class Expressions extends Interpreter {
  /** Index of the message that was looked at last. */
  turn: number | null = null;
  readonly #turns = new WeakMap<object, number>();
  readonly #literals = new WeakMap<Node, Value>();
  #variables: ReadonlyMap<string, Value> = OWN;
  #depth = 0;

  /** Counts steps. Throws Limit when there are too many. */
  protected abstract spend(steps: number): void;
  /** The text of a macro's body, in a block of its own. */
  protected abstract bodyOf(macro: Macro, frame: Frame): Value;
  /** What a statement writes; null for what is none. */
  protected abstract statement(node: Node, frame: Frame): Value | null;

  protected readonly counted = (steps: number): void => this.spend(steps);
  readonly context = (name: string): Value | undefined => this.#variables.get(name);

  /** Begins a block, which costs as much as it has variables. */
  protected begin(symbols: Symbols, around: Frame | null): Frame {
    this.spend(1 + (symbols.loads.size >> 2));
    return new Frame(symbols, around, this.context);
  }

  /** Takes what the template may name, `messages` among it. */
  protected name(variables: Readonly<Record<string, unknown>>): void {
    const named = new Map(OWN);
    for (const [name, value] of Object.entries(variables)) {
      if (value === undefined) named.delete(name);
      else named.set(name, runtime(value));
    }
    const messages = named.get('messages')?.value;
    if (Array.isArray(messages)) for (const [i, turn] of messages.entries()) this.#turns.set(turn, i);
    this.#variables = named;
  }

  override evaluate(node: Node | undefined, scope: Scope): Value {
    if (!node) return super.evaluate(node, scope);
    if (node.type === GIVEN) return node.value as Value;
    this.spend(1);
    // Well before the stack ends.
    if (this.#depth >= DEEPEST) throw new Limit('it calls itself too deep');
    this.#depth += 1;
    let value: Value;
    try {
      value = this.statement(node, scope as Frame) ?? this.#value(node, scope as Frame);
    } finally {
      this.#depth -= 1;
    }
    const { type } = value;
    if (type === 'StringValue') this.spend((value.value as string).length >> 10);
    else if (type === 'IntegerValue' && !Number.isSafeInteger(value.value))
      throw new Error('it has a whole number beyond 2**53, which is not kept whole');
    else if (type === 'ObjectValue') this.turn = this.#turns.get(value) ?? this.turn;
    return value;
  }

  #value(node: Node, frame: Frame): Value {
    const at = (child: unknown) => this.evaluate(child as Node, frame);
    switch (node.type) {
      case 'StringLiteral': {
        const known = this.#literals.get(node) ?? runtime(node.value);
        this.#literals.set(node, known);
        return known;
      }
      case 'Identifier': {
        const name = String(node.value);
        if (CONSTANTS.has(name)) return runtime(/one$/.test(name) ? null : /rue$/.test(name));
        const value = frame.lookupVariable(name);
        if (value.type === 'UndefinedValue' && LACKING.has(name)) throw new Error(`Unknown function: ${name}`);
        return value;
      }
      case 'BinaryExpression': {
        const operator = operatorOf(node);
        if (operator === 'and' || operator === 'or') return super.evaluate(node, frame);
        if (COMPARES.has(operator)) return this.#chain(node, at);
        return binary(operator, at(node.left), at(node.right), this.counted);
      }
      case 'FilterExpression':
        return this.filtered(at(node.operand), node.filter as Node, frame);
      case 'MemberExpression':
        return this.#member(node, at);
      case 'CallExpression':
        return this.#call(node, at, frame);
      default:
        return super.evaluate(node, frame);
    }
  }

  /** Comparisons one after the other, of which each value is looked at once: `a < b < c`. */
  #chain(node: Node, at: (child: unknown) => Value): Value {
    const left = node.left as Node;
    if (left.type !== 'BinaryExpression' || !COMPARES.has(operatorOf(left))) {
      return binary(operatorOf(node), at(left), at(node.right), this.counted);
    }
    const links: Node[] = [node];
    for (let one = left; one.type === 'BinaryExpression' && COMPARES.has(operatorOf(one)); one = one.left as Node)
      links.unshift(one);
    let before = at(links[0].left);
    let value = runtime(true);
    for (const link of links) {
      const next = at(link.right);
      value = binary(operatorOf(link), before, next, this.counted);
      if (!isTrue(value)) return value;
      before = next;
    }
    return value;
  }

  /** `operand | filter`, or a test. */
  protected filtered(operand: Value, filter: Node, frame: Frame): Value {
    const name = String((filter.type === 'CallExpression' ? (filter.callee as Node) : filter).value);
    if (name === GROUP) return operand;
    if (name === TUPLE) return tupleOf(operand.value as readonly Value[]);
    const args = ((filter.args as readonly Node[] | undefined) ?? []).map(arg =>
      argument(arg, child => this.evaluate(child as Node, frame)),
    );
    if (name.startsWith(NEGATED)) return runtime(!tested(name.slice(NEGATED.length), operand, args, this.counted));
    if (name.startsWith(TEST)) return runtime(tested(name.slice(TEST.length), operand, args, this.counted));
    return filtered(name, operand, args, this.counted);
  }

  #member(node: Node, at: (child: unknown) => Value): Value {
    const object = at(node.object);
    if (object.type === 'UndefinedValue') throw new Error(`${nameOf(node.object as Node)} is undefined`);
    const property = node.property as Node;
    if (property.type === 'SliceExpression') {
      const bounds = ['start', 'stop', 'step'].map(part =>
        property[part] === undefined ? undefined : at(property[part]),
      );
      return sliced(object, bounds, this.counted);
    }
    const key = node.computed ? at(property) : runtime(property.value);
    return memberOf(object, key, node.computed === true, this.counted);
  }

  #call(node: Node, at: (child: unknown) => Value, frame: Frame): Value {
    const callee = node.callee as Node;
    if (callee.type !== 'MemberExpression') return this.called(at(callee), this.argumentsOf(node.args, at), frame);
    const object = at(callee.object);
    if (object.type === 'UndefinedValue') throw new Error(`${nameOf(callee.object as Node)} is undefined`);
    const key = callee.computed ? at(callee.property) : runtime((callee.property as Node).value);
    const name = String(key.value);
    const own = memberOf(object, key, callee.computed === true, this.counted);
    const args = this.argumentsOf(node.args, at);
    const loop = loopOf(object, name);
    if (loop) return loop.call(name, args);
    if (object.value instanceof Map && object.value.get(name) === own) return this.called(own, args, frame);
    const value = called(object, name, args, this.counted);
    if (value !== null) return value;
    throw new Error(`Unknown method: ${name.slice(0, 40)} of ${kindOf(object)}`);
  }

  /** Arguments of a call, those that have no name first. */
  protected argumentsOf(list: unknown, at: (child: unknown) => Value): Argument[] {
    const args = list as readonly Node[];
    const places: Argument[] = [];
    const named: Argument[] = [];
    for (const arg of args) {
      if (arg.type === 'SpreadExpression') {
        for (const item of over('arguments', at(arg.argument), this.counted)) {
          this.spend(1);
          places.push([null, item]);
        }
      } else if (!/^Keyword/.test(arg.type)) places.push([null, at(arg)]);
    }
    for (const arg of args) {
      if (arg.type === 'KeywordArgumentExpression') named.push(argument(arg, at));
      if (arg.type !== 'KeywordSpreadExpression') continue;
      const more = at(arg.argument);
      if (more.type !== 'ObjectValue') throw new Error(`arguments of a call are a mapping, and not ${kindOf(more)}`);
      for (const [name, value] of more.value as ReadonlyMap<string, Value>) named.push([name, value]);
    }
    return [...places, ...named];
  }

  /** Calls a macro, or a function that every template has. Throws Error for what cannot be called. */
  protected called(value: Value, args: readonly Argument[], frame: Frame): Value {
    const macro = macroOf(value);
    if (macro) {
      if (macro.around.over) throw new Error('it calls a macro when the block that it is written in is over');
      const own = this.begin(macro.plan.body, macro.around);
      bind(macro, own, args, node => this.evaluate(node as Node, own));
      return this.bodyOf(macro, own);
    }
    if (value === OWN.get('range')) {
      if (args.some(([name]) => name !== null)) throw new Error('range takes no names');
      return rangeFrom(args.map(([, one]) => one));
    }
    if (value === OWN.get('dict')) return dictFrom(args, this.counted);
    for (const [, one] of args)
      if (/^(Range|View|Generator|Loop)Value$/.test(one.type)) throw new Error(`it gives ${kindOf(one)} to a function`);
    const nodes = args.map(([name, one]) =>
      name === null
        ? given(one)
        : { type: 'KeywordArgumentExpression', key: { type: 'Identifier', value: name }, value: given(one) },
    );
    return super.evaluate({ type: 'CallExpression', callee: given(value), args: nodes }, frame);
  }
}
