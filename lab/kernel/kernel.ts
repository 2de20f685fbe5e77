// The notebook kernel. Cells are compiled (compile.ts) and run (scope.ts) here, in the main thread; the sockets live in a
// thread of their own (courier.ts), so that a busy cell can be stopped.
//
//   node dist/lab/kernel/kernel.js CONNECTION_FILE

import { writeSync } from 'node:fs';
import { inspect as inspected } from 'node:util';
import { Worker } from 'node:worker_threads';
import { Interrupted, LoupeError } from '../../engine/errors.js';
import { bundleOf } from '../display/show.js';
import { fireInterrupt } from '../interrupt.js';
import { complete, inspect } from './assist.js';
import { CellCompiler } from './compile.js';
import { completeness } from './completeness.js';
import { readConnection } from './connection.js';
import {
  ANSWERED,
  type Arrival,
  type CourierData,
  INTERRUPTS,
  type Incoming,
  type Outgoing,
  SIGNALLED,
  STOP,
  STOP_NOW,
  STOPPED_ONE,
} from './courier.js';
import { failureOf, ownFrames } from './failure.js';
import { History } from './history.js';
import { kernelInfo } from './identity.js';
import { setNotebook } from './mime.js';
import { Modules } from './modules.js';
import { CellOutput, captureStreams, current } from './output.js';
import { stackInCells } from './place.js';
import { CellRunner } from './scope.js';
import { CHECK } from './stoppable.js';
import type { Request } from './wire.js';

/** What every notebook has without an import line. */
const PRELUDE = `import { Activation, ask, clearOutput, compare, fromArrow, golden, open, report, select, show, toArrow } from 'gemma-loupe';`;

class Kernel {
  readonly #state: Int32Array;
  readonly #history = new History();
  readonly #courier: Worker;
  readonly #compiler: CellCompiler;
  readonly #runner: CellRunner;
  #chain: Promise<void>;
  #count = 0;
  #silent = 0;
  /** Cells that arrived before this moment are not run: one before them failed. */
  #abortedUntil = 0;
  /** Of the cell that runs, and of the one that ran last. */
  #running: CellOutput | null = null;
  #output: CellOutput | null = null;
  #value: { readonly shown: unknown } | null = null;
  #thrown: unknown;
  #interrupt: (reason: Interrupted) => void = () => {};
  /** The cell that may ask for input, and who waits for the answer. */
  #asking: Request | null = null;
  #answer: ((value: string) => void) | null = null;

  constructor(courier: Worker, state: Int32Array) {
    this.#courier = courier;
    this.#state = state;
    courier.on('message', (message: Incoming) => this.#take(message));
    this.#compiler = new CellCompiler(process.cwd());
    this.#runner = new CellRunner(this.#compiler, new Modules(process.cwd(), file => this.#compiler.remember(file)));
    captureStreams(() => this.#output);
    setNotebook({
      display: (message, update) => this.#cell()?.display(message, update),
      vanish: id => this.#cell()?.vanish(id),
      clear: wait => this.#cell()?.send('clear_output', { wait }),
      ask: (prompt, password) => this.#ask(prompt, password),
    });
    (globalThis as Record<string, unknown>)[CHECK] = () => this.#check();
    // Loading the lab is a cell like any other, before the first: it warms the compiler too.
    this.#compiler.begin('cell-0');
    this.#chain = this.#runner.run(PRELUDE).then(
      ran => {
        if (!ran) defect(failureOf(null, this.#compiler).traceback.join('\n'));
      },
      error => defect(failureOf(error, this.#compiler).traceback.join('\n')),
    );
  }

  #cell(): CellOutput | null {
    return current.getStore() ?? this.#output;
  }

  #send(to: Outgoing['to'], type: string, content: unknown, parent: Request | null): void {
    this.#courier.postMessage({ to, type, content: JSON.stringify(content), parent } satisfies Outgoing);
  }

  #take(message: Incoming): void {
    if (message.kind === 'interrupt') this.interrupt();
    else if (message.kind === 'shutdown') exit(0);
    else if (message.kind === 'input') this.#answer?.(message.value);
    else if (message.kind === 'request') this.#request(message);
  }

  #request({ request, arrived, interrupts }: Arrival): void {
    const { content } = request;
    // Stop was pressed after it came, and before it began.
    const wanted = () => arrived > this.#abortedUntil && Atomics.load(this.#state, INTERRUPTS) === interrupts;
    const [code, cursor] = [String(content.code ?? ''), Number(content.cursor_pos ?? 0)];
    switch (request.header.msg_type) {
      case 'execute_request':
        this.#chain = this.#chain.then(() => this.#execute(request, code, wanted)).catch(defect);
        return;
      case 'complete_request':
        this.#reply(request, 'complete_reply', () => complete(this.#compiler, this.#runner.locals, code, cursor));
        return;
      case 'inspect_request':
        this.#reply(request, 'inspect_reply', () => inspect(this.#compiler, this.#runner.locals, code, cursor));
        return;
      case 'is_complete_request':
        this.#reply(request, 'is_complete_reply', () => completeness(code));
        return;
      case 'history_request':
        this.#reply(request, 'history_reply', () => ({ status: 'ok', history: this.#history.read(content) }));
        return;
    }
  }

  /** Answers between cells' turns; what goes wrong is the reply. */
  #reply(request: Request, type: string, make: () => object): void {
    this.#send('everyone', 'status', { execution_state: 'busy' }, request);
    try {
      this.#send('sender', type, make(), request);
    } catch (error) {
      this.#send('sender', type, { status: 'error', ...failureOf(error, this.#compiler) }, request);
    }
    this.#send('everyone', 'status', { execution_state: 'idle' }, request);
  }

  async #execute(request: Request, code: string, wanted: () => boolean): Promise<void> {
    const { content } = request;
    const silent = content.silent === true;
    const kept = !silent && content.store_history !== false;
    const reply = (body: object) => this.#send('sender', 'execute_reply', body, request);
    const everyone = (type: string, body: unknown) => this.#send('everyone', type, body, request);
    everyone('status', { execution_state: 'busy' });
    if (!wanted()) {
      reply({ status: 'aborted', execution_count: this.#count });
      everyone('status', { execution_state: 'idle' });
      return;
    }
    if (!silent) this.#count += 1;
    const execution_count = this.#count;
    if (!silent) everyone('execute_input', { code, execution_count });
    const output = new CellOutput(silent ? () => {} : everyone);
    this.#output = output;
    this.#asking = content.allow_stdin === true ? request : null;
    this.#compiler.begin(silent ? `silent-${++this.#silent}` : `cell-${execution_count}`);
    const ok = await this.#run(code, output);
    if (ok) {
      const data = this.#value && bundleOf(this.#value.shown);
      if (data && !silent) output.send('execute_result', { execution_count, data, metadata: {} });
      output.end();
      if (kept) this.#history.add(execution_count, code, data?.['text/plain']);
      reply({ status: 'ok', execution_count, payload: [], user_expressions: {} });
    } else {
      const failure = failureOf(this.#thrown, this.#compiler);
      output.end();
      if (!silent) everyone('error', failure);
      if (kept) this.#history.add(execution_count, code);
      if (content.stop_on_error !== false) this.#abortedUntil = Date.now();
      reply({ status: 'error', execution_count, ...failure });
    }
    everyone('status', { execution_state: 'idle' });
  }

  /** @returns whether it came to its end. */
  async #run(code: string, output: CellOutput): Promise<boolean> {
    this.#value = null;
    this.#thrown = undefined;
    this.#running = output;
    const interrupted = new Promise<never>((_, reject) => {
      this.#interrupt = reject;
    });
    interrupted.catch(() => {});
    Atomics.store(this.#state, STOP, Math.min(Atomics.load(this.#state, STOP), STOPPED_ONE)); // not meant for this cell
    try {
      const ran = await Promise.race([current.run(output, () => this.#runner.run(code)), interrupted]);
      if (ran && ran.value !== undefined && ran.value !== null) this.#value = { shown: ran.value };
      return ran !== null;
    } catch (error) {
      this.#thrown = error;
      return false;
    } finally {
      if ((this.#thrown as NodeJS.ErrnoException | undefined)?.code === 'ERR_SCRIPT_EXECUTION_INTERRUPTED') {
        Atomics.store(this.#state, SIGNALLED, 0);
        this.interrupt();
      }
      this.#running = null;
    }
  }

  /** SIGINT: the courier's, which the flag may have forestalled, or one from outside. */
  signalled(): void {
    const ours = Atomics.exchange(this.#state, SIGNALLED, 0) === 1;
    if (ours && Atomics.load(this.#state, ANSWERED) === Atomics.load(this.#state, INTERRUPTS)) return;
    if (!ours && !this.#running) this.#abortedUntil = Date.now(); // a cell may be waiting for the compiler
    this.interrupt();
  }

  /** Stops the cell that runs, and whatever of the lab runs. */
  interrupt(): void {
    Atomics.store(this.#state, STOP, STOPPED_ONE);
    Atomics.store(this.#state, ANSWERED, Atomics.load(this.#state, INTERRUPTS));
    this.#running?.stop();
    fireInterrupt();
    this.#runner.interrupt();
    this.#interrupt(new Interrupted());
  }

  /** What every loop of a cell calls as it goes round. */
  #check(): void {
    const stop = Atomics.load(this.#state, STOP);
    if (stop === 0) return;
    const own = current.getStore();
    if (stop === STOP_NOW && own && own === this.#running) this.interrupt();
    if (own?.stopped) throw new Interrupted();
  }

  #ask(prompt: string, password: boolean): Promise<string> {
    const request = this.#asking;
    if (!request) throw new LoupeError(`Nobody can be asked '${prompt}': this front end has no keyboard for cells.`);
    this.#cell()?.flush();
    this.#send('front', 'input_request', { prompt, password }, request);
    return new Promise(resolve => {
      this.#answer = resolve;
    });
  }

  /** An error that nobody caught: told in the cell, and the kernel lives. */
  stray(what: string, error: unknown): void {
    if (error instanceof Interrupted) return;
    const told =
      error instanceof Error
        ? [String(error), ...stackInCells(ownFrames(error), this.#compiler.cells)]
        : [textOf(error)];
    this.#cell()?.write('stderr', `${what}: ${told.join('\n')}\n`);
  }
}

const textOf = (value: unknown) => (typeof value === 'string' ? value : inspected(value));

/** To Jupyter's log: process.stderr is the cells'. */
function defect(error: unknown): void {
  writeSync(2, `Loupe kernel: ${error instanceof LoupeError ? error.message : textOf(error)}\n`);
}

const exit = process.exit.bind(process);

function start(connectionFile: string | undefined): void {
  const connection = readConnection(connectionFile);
  const shared = new SharedArrayBuffer(16);
  const data: CourierData = { connection, info: kernelInfo(), shared };
  const courier = new Worker(new URL('./courier.js', import.meta.url), { workerData: data, stdout: false });
  courier.on('error', error => {
    defect(error);
    exit(1);
  });
  let kernel: Kernel | null = null;
  process.on('SIGINT', () => kernel?.signalled()); // first of all: a signal that nobody hears ends the process
  process.on('uncaughtException', error => kernel?.stray('Uncaught', error));
  process.on('unhandledRejection', reason => kernel?.stray('A promise that nobody awaits was rejected', reason));
  process.exit = ((code?: number) => {
    throw new LoupeError(
      `process.exit(${code ?? ''}) would end the kernel and its session. Use Kernel → Shut Down, or throw an error to end the cell.`,
    );
  }) as typeof process.exit;
  kernel = new Kernel(courier, new Int32Array(shared));
}

try {
  start(process.argv[2]);
} catch (error) {
  defect(error);
  exit(error instanceof LoupeError ? 2 : 1);
}
