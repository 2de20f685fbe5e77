// A template's tree after it is parsed: blocks as Jinja has them, what its compiler refuses, and the variables of each block.

import type { Node } from './jinja-library.js';
import { GENERATION } from './jinja-source.js';
import { CONSTANTS, parameterOf, type Symbols, symbolsOf, undeclaredIn } from './jinja-symbols.js';
import { WITH, WITH_VALUES } from './jinja-syntax.js';

/** The variables of a block's parts. */
export interface Plan {
  readonly body: Symbols;
  /** Of a loop: what stands behind `else`, and its condition. */
  readonly other?: Symbols;
  readonly test?: Symbols;
  /** Of a loop: it asks for `loop`. */
  readonly extended?: boolean;
  /** Of a macro: what it is given beside its parameters, `caller`, `kwargs` and `varargs`. */
  readonly catches?: ReadonlySet<string>;
  /** It reads `caller`, which may be among its parameters. */
  readonly asksForCaller?: boolean;
}

export type Plans = WeakMap<Node, Plan>;

/** Where a block stands: in a loop that may be left from there, and in one at all, which has a `loop`. */
interface Place {
  readonly leaves: boolean;
  readonly loops: boolean;
  /** Blocks around it. */
  readonly depth: number;
}

const DEEPEST = 100; // blocks within each other; what Jinja compiles is refused by Python beyond

/** Throws Error for what Jinja does not compile. */
export function planned(program: Node): { readonly program: Node; readonly plans: Plans } {
  const whole = { ...program, body: shaped(program.body!) };
  const plans: Plans = new WeakMap();
  const root = symbolsOf(whole, null);
  plans.set(whole, { body: root });
  const place = { leaves: false, loops: false, depth: 0 };
  for (const node of whole.body) plan(node, root, place, plans);
  return { program: whole, plans };
}

const shaped = (nodes: unknown): Node[] => ((nodes ?? []) as readonly Node[]).map(shape);

/** `with`, `generation` and set blocks as nodes of their own, and a loop's condition beside what it goes over. */
function shape(node: Node): Node {
  const body = node.body ? shaped(node.body) : node.body;
  switch (node.type) {
    case 'If': {
      const mark = (node.test as Node).type === 'Identifier' ? (node.test as Node).value : null;
      if (mark === GENERATION) return { type: 'Generation', body };
      if (mark === WITH) return { type: 'With', targets: [], values: [], body };
      if (mark === WITH_VALUES) {
        const [{ assignee, value }, ...rest] = body as unknown as readonly { assignee: Node; value: Node }[];
        const [targets, values] = [assignee, value].map(one =>
          assignee.type === 'TupleLiteral' ? (one.value as readonly Node[]) : [one],
        );
        return { type: 'With', targets, values, body: rest as unknown as Node[] };
      }
      return { ...node, body, alternate: shaped(node.alternate) };
    }
    case 'For': {
      const { iterable } = node as { iterable?: Node };
      const chosen = iterable?.type === 'SelectExpression';
      const over = chosen ? { iterable: iterable.lhs, test: iterable.test } : { iterable, test: null };
      return { ...node, ...over, body, defaultBlock: shaped(node.defaultBlock) };
    }
    case 'Set': {
      if (node.value || !body) return node;
      let assignee = node.assignee as Node;
      const filters: unknown[] = [];
      for (; assignee.type === 'FilterExpression'; assignee = assignee.operand as Node)
        filters.unshift(assignee.filter);
      return { type: 'SetBlock', assignee, filters, body };
    }
    default:
      return body ? { ...node, body } : node;
  }
}

function plan(node: Node, around: Symbols, outer: Place, plans: Plans): void {
  const place = node.body ? { ...outer, depth: outer.depth + 1 } : outer;
  if (place.depth > DEEPEST) throw new Error(`it has more than ${DEEPEST} blocks within each other.`);
  const each = (nodes: unknown, symbols: Symbols, at: Place) => {
    for (const one of (nodes ?? []) as readonly Node[]) plan(one, symbols, at, plans);
  };
  const own = (at: Place) => {
    const body = symbolsOf(node, around);
    if (node.type === 'Macro' || node.type === 'CallStatement') {
      const asked = undeclaredIn(node.body!, ['caller', 'kwargs', 'varargs']);
      const names = new Set(
        ((node.type === 'Macro' ? node.args : node.callerArgs) as readonly Node[] | undefined)?.map(parameterOf),
      );
      const catches = new Set([...asked].filter(name => !names.has(name)));
      for (const name of catches) body.parameter(name);
      plans.set(node, { body, catches, asksForCaller: asked.has('caller') });
    } else plans.set(node, { body });
    each(node.body, body, at);
  };
  const apart = { ...place, leaves: false }; // a function of its own, which no loop around it leaves
  switch (node.type) {
    case 'Break':
    case 'Continue':
      if (!place.leaves) throw new Error(`'${node.type.toLowerCase()}' stands outside of a loop.`);
      return;
    case 'If':
      each(node.body, around, place);
      each(node.alternate, around, place);
      return;
    case 'Set':
      checkTarget(node.assignee as Node, place.loops, true);
      return;
    case 'SetBlock':
      checkTarget(node.assignee as Node, place.loops, true);
      own(place);
      return;
    case 'With':
      for (const target of node.targets as readonly Node[]) checkTarget(target, false, false);
      own(place);
      return;
    case 'FilterStatement':
      own(place);
      return;
    case 'Generation':
      own(apart);
      return;
    case 'Macro': {
      checkTarget(node.name as Node, false, false);
      checkParameters(node, node.args);
      own(apart);
      return;
    }
    case 'CallStatement':
      checkParameters(node, node.callerArgs);
      own(apart);
      return;
    case 'For': {
      checkTarget(node.loopvar as Node, true, false);
      const extended = undeclaredIn(node.body!, ['loop']).has('loop');
      const body = symbolsOf(node, around, 'body', extended);
      const test = node.test ? symbolsOf(node, around, 'test') : undefined;
      const other = symbolsOf(node, around, 'else');
      plans.set(node, { body, other, test, extended });
      each(node.body, body, { ...place, leaves: true, loops: true });
      each(node.defaultBlock, other, { ...place, loops: true });
      return;
    }
    default:
  }
}

/** Throws Error for what cannot be set: a constant, what is no name, and `loop` within a loop. */
function checkTarget(target: Node, loops: boolean, spaces: boolean): void {
  if (target.type === 'TupleLiteral') {
    for (const one of target.value as readonly Node[]) checkTarget(one, loops, spaces);
    return;
  }
  if (spaces && target.type === 'MemberExpression' && !target.computed && isName(target.object as Node)) return;
  if (!isName(target)) throw new Error('it sets what is no name.');
  if (loops && target.value === 'loop') throw new Error("it sets 'loop' within a loop.");
}

function isName({ type, value }: Node): boolean {
  if (type === 'Identifier' && CONSTANTS.has(String(value)))
    throw new Error(`it sets '${value}', which is a constant.`);
  return type === 'Identifier';
}

function checkParameters(node: Node, list: unknown): void {
  const parameters = (list ?? []) as readonly Node[];
  const names = parameters.map(parameterOf);
  let defaults = false;
  for (const [i, one] of parameters.entries()) {
    const named = one.type === 'KeywordArgumentExpression';
    if (!named && defaults) throw new Error('a parameter without a default stands behind one that has one.');
    defaults = named;
    checkTarget(named ? (one.key as Node) : one, false, false);
    if (names.indexOf(names[i]) !== i) throw new Error(`two parameters are called '${names[i]}'.`);
    if (names[i] === 'caller' && !named && undeclaredIn(node.body!, ['caller']).size > 0)
      throw new Error("the parameter 'caller' has no default.");
  }
}
