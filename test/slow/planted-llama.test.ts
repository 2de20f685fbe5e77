// The referee judged by bugs in llama.cpp's own run of atlas, an engine that shares no code with Loupe or PyTorch: eighteen of eighteen named with their stage, and no alarm without one. `npm run scores`.

import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { packageRoot } from '../../engine/files.js';
import { placeOf } from '../../lab/diff/row.js';
import { locationText } from '../../lab/diff/locate.js';
import { open } from '../../lab/session/open.js';
import { trace } from '../../lab/values/trace.js';
import { freshFolder } from '../fixtures/folder.js';

const model = await open('atlas', { quiet: true });
afterAll(() => model[Symbol.dispose]());

const inRoot = (...parts: string[]) => join(packageRoot(), ...parts);
function run(command: string, ...args: string[]): void {
  const { status, stderr, error } = spawnSync(command, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}: ${stderr ?? error}`);
}

/** An environment of its own with llama.cpp in it, which pip may have to compile: ten minutes, once. */
function python(): string {
  const own = inRoot('.loupe', 'llama', 'bin', 'python');
  if (spawnSync(own, ['-c', 'import llama_cpp, gguf, sentencepiece, safetensors']).status === 0) return own;
  run('python3', '-m', 'venv', inRoot('.loupe', 'llama'));
  const packages = ['llama-cpp-python==0.3.36', 'gguf==0.19.0', 'numpy', 'safetensors', 'sentencepiece'];
  run(own, '-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', ...packages);
  return own;
}

/** More than a window, and the piece that one of the bugs exchanges at several places. */
const IDS = [2, ...Array.from({ length: 27 }, (_, i) => (i % 5 === 0 ? 301 : 300 + ((7 * i) % 40)))];

test('llama.cpp with eighteen bugs, and without', async () => {
  const folder = freshFolder();
  const script = inRoot('golden', 'llama_faults.py');
  run(python(), script, '--model', inRoot('golden', 'atlas'), '--ids', IDS.join(), '--out', folder);
  const files = JSON.parse(readFileSync(join(folder, 'files.json'), 'utf8')) as Record<
    string,
    { file: string; place: string | null }
  >;
  const said = new Map<string, { first: string | null; verdict?: string; where: string }>();
  for (const [bug, { file }] of Object.entries(files)) {
    const { first } = await model.diff(await trace(join(folder, file)));
    const where = first ? locationText(first.where) : '';
    said.set(bug, { first: first && placeOf(first), verdict: first?.verdict, where });
  }
  const wrong = Object.entries(files).filter(([bug, { place }]) => said.get(bug)!.first !== place);
  process.stderr.write(`Bugs in llama.cpp's Gemma 3: ${Object.keys(files).length - 1 - wrong.length} of 18 named\n`);
  expect(wrong.map(([bug, { place }]) => ({ bug, place, ...said.get(bug) }))).toEqual([]);
  expect(said.size).toBe(19);
  for (const [bug, { verdict }] of said) expect([bug, verdict]).toEqual([bug, bug === 'none' ? undefined : 'source']);
}, 1_800_000);
