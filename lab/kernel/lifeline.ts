// What the kernel lives by, and a cell may take away: that errors nobody caught are heard, that its listeners stay, and that the process
// goes on.

import { LoupeError } from '../../engine/errors.js';

type Stray = (what: string, error: unknown) => void;
type Listener = (...given: unknown[]) => void;

/** @param stray told of each error that nobody caught, and of one in a listener that a cell set for these */
export function holdOn(stray: Stray): void {
  hear(stray);
  stay();
  goOn();
}

/** Of what Node asks the process before it ends it, whoever else listens. */
function hear(stray: Stray): void {
  const told: Record<string, string> = {
    uncaughtException: 'Uncaught',
    unhandledRejection: 'A promise that nobody awaits was rejected',
  };
  const emit = process.emit as unknown as (this: unknown, ...given: unknown[]) => boolean;
  process.emit = function (this: unknown, event: string, ...given: unknown[]): boolean {
    if (!Object.hasOwn(told, event) && event !== 'uncaughtExceptionMonitor') return emit.call(this, event, ...given);
    if (event in told) stray(told[event], given[0]);
    try {
      emit.call(this, event, ...given);
    } catch (error) {
      stray('Uncaught', error);
    }
    return true;
  } as typeof process.emit;
}

const kept = new Map<string | symbol, ReadonlySet<unknown>>();

/** Listeners that are there now cannot be removed. */
function stay(): void {
  for (const event of process.eventNames()) kept.set(event, new Set(process.rawListeners(event)));
  const isKept = (event: string | symbol, listener: unknown) => kept.get(event)?.has(listener as Listener) === true;
  const { removeListener } = process;
  const remove = function (this: NodeJS.Process, event: string | symbol, listener: Listener) {
    return isKept(event, listener) ? this : removeListener.call(this, event, listener);
  };
  Object.assign(process, {
    removeListener: remove,
    off: remove,
    removeAllListeners(this: NodeJS.Process, ...events: (string | symbol)[]) {
      // So does Node around a script that a signal may break off, and puts them back.
      const away = events[0] === 'SIGINT' ? removeListener : remove;
      for (const event of events.length > 0 ? events : process.eventNames()) {
        for (const listener of process.rawListeners(event)) away.call(this, event, listener as Listener);
      }
      return this;
    },
  });
}

/** After a cell: the listener that a signal needs, where the cell took it away. */
export function listenAgain(): void {
  for (const listener of kept.get('SIGINT') ?? []) {
    if (!process.rawListeners('SIGINT').includes(listener as Listener)) process.on('SIGINT', listener as Listener);
  }
}

/** The ways to end the process are refused. */
function goOn(): void {
  const refuse = (how: string) => {
    throw new LoupeError(
      `${how} would end the kernel and its session. Use Kernel → Shut Down, or throw an error to end the cell.`,
    );
  };
  // What cannot be changed again, no later cell could declare anything in, and the kernel could not mend.
  for (const [owner, where, names] of [
    [Object, 'Object', ['freeze', 'seal', 'preventExtensions']],
    [Reflect, 'Reflect', ['preventExtensions']],
  ] as const) {
    for (const name of names) {
      const fasten = (owner as unknown as Record<string, (value: unknown) => unknown>)[name];
      const checked = {
        [name]: (value: unknown) => {
          if (value === globalThis || value === process)
            refuse(`${where}.${name}(${value === process ? 'process' : 'globalThis'})`);
          return fasten(value);
        },
      };
      Object.defineProperty(owner, name, {
        value: checked[name],
        writable: true,
        enumerable: false,
        configurable: true,
      });
    }
  }
  const { kill } = process;
  Object.assign(process, {
    exit: (code?: number) => refuse(`process.exit(${code ?? ''})`),
    reallyExit: (code?: number) => refuse(`process.reallyExit(${code ?? ''})`),
    abort: () => refuse('process.abort()'),
    kill(id: number, signal?: string | number) {
      if ((id === process.pid || id === 0) && signal !== 0 && signal !== 'SIGINT') refuse(`process.kill(${id})`);
      return kill.call(process, id, signal);
    },
  });
}
