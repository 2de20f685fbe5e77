// loupe tokenize: text to ids and back. No GPU.

import { Command, Option } from 'commander';
import { OptionError, TokenizerError } from '../../engine/errors.js';
import { readLines, readText } from '../../engine/files.js';
import { parseJson } from '../../engine/json.js';
import { printableJson, visible } from '../../engine/printable.js';
import { openTokenizer, openTokenizerFile } from '../../engine/tokenizer/open.js';
import type { Tokenizer } from '../../engine/tokenizer/tokenizer.js';
import { openModelFiles } from '../../engine/weights/open.js';
import { idsIn } from '../values/arguments.js';
import { checkTokens, type Reference } from '../parity/tokens.js';
import { modelPath } from '../session/open.js';
import { noteUnreadPipe, print, printText } from './options.js';

interface Options {
  readonly model: string;
  readonly tokenizer?: string;
  readonly file?: string;
  readonly jsonl?: string;
  readonly decode?: boolean;
  readonly bos?: boolean;
  readonly pieces?: boolean;
  readonly special: boolean;
  readonly check?: string;
  readonly reference?: Reference;
}

export function tokenizeCommand(): Command {
  return new Command('tokenize')
    .description('text to token ids, or back with --decode')
    .argument('[text]', 'text, or with --decode ids separated by commas')
    .option('-m, --model <model>', 'whose vocabulary; as in the other commands', 'atlas')
    .option('--tokenizer <file>', 'a tokenizer.model, .spm, tokenizer.json or .gguf')
    .addOption(new Option('--file <file>', 'read the text from a file').conflicts(['jsonl', 'check']))
    .addOption(
      new Option(
        '--jsonl <file>',
        'a JSON string a line in, a JSON array of ids a line out; with --decode the other way',
      ).conflicts(['pieces', 'check']),
    )
    .addOption(new Option('--decode', 'ids to text').conflicts(['pieces', 'bos', 'special', 'check']))
    .option('--bos', 'begin with the beginning-of-sequence token')
    .option('--pieces', 'print the pieces beside the ids')
    .option('--no-special', 'read <bos>, <start_of_turn> and the like as text, as sentencepiece does')
    .addOption(
      new Option(
        '--check <cases>',
        'count the strings that differ from the references (golden/tokenizer_cases.py writes them)',
      ).conflicts(['pieces', 'bos', 'special']),
    )
    .addOption(
      new Option('--reference <package>', 'whose ids are right; default: of the vocabulary’s own kind').choices([
        'sentencepiece',
        'tokenizers',
      ]),
    )
    .action(async (text: string | undefined, options: Options) => {
      const source = options.check ? '--check' : options.jsonl ? '--jsonl' : options.file ? '--file' : null;
      if (text !== undefined && source !== null)
        throw new OptionError(
          `There is a text, and ${source} names a file to read: one is taken. Leave one of them out.`,
        );
      if (options.reference && !options.check)
        throw new OptionError(
          '--reference says what --check compares with, and there is no --check. Give both, or none.',
        );
      if (text !== undefined || source !== null) noteUnreadPipe(text === undefined ? 'the file' : 'the text');
      const { tokenizer, rows } = await tokenizerOf(options);
      const mute = new Set<number>();
      const decode = (ids: readonly number[]) => {
        for (const id of ids) if (mute.size <= MOST_NAMED && id >= rows) mute.add(id);
        return tokenizer.decode(ids);
      };
      if (options.check) {
        await check(tokenizer, options.check, options);
        return;
      }
      const encode = (t: string) => tokenizer.encode(t, { bos: options.bos, special: options.special });
      if (options.jsonl) {
        let number = 0;
        for await (const line of readLines(options.jsonl, unreadable(options.jsonl))) {
          number += 1;
          const value = parse(line, options, number);
          print(printableJson(Array.isArray(value) ? decode(value) : encode(value)));
        }
        noteMute(mute, rows);
        return;
      }
      const given = text ?? (options.file ? readText(options.file, MOST_FILE, unreadable(options.file)) : undefined);
      if (given === undefined)
        throw new TokenizerError('There is nothing to tokenize. Give TEXT, --file F or --jsonl F.');
      if (options.decode) {
        const ids = idsIn(given);
        if (typeof ids === 'string')
          throw new TokenizerError(`'${ids}' is no token id. Give ids separated by commas, e.g. 2,818,5279.`);
        printText(`${decode(ids)}\n`);
        noteMute(mute, rows);
        return;
      }
      const ids = encode(given);
      print(options.pieces ? ids.map(id => `${id}\t${visible(tokenizer.piece(id))}`).join('\n') : ids.join(','));
    });
}

const MOST_NAMED = 8;

/** Says which ids gave no text because the model has neither a row nor a piece for them. An id that has a row may be without a piece. */
function noteMute(ids: ReadonlySet<number>, rows: number): void {
  if (ids.size === 0) return;
  const [named, more] = [[...ids].slice(0, MOST_NAMED).join(', '), ids.size > MOST_NAMED ? ' and others' : ''];
  process.stderr.write(
    `loupe: ${ids.size === 1 ? 'The id' : 'The ids'} ${named}${more} ${ids.size === 1 ? 'is' : 'are'} beyond the last, ${rows - 1}, and gave no text.\n`,
  );
}

async function check(tokenizer: Tokenizer, path: string, options: Options): Promise<void> {
  const json = /\.json$/i.test(options.tokenizer ?? '');
  const reference = options.reference ?? (json ? 'tokenizers' : 'sentencepiece');
  const found = await checkTokens(tokenizer, path, reference);
  const { strings, decoded, tokens, encoding, decoding, examples, tokensPerSecond } = found;
  print(
    `against ${reference}: ${strings} strings, ${tokens} tokens, ${encoding} mismatches; ` +
      `${decoded} lists of ids, ${decoding} mismatches; ${tokensPerSecond} tokens/s`,
  );
  for (const example of examples) print(example.length > 400 ? `${example.slice(0, 400)} …` : example);
  if (encoding + decoding > 0) process.exitCode = 1;
}

/** A vocabulary, and how many ids there are: rows of the model, or pieces where these are more or all that is known. */
async function tokenizerOf({ tokenizer, model }: Options): Promise<{ tokenizer: Tokenizer; rows: number }> {
  if (tokenizer) {
    const given = await openTokenizerFile(tokenizer);
    return { tokenizer: given, rows: given.size };
  }
  const files = await openModelFiles(modelPath(model), { wholeHead: false });
  try {
    if (files.vocabulary) {
      const own = await openTokenizer(files.vocabulary);
      for (const notice of own.notices) process.stderr.write(`loupe: ${notice}\n`);
      return { tokenizer: own, rows: Math.max(own.size, files.config.vocab) };
    }
    throw new TokenizerError(`'${model}' has no vocabulary. Give one with --tokenizer tokenizer.model.`);
  } finally {
    await files.close();
  }
}

const MOST_FILE = 256 << 20; // as one string; --jsonl reads files of any size

const unreadable = (path: string) => (what: string) =>
  new TokenizerError(`${path} cannot be read: ${what}. Give a file of text.`);

function parse(line: string, { decode, jsonl }: Options, number: number): string | number[] {
  let value: unknown;
  try {
    value = parseJson(line);
  } catch {} // the same complaint below
  if (!decode && typeof value === 'string') return value;
  if (decode && Array.isArray(value) && value.every(Number.isInteger)) return value;
  throw new TokenizerError(
    `Line ${number} of ${jsonl} is no JSON ${decode ? 'array of ids' : 'string'}. Mend the line.`,
  );
}
