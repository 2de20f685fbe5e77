// The notebook kernel. Cells are compiled and run (evaluation.ts) here, in the main thread; the sockets live in a
// thread of their own (courier.ts), so that a busy cell can be stopped.
//
//   node dist/lab/kernel/kernel.js CONNECTION_FILE

import { writeSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import { LoupeError } from '../../engine/errors.js';
import { attempt, plain } from '../values/plain.js';
import { setCellSignal } from '../host/interrupt.js';
import { hideAdded } from './added.js';
import { complete, inspect } from './assist.js';
import { completeness } from './completeness.js';
import { readConnection } from './connection.js';
import { captureChildren } from './children.js';
import { cursorIn, textIn } from './content.js';
import { ARRIVED, type Arrival, type CourierData, type Incoming, type Outgoing, WAITING } from './courier.js';
import { children } from './descendants.js';
import { Evaluation } from './evaluation.js';
import { failureOf } from './failure.js';
import { History } from './history.js';
import { kernelInfo } from './identity.js';
import type { Interrupts } from './interrupts.js';
import { holdOn } from './lifeline.js';
import { setNotebook } from '../host/notebook.js';
import { CellOutput, captureStreams, current } from './output.js';
import { predecessor } from './predecessor.js';
import { Questions } from './questions.js';
import { hideResources } from './resources.js';
import { CHECK } from './stoppable.js';
import { Strays } from './strays.js';
import { endIntervalsWithCells } from './timers.js';
import { jsonText, type Request } from './wire.js';
import { endWorkersWithCells } from './workers.js';

class Kernel {
  readonly #state: Int32Array;
  readonly #history = new History();
  readonly #courier: Worker;
  readonly #evaluation: Evaluation;
  #chain: Promise<void>;
  #count = 0;
  /** Cells up to this one are not run: one before them failed. */
  #abortedUntil = 0;
  /** Of the cell that runs, or ran last. */
  #output: CellOutput | null = null;
  #waits = 0;
  readonly interrupts: Interrupts;
  readonly #strays: Strays;
  readonly #questions = new Questions((content, request) => this.#send('front', 'input_request', content, request));

  constructor(
    courier: Worker,
    state: Int32Array,
    /** What the first cell is to say. */
    private first: string | null,
  ) {
    this.#courier = courier;
    this.#state = state;
    courier.on('message', (message: Incoming) => this.#take(message));
    this.#evaluation = new Evaluation(state);
    this.interrupts = this.#evaluation.interrupts;
    this.#strays = new Strays(this.#evaluation.compiler.cells);
    captureStreams(() => this.#output);
    captureChildren(
      () => this.#cell(),
      call => this.#waiting(call),
    );
    setNotebook({
      display: (message, update) => this.#cell()?.display(message, update),
      vanish: id => this.#cell()?.vanish(id),
      clear: wait => this.#cell()?.clear(wait === true),
      ask: (prompt, hidden) => this.#questions.ask(this.#cell(), plain(prompt).text, hidden === true),
      until: done => this.#cell()?.until(done),
    });
    setCellSignal(() => current.getStore()?.signal);
    endIntervalsWithCells();
    endWorkersWithCells();
    hideResources();
    hideAdded();
    (globalThis as Record<string, unknown>)[CHECK] = () => this.interrupts.check();
    this.#evaluation.keepFoundations();
    this.#chain = this.#evaluation.loadLab().catch(defect);
  }

  #cell(): CellOutput | null {
    return current.getStore() ?? this.#output;
  }

  #send(to: Outgoing['to'], type: string, content: unknown, parent: Request | null): void {
    this.#courier.postMessage({ to, type, content: jsonText(content), parent } satisfies Outgoing);
  }

  #take(message: Incoming): void {
    this.#evaluation.mend(false); // a cell that waits may have broken what answers
    if (message.kind === 'interrupt') this.interrupts.heard(message.number);
    else if (message.kind === 'shutdown') exit(0);
    else if (message.kind === 'input') this.#questions.answer(message.value);
    else if (message.kind === 'request') this.#request(message);
  }

  #request({ request, arrived, interrupts }: Arrival): void {
    const { content } = request;
    const { compiler, runner } = this.#evaluation;
    const verdict = () => (arrived > this.#abortedUntil ? this.interrupts.verdict(interrupts) : 'aborted');
    const code = () => textIn(content, 'code');
    const cursor = () => cursorIn(content);
    switch (request.header.msg_type) {
      case 'execute_request':
        this.#chain = this.#chain.then(() => this.#execute(request, verdict())).catch(defect);
        return;
      case 'complete_request':
        this.#reply(request, 'complete_reply', () => complete(compiler, runner.locals, code(), cursor()));
        return;
      case 'inspect_request':
        this.#reply(request, 'inspect_reply', () => inspect(compiler, runner.locals, code(), cursor()));
        return;
      case 'is_complete_request':
        this.#reply(request, 'is_complete_reply', () => completeness(code()));
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
      this.#send('sender', type, { status: 'error', ...failureOf(error, OUTSIDE) }, request);
    }
    this.#send('everyone', 'status', { execution_state: 'idle' }, request);
  }

  /** Whatever happens, a front end gets its reply, and hears that the kernel is idle. */
  async #execute(request: Request, verdict: 'runs' | 'stopped' | 'aborted'): Promise<void> {
    const everyone = (type: string, body: unknown) => this.#send('everyone', type, body, request);
    const output = new CellOutput(request.content.silent === true ? () => {} : everyone);
    everyone('status', { execution_state: 'busy' });
    try {
      const body =
        verdict === 'aborted'
          ? { status: 'aborted' }
          : await this.#turn(request, output, everyone, verdict === 'stopped');
      this.#send('sender', 'execute_reply', { execution_count: this.#count, ...body }, request);
    } catch (error) {
      defect(error);
      const failure = failureOf(error, OUTSIDE);
      everyone('error', failure);
      this.#send('sender', 'execute_reply', { status: 'error', execution_count: this.#count, ...failure }, request);
    } finally {
      this.#questions.end(output);
      everyone('status', { execution_state: 'idle' });
    }
  }

  /**
   * @param stopped before it began
   * @returns the reply
   */
  async #turn(
    request: Request,
    output: CellOutput,
    everyone: (type: string, body: unknown) => void,
    stopped: boolean,
  ): Promise<object> {
    const { content } = request;
    const silent = content.silent === true;
    const kept = !silent && content.store_history !== false;
    const code = textIn(content, 'code');
    if (!silent) this.#count += 1;
    const execution_count = this.#count;
    if (!silent) everyone('execute_input', { code, execution_count });
    this.#output = output;
    if (this.first !== null && !silent) {
      output.write('stderr', `${this.first}\n`);
      this.first = null;
    }
    if (content.allow_stdin === true) this.#questions.open(output, request);
    const name = silent ? null : `cell-${execution_count}`;
    const outcome = await this.#evaluation.run(name, code, output, stopped);
    if (!outcome.ok) {
      const { failure } = outcome;
      output.end();
      if (!silent) everyone('error', failure);
      if (kept) this.#history.add(execution_count, code);
      if (content.stop_on_error !== false) this.#abortedUntil = Atomics.load(this.#state, ARRIVED);
      return { status: 'error', ...failure };
    }
    const shown = silent ? null : outcome.shown;
    if (shown) {
      output.send('execute_result', { execution_count, data: shown.data, metadata: {} });
      if (shown.notes.length > 0) output.write('stderr', `${shown.notes.join('\n')}\n`);
    }
    const user_expressions = await this.#expressions(content.user_expressions, output);
    output.end();
    if (kept) this.#history.add(execution_count, code, shown?.data['text/plain']);
    return { status: 'ok', payload: [], user_expressions };
  }

  /** What a front end wants to know after a cell, each by its name. */
  async #expressions(wanted: unknown, output: CellOutput): Promise<Record<string, unknown>> {
    const found: [string, unknown][] = [];
    for (const [name, code] of typeof wanted === 'object' && wanted ? Object.entries(wanted) : []) {
      const source = attempt(() => textIn({ [name]: code }, name));
      if (source === undefined) {
        found.push([name, { status: 'error', ...failureOf(new LoupeError('An expression is text.'), OUTSIDE) }]);
        continue;
      }
      const outcome = await this.#evaluation.run(null, source, output);
      if (outcome.ok) found.push([name, { status: 'ok', data: outcome.shown?.data ?? {}, metadata: {} }]);
      else found.push([name, { status: 'error', ...outcome.failure }]);
    }
    return Object.fromEntries(found);
  }

  /** A call that waits for a child process, which Stop ends. */
  #waiting<T>(call: () => T): T {
    const cleans = current.getStore()?.stopped === true;
    this.#send('courier', 'children', children(), null);
    Atomics.store(this.#state, WAITING, ++this.#waits);
    try {
      return call();
    } finally {
      Atomics.store(this.#state, WAITING, 0);
      if (!cleans) this.interrupts.check();
    }
  }

  /** An error that nobody caught. */
  stray(what: string, error: unknown): void {
    const output = this.#cell();
    if (output) current.run(output, () => this.#strays.tell(output, what, error)); // whose getters it may have to stop
  }
}

/** For what fails outside of cells. */
const OUTSIDE = { problems: [], cells: new Map() };

/** To Jupyter's log: process.stderr is the cells', and so is descriptor 2 once the kernel runs. */
const toLog = writeSync;
function defect(error: unknown): void {
  toLog(
    2,
    `Loupe kernel: ${attempt(() => error instanceof LoupeError) ? (error as LoupeError).message : plain(error).text}\n`,
  );
}

/** Node's own, through what Node's own calls in turn: cells are refused both (lifeline.ts). */
const leaving = process as NodeJS.Process & { reallyExit: unknown };
const { exit: exitProcess, reallyExit } = leaving;
function exit(code: number): never {
  leaving.reallyExit = reallyExit;
  return exitProcess.call(leaving, code);
}

function start(connectionFile: string | undefined): void {
  const connection = readConnection(connectionFile);
  const shared = new SharedArrayBuffer(32);
  const { mark, told } = predecessor(connectionFile!);
  const data: CourierData = { connection, info: kernelInfo(), shared, mark };
  const courier = new Worker(new URL('./courier.js', import.meta.url), { workerData: data, stdout: false });
  courier.on('error', error => {
    defect(error);
    exit(1);
  });
  let kernel: Kernel | null = null;
  process.on('SIGINT', () => kernel?.interrupts.signalled()); // first of all: a signal that nobody hears ends the process
  holdOn((what, error) => kernel?.stray(what, error));
  kernel = new Kernel(courier, new Int32Array(shared), told);
}

try {
  start(process.argv[2]);
} catch (error) {
  defect(error);
  exit(error instanceof LoupeError ? 2 : 1);
}
