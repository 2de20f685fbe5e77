// One writing of a template: its statements, each block with variables of its own.

import { Expressions } from './jinja-expressions.js';
import type { Frame } from './jinja-frames.js';
import { isOnce, itemsOf, lengthOf } from './jinja-items.js';
import { isBreak, isControl, type Node, type Value } from './jinja-library.js';
import { chosen, Loop } from './jinja-loops.js';
import { type Macro, macroOf, macroValue } from './jinja-macros.js';
import type { Plan, Plans } from './jinja-shape.js';
import { isText, isTrue, kindOf, Limit, printed, runtime, tupleOf } from './jinja-values.js';

const STEPS = 2_000_000;
const MILLISECONDS = 700; // of the second that a template may take, garbage collection included
const UNTIMED = 200_000; // steps; a thousand turns take half of them, and a busy machine is no reason to refuse these
const MOST_OUTPUT = 1 << 22; // characters; a context of 131,072 tokens has some 600,000

const NOTHING = runtime('');

/** Runs once. */
export class Run extends Expressions {
  readonly #plans: Plans;
  #steps = 0;
  readonly #until = performance.now() + MILLISECONDS;

  constructor(plans: Plans) {
    super();
    this.#plans = plans;
  }

  whole(program: Node, variables: Readonly<Record<string, unknown>>): string {
    this.name(variables);
    return this.#block(program.body!, this.begin(this.#planOf(program).body, null));
  }

  #planOf(node: Node): Plan {
    return this.#plans.get(node)!;
  }

  protected statement(node: Node, frame: Frame): Value | null {
    const at = (child: unknown) => this.evaluate(child as Node, frame);
    switch (node.type) {
      case 'Comment':
        return NOTHING;
      case 'If':
        return runtime(this.#block((isTrue(at(node.test)) ? node.body : node.alternate) as readonly Node[], frame));
      case 'For':
        return runtime(this.#loop(node, frame));
      case 'Set':
        this.#assign(node.assignee as Node, at(node.value), frame);
        return NOTHING;
      case 'SetBlock':
        return this.#within(node, frame, (body, text) => {
          let value = text;
          for (const filter of node.filters as readonly Node[]) value = this.filtered(value, filter, body);
          this.#assign(node.assignee as Node, value, frame);
          return NOTHING;
        });
      case 'With': {
        const body = this.begin(this.#planOf(node).body, frame);
        const values = node.values as readonly Node[];
        for (const [i, target] of (node.targets as readonly Node[]).entries())
          this.#assign(target, at(values[i]), body);
        return runtime(this.#ended(node.body!, body));
      }
      case 'Generation': {
        const body = this.begin(this.#planOf(node).body, frame);
        return runtime(this.#ended(node.body!, body));
      }
      case 'FilterStatement':
        return this.#within(node, frame, (body, text) => {
          const value = this.filtered(text, node.filter as Node, body);
          if (!isText(value)) throw new Error(`it writes ${kindOf(value)} where a text belongs`);
          return value;
        });
      case 'Macro':
        frame.set(String((node.name as Node).value), macroValue(node, this.#planOf(node), frame));
        return NOTHING;
      case 'CallStatement': {
        const call = node.call as Node;
        const caller = macroValue(node, this.#planOf(node), frame);
        const args = this.argumentsOf(call.args, at);
        const value = at(call.callee);
        if (!macroOf(value)) throw new Error(`a block is given to ${kindOf(value)}, and only a macro takes one`);
        return this.called(value, [...args, ['caller', caller]], frame);
      }
      default:
        return null;
    }
  }

  protected bodyOf(macro: Macro, frame: Frame): Value {
    return runtime(this.#block(macro.node.body!, frame));
  }

  /** A block whose text is made something of: where it is left before its end, what it has written is gone. */
  #within(node: Node, frame: Frame, make: (body: Frame, text: Value) => Value): Value {
    const body = this.begin(this.#planOf(node).body, frame);
    try {
      return make(body, runtime(this.#block(node.body!, body)));
    } catch (error) {
      if (isControl(error)) error.partial = '';
      throw error;
    } finally {
      body.end();
    }
  }

  /** The text of a block, which is over then. */
  #ended(statements: readonly Node[], frame: Frame): string {
    try {
      return this.#block(statements, frame);
    } finally {
      frame.end();
    }
  }

  #loop(node: Node, frame: Frame): string {
    const { body, other, test, extended } = this.#planOf(node);
    const target = node.loopvar as Node;
    let whole = this.evaluate(node.iterable as Node, frame);
    if (whole.type === 'LoopValue') throw new Error('it goes over a loop that it is in');
    if (lengthOf(whole) === null && !isOnce(whole)) throw new Error(`it goes over ${kindOf(whole)}`);
    if (test) {
      let asked: Frame | null = null;
      whole = chosen(whole, this.counted, item => {
        asked ??= this.begin(test, frame);
        this.#assign(target, item, asked);
        return isTrue(this.evaluate(node.test as Node, asked)) ? named(target, item, asked) : null;
      });
    }
    const loop = new Loop(whole, this.counted);
    let text = '';
    let ended = false;
    for (let item = loop.next(); item !== null; item = loop.next()) {
      this.spend(2);
      const pass = this.begin(body, frame);
      if (extended) pass.set('loop', loop.value);
      this.#assign(target, item, pass);
      try {
        text += this.#ended(node.body!, pass);
        ended = true;
      } catch (error) {
        if (!isControl(error)) throw error;
        text += error.partial ?? '';
        if (isBreak(error)) break;
      }
      if (text.length > MOST_OUTPUT) throw new Limit(`more than ${MOST_OUTPUT} characters`);
    }
    const otherwise = node.defaultBlock as readonly Node[];
    if (ended || otherwise.length === 0) return text;
    try {
      return text + this.#ended(otherwise, this.begin(other!, frame));
    } catch (error) {
      if (isControl(error)) error.partial = text + (error.partial ?? '');
      throw error;
    }
  }

  /** `target = value`, of which a target may be several names. */
  #assign(target: Node, value: Value, frame: Frame): void {
    if (target.type === 'Identifier') {
      frame.set(String(target.value), value);
    } else if (target.type === 'TupleLiteral') {
      const targets = target.value as readonly Node[];
      const items = itemsOf('its parts', value, this.counted);
      if (items.length !== targets.length)
        throw new Error(`there are ${items.length} values for ${targets.length} names`);
      for (const [i, one] of targets.entries()) this.#assign(one, items[i], frame);
    } else {
      const space = this.evaluate(target.object as Node, frame);
      if (space.type !== 'NamespaceValue') throw new Error(`it sets a part of ${kindOf(space)}`);
      (space.value as Map<string, Value>).set(String((target.property as Node).value), value);
    }
  }

  #block(statements: readonly Node[], frame: Frame): string {
    let text = '';
    for (const statement of statements) {
      let value: Value;
      try {
        value = this.evaluate(statement, frame);
      } catch (error) {
        if (isControl(error)) error.partial = text + (error.partial ?? '');
        throw error;
      }
      text += printed(value);
      if (text.length > MOST_OUTPUT) throw new Limit(`more than ${MOST_OUTPUT} characters`);
    }
    this.spend(text.length >> 10);
    return text;
  }

  protected spend(steps: number): void {
    const before = this.#steps;
    this.#steps += steps;
    if (this.#steps > STEPS) throw new Limit(`more than ${STEPS} steps`);
    if (this.#steps > UNTIMED && before >> 6 !== this.#steps >> 6 && performance.now() > this.#until)
      throw new Limit(`${MILLISECONDS} ms are over`);
  }
}

/** What a loop with a condition gives on: of several names the tuple of their values. */
function named(target: Node, item: Value, frame: Frame): Value {
  if (target.type !== 'TupleLiteral') return item;
  const targets = target.value as readonly Node[];
  return tupleOf(
    targets.map(one =>
      one.type === 'TupleLiteral' ? named(one, item, frame) : frame.lookupVariable(String(one.value)),
    ),
  );
}
