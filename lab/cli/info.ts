// loupe info and loupe plan: what a model is, and what one forward pass of it does. Neither touches a GPU.

import { Command } from 'commander';
import { cacheBytesPerToken } from '../../engine/cache-format.js';
import type { GemmaConfig, RopeScaling } from '../../engine/config.js';
import { costOf } from '../../engine/cost.js';
import { LoupeError, OptionError } from '../../engine/errors.js';
import { planOf } from '../../engine/gemma.js';
import { shapeText } from '../../engine/plan.js';
import { openTokenizer } from '../../engine/tokenizer/open.js';
import { ownBosNotices } from '../../engine/tokenizer/template-ids.js';
import type { Tokenizer } from '../../engine/tokenizer/tokenizer.js';
import { bytesOf } from '../../engine/weight-store.js';
import { openModelFiles } from '../../engine/weights/open.js';
import type { ModelFiles } from '../../engine/weights/source.js';
import { bytesText, countText } from '../values/numbers.js';
import { factsTable, textTable } from '../display/table.js';
import { modelPath } from '../session/open.js';
import { print, printJson, whole } from './options.js';

interface Options {
  readonly model: string;
  readonly json?: boolean;
  readonly tokens: number;
  readonly keys: number;
}

const withFiles = (command: Command) =>
  command
    .option(
      '-m, --model <model>',
      'atlas, a folder with config.json, a .gguf, a .safetensors, or org/name after loupe pull',
      'atlas',
    )
    .option('--json', 'print JSON');

export function infoCommand(): Command {
  return withFiles(new Command('info').description('family, layers, parameters, formats, bytes')).action(
    async ({ model, json }: Options) => {
      const files = await openModelFiles(modelPath(model), { wholeHead: false });
      try {
        const { config, format, fingerprint, vocabulary, chatTemplate, chat, leftOut } = files;
        const tokenizer = vocabulary && (await readable(vocabulary));
        const own = tokenizer?.read ? ownBosNotices(files, tokenizer.read) : [];
        const notices = [...files.notices, ...(tokenizer?.notices ?? []), ...chat.notices, ...own];
        const entries = [...files.weights.entries.values()];
        const parameters = entries.reduce((n, { shape }) => n + shape.reduce((a, b) => a * b), 0);
        const formats: Record<string, { tensors: number; bytes: number }> = {};
        for (const { format: stored, bytes } of entries) {
          const sum = (formats[stored] ??= { tensors: 0, bytes: 0 });
          sum.tensors += 1;
          sum.bytes += bytes;
        }
        const bytes = entries.reduce((n, e) => n + e.bytes, 0);
        const gpuBytes: Record<string, number> = {};
        for (const entry of entries) {
          if (entry.name === 'head' && config.tiedHead) continue;
          gpuBytes[entry.format] = (gpuBytes[entry.format] ?? 0) + bytesOf(entry);
        }
        const { stages } = planOf(config);
        const cache = { f32: cacheBytesPerToken(stages, 'f32'), f16: cacheBytesPerToken(stages, 'f16') };
        if (json) {
          printJson({
            model,
            format,
            fingerprint,
            parameters,
            bytes,
            formats,
            gpuBytes,
            vocabulary: tokenizer?.kind ?? null,
            pieces: tokenizer?.pieces ?? null,
            chatTemplate: chatTemplate !== null,
            chatTemplateFrom: chat.templateFrom,
            sampling: chat.sampling,
            notices,
            leftOut,
            cacheBytesPerToken: cache,
            config,
          });
          return;
        }
        const c = config;
        const sliding = c.layerKinds.filter(kind => kind === 'sliding').length;
        const facts = {
          model,
          family: `Gemma ${c.family}, ${countText(parameters)} parameters`,
          layers:
            c.slidingWindow === null
              ? `${c.layers}`
              : `${c.layers}: ${sliding} see ${c.slidingWindow} tokens, ${c.layers - sliding} see all`,
          widths: `hidden ${c.hidden}, feed-forward ${c.feedForward}, vocabulary ${c.vocab}`,
          heads: `${c.heads} query, ${c.kvHeads} key/value, ${c.headDim} wide`,
          positions: ropeText(c),
          ...(c.attnSoftcap !== null || c.finalSoftcap !== null
            ? { 'soft-caps': `attention ${c.attnSoftcap ?? 'none'}, logits ${c.finalSoftcap ?? 'none'}` }
            : {}),
          context: `${c.contextLength} tokens`,
          stored: Object.entries(formats)
            .map(([f, { tensors, bytes: b }]) => `${f} ${tensors}× ${bytesText(b)}`)
            .join(', '),
          'on the GPU': bytesText(Object.values(gpuBytes).reduce((a, b) => a + b, 0)),
          cache: `${bytesText(cache.f32)} a token${sliding > 0 ? ', until the windows are full' : ''}; ${bytesText(cache.f16)} with --cache f16`,
          tokenizer:
            tokenizer === null
              ? 'none: prompts are token ids'
              : tokenizer.pieces === null
                ? `${tokenizer.kind}, which cannot be read`
                : `${tokenizer.kind}, ${tokenizer.pieces} pieces${tokenizer.pieces === c.vocab ? '' : ` for the model’s ${c.vocab} rows`}`,
          chat:
            chat.templateProblem ??
            (chatTemplate === null
              ? 'Gemma’s turns: the model has no template of its own'
              : `the model’s own template (${chat.templateFrom})`),
          ...(leftOut.tensors > 0 && {
            'left out': `${leftOut.tensors} ${leftOut.tensors === 1 ? 'tensor' : 'tensors'} that the text model does not compute with: ${leftOut.parts.slice(0, 4).join(', ')}`,
          }),
          ...(notices.length > 0 && { note: notices.join(' ') }),
          fingerprint: fingerprint.slice(0, 16),
        };
        print(factsTable(facts));
      } finally {
        await files.close();
      }
    },
  );
}

/** Of the vocabulary: which file was read and what it has. One that cannot be read is told too, and is no reason to tell nothing else. */
async function readable(
  vocabulary: NonNullable<ModelFiles['vocabulary']>,
): Promise<{ kind: string; pieces: number | null; notices: readonly string[]; read: Tokenizer | null }> {
  try {
    const read = await openTokenizer(vocabulary);
    return { kind: read.source, pieces: read.size, notices: read.notices, read };
  } catch (error) {
    if (!(error instanceof LoupeError)) throw error;
    return { kind: vocabulary.kind, pieces: null, notices: [error.message], read: null };
  }
}

function ropeText({ rope: { full, sliding }, slidingWindow }: GemmaConfig): string {
  const one = ({ base, factor, scaling }: GemmaConfig['rope']['full']) =>
    `base ${base}${factor === 1 ? '' : `, stretched ${factor}×`}${scaling ? `, ${scalingText(scaling)}` : ''}`;
  if (slidingWindow === null || one(full) === one(sliding)) return `RoPE, ${one(full)}`;
  return `RoPE, ${one(full)}; in windows ${one(sliding)}`;
}

function scalingText(scaling: RopeScaling): string {
  const by = scaling.kind === 'longrope' ? 'pair by pair' : `${scaling.factor}×`;
  return `${scaling.kind} ${by} from ${scaling.original} tokens`;
}

export function planCommand(): Command {
  return withFiles(new Command('plan').description('the recorded plan: stage, shape, operation, bytes, FLOPs'))
    .option('--tokens <T>', 'tokens in the chunk', whole(1), 1)
    .option('--keys <S>', 'keys seen, these tokens included', whole(1), 64)
    .action(async ({ model, json, tokens, keys }: Options, command: Command) => {
      if (keys < tokens && command.getOptionValueSource('keys') !== 'default')
        throw new OptionError(
          `--keys ${keys} are fewer than the --tokens ${tokens} among them. Give ${tokens} or more.`,
        );
      const files = await openModelFiles(modelPath(model), { wholeHead: false });
      await files.close();
      const { contextLength } = files.config;
      const given = command.getOptionValueSource('keys') !== 'default';
      if (tokens > contextLength || (given && keys > contextLength))
        throw new OptionError(
          `${tokens > contextLength ? `--tokens ${tokens}` : `--keys ${keys}`} are more than this model was made for: ${contextLength}. Give ${contextLength} or fewer.`,
        );
      const extent = { tokens, keys: Math.max(tokens, Math.min(keys, contextLength)), rows: 1 };
      const stages = planOf(files.config).stages.map(stage => ({
        stage: stage.name,
        shape: shapeText(stage.axes),
        operation: stage.operation.kind,
        inputs: stage.inputs.map(({ name }) => name),
        weight: stage.weight?.name ?? null,
        ...costOf(stage, extent, ({ name }) => bytesOf(files.weights.entries.get(name)!)),
      }));
      if (json) {
        printJson({ model, ...extent, stages });
        return;
      }
      const columns = [
        { title: 'stage' },
        { title: 'shape' },
        { title: 'operation' },
        { title: 'bytes', right: true },
        { title: 'FLOPs', right: true },
      ];
      print(
        textTable(
          columns,
          stages.map(s => ({ cells: [s.stage, s.shape, s.operation, bytesText(s.bytes), countText(s.flops)] })),
        ),
      );
      const sum = (key: 'bytes' | 'flops') => stages.reduce((n, s) => n + s[key], 0);
      print(
        `${stages.length} stages, ${bytesText(sum('bytes'))} and ${countText(sum('flops'))} FLOPs for ${tokens} tokens after ${extent.keys - tokens}.`,
      );
    });
}
