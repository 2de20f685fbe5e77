// The notebook kernel. Cells are compiled and run by tslab (compile.ts, tslab.ts) here, in the main thread; the sockets live in a
// thread of their own (courier.ts), so that a busy cell can be stopped.
//
//   node dist/lab/kernel/kernel.js CONNECTION_FILE

import { writeSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import { Interrupted, LoupeError } from '../../engine/errors.js';
import { attempt, plain } from '../display/plain.js';
import { isDisplay, type Presented, present } from '../display/show.js';
import { restGenerations } from '../generation.js';
import { setCellSignal } from '../interrupt.js';
import { complete, inspect } from './assist.js';
import { CellCompiler } from './compile.js';
import { completeness } from './completeness.js';
import { readConnection } from './connection.js';
import { captureChildren } from './children.js';
import { cursorIn, textIn } from './content.js';
import { type Arrival, type CourierData, type Incoming, type Outgoing, WAITING } from './courier.js';
import { children } from './descendants.js';
import { failureOf } from './failure.js';
import { History } from './history.js';
import { kernelInfo } from './identity.js';
import { Interrupts } from './interrupts.js';
import { holdOn, listenAgain } from './lifeline.js';
import { setNotebook } from './mime.js';
import { Modules } from './modules.js';
import { CellOutput, captureStreams, current } from './output.js';
import { predecessor } from './predecessor.js';
import { Questions } from './questions.js';
import { hideResources } from './resources.js';
import { CellRunner } from './scope.js';
import { writeStacks } from './stacks.js';
import { CHECK } from './stoppable.js';
import { Strays } from './strays.js';
import { endIntervalsWithCells } from './timers.js';
import { jsonText, type Request } from './wire.js';

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
  /** Of the cell that runs, or ran last. */
  #output: CellOutput | null = null;
  /** What the value of the cell that ran last shows. */
  #presented: Presented | null = null;
  #thrown: unknown;
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
    this.#compiler = new CellCompiler(process.cwd());
    this.#runner = new CellRunner(
      this.#compiler,
      new Modules(process.cwd(), file => this.#compiler.remember(file)),
      state,
    );
    this.interrupts = new Interrupts(state, () => this.#runner.interrupt());
    this.#strays = new Strays(this.#compiler.cells);
    writeStacks(this.#compiler.cells);
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
    hideResources();
    (globalThis as Record<string, unknown>)[CHECK] = () => this.interrupts.check();
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
    this.#courier.postMessage({ to, type, content: jsonText(content), parent } satisfies Outgoing);
  }

  #take(message: Incoming): void {
    if (message.kind === 'interrupt') this.interrupts.heard(message.number);
    else if (message.kind === 'shutdown') exit(0);
    else if (message.kind === 'input') this.#questions.answer(message.value);
    else if (message.kind === 'request') this.#request(message);
  }

  #request({ request, arrived, interrupts }: Arrival): void {
    const { content } = request;
    const verdict = () => (arrived > this.#abortedUntil ? this.interrupts.verdict(interrupts) : 'aborted');
    const code = () => textIn(content, 'code');
    const cursor = () => cursorIn(content);
    switch (request.header.msg_type) {
      case 'execute_request':
        this.#chain = this.#chain.then(() => this.#execute(request, verdict())).catch(defect);
        return;
      case 'complete_request':
        this.#reply(request, 'complete_reply', () => complete(this.#compiler, this.#runner.locals, code(), cursor()));
        return;
      case 'inspect_request':
        this.#reply(request, 'inspect_reply', () => inspect(this.#compiler, this.#runner.locals, code(), cursor()));
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
    const ok = await this.#run(silent ? `silent-${++this.#silent}` : `cell-${execution_count}`, code, output, stopped);
    if (!ok) {
      const failure = failureOf(this.#thrown, this.#compiler);
      output.end();
      if (!silent) everyone('error', failure);
      if (kept) this.#history.add(execution_count, code);
      if (content.stop_on_error !== false) this.#abortedUntil = Date.now();
      return { status: 'error', ...failure };
    }
    const shown = silent ? null : this.#presented;
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
      const ok = source !== undefined && (await this.#run(`silent-${++this.#silent}`, source, output));
      if (ok) found.push([name, { status: 'ok', data: this.#presented?.data ?? {}, metadata: {} }]);
      else if (source !== undefined)
        found.push([name, { status: 'error', ...failureOf(this.#thrown, this.#compiler) }]);
      else found.push([name, { status: 'error', ...failureOf(new LoupeError('An expression is text.'), OUTSIDE) }]);
    }
    return Object.fromEntries(found);
  }

  /** @returns whether it came to its end, and its value can be shown. */
  async #run(name: string, code: string, output: CellOutput, stopped = false): Promise<boolean> {
    this.#compiler.begin(name);
    this.#presented = null;
    this.#thrown = undefined;
    try {
      if (stopped) throw new Interrupted();
      return await this.interrupts.running(output, () => this.#evaluate(code, output));
    } catch (error) {
      this.#thrown = error;
      return false;
    } finally {
      restGenerations();
      listenAgain();
    }
  }

  /** Showing a value is part of the cell: it may take its time, never end, and be stopped. */
  async #evaluate(code: string, output: CellOutput): Promise<boolean> {
    const ran = await this.#runner.run(code);
    if (!ran) return false;
    const { value } = ran;
    if (value !== undefined && !isDisplay(value)) this.#presented = await present(value);
    await output.settled();
    return true;
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
    this.#strays.tell(this.#cell(), what, error);
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

const exit = process.exit.bind(process);

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
