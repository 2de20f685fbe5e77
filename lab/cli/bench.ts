// loupe bench: how fast a model runs here, beside others in turn. Times are medians; the adapter's name belongs to every figure.

import { Command, InvalidArgumentError } from 'commander';
import { OptionError } from '../../engine/errors.js';
import { bench, PEERS, type PeerName } from '../bench/bench.js';
import { checkLlamaReads } from '../bench/llama.js';
import { benchText } from '../display/bench.js';
import { DISPLAY } from '../values/shown.js';
import { progressLine } from '../host/progress.js';
import { rooflineText } from '../display/roofline-text.js';
import { modelPath } from '../session/open.js';
import { checkTarget, writeWhole } from '../values/write-file.js';
import { type ModelOptions, openModel, print, printJson, whole, withModel, withPlan } from './options.js';

interface Options extends ModelOptions {
  readonly prefill?: number[];
  readonly decode: number;
  readonly contexts?: number[];
  readonly batch?: number[];
  readonly full?: boolean;
  readonly rounds: number;
  readonly cacheAt: number;
  readonly against: PeerName[];
  readonly stages?: boolean;
  readonly svg?: string;
}

const SHORT = { prefill: [16, 128, 512], contexts: [0, 512], batch: [1, 4] };
const FULL = { prefill: [16, 128, 512, 2048], contexts: [0, 512, 2048, 8192], batch: [1, 4, 16] };

export function benchCommand(): Command {
  const command = new Command('bench').description(
    'tokens a second, time to the first token, what the cache saves; every step against the roofline',
  );
  return withPlan(withModel(command), 'fast')
    .option('--prefill <tokens,…>', `lengths of prompts (default: ${SHORT.prefill.join()})`, listFrom(1))
    .option('--decode <tokens>', 'tokens to generate after each context', whole(2), 16)
    .option(
      '--contexts <tokens,…>',
      `tokens of context to generate after (default: ${SHORT.contexts.join()}, or the longest of --prefill)`,
      listFrom(0),
    )
    .option(
      '--batch <sequences,…>',
      `sequences to continue together (default: ${SHORT.batch.join()}, or none with --prefill); 0: none`,
      listFrom(0),
    )
    .option(
      '--full',
      `prompts of ${FULL.prefill.join()}, contexts of ${FULL.contexts.join()}, ${FULL.batch.join()} together`,
    )
    .option('--rounds <n>', 'how often each is measured; medians are told', whole(1), 3)
    .option('--cache-at <tokens>', 'where to compare with and without the cache; 0: not at all', whole(0), 256)
    .option(
      '--against <peers>',
      'who runs the same, in turn: torch, llama.cpp (fetched by npm at the first time), the exact or fast plan, or tap: with one stage looked at',
      peersOf,
      [],
    )
    .option('--stages', 'instead: what every step takes, as a share of what this adapter was measured to do at most')
    .option('--svg <file>', 'with --stages: write the picture of it')
    .action(async (options: Options, self: Command) => {
      if (options.stages) {
        const unread = UNREAD_BY_STAGES.find(name => self.getOptionValueSource(name) === 'cli');
        if (unread)
          throw new OptionError(
            `--stages is about one token, and does not read ${flagOf(self, unread)}. Leave it out.`,
          );
        return stages(options);
      }
      if (options.svg) throw new OptionError('--svg is the picture of --stages. Give both, or neither.');
      const { decode, rounds, cacheAt, against, model: name, plan = 'fast' } = options;
      const lists = options.full ? FULL : SHORT;
      const lengths = options.prefill ?? lists.prefill;
      const contexts = options.contexts ?? (options.prefill && !options.full ? lengths.slice(-1) : lists.contexts);
      if (options.batch?.includes(0) && options.batch.length > 1)
        throw new OptionError(
          `--batch 0 is for none, and ${options.batch.slice(1).join()} stands beside it. Leave the 0 out, or give it alone.`,
        );
      const batch = (options.batch ?? (options.prefill && !options.full ? [] : lists.batch)).filter(many => many > 0);
      if (against.includes('llama.cpp')) checkLlamaReads(modelPath(name));
      const began = performance.now();
      const session = await openModel(options);
      const load = performance.now() - began;
      using progress = progressLine('Measuring');
      const say = (line: string) => process.stderr.write(`loupe: ${line}\n`);
      const wanted = { lengths, contexts, decode, rounds };
      const report = await bench(session, { ...wanted, batch, plan, against, cacheAt, name, load, progress, say });
      progress[Symbol.dispose]();
      if (options.json) printJson(report);
      else print(benchText(report));
    });
}

const UNREAD_BY_STAGES = ['prefill', 'decode', 'batch', 'full', 'cacheAt', 'against'];
const flagOf = (command: Command, name: string) => command.options.find(one => one.attributeName() === name)!.long;

/** Every step of a decoded token against the roofline. */
async function stages(options: Options): Promise<void> {
  if (options.svg) checkTarget(options.svg);
  const session = await openModel(options);
  const [context, ...more] = options.contexts ?? [];
  if (more.length > 0) throw new OptionError('--stages is about one token: give one of the --contexts.');
  const roofline = await session.roofline({ plan: options.plan, context, rounds: Math.max(3, options.rounds) });
  if (options.svg) writeWhole(options.svg, [roofline[DISPLAY]()['image/svg+xml']!]);
  const { steps, ceilings, operations, extent, provenance, edited: _, ...of } = roofline;
  if (options.json) printJson({ ...of, ...extent, ceilings, operations, stages: steps, provenance });
  else print(rooflineText(roofline, Number.POSITIVE_INFINITY));
}

/** `16,128,512`, in rising order. */
function listFrom(least: number): (text: string) => number[] {
  const one = whole(least);
  return text => [...new Set(text.split(',').map(one))].sort((a, b) => a - b);
}

/** `torch,exact` */
function peersOf(text: string): PeerName[] {
  return [...new Set(text.split(','))].map(peer => {
    if ((PEERS as readonly string[]).includes(peer)) return peer as PeerName;
    throw new InvalidArgumentError(`Give ${PEERS.join(', ')}, or several of them with commas between.`);
  });
}
