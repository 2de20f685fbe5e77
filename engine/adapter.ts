// Where an adapter comes from. With gpu.ts's device this is all the engine needs of a platform: a browser would put
// `navigator.gpu` in this file's place.
//
// Order: a hardware adapter; else a software Vulkan that is installed (Mesa lavapipe 25 or newer); else the SwiftShader inside
// the npm package @sparticuz/chromium. LOUPE_ADAPTER or an option forces one.

import { existsSync, readdirSync } from 'node:fs';
import { constants, totalmem } from 'node:os';
import { dirname, join } from 'node:path';
import { create, globals } from 'webgpu';
import { cacheFolder } from './cache.js';
import { AdapterError, OptionError } from './errors.js';
import { swiftShaderManifest } from './swiftshader.js';

/** What may be asked for as an adapter. `auto`: a hardware one, else an installed lavapipe, else SwiftShader. */
export const ADAPTER_CHOICES = ['auto', 'hardware', 'lavapipe', 'swiftshader'] as const;
export type AdapterChoice = (typeof ADAPTER_CHOICES)[number];

export interface FoundAdapter {
  readonly adapter: GPUAdapter;
  readonly kind: Exclude<AdapterChoice, 'auto'>;
  /** Bytes of GPU memory this process may use; software adapters share the machine's memory. */
  readonly budgetBytes: number;
}

// Dawn crashes the process when the object from create() is collected, so every one is held for the life of the process.
const HELD = Symbol.for('gemma-loupe.dawn');
const held = ((globalThis as Record<symbol, unknown>)[HELD] ??= []) as GPU[];

/** The choice in force: the option, else LOUPE_ADAPTER, else `auto`. Throws OptionError for an unknown word. */
export function adapterChoice(option?: string): AdapterChoice {
  const choice = option ?? (process.env.LOUPE_ADAPTER || 'auto');
  if ((ADAPTER_CHOICES as readonly string[]).includes(choice)) return choice as AdapterChoice;
  throw new OptionError(`There is no adapter called '${choice}'; choose one of ${ADAPTER_CHOICES.join(', ')}.`);
}

/** The best adapter there is, or exactly the one asked for. Throws AdapterError with the cure when there is none. */
export async function findAdapter(option?: string): Promise<FoundAdapter> {
  const choice = adapterChoice(option);
  Object.assign(globalThis, globals);
  try {
    process.env.XDG_RUNTIME_DIR ??= cacheFolder(); // unset, Mesa warns on stderr
  } catch {} // and nothing else
  if (choice !== 'swiftshader') {
    const found = await request(choice === 'lavapipe' ? lavapipeManifest() : undefined);
    if (found && (choice === 'auto' || choice === found.kind)) return found;
    if (choice === 'lavapipe') {
      throw new AdapterError(
        'Mesa lavapipe was asked for but gives no adapter. Install Mesa 25 or newer ' +
          '(Debian 12: mesa-vulkan-drivers and libvulkan1 from bookworm-backports), or choose another adapter.',
      );
    }
    if (choice === 'hardware') {
      const instead = found ? `only ${found.adapter.info.description}` : 'none at all';
      throw new AdapterError(
        `A hardware adapter was asked for but there is ${instead}. Install the GPU's Vulkan driver, or use --adapter auto.`,
      );
    }
  }
  const manifest = swiftShaderManifest();
  loadVulkanLoader(dirname(manifest));
  const found = await request(manifest, [EXACT_TIMES, ZEROS_AT_ONCE]);
  if (found) return found;
  throw new AdapterError(
    'No GPU adapter was found, and SwiftShader from the package @sparticuz/chromium did not start either. ' +
      'Install a Vulkan driver (Debian: mesa-vulkan-drivers, version 25 or newer) and run `loupe doctor`.',
  );
}

/** Dawn rounds timestamps to 65 µs, longer than most steps take, lest a web page learn something from them. There is no web page here. */
const EXACT_TIMES = 'timestamp_quantization';
/** SwiftShader writes the zeros that workgroup memory begins with as one instruction a value, and compiles them for seconds; Dawn's own loop it does not. */
const ZEROS_AT_ONCE = 'use_vulkan_zero_initialize_workgroup_memory_extension';

async function request(manifest?: string, without = [EXACT_TIMES]): Promise<FoundAdapter | null> {
  // The Vulkan loader reads the variable when Dawn creates its instance; children must not inherit our choice.
  const before = process.env.VK_ICD_FILENAMES;
  if (manifest) process.env.VK_ICD_FILENAMES = manifest;
  const gpu = create([`disable-dawn-features=${without}`]);
  held.push(gpu);
  const adapter = await gpu.requestAdapter({ powerPreference: 'high-performance' });
  if (manifest) {
    if (before === undefined) delete process.env.VK_ICD_FILENAMES;
    else process.env.VK_ICD_FILENAMES = before;
  }
  if (!adapter) return null;
  const { vendor, architecture, description } = adapter.info;
  const kind =
    architecture === 'swiftshader'
      ? 'swiftshader'
      : vendor === 'mesa' || /llvmpipe/i.test(description)
        ? 'lavapipe'
        : 'hardware';
  // No adapter tells how much memory it has, and Dawn does not run out on software adapters: it swaps the machine.
  return { adapter, kind, budgetBytes: kind === 'hardware' ? Number.POSITIVE_INFINITY : Math.floor(totalmem() * 0.75) };
}

function lavapipeManifest(): string {
  for (const folder of ['/usr/share/vulkan/icd.d', '/usr/local/share/vulkan/icd.d', '/etc/vulkan/icd.d']) {
    const name = existsSync(folder) ? readdirSync(folder).find(file => /^lvp_icd.*\.json$/.test(file)) : undefined;
    if (name) return join(folder, name);
  }
  return '/nonexistent/lvp_icd.json';
}

/** Dawn opens libvulkan.so.1 by name. Where none is installed, load SwiftShader's copy first; it then goes by that name. */
function loadVulkanLoader(folder: string): void {
  if (process.platform !== 'linux') return;
  const { RTLD_NOW, RTLD_GLOBAL } = constants.dlopen;
  const NODELETE = 0x1000;
  for (const library of ['libvulkan.so.1', join(folder, 'libvulkan.so.1')]) {
    try {
      process.dlopen({ exports: {} }, library, RTLD_NOW | RTLD_GLOBAL | NODELETE);
    } catch (error) {
      // It is no Node add-on and says so, but it stays loaded, which is what this is for.
      if (/self-register/.test(String(error))) return;
    }
  }
}
