// From .wgsl to a pipeline: names, messages, and an edit that never replaces a good shader by a bad one.

import { expect, test } from 'vitest';
import { readShaderSource, shaderNames } from '../../engine/files.js';
import { sharedGpu } from '../../engine/shared-gpu.js';
import { bindingsOf } from '../../engine/bindings.js';
import { Kernels } from '../../engine/kernel.js';

test('bindings are found by name, number and access', () => {
  expect(bindingsOf(readShaderSource('rope'))).toEqual([
    { index: 0, name: 'chunk', access: 'uniform' },
    { index: 1, name: 'x', access: 'read' },
    { index: 2, name: 'turns', access: 'read' },
    { index: 3, name: 'y', access: 'write' },
  ]);
});

test('a shader error says file, line, column and shows the line', async () => {
  const kernels = new Kernels(
    await sharedGpu(),
    () => 'override N: u32;\n@compute @workgroup_size(1)\nfn main() { let x = y + 1; }\n',
  );
  await expect(kernels.get('bad', {})).rejects.toThrow(
    /^bad\.wgsl:3:21: unresolved value 'y'\n {2}fn main\(\) \{ let x = y \+ 1; \}\n {22}\^\nThe shader was not put to use/,
  );
});

test('an unknown constant is an error, not silence', async () => {
  const kernels = new Kernels(await sharedGpu(), readShaderSource);
  await expect(kernels.get('add', { N: 4, M: 1 })).rejects.toThrow(/add\.wgsl cannot run with the constants/);
});

test('an edit that does not compile is refused and the old shader stays', async () => {
  const kernels = new Kernels(await sharedGpu(), readShaderSource);
  const before = await kernels.get('add', { N: 4 });
  await expect(kernels.edit('add', readShaderSource('add').replace('a[i] + b[i]', 'a[i] +'))).rejects.toThrow(
    /add\.wgsl:\d+:\d+/,
  );
  expect(await kernels.get('add', { N: 4 })).toBe(before);
  expect(kernels.edited).toEqual([]);
  await kernels.edit('add', readShaderSource('add').replace('a[i] + b[i]', 'a[i] - b[i]'));
  expect(await kernels.get('add', { N: 4 })).not.toBe(before);
  expect(kernels.edited).toEqual(['add']);
  expect(kernels.revision).toBe(1);
});

test('a file is read once: what is changed on the disk while a model is open is no shader of its', async () => {
  const texts = [readShaderSource('add'), readShaderSource('add').replace('a[i] + b[i]', 'a[i] - b[i]')];
  let reads = 0;
  const kernels = new Kernels(await sharedGpu(), () => texts[Math.min(reads++, 1)]);
  const before = await kernels.get('add', { N: 4 });
  expect(await kernels.get('add', { N: 4 })).toBe(before);
  await kernels.edit('add', wgsl => `${wgsl}\n// edited`);
  await kernels.edit('add', null);
  expect(kernels.source('add')).toBe(texts[0]);
  expect(reads).toBe(1);
});

test('every shader says in its first line what it is for, and has one entry point', () => {
  for (const name of shaderNames()) {
    const source = readShaderSource(name);
    expect(source, name).toMatch(/^\/\/ \S/);
    // Formats and stores are parts, and have none.
    expect(source.match(/@compute/g) ?? [], name).toHaveLength(name.includes('/') ? 0 : 1);
  }
});
