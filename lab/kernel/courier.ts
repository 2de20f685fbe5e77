// The kernel's sockets, in a thread of their own: a cell that never lets go of the main thread still has a heartbeat, and can be
// interrupted and shut down. Requests are checked and parsed here; those about cells go on to the main thread (kernel.ts).

import { rm, writeSync } from 'node:fs';
import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import * as zmq from 'zeromq';
import { visible } from '../../engine/printable.js';
import { briefly, cut } from '../values/plain.js';
import { BREAKABLE } from './breakable.js';
import type { Connection } from './connection.js';
import { endChildren } from './descendants.js';
import { Publisher } from './publisher.js';
import { type Header, jsonText, MOST_BYTES, type Request, sentAt, Wire, WireError } from './wire.js';

/** What the main thread sends here: a message for everyone (iopub), or the reply to a request. */
export interface Outgoing {
  readonly to: 'everyone' | 'sender' | 'front' | 'courier';
  readonly type: string;
  /** JSON */
  readonly content: string;
  readonly parent: Request | null;
}

export interface Arrival {
  readonly kind: 'request';
  readonly request: Request;
  /** Its number among all that came. */
  readonly arrived: number;
  /** How many interrupts had come before it. */
  readonly interrupts: number;
}

/** What the main thread gets. */
export type Incoming =
  | Arrival
  | { readonly kind: 'input'; readonly value: string }
  | { readonly kind: 'interrupt'; readonly number: number }
  | { readonly kind: 'shutdown' | 'ready' };

export interface CourierData {
  readonly connection: Connection;
  readonly info: Readonly<Record<string, unknown>>;
  /** Int32: see STOP, INTERRUPTS, SIGNALLED, ANSWERED, WAITING and ARRIVED. */
  readonly shared: SharedArrayBuffer;
  /** The file that says this kernel runs; a kernel that was shut down has none. */
  readonly mark: string;
}

/** The slot of `shared` that loops look at: 0, or one of the two below. */
export const STOP = 0;
/** The cell that runs is to be stopped, and the main thread does not know it yet. */
export const STOP_NOW = 2;
/** Some cell was stopped: who goes round asks whether it was his. */
export const STOPPED_ONE = 1;

/** The slot that counts interrupt_requests. */
export const INTERRUPTS = 1;
/** 1 from when a signal is sent for one of them until it arrives: it may come after another way has done its work. */
export const SIGNALLED = 2;
/** How many of them the main thread has acted on. */
export const ANSWERED = 3;
/** The number of the call in which the main thread waits for a child process; 0 where it does not. */
export const WAITING = 5;
/** How many requests have come for the main thread: a clock is too coarse to tell which came before a cell failed. */
export const ARRIVED = 6;

/** What the main thread answers. */
const FORWARDED = ['execute', 'complete', 'inspect', 'is_complete', 'history'];

/** ms that a message has, and then the flag. */
const TO_BE_HEARD = 150;
/** ms that a child process has to end after it was asked. */
const TO_END = 1000;
/** ms after a shutdown_request. */
const TO_REPLY = 50;
const TO_KILL = 1500;

if (parentPort) void run(parentPort, workerData as CourierData);

async function run(main: MessagePort, { connection, info, shared, mark }: CourierData): Promise<void> {
  const state = new Int32Array(shared);
  const wire = new Wire(connection.key);
  const outgoing = { sendHighWaterMark: 0, linger: 300 }; // a full queue would drop messages
  // ZeroMQ reads a frame into memory before anyone can look at its signature. Somewhat too large is answered, far too large is cut off.
  const incoming = { maxMessageSize: 4 * MOST_BYTES };
  // Tells a front end that it hears everything from now on (JEP 65).
  const welcome = (topic: Buffer) =>
    wire.frames('iopub_welcome', jsonText({ subscription: topic.toString() }), null, topic);
  const iopub = new Publisher(outgoing, welcome);
  // A front end that comes back under its name is heard, although the connection it had may not have ended yet.
  const named = { ...outgoing, ...incoming, handover: true };
  const shell = new zmq.Router(named);
  const control = new zmq.Router(named);
  const stdin = new zmq.Router(named);
  const heartbeat = new zmq.Reply({ maxMessageSize: 65_536, linger: 0 });
  const at = (port: number) => `${connection.transport}://${connection.ip}:${port}`;
  await Promise.all([
    iopub.bind(at(connection.iopub_port)),
    shell.bind(at(connection.shell_port)),
    control.bind(at(connection.control_port)),
    stdin.bind(at(connection.stdin_port)),
    heartbeat.bind(at(connection.hb_port)),
  ]);

  const queues = new Map([shell, control, stdin].map(socket => [socket, inOrder()]));
  const send = (socket: zmq.Router, type: string, content: string, parent: Request | null) => {
    const frames = wire.frames(type, content, parent);
    queues.get(socket)!(() => socket.send(frames));
  };
  const everyone = (type: string, content: unknown, parent: Request | null) =>
    iopub.say(wire.frames(type, typeof content === 'string' ? content : jsonText(content), parent, Buffer.from(type)));

  /** Children that the cell does not wait for. */
  let spared: ReadonlySet<number> = new Set();
  let cell: Request | null = null;
  const status = (execution_state: string, parent: Request | null) => {
    everyone('status', { execution_state }, parent);
    // A front end shows the last state it heard of; that of a completion must not hide a running cell's.
    if (execution_state === 'idle' && cell && cell !== parent) everyone('status', { execution_state: 'busy' }, cell);
  };
  const answer = (socket: zmq.Router, request: Request, type: string, content: unknown) => {
    status('busy', request);
    send(socket, type, jsonText(content), request);
    status('idle', request);
  };

  // Maps: a message may be called `constructor`.
  const onControl = new Map<string, (request: Request) => void>([
    ['kernel_info_request', request => answer(control, request, 'kernel_info_reply', info)],
    [
      'interrupt_request',
      request => {
        interrupt(main, state, () => spared);
        stopped = request.header;
        answer(control, request, 'interrupt_reply', { status: 'ok' });
      },
    ],
    ['shutdown_request', request => shutdown(control, request)],
  ]);
  const shutdown = (socket: zmq.Router, request: Request) => {
    const restart = request.content.restart === true;
    rm(mark, () => {});
    answer(socket, request, 'shutdown_reply', { status: 'ok', restart });
    everyone('shutdown_reply', { status: 'ok', restart }, request);
    setTimeout(async () => {
      for (const socket of [iopub, shell, control, stdin, heartbeat]) socket.close();
      await Promise.allSettled(loops); // what ZeroMQ still does when the thread ends aborts the process
      main.postMessage({ kind: 'shutdown' } satisfies Incoming);
    }, TO_REPLY);
    setTimeout(() => process.kill(process.pid, 'SIGKILL'), TO_KILL);
  };
  /** Widgets are not spoken: who opens a line hears that nobody is there. */
  const hangUp = (request: Request) => {
    status('busy', request);
    const { comm_id } = request.content;
    if (request.header.msg_type === 'comm_open') everyone('comm_close', { comm_id, data: {} }, request);
    status('idle', request);
  };
  // The two come by sockets of their own: a cell that was sent before Stop was pressed may be read after it.
  let stopped: Header | null = null;
  const overtaken = (header: Header) => header.session === stopped?.session && sentAt(header) < sentAt(stopped);
  const forward = (request: Request) => {
    const interrupts = Atomics.load(state, INTERRUPTS) - Number(overtaken(request.header));
    const arrived = Atomics.add(state, ARRIVED, 1) + 1;
    main.postMessage({ kind: 'request', request, arrived, interrupts } satisfies Incoming);
  };
  const onShell = new Map<string, (request: Request) => void>([
    ['kernel_info_request', request => answer(shell, request, 'kernel_info_reply', info)],
    ['comm_info_request', request => answer(shell, request, 'comm_info_reply', { status: 'ok', comms: {} })],
    ['shutdown_request', request => shutdown(shell, request)], // older front ends
    ...['comm_open', 'comm_msg', 'comm_close'].map(type => [type, hangUp] as const),
    ...FORWARDED.map(type => [`${type}_request`, forward] as const),
  ]);

  const loops: Promise<void>[] = [];
  const endless = (loop: () => Promise<void>) => void loops.push(loop());
  const taken = (takers: ReadonlyMap<string, (request: Request) => void>) => (request: Request) => {
    const take = takers.get(request.header.msg_type);
    if (!take) throw new WireError(`a message called '${cut(visible(request.header.msg_type), 80).text}'`);
    take(request);
  };
  const refused = (socket: zmq.Router) => (request: Request, why: string) => {
    const [, asked] = /^(\w{1,40})_request$/.exec(request.header.msg_type) ?? [];
    if (!asked) return;
    const evalue = `The kernel refused ${why}.`;
    const failure = { ename: 'WireError', evalue, traceback: [evalue] };
    status('busy', request);
    if (asked === 'execute') everyone('error', failure, request);
    send(socket, `${asked}_reply`, jsonText({ status: 'error', execution_count: 0, ...failure }), request);
    status('idle', request);
  };
  endless(() => receive(control, wire, taken(onControl), refused(control)));
  endless(() => receive(shell, wire, taken(onShell), refused(shell)));
  endless(() =>
    receive(stdin, wire, ({ content, header }) => {
      if (header.msg_type !== 'input_reply') return;
      const value = typeof content.value === 'string' ? content.value : '';
      main.postMessage({ kind: 'input', value } satisfies Incoming);
    }),
  );
  endless(async () => {
    for await (const frames of heartbeat) await heartbeat.send(frames).catch(() => {}); // who asked may have gone
  });

  main.on('message', ({ to, type, content, parent }: Outgoing) => {
    if (to === 'sender') send(shell, type, content, parent);
    else if (to === 'front') send(stdin, type, content, parent);
    else if (to === 'courier') spared = new Set(JSON.parse(content) as number[]);
    else if (type === 'status') {
      const { execution_state } = JSON.parse(content) as { execution_state: string };
      if (parent?.header.msg_type === 'execute_request') cell = execution_state === 'busy' ? parent : null;
      status(execution_state, parent);
    } else everyone(type, content, parent);
  });
  everyone('status', { execution_state: 'starting' }, null);
  watchParent();
  main.postMessage({ kind: 'ready' } satisfies Incoming);
}

/** Sends one after the other: a ZeroMQ socket takes one message at a time. */
function inOrder(): (send: () => Promise<void>) => void {
  let last: Promise<void> = Promise.resolve();
  return send => {
    last = last.then(send).catch(() => {}); // a front end that has gone
  };
}

/** Takes messages for ever: one that cannot be taken is refused, and the next one is looked at. */
async function receive(
  socket: zmq.Router,
  wire: Wire,
  take: (request: Request) => void,
  refuse: (request: Request, why: string) => void = () => {},
): Promise<void> {
  for await (const frames of socket) {
    try {
      take(wire.parse(frames));
    } catch (error) {
      const why = error instanceof WireError ? error.message : `a message, because of ${briefly(error)}`;
      writeSync(2, `Loupe kernel: refused ${why}.\n`); // this thread's process.stderr ends in a cell
      if (error instanceof WireError && error.request) refuse(error.request, why);
    }
  }
}

/**
 * A message first: it wakes what waits. Where the event loop gets no turn, the flag, which ends the loops of cells, and an end to the child
 * that is waited for; and at last a signal, which ends synchronous code of libraries. Not all at once, and the signal last: on a busy machine
 * it comes late, and would break off the next cell.
 */
function interrupt(main: MessagePort, state: Int32Array, spared: () => ReadonlySet<number>): void {
  const number = Atomics.add(state, INTERRUPTS, 1) + 1;
  const heard = () => Atomics.load(state, ANSWERED) >= number;
  main.postMessage({ kind: 'interrupt', number } satisfies Incoming);
  setTimeout(() => {
    if (heard()) return;
    Atomics.store(state, STOP, STOP_NOW);
    const call = Atomics.load(state, WAITING);
    if (call === 0) return;
    endChildren(spared(), 'SIGTERM');
    setTimeout(() => {
      if (Atomics.load(state, WAITING) === call) endChildren(spared(), 'SIGKILL');
    }, TO_END);
  }, TO_BE_HEARD);
  const signal = () => {
    if (heard() || process.platform === 'win32') return;
    // The cell goes on when its child has ended, and looks at the flag.
    if (Atomics.load(state, WAITING) !== 0) setTimeout(signal, 2 * TO_BE_HEARD);
    // Only where Node is ready for it: elsewhere it would end the process.
    else if (Atomics.compareExchange(state, BREAKABLE, 1, 2) === 1) {
      Atomics.store(state, SIGNALLED, 1);
      process.kill(process.pid, 'SIGINT');
    }
  };
  setTimeout(signal, 2 * TO_BE_HEARD);
}

/** A Jupyter that was killed cannot shut its kernels down. */
function watchParent(): void {
  const parent = process.ppid;
  if (!process.env.JPY_PARENT_PID || parent <= 1 || process.platform === 'win32') return;
  setInterval(() => {
    if (process.ppid !== parent) process.kill(process.pid, 'SIGTERM');
  }, 1000).unref();
}
