// llama.cpp's native CPU code on the same file, by the package node-llama-cpp: fetched where somebody asks for the comparison, into the cache folder,
// and no dependency of this package. Its prebuilt library is used; nothing is compiled, and no script of it runs at installation.

import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cacheFolder } from '../../engine/cache.js';
import { type Peer, PeerError } from './peer.js';
import { startPeer } from './process.js';

export const LLAMA_VERSION = '3.22.1';

/** Its prebuilt libraries that compute on a CPU, by platform and architecture. */
const LIBRARIES: Readonly<Record<string, string>> = {
  'linux x64': 'linux-x64',
  'linux arm64': 'linux-arm64',
  'darwin x64': 'mac-x64',
  'darwin arm64': 'mac-arm64-metal',
  'win32 x64': 'win-x64',
  'win32 arm64': 'win-arm64',
};

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
 * @param say told what is fetched. Throws PeerError with the cure.
 */
export async function startLlama(
  path: string,
  threads: number,
  length: number,
  say: (line: string) => void,
): Promise<Peer> {
  checkLlamaReads(path);
  const folder = await installed(say);
  const script = fileURLToPath(new URL('./llama-process.js', import.meta.url));
  const args = [script, folder, path, String(threads), String(length)];
  return startPeer('llama.cpp', process.execPath, args, `Delete ${folder} to have it fetched again.`);
}

/** The folder where the package is, fetched at the first call. */
async function installed(say: (line: string) => void): Promise<string> {
  const folder = join(cacheFolder(), `node-llama-cpp-${LLAMA_VERSION}`);
  if (existsSync(join(folder, 'node_modules', 'node-llama-cpp'))) return folder;
  const library = LIBRARIES[`${process.platform} ${process.arch}`];
  if (!library) {
    throw new PeerError(
      `node-llama-cpp has no prebuilt library for ${process.platform} ${process.arch}. Leave llama.cpp out of --against.`,
    );
  }
  say(`fetching node-llama-cpp ${LLAMA_VERSION} with npm for --against llama.cpp: 85 MB, into ${folder}`);
  const fresh = mkdtempSync(join(cacheFolder(), 'fetching-'));
  try {
    writeFileSync(join(fresh, 'package.json'), '{ "private": true }\n');
    const packages = [`node-llama-cpp@${LLAMA_VERSION}`, `@node-llama-cpp/${library}@${LLAMA_VERSION}`];
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
