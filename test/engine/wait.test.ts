// Waiting for the GPU: nothing comes before it is done, the event loop rests meanwhile, and what goes wrong is told.

import { expect, test } from 'vitest';
import { sharedGpu } from '../../engine/shared-gpu.js';
import { mapWhenDone, tryMap } from '../../engine/wait.js';

const gpu = await sharedGpu();
const { device } = gpu;

/** Submits arithmetic of so many turns a lane, which ends in a buffer. */
async function work(turns: number): Promise<GPUBuffer> {
  const code = `override N: u32;
@group(0) @binding(0) var<storage, read_write> x: array<u32>;
@compute @workgroup_size(64) fn main(@builtin(global_invocation_id) at: vec3u) {
  var s = at.x;
  for (var i = 0u; i < N; i++) { s = s * 1664525u + 1013904223u; }
  x[at.x] = s;
}`;
  const compute = { module: device.createShaderModule({ code }), entryPoint: 'main', constants: { N: turns } };
  const pipeline = await device.createComputePipelineAsync({ layout: 'auto', compute });
  const size = 4 * 16_384;
  const from = device.createBuffer({ size, usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC });
  const to = device.createBuffer({ size, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST });
  const encoder = device.createCommandEncoder();
  const pass = encoder.beginComputePass();
  pass.setPipeline(pipeline);
  pass.setBindGroup(
    0,
    device.createBindGroup({
      layout: pipeline.getBindGroupLayout(0),
      entries: [{ binding: 0, resource: { buffer: from } }],
    }),
  );
  pass.dispatchWorkgroups(size / 4 / 64);
  pass.end();
  encoder.copyBufferToBuffer(from, 0, to, 0, size);
  device.queue.submit([encoder.finish()]);
  return to;
}

/** What lane 1 ends with. */
function expected(turns: number): number {
  let s = 1;
  for (let i = 0; i < turns; i++) s = (Math.imul(s, 1664525) + 1013904223) >>> 0;
  return s;
}

test.each([1, 20_000])('the result of %i turns is whole when the wait ends', async turns => {
  const buffer = await work(turns);
  let beats = 0;
  const heart = setInterval(() => beats++, 1);
  await mapWhenDone(buffer, 4);
  clearInterval(heart);
  expect(new Uint32Array(buffer.getMappedRange())[1]).toBe(expected(turns));
  // Timers and sockets are served all the while.
  if (turns > 1) expect(beats).toBeGreaterThan(3);
  buffer.destroy();
});

test('half of what is expected is slept, and the result is whole whether it comes before or after', async () => {
  for (const [turns, ms] of [
    [1, 30],
    [20_000, 6],
  ]) {
    const buffer = await work(turns);
    const began = performance.now();
    await mapWhenDone(buffer, 4, () => false, ms);
    expect(performance.now() - began).toBeGreaterThan(ms / 2 - 2); // and not told at once, by a hot loop
    expect(new Uint32Array(buffer.getMappedRange())[1]).toBe(expected(turns));
    buffer.destroy();
  }
});

test('a map that is given up can be asked for again, many times', async () => {
  const buffer = await work(50_000);
  let asked = 0;
  while (!(await tryMap(buffer))) asked++;
  expect(asked).toBeGreaterThan(0);
  expect(new Uint32Array(buffer.getMappedRange())[1]).toBe(expected(50_000));
  buffer.destroy();
});

test('a buffer that is destroyed, or cannot be mapped, ends the wait with the reason', async () => {
  const gone = await work(50_000);
  const waited = mapWhenDone(gone, 4);
  gone.destroy();
  await expect(waited).rejects.toThrow();
  device.pushErrorScope('validation');
  const other = device.createBuffer({ size: 4, usage: GPUBufferUsage.COPY_DST });
  await expect(mapWhenDone(other, 4)).rejects.toThrow();
  expect((await device.popErrorScope())?.message).toMatch(/MapRead/);
  await gpu.settle();
});
