// The device, held for the life of the process: limits that are read and not assumed, memory that is counted and budgeted,
// errors that reach whoever is waiting, and the bytes that cross the bus.

import { type FoundAdapter, findAdapter } from './adapter.js';
import { BudgetError } from './errors.js';
import { Faults } from './faults.js';
import { Running } from './running.js';
import { type KernelChoice, type Store, type Traits, traitsOf } from './traits.js';
import { hotFor } from './wait.js';
import { checkSeconds, Watchdog, watchdogSeconds } from './watchdog.js';

export type { Traits } from './traits.js';

/** Bytes that crossed the bus since the device was opened. */
export interface Traffic {
  /** To the GPU. */
  written: number;
  /** Back. */
  read: number;
}

/** A device, with the memory on it counted and budgeted, and its errors told to who waits. `sharedGpu()` gives the process's, `Gpu.open()` one of its own. */
export class Gpu {
  /** What crossed the bus so far. */
  readonly traffic: Traffic = { written: 0, read: 0 };
  /** What the adapter is like, as far as kernels depend on it. */
  traits: Traits;
  /** How those who hold memory for later give it back. */
  readonly spare = new Set<() => void>();
  #liveBytes = 0;
  #liveBuffers = 0;
  readonly #faults: Faults;
  readonly #watchdog: Watchdog;
  readonly #running: Running;

  private constructor(
    /** WebGPU's own. */
    readonly device: GPUDevice,
    /** What WebGPU tells of the adapter. */
    readonly info: GPUAdapterInfo,
    /** `hardware`, `lavapipe` or `swiftshader`. */
    readonly kind: FoundAdapter['kind'],
    /** What the adapter has, by WebGPU's names, in their order; of them the device has subgroups, shader-f16 and timestamp-query. */
    readonly features: readonly string[],
    /** Bytes that may live on it at once; of a hardware adapter Infinity, because none tells how much memory it has. May be set. */
    public budgetBytes: number,
    /** Whose kernels it runs. */
    readonly kernels: KernelChoice,
  ) {
    this.traits = traitsOf(device, info, kind, kernels);
    this.#faults = new Faults(device);
    this.#watchdog = new Watchdog(
      watchdogSeconds(),
      (what, seconds) => this.#faults.stick(what, seconds),
      () => this.#faults.unstick(),
    );
    this.#running = new Running(
      device,
      this.#watchdog,
      hotFor({ software: kind !== 'hardware' }),
      () => this.lost,
      () => this.#faults.stuck,
    );
  }

  /**
   * Opens a device on the best adapter, or on the one asked for, with the adapter's own limits. Throws OptionError for an unknown choice, AdapterError where there is none.
   * @param storeOf says where weights are to lie, measured on the device; without it they lie in buffers
   */
  static async open(
    choice?: string,
    kernels: KernelChoice = 'own',
    storeOf?: (gpu: Gpu) => Promise<Store>,
  ): Promise<Gpu> {
    const found = await findAdapter(choice);
    const { adapter } = found;
    const wanted = ['subgroups', 'shader-f16', 'timestamp-query'] as GPUFeatureName[];
    const { limits } = adapter;
    const device = await adapter.requestDevice({
      requiredFeatures: wanted.filter(feature => adapter.features.has(feature)),
      requiredLimits: {
        maxStorageBufferBindingSize: limits.maxStorageBufferBindingSize,
        maxBufferSize: limits.maxBufferSize,
        maxTextureDimension2D: limits.maxTextureDimension2D,
        maxStorageBuffersPerShaderStage: limits.maxStorageBuffersPerShaderStage,
        maxComputeInvocationsPerWorkgroup: limits.maxComputeInvocationsPerWorkgroup,
        maxComputeWorkgroupSizeX: limits.maxComputeWorkgroupSizeX,
        maxComputeWorkgroupStorageSize: limits.maxComputeWorkgroupStorageSize,
      },
    });
    const gpu = new Gpu(device, adapter.info, found.kind, [...adapter.features].sort(), found.budgetBytes, kernels);
    if (storeOf) gpu.traits = { ...gpu.traits, store: await storeOf(gpu) };
    return gpu;
  }

  /** What it is called: the GPU and its driver, or, in software, the driver alone, which says all. */
  get name(): string {
    const { description, device } = this.info;
    return this.kind === 'hardware' && description && device ? `${device}, ${description}` : description || device;
  }

  /** Bytes of GPU buffers and textures alive now. */
  get liveBytes(): number {
    return this.#liveBytes;
  }

  /** How many these are. */
  get liveBuffers(): number {
    return this.#liveBuffers;
  }

  /**
   * Seconds that what was submitted may take without an end, beyond what its arithmetic takes on the slowest adapter; 0: for ever. For all
   * that runs on this device. Throws OptionError for what is no such number.
   */
  get watchdog(): number {
    return this.#watchdog.seconds;
  }

  set watchdog(seconds: number) {
    this.#watchdog.seconds = checkSeconds(seconds, 'watchdog');
  }

  /** Whether the device is gone. A new one has to be opened; nothing on this one lives on. */
  get lost(): boolean {
    return this.#faults.lost;
  }

  /** Throws what went wrong since the last look: a lost device, or, once, an error that no scope held. */
  check(): void {
    this.#faults.check();
  }

  /** At the beginning of a call: throws where the device is lost, and warns of an error from before, which is not this call's. */
  begin(): void {
    this.#faults.begin();
  }

  /**
   * Does `work`, which must not wait for anything, and throws a DeviceError for what the GPU refuses of it: one bad call is not the
   * end of those after it. Scopes are a stack of the device, so that they may not stay open over an await.
   * @param what the call, as the message names it
   */
  scoped<T>(what: string, work: () => T): Promise<T> {
    return this.#faults.scoped(what, work);
  }

  /**
   * Submits, and watches that it comes to an end.
   * @param what the work, as the message names it
   * @param allowance seconds that it may take beyond the watchdog's
   * @param alone whether the watchdog must tell it from what is submitted before and after
   */
  submit(what: string, commands: readonly GPUCommandBuffer[], allowance?: () => number, alone?: boolean): void {
    this.#running.submit(what, commands, allowance, alone);
  }

  /** Waits for the GPU, and no longer than the watchdog does. Behind a shader that never ends, compiling may wait too. */
  orStuck<T>(work: Promise<T>): Promise<T> {
    return this.#faults.orStuck(work);
  }

  /** Disposes of what is held for later and can be done without. */
  giveBack(): void {
    for (const drop of this.spare) drop();
    this.spare.clear();
  }

  /** Throws BudgetError when `bytes` more would not fit; nothing is allocated. */
  reserve(bytes: number, what: string): void {
    if (bytes > this.budgetBytes - this.#liveBytes) this.giveBack();
    const free = this.budgetBytes - this.#liveBytes;
    if (bytes <= free) return;
    // Rounded, what is asked for and what is left may look alike.
    const text = sized(bytes) === sized(free) ? (n: number) => `${n} bytes` : sized;
    throw new BudgetError(
      `${what} needs ${text(bytes)} of GPU memory, but the budget of ${text(this.budgetBytes)} has ${text(Math.max(0, free))} left. ` +
        'Dispose of what is not needed, or ask for less.',
    );
  }

  /** A counted buffer; `destroyBuffer` is its only end. `bytes` is rounded up to 4. Throws BudgetError for more than the budget or the adapter has. */
  createBuffer(label: string, bytes: number, usage: GPUBufferUsageFlags): GPUBuffer {
    this.check();
    const size = Math.max(4, Math.ceil(bytes / 4) * 4);
    if (size > this.traits.maxBuffer) {
      throw new BudgetError(
        `${label} needs a buffer of ${size} bytes, but this adapter allows ${this.traits.maxBuffer}. Use a shorter context or chunk.`,
      );
    }
    this.reserve(size, label);
    const buffer = this.device.createBuffer({ label, size, usage });
    this.#liveBytes += size;
    this.#liveBuffers += 1;
    return buffer;
  }

  /** A counted texture of 16 bytes a texel that shaders read; `destroyTexture` is its only end. Throws BudgetError for more than the budget has. */
  createTexture(label: string, width: number, height: number): GPUTexture {
    this.check();
    const bytes = TEXEL * width * height;
    this.reserve(bytes, label);
    const usage = GPUTextureUsage.STORAGE_BINDING | GPUTextureUsage.COPY_DST;
    const texture = this.device.createTexture({ label, size: [width, height], format: 'rgba32uint', usage });
    this.#liveBytes += bytes;
    this.#liveBuffers += 1;
    return texture;
  }

  /** Frees a texture of `createTexture`, once. */
  destroyTexture(texture: GPUTexture): void {
    this.#liveBytes -= TEXEL * texture.width * texture.height;
    this.#liveBuffers -= 1;
    texture.destroy();
  }

  /** Whole rows of texels from row `row`. */
  writeTexture(texture: GPUTexture, data: Uint32Array<ArrayBuffer>, row: number): void {
    this.traffic.written += data.byteLength;
    const { width } = texture;
    const rows = data.byteLength / (TEXEL * width);
    this.device.queue.writeTexture(
      { texture, origin: [0, row] },
      data,
      { bytesPerRow: TEXEL * width, rowsPerImage: rows },
      [width, rows],
    );
  }

  /** Frees a buffer of `createBuffer`, once. */
  destroyBuffer(buffer: GPUBuffer): void {
    this.#liveBytes -= buffer.size;
    this.#liveBuffers -= 1;
    buffer.destroy();
  }

  /** Puts values into a buffer from byte `at`, before what is submitted next. */
  write(buffer: GPUBuffer, data: Float32Array | Uint32Array, at = 0): void {
    this.traffic.written += data.byteLength;
    this.device.queue.writeBuffer(buffer, at, data as Float32Array<ArrayBuffer>);
  }

  /** Waits for everything submitted; needed in loads too, because Dawn keeps staging memory until a submit. */
  async settle(): Promise<void> {
    this.check();
    this.submit('what was written to it', []);
    await this.orStuck(this.#running.all()).catch(error => {
      this.check(); // a destroyed device rejects with an empty message
      throw error;
    });
    this.check();
  }

  /** `bytes` of each buffer, from byte `at`, one after the other, in one trip. */
  async read(from: readonly { buffer: GPUBuffer; bytes: number; at?: number }[]): Promise<ArrayBuffer> {
    const total = from.reduce((n, { bytes }) => n + bytes, 0);
    const staging = this.createBuffer('readback', total, GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST);
    try {
      let until: ReadonlySet<unknown> | undefined;
      await this.scoped('a readback', () => {
        const encoder = this.device.createCommandEncoder();
        let to = 0;
        for (const { buffer, bytes, at = 0 } of from) {
          encoder.copyBufferToBuffer(buffer, at, staging, to, bytes);
          to += bytes;
        }
        this.submit('a readback', [encoder.finish()]);
        until = this.#running.soFar();
      });
      // Not before it is known to be taken: what is refused is given back, and nobody may be about to map it.
      return await this.#contents(staging, total, until);
    } finally {
      this.destroyBuffer(staging);
    }
  }

  /** The first `bytes` of a buffer that what was submitted last copies into, once that is done; the buffer is then mapped. */
  mapped(buffer: GPUBuffer, bytes: number): Promise<ArrayBuffer> {
    return this.#contents(buffer, bytes);
  }

  /** @param until the submits of which the last writes the buffer; by default all so far */
  async #contents(buffer: GPUBuffer, bytes: number, until?: ReadonlySet<unknown>): Promise<ArrayBuffer> {
    await this.orStuck(this.#running.whenDone(buffer, until)).catch(error => {
      this.check(); // a destroyed device rejects with an empty message
      throw error;
    });
    this.traffic.read += bytes;
    this.check();
    return buffer.getMappedRange(0, Math.ceil(bytes / 4) * 4).slice(0);
  }
}

const TEXEL = 16; // bytes

/** `8 MB`, or in bytes where megabytes would say 0. */
const sized = (bytes: number) => (bytes >= 1e6 || bytes === 0 ? `${(bytes / 1e6).toFixed(0)} MB` : `${bytes} bytes`);
