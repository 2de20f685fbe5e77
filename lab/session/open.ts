// Opening a model. Opening the same one again replaces the session before it and frees its memory, so that a cell can be run twenty
// times.

import { existsSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { CACHE_FORMATS, type CacheFormat } from '../../engine/cache-format.js';
import { ModelFileError, OptionError, PromptError } from '../../engine/errors.js';
import { isShut, packageRoot } from '../../engine/files.js';
import type { Gpu } from '../../engine/gpu.js';
import { sharedGpu } from '../../engine/shared-gpu.js';
import { Model } from '../../engine/model.js';
import { printable } from '../../engine/printable.js';
import { openTokenizer, openTokenizerFile } from '../../engine/tokenizer/open.js';
import { ownBosNotices } from '../../engine/tokenizer/template-ids.js';
import { openModelFiles } from '../../engine/weights/open.js';
import type { Activations } from '../../engine/dispatch.js';
import { QUANTISED, type Quantise, quantised } from '../../engine/weights/quantise.js';
import type { KernelChoice } from '../../engine/traits.js';
import type { ModelFiles } from '../../engine/weights/source.js';
import { checkName, checkOptions, type OptionNames } from '../values/arguments.js';
import { said } from '../values/dims.js';
import { bytesText } from '../values/numbers.js';
import { progressLine } from '../host/progress.js';
import { eitherSignal } from '../host/interrupt.js';
import { cachedModel, hubCache } from '../pull/cache.js';
import { hubName } from '../pull/name.js';
import { Session } from './session.js';
import { checkVocabulary } from './vocabulary-fit.js';

/** How a model is opened. */
export interface OpenOptions {
  /** `hardware`, `lavapipe`, `swiftshader`; default: the best there is. */
  readonly adapter?: string;
  /** `gpu`: the kernels that a GPU would run, also on a software adapter; to prove them there. Default `own`. */
  readonly kernels?: KernelChoice;
  /** A tokenizer.model, .spm, tokenizer.json or .gguf, when the model has none or another is wanted. */
  readonly tokenizer?: string;
  /** Longest sequence; default: 2048, or less if the model was made for less. */
  readonly context?: number;
  /** Make the matrices of a model in F32, F16 or BF16 smaller on loading, as llama.cpp would: `q8_0` or `q4_0`. */
  readonly quantise?: Quantise;
  /**
   * `int8`: in the fast plan, round what products are given to 8 bits, in blocks of 32 with a scale each, as engines do that multiply integers; to see
   * what that does to a model. Default `f32`.
   */
  readonly activations?: Activations;
  /** `f16`: caches keep keys and values rounded to half the bytes, in both plans. Default `f32`. */
  readonly cache?: CacheFormat;
  /**
   * Keep the cache of the last run or generation, so that the next whose prompt begins alike reads only what is new, to the same bits: whole chunks of 64 tokens, by the same plan
   * and shaders. It is given back when memory is short. Default false.
   */
  readonly reuse?: boolean;
  /** Keep an earlier session with the same model open beside this one, which no later opening closes either: dispose of it when it is not needed. */
  readonly another?: boolean;
  /**
   * Seconds after which work on the GPU that makes no progress is given up, for all sessions on the device; 0: never. Default: LOUPE_WATCHDOG,
   * else 120. What its arithmetic takes on the slowest adapter is added.
   */
  readonly watchdog?: number;
  /** Show no progress. */
  readonly quiet?: boolean;
  /** Stops the opening; it then rejects with the signal's reason. */
  readonly signal?: AbortSignal;
}

const OPEN_OPTIONS: OptionNames<OpenOptions> = {
  adapter: true,
  kernels: true,
  tokenizer: true,
  context: true,
  quantise: true,
  activations: true,
  cache: true,
  reuse: true,
  another: true,
  watchdog: true,
  quiet: true,
  signal: true,
};

const sessions = ((globalThis as Record<symbol, unknown>)[Symbol.for('gemma-loupe.sessions')] ??= new Map()) as Map<
  string,
  Session
>;

/** Open sessions that were opened beside others, by key: no later opening closes them. */
const beside = new Map<string, Set<Session>>();

/** A cell that opens one more each time it is run holds memory that nobody sees: from the third on, two being a comparison, it is said. */
function keep(session: Session, key: string, quiet = false): void {
  const kept = beside.get(key) ?? new Set();
  beside.set(key, kept.add(session));
  session.depend({
    disposed: false,
    forget() {},
    [Symbol.dispose]() {
      if (kept.delete(session) && kept.size === 0) beside.delete(key);
    },
  });
  if (quiet || kept.size < 3) return;
  const { name, gpu } = session;
  process.stderr.write(
    `loupe: ${kept.size} sessions with '${printable(name)}' that were opened with { another: true } are open; the GPU holds ${bytesText(gpu.liveBytes)}. No opening closes them: write 'using', or session[Symbol.dispose]() for one that is not needed.\n`,
  );
}

/** Openings that go on, by path: when the last of them is over. */
const opening = new Map<string, Promise<void>>();

/** A place among those that open the same path. They come in the order in which they were asked for, however long each reads, so that each closes the one before it. */
function takeTurn(path: string): Disposable & { readonly come: Promise<void> } {
  const come = opening.get(path) ?? Promise.resolve();
  let end = () => {};
  const over = new Promise<void>(resolve => {
    end = resolve;
  });
  const all = come.then(() => over);
  opening.set(path, all);
  return {
    come,
    [Symbol.dispose]() {
      end();
      if (opening.get(path) === all) opening.delete(path);
    },
  };
}

/** Path of what a user names: `atlas`, a folder, a .gguf or a .safetensors file, or org/name in the cache of Hugging Face's tools. */
export function modelPath(name: string): string {
  if (existsSync(name) || isShut(name)) return name; // whoever opens it says that it is shut
  const own = join(packageRoot(), 'golden', name);
  if (/^[\w-]+$/.test(name) && existsSync(join(own, 'config.json'))) return own;
  const onHub = hubName(name);
  const cached = onHub && cachedModel(onHub);
  if (cached) return cached;
  if (onHub && !/\.(gguf|safetensors)$/i.test(name)) {
    throw new ModelFileError(
      `There is no model '${name}', neither as a path nor in ${hubCache()}. If the hub has it: loupe pull ${name}`,
    );
  }
  throw new ModelFileError(
    `There is no model '${name}'. Give 'atlas', which ships with Loupe, a path (a folder with config.json, a .gguf, a .safetensors), or org/name.`,
  );
}

/**
 * Opens a model: detects what it is, checks all of it, then puts its weights on the GPU. Opening the same one again closes the session before it. Throws ModelFileError, ConfigError and
 * TokenizerError for files that are not what they say, AdapterError without an adapter, BudgetError for weights that do not fit.
 * @param name `atlas`, a folder, a .gguf or .safetensors file, or org/name after `loupe pull`
 * @example const model = await open('atlas')
 */
export async function open(name = 'atlas', given: OpenOptions = {}): Promise<Session> {
  checkName('open', name);
  const options = checkOptions('open', given, OPEN_OPTIONS);
  if (options.tokenizer !== undefined) checkName('tokenizer', options.tokenizer);
  const { quantise } = options;
  if (quantise !== undefined && !QUANTISED.includes(quantise)) {
    throw new OptionError(`quantise can be ${QUANTISED.map(q => `'${q}'`).join(' or ')}, and not ${said(quantise)}.`);
  }
  const path = modelPath(name);
  /** Wherever the working folder is later. */
  const place = resolve(path);
  using turn = takeTurn(place);
  const read = async (from: string) => {
    const whole = await openModelFiles(from);
    try {
      return quantise === undefined ? whole : quantised(whole, quantise);
    } catch (error) {
      await whole.close();
      throw error;
    }
  };
  const files = await read(path);
  /** The same once more. Throws ModelFileError where they are not what they were: what is read from them would be of another model than what runs. */
  const again = async (rest = 'What runs is what it was. Open it again.') => {
    const now = await read(place);
    const written = now.fingerprint !== files.fingerprint || now.written !== files.written;
    if (!written && JSON.stringify(now.config) === JSON.stringify(files.config)) return now;
    await now.close();
    const what = written ? 'it was written since' : 'its configuration says something else since';
    throw new ModelFileError(`${path} is not what it was when it was opened: ${what}. ${rest}`);
  };
  try {
    const { contextLength } = files.config;
    const wanted = options.context ?? 1;
    if (!(Number.isInteger(wanted) && wanted >= 1 && wanted <= contextLength)) {
      throw new PromptError(
        `A context of ${said(wanted)} tokens was asked for, and this model was made for 1 to ${contextLength}. Ask for that.`,
      );
    }
    if (options.reuse !== undefined && typeof options.reuse !== 'boolean')
      throw new OptionError(`reuse is true or false, and not ${said(options.reuse)}.`);
    const { kernels, activations = 'f32', cache = 'f32' } = options;
    if (!CACHE_FORMATS.includes(cache))
      throw new OptionError(`cache is ${CACHE_FORMATS.map(f => `'${f}'`).join(' or ')}, and not ${said(cache)}.`);
    if (activations !== 'f32' && activations !== 'int8')
      throw new OptionError(`activations is 'f32' or 'int8', and not ${said(activations)}.`);
    if (kernels !== undefined && kernels !== 'own' && kernels !== 'gpu')
      throw new OptionError(`kernels is 'own', the adapter's, or 'gpu', those of a GPU; not ${said(kernels)}.`);
    const gpu = await sharedGpu(options.adapter, kernels);
    if (options.watchdog !== undefined) gpu.watchdog = options.watchdog;
    gpu.check(); // before an earlier session makes way
    const key = `${place} ${gpu.kind} ${gpu.kernels} ${quantise ?? ''} ${activations} ${cache}`;
    eitherSignal(options.signal); // throws for what is none
    const tokenizer = options.tokenizer
      ? await openTokenizerFile(options.tokenizer)
      : files.vocabulary && (await openTokenizer(files.vocabulary));
    const fit = tokenizer && options.tokenizer ? await checkVocabulary(tokenizer, options.tokenizer, files) : [];
    const make = async () => {
      // Its memory is needed; what can be refused was refused before.
      if (!options.another) sessions.get(key)?.giveWay();
      const load = async (from: ModelFiles, to: Gpu) => {
        using progress = progressLine(`Loading ${name}`, options.quiet);
        return await Model.load(from, to, {
          activations,
          cache,
          signal: eitherSignal(options.signal),
          onProgress: ({ done, total }) => progress.bytes(done, total),
        });
      };
      return new Session(
        existsSync(name) ? basename(path) : name,
        await load(files, gpu),
        tokenizer,
        options.context,
        files.chatTemplate,
        async release => {
          const same = await again('What ran went with its device. Open it again.');
          try {
            const to = await sharedGpu(options.adapter, options.kernels);
            to.check();
            release();
            return await load(same, to);
          } finally {
            await same.close();
          }
        },
        { ...files.chat, notices: [...files.chat.notices, ...(tokenizer ? ownBosNotices(files, tokenizer) : [])] },
        options.reuse,
        again,
        [...files.notices, ...fit],
        name,
      );
    };
    await turn.come;
    const session = await make();
    if (!options.quiet) for (const notice of session.notices) process.stderr.write(`loupe: ${printable(notice)}\n`);
    if (options.another) keep(session, key, options.quiet);
    else sessions.set(key, session);
    return session;
  } finally {
    await files.close();
  }
}
