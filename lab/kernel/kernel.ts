// The notebook kernel: tslab compiles and runs the cells, this file speaks to Jupyter where tslab's own server does not: the value
// of the last expression as execute_result with all its forms, errors as `error`, and an interrupt that stops what the lab runs.
//
//   node dist/lab/kernel/kernel.js CONNECTION_FILE

import { createRequire } from 'node:module';
import { setTimeout } from 'node:timers/promises';
import { format } from 'node:util';
import { Interrupted, LoupeError } from '../../engine/errors.js';
import { packageRoot } from '../../engine/files.js';
import { bundleOf } from '../display/show.js';
import { fireInterrupt } from '../interrupt.js';
import { setDisplaySender } from './mime.js';
import {
  createConverter,
  createExecutor,
  type Executor,
  JupyterHandlerImpl,
  type Message,
  type Socket,
  ZmqServer,
} from './tslab.js';

/** What the running cell has produced besides its streams. */
interface Cell {
  value: { readonly shown: unknown } | null;
  readonly diagnostics: string[];
  error: unknown;
}

/** What tslab rejects a cell with when it is interrupted. */
const TSLAB_INTERRUPT = 'Interrupted asynchronously';
const AWAITED_LOOP = /(^|[\s;{])for\s+await\b/;

class Server extends ZmqServer {
  cell: Cell = { value: null, diagnostics: [], error: null };
  #chain: Promise<void> = Promise.resolve();
  #epoch = 0;

  override handleKernelInfo(socket: Socket, message: Message): void {
    this.#reply(socket, message, 'kernel_info_reply', { status: 'ok', ...this.handler.handleKernel() });
  }

  override handleCommInfoRequest(socket: Socket, message: Message): void {
    this.#reply(socket, message, 'comm_info_reply', { status: 'ok', comms: {} });
  }

  /** A generation that still runs must not keep the process: Jupyter kills only after ten seconds. */
  override handleShutdown(socket: Socket, message: Message): void {
    fireInterrupt();
    this.#reply(socket, message, 'shutdown_reply', { status: 'ok', restart: message.content.restart === true });
    void setTimeout(200).then(() => process.exit(0));
  }

  /** Cells run one after the other. When one fails, those that were already waiting are aborted, and no later one is. */
  override handleExecute(socket: Socket, message: Message): Promise<void> {
    const epoch = this.#epoch;
    const turn = this.#chain.then(() =>
      epoch === this.#epoch
        ? this.#execute(socket, message)
        : this.#reply(socket, message, 'execute_reply', { status: 'aborted' }),
    );
    this.#chain = turn.catch(() => {});
    return turn;
  }

  async #execute(socket: Socket, message: Message): Promise<void> {
    const cell: Cell = { value: null, diagnostics: [], error: null };
    this.cell = cell;
    const code = String(message.content.code);
    const count = this.handler.execCount + 1;
    this.publish(message, 'execute_input', { code, execution_count: count });
    setDisplaySender((content, update) =>
      this.publish(message, update ? 'update_display_data' : 'display_data', content),
    );
    // tslab makes a cell async only when it sees a plain await.
    const content = AWAITED_LOOP.test(code)
      ? { ...message.content, code: `await undefined; ${code}` }
      : message.content;
    try {
      await this.handler.handleExecuteImpl(
        content,
        (name, text) => this.publish(message, 'stream', { name, text }),
        (data, update) => this.publish(message, update ? 'update_display_data' : 'display_data', data),
      );
    } catch {
      // tslab throws its execution count when a cell fails; what failed it has told the executor's console.
      const error = describe(cell);
      this.publish(message, 'error', error);
      await setTimeout(50); // cells sent with this one may still lie in the socket
      if (message.content.stop_on_error !== false) this.#epoch += 1;
      this.#reply(socket, message, 'execute_reply', { status: 'error', execution_count: count, ...error });
      return;
    }
    if (cell.value && message.content.silent !== true) {
      const data = bundleOf(cell.value.shown);
      this.publish(message, 'execute_result', { execution_count: count, data, metadata: {} });
    }
    this.#reply(socket, message, 'execute_reply', {
      status: 'ok',
      execution_count: count,
      payload: [],
      user_expressions: {},
    });
  }

  publish(parent: Message, type: string, content: unknown): void {
    const reply = parent.createReply();
    reply.header.msg_type = type;
    reply.content = content as Message['content'];
    reply.signAndSend(this.connInfo.key, this.iopub);
  }

  #reply(socket: Socket, parent: Message, type: string, content: unknown): void {
    const reply = parent.createReply();
    reply.header.msg_type = type;
    reply.content = content as Message['content'];
    reply.signAndSend(this.connInfo.key, socket);
  }
}

/** Name, value and traceback of what ended a cell. A user's own mistake has no stack to read. */
function describe({ diagnostics, error }: Cell): { ename: string; evalue: string; traceback: string[] } {
  if (diagnostics.length > 0)
    return { ename: 'TypeScriptError', evalue: diagnostics.join('\n'), traceback: diagnostics };
  if (error instanceof Interrupted || (error instanceof Error && error.message === TSLAB_INTERRUPT)) {
    const evalue = 'The cell was stopped. The session and the variables of earlier cells are still there.';
    return { ename: 'Interrupted', evalue, traceback: [`Interrupted: ${evalue}`] };
  }
  if (error instanceof LoupeError)
    return { ename: error.name, evalue: error.message, traceback: [`${error.name}: ${error.message}`] };
  if (error instanceof Error) {
    const stack = (error.stack ?? String(error)).split('\n').filter(line => !/node_modules|node:internal/.test(line));
    return { ename: error.name, evalue: error.message, traceback: stack };
  }
  return { ename: 'Error', evalue: String(error), traceback: [`Thrown: ${format(error)}`] };
}

/** Where cells import from: the notebook's folder if the lab can be found from there, else the package itself. */
function moduleRoot(): string {
  try {
    createRequire(`${process.cwd()}/cell.js`).resolve('gemma-loupe/package.json');
    return process.cwd();
  } catch {
    return packageRoot();
  }
}

function start(connectionFile: string): void {
  const folder = process.cwd();
  const root = moduleRoot();
  process.chdir(root); // tslab's compiler looks for types from the working folder of its birth
  const node = createConverter({ isJS: false, isBrowser: false });
  process.chdir(folder);
  const converters = { node, browser: node, close: () => node.close() };
  let server: Server | null = null;
  const executor: Executor = createExecutor(root, converters, {
    log: value => {
      if (server) server.cell.value = { shown: value };
    },
    error: (...values) => {
      if (!server) return;
      // A diagnostic comes as a format string with its place; anything thrown comes alone.
      if (values.length > 1 && typeof values[0] === 'string') server.cell.diagnostics.push(format(...values));
      else server.cell.error = values[0];
    },
  });
  server = new Server(new JupyterHandlerImpl(executor, false), connectionFile);
  process.on('SIGINT', () => {
    fireInterrupt();
    executor.interrupt();
  });
  process.on('uncaughtException', error => console.error('Uncaught:', error));
  process.on('unhandledRejection', reason => console.error('Unhandled rejection:', reason));
  server.init();
}

start(process.argv[2]);
