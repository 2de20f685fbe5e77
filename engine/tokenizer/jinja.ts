// Jinja with bounds, and with Python's word where the library has JavaScript's. A template comes out of a model's files, from anybody:
// whatever it does ends within a second. What it would print and no prompt should hold (a list, a function) is refused.

import { FUNCTIONS, Raised } from './jinja-functions.js';
import {
  Environment,
  Interpreter,
  isBreak,
  isControl,
  type Node,
  parse,
  type Scope,
  tokenize,
  type Value,
} from './jinja-library.js';
import { binary, filtered, isNothing, Limit, printed, runtime } from './jinja-values.js';
import { strip } from './python-text.js';

const STEPS = 2_000_000;
const MILLISECONDS = 900;
const UNTIMED = 200_000; // steps; a thousand turns take half of them, and a busy machine is no reason to refuse these
export const MOST_OUTPUT = 1 << 22; // characters; a context of 131,072 tokens has some 600,000
const LONGEST_SOURCE = 1 << 19; // real ones have a few thousand
const DEEPEST = 500; // expressions and blocks within each other

/** A conversation that the template refuses: Jinja's words for it, and the message that was being read. */
export class Refusal extends Error {
  constructor(
    message: string,
    /** Index into the messages; null before any was looked at. */
    readonly index: number | null,
    readonly endless: boolean,
    /** It asks for what no conversation could give: a filter that there is none of, an operator, a call. */
    readonly faulty = false,
  ) {
    super(message);
  }
}

/** How the library and Loupe say that a template does what they cannot do. */
const FAULTS =
  /^(Unknown |Cannot apply filter|Cannot call something|Unexpected|Unsupported|Undefined filter|Expected|it divides by zero|it slices with|range )/;

export interface Program {
  /** Throws Refusal. @param variables what the template may name, `messages` among it */
  render(variables: Readonly<Record<string, unknown>>): string;
}

/** Throws Error for what is no Jinja. Lines may end in CR and LF, which are one LF as in Jinja. */
export function compile(source: string): Program {
  if (source.length > LONGEST_SOURCE)
    throw new Error(`it has ${source.length} characters, and at most ${LONGEST_SOURCE} are read.`);
  const text = source.replace(/\r\n?/g, '\n');
  checkBlanks(text);
  const program = scoped(parse(tokenize(text, { lstrip_blocks: true, trim_blocks: true })));
  return {
    render(variables) {
      const run = new Run();
      try {
        return run.whole(program, variables);
      } catch (error) {
        const { message } = error as Error;
        const endless = error instanceof Limit;
        const deep = error instanceof RangeError && /call stack/.test(message);
        const faulty = !(error instanceof Raised) && FAULTS.test(message);
        throw new Refusal(deep ? 'it calls itself too deep' : message, run.turn, endless || deep, faulty);
      }
    },
  };
}

/** The library looks for tags by an expression that takes the square of a run of blanks. */
function checkBlanks(text: string): void {
  let cost = 0;
  for (const [run] of text.matchAll(/\s{256,}/g)) cost += run.length ** 2;
  if (cost > 2e8) throw new Error('it is mostly blank.');
}

/** Loop bodies put into blocks of their own: in Jinja, what an iteration sets is gone with it. */
function scoped(node: Node): Node {
  const seen = new Set<unknown>();
  const visit = (value: unknown): void => {
    if (typeof value !== 'object' || value === null || seen.has(value)) return;
    seen.add(value);
    const children = value instanceof Map ? [...value.keys(), ...value.values()] : Object.values(value);
    for (const child of children) visit(child);
    const part = value as { type?: string; body?: unknown };
    if (part.type === 'For') part.body = [{ type: ITERATION, body: part.body }];
  };
  visit(node);
  return node;
}

const ITERATION = 'Iteration';
const GIVEN = 'Given';
/** A value in the place of a node that has been evaluated already. */
const given = (value: Value): Node => ({ type: GIVEN, value });

class Run extends Interpreter {
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
        if ((node.test as Node).value !== 'iterable') return as({ ...node, operand: given(operand) });
        const yes = /^(Array|Tuple|String|Object|Undefined)Value$/.test(operand.type);
        return runtime(yes !== (node.negate === true));
      }
      case 'MemberExpression': {
        const object = at(node.object);
        if (object.type === 'UndefinedValue') throw new Error(`${nameOf(node.object as Node)} is undefined`);
        const { type, value } = node.property as Node;
        if (object.value instanceof Map && typeof value === 'string' && (type === 'StringLiteral' || !node.computed)) {
          const found = object.value.get(value) as Value | undefined;
          if (found !== undefined) return found;
        }
        const { step } = node.property as { step?: Node };
        if (type === 'SliceExpression' && step && Number(at(step).value ?? 1) === 0)
          throw new Error('it slices with a step of zero');
        return as({ ...node, object: given(object) });
      }
      case 'CallExpression':
        return this.#call(node, at, as);
      default:
        return as(node);
    }
  }

  #call(node: Node, at: (child: unknown) => Value, as: (changed: Node) => Value): Value {
    const callee = node.callee as Node;
    if (callee.type !== 'MemberExpression' || callee.computed) return as(node);
    const object = at(callee.object);
    const name = String((callee.property as Node).value);
    if (object.type === 'UndefinedValue') throw new Error(`${nameOf(callee.object as Node)} is undefined`);
    if (object.type === 'StringValue') {
      const text = object.value as string;
      const args = node.args as readonly Node[];
      if (name === 'strip' || name === 'lstrip' || name === 'rstrip') {
        const characters = args.length > 0 ? at(args[0]) : null;
        if (characters === null || characters.type === 'NullValue') return runtime(strip(text, name));
        if (characters.type === 'StringValue') return runtime(strip(text, name, characters.value as string));
        throw new Error(`${name} takes a text`);
      }
      if (name === 'replace') {
        const values = args.map(arg => argument(arg, at));
        return (
          filtered(
            'replace',
            object,
            () => values,
            steps => this.#spend(steps),
          ) ?? as(node)
        );
      }
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

function argument(node: Node, at: (child: unknown) => Value): readonly [string | null, Value] {
  if (node.type !== 'KeywordArgumentExpression') return [null, at(node)];
  return [String((node.key as Node).value), at(node.value)];
}

const nameOf = (node: Node): string =>
  node.type === 'Identifier'
    ? `'${node.value}'`
    : node.type === 'MemberExpression' && !node.computed
      ? `'${(node.property as Node).value}'`
      : 'a value';
