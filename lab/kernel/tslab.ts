// The parts of tslab 1.0 that the kernel is made of, with the types they lack. tslab is CommonJS and has no public door to them.

import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);

export interface Message {
  header: { msg_type: string };
  content: Record<string, unknown>;
  createReply(): Message;
  signAndSend(key: string, socket: Socket): void;
}

export type Socket = { readonly socket: unique symbol };

export interface Handler {
  readonly execCount: number;
  handleKernel(): Record<string, unknown>;
  /** Runs a cell; throws the execution count when it fails. */
  handleExecuteImpl(
    content: Record<string, unknown>,
    stream: (name: string, text: string) => void,
    display: (data: unknown, update: boolean) => void,
  ): Promise<unknown>;
}

export interface Converter {
  close(): void;
}

export interface Executor {
  interrupt(): void;
  close(): void;
}

interface ServerInstance {
  handler: Handler;
  connInfo: { key: string };
  iopub: Socket;
  init(): void;
  handleKernelInfo(socket: Socket, message: Message): void;
  handleCommInfoRequest(socket: Socket, message: Message): void;
  handleShutdown(socket: Socket, message: Message): void;
  handleExecute(socket: Socket, message: Message): Promise<void>;
}

const converter = require('tslab/dist/converter.js') as {
  createConverter(o: { isJS: boolean; isBrowser: boolean }): Converter;
};
const executor = require('tslab/dist/executor.js') as {
  createExecutor(
    root: string,
    converters: { node: Converter; browser: Converter; close(): void },
    console: { log(value: unknown): void; error(...values: unknown[]): void },
  ): Executor;
};
const jupyter = require('tslab/dist/jupyter.js') as {
  JupyterHandlerImpl: new (executor: Executor, isJS: boolean) => Handler;
  ZmqServer: new (handler: Handler, connectionFile: string) => ServerInstance;
};

export const { createConverter } = converter;
export const { createExecutor } = executor;
export const { JupyterHandlerImpl, ZmqServer } = jupyter;
