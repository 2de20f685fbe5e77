// What was submitted and is asked for while somebody else learns that it is done: nobody asks for a fence that is gone, which would be an error of the device that
// no call expects, told to whoever comes next.

import { expect, test, vi } from 'vitest';
import { sharedGpu } from '../../engine/shared-gpu.js';
import { Running } from '../../engine/running.js';
import type { Watchdog } from '../../engine/watchdog.js';

await sharedGpu(); // GPUBufferUsage and GPUMapMode

/** A buffer that is mapped at once, but not before `first` is done; who asks for it once it is destroyed is noted. */
class FakeBuffer {
  askedAfterwards = 0;
  destroyed = false;
  constructor(readonly first: () => Promise<void> = async () => {}) {}
  mapAsync(): Promise<void> {
    if (this.destroyed) this.askedAfterwards += 1;
    return this.first();
  }
  unmap() {}
  destroy() {
    this.destroyed = true;
  }
}

test('a submit that is known to be done by the time it would be asked for is not', async () => {
  const fences: FakeBuffer[] = [];
  const result = new FakeBuffer() as unknown as GPUBuffer;
  const device = {
    queue: { submit() {} },
    // The first fence is that of the second submit. The next asks for the first submit; meanwhile somebody reads what the second wrote.
    createBuffer: () => {
      const fence = fences.length === 0 ? new FakeBuffer() : new FakeBuffer(() => running.whenDone(result));
      fences.push(fence);
      return fence;
    },
    createCommandEncoder: () => ({ clearBuffer() {}, finish() {} }),
  } as unknown as GPUDevice;
  const watchdog = { watch() {} } as unknown as Watchdog;
  const never = () => false;
  const running = new Running(device, watchdog, 100, never, never);
  running.submit('the first', []);
  running.submit('the second, while a shader is edited', [], undefined, true);
  await vi.waitFor(() => expect(fences.at(-1)!.destroyed).toBe(true), { timeout: 3000 });
  expect(fences).toHaveLength(2);
  expect(fences[0]).toMatchObject({ destroyed: true, askedAfterwards: 0 });
  expect(running.soFar().size).toBe(0);
});
