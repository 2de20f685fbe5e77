// Where an adapter comes from. With gpu.ts's device this is all the engine needs of a platform: a browser would put
// `navigator.gpu` in this file's place.
//
// Order: a hardware adapter; else a software Vulkan that is installed (Mesa lavapipe 25 or newer); else the SwiftShader inside
// the npm package @sparticuz/chromium. LOUPE_ADAPTER or an option forces one.

import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { constants, homedir, tmpdir, totalmem } from 'node:os';
import { dirname, join } from 'node:path';
import { brotliDecompressSync } from 'node:zlib';
import { create, globals } from 'webgpu';
import { AdapterError, OptionError } from './errors.js';

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
  process.env.XDG_RUNTIME_DIR ??= tmpdir(); // unset, Mesa warns on stderr
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
  const found = await request(manifest);
  if (found) return found;
  throw new AdapterError(
    'No GPU adapter was found, and SwiftShader from the package @sparticuz/chromium did not start either. ' +
      'Install a Vulkan driver (Debian: mesa-vulkan-drivers, version 25 or newer) and run `loupe doctor`.',
  );
}

async function request(manifest?: string): Promise<FoundAdapter | null> {
  // The Vulkan loader reads the variable when Dawn creates its instance; children must not inherit our choice.
  const before = process.env.VK_ICD_FILENAMES;
  if (manifest) process.env.VK_ICD_FILENAMES = manifest;
  const gpu = create([]);
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

/** Unpacks SwiftShader (once a version) into the cache folder. @returns the path of its Vulkan manifest */
function swiftShaderManifest(): string {
  const require = createRequire(import.meta.url);
  let root = dirname(require.resolve('@sparticuz/chromium'));
  while (!existsSync(join(root, 'bin', 'swiftshader.tar.br'))) root = dirname(root);
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
  const folder = join(cacheFolder(), `swiftshader-${version}`);
  const manifest = join(folder, 'vk_swiftshader_icd.json');
  if (existsSync(manifest)) return manifest;
  const unpacked = `${folder}.${process.pid}`;
  mkdirSync(unpacked, { recursive: true });
  const archive = brotliDecompressSync(readFileSync(join(root, 'bin', 'swiftshader.tar.br')));
  for (const { name, body } of tarEntries(archive)) writeFileSync(join(unpacked, name), body, { mode: 0o755 });
  try {
    renameSync(unpacked, folder);
  } catch {
    rmSync(unpacked, { recursive: true, force: true }); // another process was first
  }
  return manifest;
}

/** Plain files of a tar archive with short names, which is all that SwiftShader's is. */
function* tarEntries(archive: Buffer): Generator<{ name: string; body: Buffer }> {
  for (let at = 0; at + 512 <= archive.length && archive[at] !== 0; ) {
    const name = archive.toString('utf8', at, at + 100).replace(/\0.*$/s, '');
    const size = Number.parseInt(archive.toString('ascii', at + 124, at + 136), 8);
    const file = archive[at + 156] === 0x30 || archive[at + 156] === 0;
    if (file && /^(\.\/)?[\w.-]+$/.test(name)) {
      yield { name: name.replace('./', ''), body: archive.subarray(at + 512, at + 512 + size) };
    }
    at += 512 + Math.ceil(size / 512) * 512;
  }
}

/** Where Loupe keeps what can be made or fetched again: LOUPE_CACHE, else the user's cache folder, else a temporary one. */
export function cacheFolder(): string {
  const wanted = process.env.LOUPE_CACHE || join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'loupe');
  try {
    mkdirSync(wanted, { recursive: true });
    return wanted;
  } catch {
    const instead = join(tmpdir(), 'loupe-cache');
    mkdirSync(instead, { recursive: true });
    return instead;
  }
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
