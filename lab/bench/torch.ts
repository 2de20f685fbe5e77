// PyTorch on the same model, in a process of its own that is asked in turn with ours (golden/bench_torch.py).

import { existsSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { packageRoot } from '../../engine/files.js';
import type { Peer } from './peer.js';
import { startPeer } from './process.js';

/**
 * @param path a model's file or folder
 * @param gpu on the GPU, where PyTorch has one, in the model's own dtype, and not in f32 on the CPU. Throws PeerError with the cure.
 */
export function startTorch(path: string, threads: number, gpu: boolean): Promise<Peer> {
  const own = join(packageRoot(), '.loupe', 'torch', 'bin', 'python');
  const python = process.env.LOUPE_TORCH || (existsSync(own) ? own : 'python3');
  // transformers opens a .gguf, or a folder of Hugging Face's layout.
  const folder = path.endsWith('.safetensors') ? dirname(path) : path;
  const model = statSync(folder).isDirectory() ? ['--model', folder] : ['--gguf', folder];
  const script = join(packageRoot(), 'golden', 'bench_torch.py');
  return startPeer(
    'PyTorch',
    python,
    [script, ...model, '--threads', String(threads), ...(gpu ? ['--gpu'] : [])],
    CURE,
  );
}

const CURE =
  'It runs in .loupe/torch or where LOUPE_TORCH points (a python): python3 -m venv .loupe/torch, .loupe/torch/bin/pip install torch==2.13.0, then .loupe/torch/bin/pip install -r golden/requirements.txt.';
