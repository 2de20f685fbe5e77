// What goes wrong on a device, and who is told: the call that the GPU refuses, whoever waits for work that makes no end, and, of a device that is
// gone or of an error that nobody expected, whoever looks next.

import { DeviceError } from './errors.js';

/** The faults of one device. */
export class Faults {
  /** The device is gone for good. */
  #loss: DeviceError | null = null;
  /** A submit made no end. The device is neither lost nor of use; a new one would wait behind the same work. */
  #stuck: DeviceError | null = null;
  /** An error outside every scope: told once, to whoever looks next. */
  #stray: DeviceError | null = null;
  /** How those who wait for the GPU are told that it makes no end. */
  readonly #waiting = new Set<(error: Error) => void>();

  constructor(private readonly device: GPUDevice) {
    device.lost.then(({ reason, message }) => {
      this.#loss ??= new DeviceError(
        reason === 'destroyed'
          ? 'The GPU device was closed. Open the model again, or bring it back with `await model.reopen()`.'
          : `The GPU device was lost (${message.trim()}), as a driver reset does. Bring the model back with \`await model.reopen()\`, or open it again.`,
      );
    });
    device.addEventListener('uncapturederror', event => {
      event.preventDefault(); // it is told below, and not on stderr
      const { message } = (event as GPUUncapturedErrorEvent).error;
      this.#stray ??= new DeviceError(`The GPU reported an error that no call expected: ${message.trim()}`);
    });
  }

  get lost(): boolean {
    return this.#loss !== null;
  }

  get stuck(): boolean {
    return this.#stuck !== null;
  }

  /** Work that makes no end: whoever waits is told. */
  stick(what: string, seconds: number): void {
    this.#stuck = new DeviceError(
      `The GPU has made no progress for ${seconds} s in ${what}. If a loop there never ends, nothing can stop it but a restart of the kernel or the command; an edit is gone with it, and a file in shaders/ is as it was saved. ` +
        'If it is only slow, give it longer: open(name, { watchdog: seconds }), or LOUPE_WATCHDOG; 0 is for ever.',
    );
    for (const reject of [...this.#waiting]) reject(this.#stuck);
  }

  /** It was slow, and all is well. */
  unstick(): void {
    this.#stuck = null;
  }

  /** As the device's `check`. */
  check(): void {
    if (this.#loss) throw this.#loss;
    if (this.#stuck) throw this.#stuck;
    const stray = this.#stray;
    this.#stray = null;
    if (stray) throw stray;
  }

  /** As the device's `begin`. */
  begin(): void {
    if (!this.lost && this.#stray) console.warn(this.#stray.message);
    if (!this.lost) this.#stray = null;
    this.check();
  }

  /** As the device's `orStuck`. */
  orStuck<T>(work: Promise<T>): Promise<T> {
    if (this.#stuck) {
      work.catch(() => {});
      return Promise.reject(this.#stuck);
    }
    return new Promise<T>((resolve, reject) => {
      this.#waiting.add(reject);
      const done = () => void this.#waiting.delete(reject);
      work.then(resolve, reject).then(done, done);
    });
  }

  /** As the device's `scoped`. */
  async scoped<T>(what: string, work: () => T): Promise<T> {
    const { device } = this;
    device.pushErrorScope('out-of-memory');
    device.pushErrorScope('validation');
    let done: { readonly value: T } | { readonly thrown: unknown };
    try {
      done = { value: work() };
    } catch (thrown) {
      done = { thrown };
    }
    const ends = [device.popErrorScope(), device.popErrorScope()];
    // A lost device ends scopes with an error; check() tells of it.
    const errors = await this.orStuck(Promise.all(ends)).catch(() => []);
    this.check();
    if ('thrown' in done) throw done.thrown;
    const refused = errors.find(error => error !== null);
    if (!refused) return done.value;
    throw new DeviceError(
      `The GPU refused ${what}: ${refused.message.trim()} Only this call failed; the session goes on. Ask for less at once ` +
        '(fewer tokens, a slice, a shorter context), and bring back edited shaders with `model.edit(name, null)`.',
    );
  }
}
