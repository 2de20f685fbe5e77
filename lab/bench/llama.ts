// llama.cpp's native code on the same file, by the package node-llama-cpp: fetched where somebody asks for the comparison, into the cache folder,
// and no dependency of this package. Its prebuilt library is used; nothing is compiled, and no script of it runs at installation. Beside a GPU it
// is its Vulkan or Metal code, else that for CPUs.

import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cacheFolder } from '../../engine/cache.js';
import { type Peer, PeerError } from './peer.js';
import { startPeer } from './process.js';

export const LLAMA_VERSION = '3.22.1';

/** How it computes. */
type Code = 'cpu' | 'vulkan' | 'metal';

/** A prebuilt library of it, what it computes by, and what is fetched for it, in MB. */
interface Library {
  readonly name: string;
  readonly code: Code;
  readonly size: number;
}

/** Those that compute on a CPU, by platform and architecture. */
const ON_CPU: Readonly<Record<string, string>> = {
  'linux x64': 'linux-x64',
  'linux arm64': 'linux-arm64',
  'darwin x64': 'mac-x64',
  'darwin arm64': 'mac-arm64-metal',
  'win32 x64': 'win-x64',
  'win32 arm64': 'win-arm64',
};

/** And those that compute on a GPU. */
const ON_GPU: Readonly<Record<string, Library>> = {
  'linux x64': { name: 'linux-x64-vulkan', code: 'vulkan', size: 130 },
  'darwin arm64': { name: 'mac-arm64-metal', code: 'metal', size: 85 },
  'win32 x64': { name: 'win-x64-vulkan', code: 'vulkan', size: 130 },
};

/** Throws PeerError where there is none. */
function libraryFor(gpu: boolean): Library {
  const here = `${process.platform} ${process.arch}`;
  const found = gpu ? ON_GPU[here] : ON_CPU[here] && { name: ON_CPU[here], code: 'cpu' as const, size: 85 };
  if (found) return found;
  throw new PeerError(
    `node-llama-cpp has no prebuilt library for ${process.platform} ${process.arch}${gpu ? ' with a GPU' : ''}. Leave llama.cpp out of --against.`,
  );
}

/** Throws PeerError for what is no GGUF file: the only thing that llama.cpp reads. */
export function checkLlamaReads(path: string): void {
  if (path.endsWith('.gguf') && statSync(path).isFile()) return;
  throw new PeerError(
    `llama.cpp reads GGUF files, and '${path}' is none. Give --model a .gguf, or leave llama.cpp out of --against.`,
  );
}

/**
 * @param path a .gguf
 * @param length tokens that its context must hold
 * @param gpu on the GPU, and not on the CPU
 * @param say told what is fetched. Throws PeerError with the cure.
 */
export async function startLlama(
  path: string,
  { threads, length, gpu }: { readonly threads: number; readonly length: number; readonly gpu: boolean },
  say: (line: string) => void,
): Promise<Peer> {
  checkLlamaReads(path);
  const library = libraryFor(gpu);
  const folder = await installed(library, say);
  const script = fileURLToPath(new URL('./llama-process.js', import.meta.url));
  const args = [script, folder, path, String(threads), String(length), library.code];
  return await startPeer('llama.cpp', process.execPath, args, `Delete ${folder} to have it fetched again.`);
}

/** The folder where the package is, fetched at the first call. */
async function installed({ name, code, size }: Library, say: (line: string) => void): Promise<string> {
  const folder = join(cacheFolder(), `node-llama-cpp-${LLAMA_VERSION}${code === 'cpu' ? '' : `-${code}`}`);
  if (existsSync(join(folder, 'node_modules', 'node-llama-cpp'))) return folder;
  say(`fetching node-llama-cpp ${LLAMA_VERSION} with npm for --against llama.cpp: ${size} MB, into ${folder}`);
  const fresh = mkdtempSync(join(cacheFolder(), 'fetching-'));
  try {
    writeFileSync(join(fresh, 'package.json'), '{ "private": true }\n');
    const packages = [`node-llama-cpp@${LLAMA_VERSION}`, `@node-llama-cpp/${name}@${LLAMA_VERSION}`];
    // Without the optional packages, which are libraries for other GPUs, of hundreds of megabytes.
    const how = ['--ignore-scripts', '--omit=optional', '--no-audit', '--no-fund', '--no-package-lock'];
    await npm(['install', ...how, ...packages], fresh);
    if (!existsSync(folder)) renameSync(fresh, folder); // else somebody else was first
    return folder;
  } finally {
    rmSync(fresh, { recursive: true, force: true });
  }
}

function npm(args: readonly string[], cwd: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn('npm', args, {
      cwd,
      stdio: ['ignore', 'ignore', 'pipe'],
      shell: process.platform === 'win32',
    });
    let said = '';
    child.stderr.on('data', data => {
      said = `${said}${data}`.slice(-2000);
    });
    const cure = 'Check that npm is installed and can reach its registry, or leave llama.cpp out of --against.';
    child.on('error', error => reject(new PeerError(`npm could not be started: ${error.message}. ${cure}`)));
    child.on('close', code => {
      if (code === 0) resolve();
      else reject(new PeerError(`npm could not fetch node-llama-cpp: ${said.trim().split('\n').at(-1)}. ${cure}`));
    });
  });
}
