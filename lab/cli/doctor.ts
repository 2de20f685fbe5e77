// loupe doctor: what this machine has, and what to do about what it lacks.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Command } from 'commander';
import { cacheFolder, cacheTrouble } from '../../engine/cache.js';
import { LoupeError } from '../../engine/errors.js';
import { packageRoot } from '../../engine/files.js';
import { accuracyOf } from '../../engine/accuracy.js';
import { sharedGpu } from '../../engine/shared-gpu.js';
import { type StoreChoice, storeOf } from '../../engine/store.js';
import { folded } from '../values/fold.js';
import { bytesText } from '../values/numbers.js';
import { accuracyText } from '../display/accuracy.js';
import { factsTable } from '../display/table.js';
import { installedKernels } from '../kernel/spec.js';
import { print, printJson, withAdapter } from './options.js';

export function doctorCommand(): Command {
  return withAdapter(
    new Command('doctor').description('adapter, limits, features, versions, kernel; what to do about what is wrong'),
  ).action(async ({ adapter, json }: { adapter?: string; json?: boolean }) => {
    const advice: string[] = [];
    const gpu = await sharedGpu(adapter || undefined).catch(error => {
      if (!(error instanceof LoupeError)) throw error;
      advice.push(error.message);
      return null;
    });
    const version = (name: string) =>
      (
        JSON.parse(readFileSync(join(packageRoot(), 'node_modules', name, 'package.json'), 'utf8')) as {
          version: string;
        }
      ).version;
    const kernels = installedKernels().filter(({ own }) => own);
    if (kernels.length === 0)
      advice.push('The notebook kernel is not installed; `npm run lab` does it, or `loupe kernel install`.');
    for (const { trouble } of kernels) if (trouble) advice.push(trouble);
    const trouble = cacheTrouble();
    if (trouble) advice.push(trouble);
    if (gpu?.kind === 'swiftshader') {
      advice.push(
        'SwiftShader works but is slow. With a GPU, install its Vulkan driver; without, Mesa 25 or newer is 3 to 7 times faster ' +
          '(Debian 12: mesa-vulkan-drivers and libvulkan1 from bookworm-backports).',
      );
    }
    if (gpu?.kind === 'lavapipe')
      advice.push('lavapipe runs on the CPU. With a GPU, install its Vulkan driver for real speed.');
    const accuracy = gpu && (await accuracyOf(gpu));
    const weights = gpu && (await storeOf(gpu, true));
    const report = {
      adapter: gpu && { kind: gpu.kind, vendor: gpu.info.vendor, description: gpu.name },
      limits: gpu && {
        largestBinding: gpu.traits.maxBinding,
        largestBuffer: gpu.traits.maxBuffer,
        invocations: gpu.traits.maxInvocations,
        subgroup: gpu.traits.subgroup,
      },
      accuracy,
      weights,
      features: gpu?.features ?? [],
      versions: { node: process.versions.node, webgpu: version('webgpu'), typescript: version('typescript') },
      kernel: kernels.length > 0 ? `installed in ${kernels.map(({ folder }) => folder).join(', ')}` : 'not installed',
      cache: cacheFolder(),
      ok: gpu !== null,
      advice,
    };
    if (json) printJson(report);
    else {
      const { limits } = report;
      const facts = {
        adapter: report.adapter ? `${report.adapter.kind}: ${report.adapter.description}` : 'none',
        limits: limits
          ? `binding ${bytesText(limits.largestBinding)}, buffer ${bytesText(limits.largestBuffer)}, ${limits.invocations} invocations, subgroups of ${limits.subgroup ?? 'no fixed size'}`
          : '–',
        weights: weights ? storeText(weights) : '–',
        rounding: accuracy ? accuracyText(accuracy) : '–',
        features: ['shader-f16', 'subgroups', 'timestamp-query']
          .map(f => `${f} ${report.features.includes(f) ? 'yes' : 'no'}`)
          .join(', '),
        versions: Object.entries(report.versions)
          .map(([name, v]) => `${name} ${v}`)
          .join(', '),
        kernel: report.kernel,
        cache: report.cache,
      };
      print(factsTable(facts));
      for (const line of advice) print(folded(`• ${line}`, '  '));
    }
    if (!gpu) process.exitCode = 1;
  });
}

const storeText = ({ store, speeds }: StoreChoice) =>
  speeds === null
    ? `in ${store}s: this adapter cannot tell which it reads faster`
    : `in ${store}s: read at ${speedText(speeds[store])} here, ${store === 'buffer' ? 'textures' : 'buffers'} at ${speedText(speeds[store === 'buffer' ? 'texture' : 'buffer'])}`;

const speedText = (bytesPerSecond: number) => `${(bytesPerSecond / 1e9).toPrecision(3)} GB/s`;
