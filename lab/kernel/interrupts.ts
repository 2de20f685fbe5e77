// Whom Stop is meant for, as the main thread knows it: the cell that runs, one that waits for its turn, or what cells that have ended have in
// the background. The courier counts interrupts and sends each as a message; where that is not heard, the code that keeps the main thread
// to itself sees the flag, whoever began it.

import { Interrupted } from '../../engine/errors.js';
import { ANSWERED, INTERRUPTS, SIGNALLED, STOP, STOP_NOW, STOPPED_ONE } from './courier.js';
import { codeOf } from './failure.js';
import { type CellOutput, current } from './output.js';
import { fireInterrupt } from '../host/interrupt.js';

/** ms for which code of another cell may go on without hearing that the one which runs is to stop: then it is what is in the way. */
const IN_THE_WAY = 1500;

export class Interrupts {
  #running: CellOutput | null = null;
  /** Cells that may have something in the background. */
  #earlier: WeakRef<CellOutput>[] = [];
  /** How many interrupts had come before the cell that runs. */
  #before = 0;
  /** The last one that ended a cell, and the last one that the background had kept from being heard. */
  #ofCell = 0;
  #ofBackground = 0;
  /** The one that somebody else's code goes on under, and since when. */
  #unheard = { number: 0, since: 0 };
  #reject: (reason: Interrupted) => void = () => {};

  /**
   * @param state the courier's memory
   * @param letGo the cell that runs is not waited for any longer
   */
  constructor(
    private readonly state: Int32Array,
    private readonly letGo: () => void,
  ) {}

  /** Of a cell whose turn has come: whether Stop, pressed since it came, was meant for it, or for one before it. */
  verdict(before: number): 'runs' | 'stopped' | 'aborted' {
    const number = this.#number();
    this.#before = number;
    if (number <= Math.max(before, this.#ofBackground)) return 'runs';
    if (number <= this.#ofCell) return 'aborted';
    this.#answer();
    this.#ofCell = number;
    return 'stopped';
  }

  /** Waits for what a cell does, as long as nobody stops it. */
  async running<T>(output: CellOutput, evaluate: () => Promise<T>): Promise<T> {
    this.#running = output;
    const interrupted = new Promise<never>((_, reject) => {
      this.#reject = reject;
    });
    interrupted.catch(() => {});
    Atomics.store(this.state, STOP, Math.min(Atomics.load(this.state, STOP), STOPPED_ONE)); // not meant for this cell
    let thrown: unknown;
    try {
      const outcome = await Promise.race([current.run(output, evaluate), interrupted]);
      // Heard of when what could not be stopped was done: the cell's value would be shown nowhere.
      if (Atomics.load(this.state, STOP) === STOP_NOW) this.heard(this.#number());
      if (output.stopped) throw new Interrupted();
      return outcome;
    } catch (error) {
      thrown = error;
      throw error;
    } finally {
      if (codeOf(thrown) === 'ERR_SCRIPT_EXECUTION_INTERRUPTED') {
        Atomics.store(this.state, SIGNALLED, 0);
        this.#interrupt();
      } else if (Atomics.load(this.state, STOP) === STOP_NOW) this.heard(this.#number());
      this.#running = null;
      this.#earlier = [...this.#earlier.filter(earlier => earlier.deref()), new WeakRef(output)];
    }
  }

  /** An interrupt_request, which may have been answered already, or meant for a cell before this one. */
  heard(number: number): void {
    if (Atomics.load(this.state, ANSWERED) >= number) return;
    if (this.#running && this.#before >= number) Atomics.store(this.state, ANSWERED, number);
    else this.#interrupt();
  }

  /** SIGINT: the courier's, which the flag may have forestalled, or one from outside. */
  signalled(): void {
    const ours = Atomics.exchange(this.state, SIGNALLED, 0) === 1;
    if (ours) this.heard(this.#number());
    else {
      if (!this.#running) Atomics.add(this.state, INTERRUPTS, 1); // for a cell that waits for the compiler
      this.#interrupt();
    }
  }

  /** What every loop and function of a cell calls. */
  check(): void {
    const stop = Atomics.load(this.state, STOP);
    if (stop === 0) return;
    const own = current.getStore();
    if (own?.stopped) throw stopped();
    if (stop !== STOP_NOW) return;
    // Where a recursion has used the stack up, nothing is begun that would break off half-way: further out there is room.
    if (own && own === this.#running) {
      if (hasRoom()) this.heard(this.#number());
      throw stopped();
    }
    if (this.#running && !this.#isInTheWay()) return;
    if (hasRoom()) this.#endBackground(own);
    throw stopped();
  }

  /** Whether code that is not the running cell's has left the event loop no turn for long. */
  #isInTheWay(): boolean {
    const [number, now] = [this.#number(), performance.now()];
    if (this.#unheard.number !== number) this.#unheard = { number, since: now };
    return now - this.#unheard.since > IN_THE_WAY;
  }

  /** The main thread hears nothing because of what a cell that has ended goes on to do. A cell that waited gets its turn. */
  #endBackground(own: CellOutput | undefined): void {
    own?.write('stderr', '\nStop ended what this cell had in the background: it left nothing else a turn.\n');
    own?.stop();
    if (this.#running) return; // it hears of it now
    this.#ofBackground = this.#number();
    this.#interrupt();
  }

  /** Stops the cell that runs and what it began; where none runs, what earlier ones have in the background. */
  #interrupt(): void {
    Atomics.store(this.state, STOP, STOPPED_ONE);
    this.#answer();
    if (this.#running) {
      this.#ofCell = this.#number();
      this.#running.stop();
      this.letGo();
      this.#reject(new Interrupted());
    } else {
      for (const earlier of this.#earlier) earlier.deref()?.stop();
      fireInterrupt();
    }
  }

  #number(): number {
    return Atomics.load(this.state, INTERRUPTS);
  }

  #answer(): void {
    Atomics.store(this.state, ANSWERED, this.#number());
  }
}

/**
 * Without a stack, which would cost more than all the rest: what a stopped cell has under way, one timer after the other, may be millions of
 * calls that each throw this once.
 */
function stopped(): Interrupted {
  const limit = Error.stackTraceLimit;
  Reflect.set(Error, 'stackTraceLimit', 0);
  try {
    return new Interrupted();
  } finally {
    Reflect.set(Error, 'stackTraceLimit', limit);
  }
}

/** Calls within calls, small ones: about a third of the stack, and more than stopping a cell needs. */
const ROOM = 3000;

function hasRoom(): boolean {
  const deeper = (calls: number): number => (calls === 0 ? 0 : 1 + deeper(calls - 1));
  try {
    return deeper(ROOM) === ROOM;
  } catch {
    return false;
  }
}
