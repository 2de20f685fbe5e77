// A model in a .gguf, or in the parts that gguf-split makes of one: the first part has the metadata, each has some of the tensors.

import { existsSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { ModelFileError } from '../errors.js';
import { specialTokensOfGguf } from '../tokenizer/gguf-vocabulary.js';
import { shownValue } from './config-keys.js';
import { configFromGguf } from './detect.js';
import { short } from './gguf-cursor.js';
import { type Gguf, openGguf } from './gguf.js';
import { modelFiles } from './model-files.js';
import { canBeLeftOut, checkWeights, nameFromGguf, strangeTensor } from './names.js';
import type { ModelFiles, WeightEntry } from './source.js';
import { chatTemplateOfGguf, filesIn } from './text-files.js';

export async function openGgufModel(path: string): Promise<ModelFiles> {
  const parts = await openParts(path);
  try {
    const [{ metadata }] = parts;
    const entries = new Map<string, WeightEntry>();
    const holders = new Map<string, Gguf>();
    const others: { name: string; path: string }[] = [];
    for (const part of parts) {
      for (const { name: fileName, shape, format, bytes } of part.tensors.values()) {
        const name = nameFromGguf(fileName);
        if (name === null) {
          others.push({ name: fileName, path: part.path });
          continue;
        }
        const other = holders.get(name);
        if (other) {
          throw new ModelFileError(
            `${part.path} has the tensor '${fileName}', which ${basename(other.path)} has too. The parts must be of one model; fetch them again.`,
          );
        }
        entries.set(name, { name, fileName, shape, format, bytes });
        holders.set(name, part);
      }
    }
    const { template, from, problem } = chatTemplateOfGguf(metadata);
    const tokens = metadata.get('tokenizer.ggml.tokens');
    // One whose embedding is missing is told so by checkWeights, whatever is said of its size until then.
    const vocab = entries.get('embed')?.shape[0] ?? ((Array.isArray(tokens) && tokens.length) || 1);
    const notices: string[] = parts.length > 1 ? [`Joined from ${parts.length} parts.`] : [];
    for (const part of parts.slice(1)) checkMetadata(part, parts[0]);
    const config = configFromGguf(metadata, vocab, parts[0].path, !entries.has('head'), notices);
    for (const { name, path: at } of others) if (!canBeLeftOut(name, 'gguf')) throw strangeTensor(name, config, at);
    checkWeights(config, entries, path);
    return await modelFiles({
      path,
      format: 'gguf',
      config,
      entries,
      vocabulary: metadata.has('tokenizer.ggml.tokens') ? { kind: 'gguf', metadata } : null,
      chatTemplate: template,
      chat: {
        templateFrom: from,
        templateProblem: problem,
        specialTokens: specialTokensOfGguf(metadata),
        sampling: {},
        notices: [],
      },
      leftOut: others.map(({ name }) => name),
      notices,
      files: parts.map(part => part.path),
      readRows: (entry, start, count) => holders.get(entry.name)!.readF32(entry.fileName, start, count),
      readStored: (entry, start, count) => holders.get(entry.name)!.readBytes(entry.fileName, start, count),
      close: () => closeAll(parts),
    });
  } catch (error) {
    await closeAll(parts);
    throw error;
  }
}

async function closeAll(parts: readonly Gguf[]): Promise<void> {
  for (const part of parts) await part.close();
}

/** All parts of the model that a file belongs to, in order; the file alone where it is no part. */
async function openParts(path: string): Promise<Gguf[]> {
  const given = await openGguf(path);
  const opened = [given];
  try {
    const count = splitCount(given);
    if (count <= 1) return opened;
    const number = splitNumber(given, count);
    const found: Gguf[] = [];
    found[number] = given;
    const missing: string[] = [];
    for (const [no, name] of partNames(path, number, count).entries()) {
      if (no === number) continue;
      const at = join(dirname(path), name);
      if (!existsSync(at)) {
        missing.push(name);
        continue;
      }
      const part = await openGguf(at);
      opened.push(part);
      if (splitCount(part) !== count || part.metadata.get('split.no') !== no) {
        throw new ModelFileError(
          `${at} should be part ${no + 1} of ${count}, but says that it is part ${Number(part.metadata.get('split.no') ?? 0) + 1} of ${splitCount(part)}. ` +
            'The parts must be of one model; fetch them again.',
        );
      }
      found[no] = part;
    }
    if (missing.length > 0) {
      const which = count === 2 ? 'the other is' : missing.length === 1 ? 'missing is' : 'missing are';
      const some = missing.length > 4 ? [...missing.slice(0, 3), `${missing.length - 3} more`] : missing;
      throw new ModelFileError(
        `${path} is part ${number + 1} of ${count}; ${which} ${some.join(', ')}, and a model needs all of its parts in one folder. Fetch what is missing.`,
      );
    }
    const promised = given.metadata.get('split.tensors.count');
    const tensors = found.reduce((n, part) => n + part.tensors.size, 0);
    if (typeof promised === 'number' && promised !== tensors) {
      throw new ModelFileError(
        `${path} is one of ${count} parts that should have ${promised} tensors and have ${tensors}. The parts must be of one model; fetch them again.`,
      );
    }
    return found;
  } catch (error) {
    await closeAll(opened);
    throw error;
  }
}

/** gguf-split leaves all that is said of a model in the first part. Throws ModelFileError where another part says something else. */
function checkMetadata({ metadata, path }: Gguf, first: Gguf): void {
  for (const [key, value] of metadata) {
    if (/^split\.|^general\.(?!architecture$|type$)/.test(key)) continue;
    const said = first.metadata.get(key);
    if (JSON.stringify(said) === JSON.stringify(value)) continue;
    throw new ModelFileError(
      `${path} says ${short(key)} = ${shownValue(value)}, and ${basename(first.path)} ${said === undefined ? 'does not' : shownValue(said)}. The parts must be of one model; fetch them again.`,
    );
  }
}

const splitCount = ({ metadata }: Gguf): number => Number(metadata.get('split.count') ?? 1);

function splitNumber({ metadata, path }: Gguf, count: number): number {
  const number = Number(metadata.get('split.no') ?? 0);
  if (Number.isInteger(number) && number >= 0 && number < count && count <= 10_000) return number;
  throw new ModelFileError(`${path} says that it is part ${number + 1} of ${count}. Fetch it again.`);
}

const PART = /^(.*)-(\d{5})-of-(\d{5})(\.gguf)?$/i;

/** Names of the parts as gguf-split gives them, after the one that was given; NAME-00001-of-00002.gguf. */
function partNames(path: string, number: number, count: number): string[] {
  const name = basename(path);
  const [, stem, no, of, ending = ''] = PART.exec(name) ?? [];
  const five = (n: number) => String(n).padStart(5, '0');
  if (Number(no) !== number + 1 || Number(of) !== count) {
    throw new ModelFileError(
      `${path} is part ${number + 1} of ${count} of a model, and its name does not say so. ` +
        `Name the parts as gguf-split does, here NAME-${five(number + 1)}-of-${five(count)}.gguf, in one folder.`,
    );
  }
  return Array.from({ length: count }, (_, i) => `${stem}-${five(i + 1)}-of-${five(count)}${ending}`);
}

/** The one model among the .gguf files of a folder, or null; vision parts and later parts of a split do not count. */
export function ggufIn(folder: string): string | null {
  const files = filesIn(folder).filter(file => /\.gguf$/i.test(file));
  const models = files.filter(file => !/mmproj|imatrix/i.test(file) && (PART.exec(file)?.[2] ?? '00001') === '00001');
  if (models.length > 1) {
    throw new ModelFileError(
      `${folder} has ${models.length} models: ${models.slice(0, 4).join(', ')}${models.length > 4 ? ' …' : ''}. Give the one you want.`,
    );
  }
  const name = models[0] ?? files[0];
  return name === undefined ? null : join(folder, name);
}
