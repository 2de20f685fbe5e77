// Which variable a name means, as Jinja finds out before it runs (jinja2/idtracking.py): by where in a block a name is set, and not by when.

import type { Node } from './jinja-library.js';

/** What a variable of a block holds where the block begins: what the context has, what the block around has, nothing, or what it is given. */
type Load = 'resolve' | 'alias' | 'undefined' | 'parameter';

/** The variables of a block of its own: the whole, the body of a loop, of a macro, of `with`. The parts of an `if` are none. */
export class Symbols {
  readonly loads = new Map<string, Load>();
  readonly #stores = new Set<string>();

  constructor(readonly parent: Symbols | null) {}

  has(name: string): boolean {
    return this.loads.has(name) || (this.parent?.has(name) ?? false);
  }

  parameter(name: string): void {
    this.#stores.add(name);
    this.loads.set(name, 'parameter');
  }

  store(name: string): void {
    this.#stores.add(name);
    if (!this.loads.has(name)) this.loads.set(name, this.parent?.has(name) ? 'alias' : 'undefined');
  }

  load(name: string): void {
    if (!this.has(name)) this.loads.set(name, 'resolve');
  }

  /** What is set in a part of an `if` alone is otherwise what it was before. */
  branches(parts: readonly (readonly Node[])[], visit: (symbols: Symbols, node: Node) => void): void {
    const copies = parts.map(nodes => {
      const copy = new Symbols(this.parent);
      for (const [name, load] of this.loads) copy.loads.set(name, load);
      for (const name of this.#stores) copy.#stores.add(name);
      for (const node of nodes) visit(copy, node);
      return copy;
    });
    const fresh = new Set(copies.flatMap(copy => [...copy.#stores]).filter(name => !this.#stores.has(name)));
    for (const copy of copies) {
      for (const [name, load] of copy.loads) this.loads.set(name, load);
      for (const name of copy.#stores) this.#stores.add(name);
    }
    for (const name of fresh) this.loads.set(name, this.parent?.has(name) ? 'alias' : 'resolve');
  }
}

export const CONSTANTS: ReadonlySet<string> = new Set(['true', 'True', 'false', 'False', 'none', 'None']);

const parts = (value: unknown): readonly Node[] => (value ?? []) as readonly Node[];
export const parameterOf = (parameter: Node): string =>
  String((parameter.type === 'KeywordArgumentExpression' ? (parameter.key as Node) : parameter).value);
/** Arguments of a filter; its name is no variable. */
const ofFilter = (filter: unknown): unknown =>
  (filter as Node).type === 'CallExpression' ? (filter as Node).args : null;

/** What a block that is a scope of its own holds, in the order in which Jinja looks. @param part of a loop @param loop it has a `loop` */
export function symbolsOf(
  node: Node,
  parent: Symbols | null,
  part: 'body' | 'else' | 'test' = 'body',
  loop = false,
): Symbols {
  const symbols = new Symbols(parent);
  if (loop) symbols.parameter('loop');
  const take = (target: unknown): void => {
    const { type, value } = target as Node;
    if (type === 'TupleLiteral') for (const one of parts(value)) take(one);
    else symbols.parameter(String(value));
  };
  const see = (value: unknown) => visit(symbols, value);
  switch (node.type) {
    case 'For':
      if (part !== 'else') take(node.loopvar);
      see(part === 'body' ? node.body : part === 'else' ? node.defaultBlock : node.test);
      break;
    case 'Macro':
    case 'CallStatement': {
      const given = parts(node.type === 'Macro' ? node.args : node.callerArgs);
      for (const one of given) symbols.parameter(parameterOf(one));
      for (const one of given) if (one.type === 'KeywordArgumentExpression') see(one.value);
      see(node.body);
      break;
    }
    case 'With':
      for (const one of parts(node.targets)) take(one);
      see(node.body);
      break;
    case 'FilterStatement':
      see(node.body);
      see(ofFilter(node.filter));
      break;
    default:
      see(node.body);
  }
  return symbols;
}

/** Names that a node reads and sets in the block it stands in. Blocks within it are looked at from outside alone. */
function visit(symbols: Symbols, value: unknown): void {
  if (typeof value !== 'object' || value === null) return;
  if (Array.isArray(value) || value instanceof Map) {
    for (const one of value) visit(symbols, one);
    return;
  }
  const node = value as Node;
  switch (node.type) {
    case 'Identifier':
      if (!CONSTANTS.has(String(node.value))) symbols.load(String(node.value));
      return;
    case 'If':
      visit(symbols, node.test);
      symbols.branches([parts(node.body), parts(node.alternate)], visit);
      return;
    case 'Set':
      visit(symbols, node.value);
      setIn(symbols, node.assignee as Node);
      return;
    case 'SetBlock':
      setIn(symbols, node.assignee as Node);
      return;
    case 'Macro':
      symbols.store(String((node.name as Node).value));
      return;
    case 'For':
      visit(symbols, node.iterable);
      return;
    case 'CallStatement':
      visit(symbols, node.call);
      return;
    case 'With':
      visit(symbols, node.values);
      return;
    case 'FilterStatement':
      visit(symbols, ofFilter(node.filter));
      return;
    case 'Generation':
      return;
    case 'FilterExpression':
      visit(symbols, node.operand);
      visit(symbols, ofFilter(node.filter));
      return;
    case 'KeywordArgumentExpression':
      visit(symbols, node.value);
      return;
    case 'MemberExpression':
      visit(symbols, node.object);
      visit(symbols, node.computed ? node.property : null);
      return;
    default:
      for (const [part, child] of Object.entries(node)) if (part !== 'operator') visit(symbols, child);
  }
}

function setIn(symbols: Symbols, target: Node): void {
  if (target.type === 'TupleLiteral') for (const one of parts(target.value)) setIn(symbols, one);
  else if (target.type === 'MemberExpression') visit(symbols, target.object);
  else symbols.store(String(target.value));
}

/** Of `names`, those that nodes read before they set them, blocks within them among it (find_undeclared of jinja2/compiler.py). */
export function undeclaredIn(nodes: readonly Node[], names: readonly string[]): ReadonlySet<string> {
  const left = new Set(names);
  const found = new Set<string>();
  const set = (target: unknown): void => {
    const { type, value } = target as Node;
    if (type === 'Identifier') left.delete(String(value));
    else if (type === 'TupleLiteral') for (const one of parts(value)) set(one);
    // A namespace's name is no name that is read, nor one that is set.
  };
  const parameters = (list: unknown): void => {
    for (const parameter of parts(list)) left.delete(parameterOf(parameter));
    for (const parameter of parts(list)) if (parameter.type === 'KeywordArgumentExpression') look(parameter.value);
  };
  const look = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return;
    if (Array.isArray(value) || value instanceof Map) {
      for (const one of value) look(one);
      return;
    }
    const node = value as Node;
    const all = (...list: readonly unknown[]) => list.forEach(look);
    switch (node.type) {
      case 'Identifier':
        if (left.has(String(node.value))) found.add(String(node.value));
        return;
      case 'For':
        set(node.loopvar);
        all(node.iterable, node.body, node.defaultBlock, node.test);
        return;
      case 'Set':
        set(node.assignee);
        look(node.value);
        return;
      case 'SetBlock':
        set(node.assignee);
        all(parts(node.filters).map(ofFilter), node.body);
        return;
      case 'With':
        parts(node.targets).forEach(set);
        all(node.values, node.body);
        return;
      case 'Macro':
        parameters(node.args);
        look(node.body);
        return;
      case 'CallStatement':
        look(node.call);
        parameters(node.callerArgs);
        look(node.body);
        return;
      case 'FilterStatement':
        all(node.body, ofFilter(node.filter));
        return;
      case 'FilterExpression':
        all(node.operand, ofFilter(node.filter));
        return;
      case 'MemberExpression':
        all(node.object, node.computed ? node.property : null);
        return;
      case 'KeywordArgumentExpression':
        look(node.value);
        return;
      default:
        for (const [part, child] of Object.entries(node)) if (part !== 'operator') look(child);
    }
  };
  look(nodes);
  return found;
}
