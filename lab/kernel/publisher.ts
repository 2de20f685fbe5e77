// The socket that everyone listens to. ZeroMQ by itself lets a listener hear whatever is sent from the moment it asks, so that something may come
// before its welcome; here it hears nothing until it is welcomed.
//
// A subscription can be taken up only while it is the last thing that was read and nothing else was done with the socket since: another listener that
// goes meanwhile would take it along, in silence. So what is asked is read where the messages are sent, between two of them, and never waited for.

import * as zmq from 'zeromq';

/** Options of libzmq that the package does not name. */
const [SUBSCRIBE, UNSUBSCRIBE] = [6, 7];
/** How often it is looked whether somebody asks while nothing is sent, in ms. */
const OFTEN = 20;

export class Publisher extends zmq.XPublisher {
  #last: Promise<void> = Promise.resolve();
  readonly #timer: NodeJS.Timeout;
  readonly #welcome: (topic: Buffer) => Uint8Array[];

  /** @param welcome frames of the message that tells a listener that it hears a topic from now on */
  constructor(
    options: { readonly sendHighWaterMark: number; readonly linger: number },
    welcome: (topic: Buffer) => Uint8Array[],
  ) {
    super({ ...options, maxMessageSize: 1024, manual: true, sendTimeout: 0, receiveTimeout: 0 });
    this.#welcome = welcome;
    this.#timer = setInterval(() => {
      if (!this.closed && this.readable) this.#next(async () => {});
    }, OFTEN);
  }

  /** Sends one message after the other, each once those who asked before it are welcomed. */
  say(frames: Uint8Array[]): void {
    this.#next(() => this.send(frames));
  }

  override close(): void {
    clearInterval(this.#timer);
    super.close();
  }

  #next(send: () => Promise<void>): void {
    const both = async () => {
      while (this.readable) await this.#admit((await this.receive())[0]);
      await send();
    };
    this.#last = this.#last.then(both).catch(() => {}); // it was closed
  }

  /** @param asked 1 and a topic, or 0 and one that nobody listens to any longer */
  async #admit(asked: Buffer): Promise<void> {
    const topic = asked.subarray(1);
    if (asked[0] === 0) this.setStringOption(UNSUBSCRIBE, topic);
    if (asked[0] !== 1) return;
    this.setStringOption(SUBSCRIBE, topic);
    await this.send(this.#welcome(topic));
  }
}
