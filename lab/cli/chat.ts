// loupe chat: a conversation in the terminal, or with what is piped in.

import { join } from 'node:path';
import { Command, InvalidArgumentError } from 'commander';
import { cacheFolder } from '../../engine/cache.js';
import { OptionError } from '../../engine/errors.js';
import { MOST_TEMPLATE, readText } from '../../engine/files.js';
import { noteUse } from '../../engine/files-in-use.js';
import { printable } from '../../engine/printable.js';
import { textOf } from '../../engine/utf8.js';
import type { Chat } from '../chat/commands.js';
import { goOn, load, resumedText } from '../chat/file.js';
import { checked, chosen } from '../chat/settings.js';
import { Beginning, chatInTerminal, sampling } from '../chat/terminal.js';
import {
  type ModelOptions,
  openModel,
  print,
  printJson,
  printText,
  real,
  whole,
  withModel,
  withPlan,
} from './options.js';

interface Options extends ModelOptions {
  readonly system?: string;
  readonly temperature?: number;
  readonly topK?: number;
  readonly topP?: number;
  readonly seed?: number;
  readonly maxTokens?: number;
  readonly chatTemplate?: string;
  readonly stop: string[];
  readonly load?: string;
}

export function chatCommand(): Command {
  return withPlan(
    withModel(new Command('chat').description('talk with a model; /help in it tells what it can')),
    'fast',
  )
    .argument('[message...]', 'answer this alone, and end')
    .option('--system <text>', 'what the model is told before the first turn')
    .option(
      '--temperature <t>',
      '0 takes the most likely token each time (default: the model’s generation_config.json, else 0.8)',
      real,
    )
    .option('--top-k <k>', 'draw from the k most likely; 0: all (default: as above, else 64)', whole(0))
    .option(
      '--top-p <p>',
      'draw from the most likely that together have this probability (default: as above, else 0.95)',
      real,
    )
    .option('--seed <n>', 'the same seed gives the same answers; default: another each time', whole(0))
    .option('-n, --max-tokens <n>', 'most tokens of an answer; 0: as many as fit the context (default: 0)', whole(0))
    .option('--chat-template <file>', 'a Jinja template, instead of the model’s own')
    .option('--stop <text>', 'end an answer before this text too; \\n is a new line; may be given again', collected, [])
    .option('--load <file>', 'go on with a saved conversation')
    .addHelpText('after', '\nWhat is piped in is one message: echo hi | loupe chat --model M')
    .action(async (words: string[], options: Options) => {
      const { temperature, topK, topP, maxTokens, seed } = options;
      const asked = { temperature, top_k: topK, top_p: topP, seed, max_tokens: maxTokens };
      const saved = options.load ? load(options.load) : null;
      const random = Math.floor(Math.random() * 2 ** 31);
      checked(chosen(asked, saved?.settings ?? null, {}, random).settings); // before anything is opened
      const template = options.chatTemplate ? readTemplate(options.chatTemplate) : undefined;
      const piped = process.stdin.isTTY ? '' : await everything(process.stdin);
      const message = [words.join(' '), piped.trimEnd()].filter(Boolean).join('\n\n');
      if (message === '' && !process.stdin.isTTY) {
        throw new OptionError('There is no message. Give one, or pipe it in: echo hi | loupe chat --model M');
      }
      if (options.json && message === '')
        throw new OptionError('--json is for the answer to one message, and there is none. Give one, or pipe it in.');
      const session = await openModel(options);
      using conversation = session.chat({
        system: options.system ?? saved?.system,
        template,
        stop: options.stop,
        messages: saved?.messages,
        plan: options.plan,
      });
      if (saved) {
        goOn(conversation, { messages: saved.messages, system: conversation.system }, options.load!);
        if (saved.model !== session.name) process.stderr.write(`loupe: ${resumedText(saved, session.name)}\n`);
      }
      for (const notice of conversation.notices) process.stderr.write(`loupe: ${printable(notice)}\n`);
      const { sampling } = session.chatFiles ?? { sampling: {} };
      const chat: Chat = { conversation, ...chosen(asked, saved?.settings ?? null, sampling, random), tap: null };
      if (message !== '') {
        await answerOnce(chat, message, options.json === true);
        return;
      }
      const tty = process.stdout.isTTY === true;
      const colour = tty && !process.env.NO_COLOR;
      print(`${session.name} on ${session.provenance().adapter}`);
      print(`${conversation.length} tokens of context; /help tells more\n`);
      if (saved) print(`Going on after ${saved.messages.length} ${saved.messages.length === 1 ? 'turn' : 'turns'}.\n`);
      await chatInTerminal(chat, {
        input: process.stdin,
        output: process.stdout,
        history: join(cacheFolder(), 'chat-history.txt'),
        colour,
      });
    });
}

async function answerOnce({ conversation, settings }: Chat, message: string, json: boolean): Promise<void> {
  const begun = new Beginning();
  for await (const token of conversation.say(message, sampling(settings, conversation.messages.length))) {
    if (!json) printText(begun.push(token.text));
  }
  if (!json) {
    print('');
    return;
  }
  const { messages, stats, session } = conversation;
  printJson({ messages, stats, adapter: session.provenance().adapter });
}

function collected(text: string, before: string[]): string[] {
  if (text === '') throw new InvalidArgumentError('An empty text is everywhere. Give the text that ends an answer.');
  return [...before, text.replaceAll('\\n', '\n')];
}

function readTemplate(path: string): string {
  noteUse(path);
  return readText(path, MOST_TEMPLATE, what => {
    return new OptionError(`${path} cannot be read: ${what}. Give a Jinja template.`);
  });
}

const MOST_PIPED = 64 << 20;

async function everything(input: NodeJS.ReadStream): Promise<string> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of input as AsyncIterable<Buffer>) {
    bytes += part.length;
    parts.push(part);
    if (bytes > MOST_PIPED) {
      throw new OptionError(`More than ${MOST_PIPED} bytes were piped in, far more than a message. Pipe less.`);
    }
  }
  return textOf(Buffer.concat(parts), what => new OptionError(`What is piped in cannot be read: ${what}.`));
}
