// The socket that everyone listens to. ZeroMQ itself would let a listener hear whatever is sent from the moment it asks, so something could come
// before its welcome; here it hears nothing until it is welcomed.

import * as zmq from 'zeromq';

/** Options of libzmq that the package does not name. */
const [SUBSCRIBE, UNSUBSCRIBE] = [6, 7];

/** An XPUB socket whose subscriptions begin when {@link admit} is called: at once after the message that asks was received, as it is that listener's. */
export class Publisher extends zmq.XPublisher {
  constructor(options: { readonly sendHighWaterMark: number; readonly linger: number }) {
    super({ ...options, maxMessageSize: 1024, manual: true });
  }

  /**
   * @param asked what {@link receive} gave: 1 and a topic, or 0 and one that is no longer listened to
   * @returns the topic, where it was asked for
   */
  admit(asked: Buffer): Buffer | null {
    const topic = asked.subarray(1);
    if (asked[0] !== 0 && asked[0] !== 1) return null;
    this.setStringOption(asked[0] === 1 ? SUBSCRIBE : UNSUBSCRIBE, topic);
    return asked[0] === 1 ? topic : null;
  }
}
