// A chat in a terminal: lines in, answers streamed out. Ctrl-C stops the answer and not the program.

import { appendFileSync, existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { Interrupted, LoupeError, NumberError, OptionError } from '../../engine/errors.js';
import { readWhole } from '../../engine/files.js';
import { makeFolder } from '../../engine/make-folder.js';
import { printable } from '../../engine/printable.js';
import { select } from '../values/select.js';
import { type Chat, commandNames, runCommand } from './commands.js';
import { LineReader } from './lines.js';
import { Tapped } from './tapped.js';

const HISTORY = 500; // lines remembered

export interface TerminalOptions {
  readonly input: NodeJS.ReadStream;
  readonly output: NodeJS.WriteStream;
  /** File of earlier lines; null remembers none. */
  readonly history: string | null;
  readonly colour: boolean;
}

/** Runs until the person leaves. */
export async function chatInTerminal(chat: Chat, options: TerminalOptions): Promise<void> {
  const { output, colour, history } = options;
  const dim = (text: string) => (colour ? `\x1b[2m${text}\x1b[22m` : text);
  const red = (text: string) => (colour ? `\x1b[31m${text}\x1b[39m` : text);
  // Full strength in the midst of dim text.
  const bars = (text: string) => (colour ? `\x1b[22;36m${text}\x1b[39;2m` : text);
  const say = (text: string) => output.write(`${text}\n`);
  using lines = new LineReader(options, {
    history: readHistory(history),
    complete: line => [commandNames().filter(name => name.startsWith(line)), line],
  });
  for (;;) {
    const text = await lines.read(colour ? '\x1b[1;36m› \x1b[22;39m' : '› ');
    if (text === null) return;
    if (text.trim() === '') continue;
    remember(history, text);
    try {
      if (/^\/[\w?]/.test(text)) {
        const result = runCommand(chat, text.trim());
        if (result === null) return;
        say(`${dim(printable(result))}\n`);
        continue;
      }
      const notes = await lines.during(signal => answer(chat, text, output, signal, bars));
      for (const note of notes) say(dim(note));
    } catch (error) {
      if (error instanceof Interrupted) say(dim('(stopped)'));
      else if (error instanceof NumberError)
        throw error; // no turn of this model can be answered
      else if (error instanceof LoupeError) say(red(error.message));
      else throw error;
      await recovered(chat, note => say(dim(note)));
    }
    say('');
  }
}

/** A device that was lost is replaced at once: the next message reads all turns again. */
async function recovered({ conversation: { session } }: Chat, say: (note: string) => void): Promise<void> {
  if (!session.gpu.lost) return;
  try {
    await session.reopen();
    say('(the model was loaded again; say it once more)');
  } catch (error) {
    if (!(error instanceof LoupeError)) throw error;
    say(`(the model could not be loaded again: ${error.message})`);
  }
}

/** Streams one answer. @returns what there is to say after it */
async function answer(
  chat: Chat,
  text: string,
  output: NodeJS.WriteStream,
  signal: AbortSignal,
  bars: (text: string) => string,
): Promise<string[]> {
  const { conversation, settings, tap } = chat;
  const stages = tap === null ? [] : select(conversation.session.plan, tap).map(({ name }) => name);
  const tapped = new Tapped(stages);
  const { stats } = conversation;
  const begun = new Beginning();
  try {
    for await (const token of conversation.say(text, {
      ...sampling(settings, conversation.messages.length),
      tap: tap ?? undefined,
      signal,
    })) {
      output.write(printable(begun.push(token.text)));
      if (stages.length > 0) tapped.add(token);
    }
  } finally {
    if (conversation.stats !== stats) output.write('\n');
  }
  const notes = stages.length > 0 ? [tapped.text(output.columns ?? 80, bars)] : [];
  const left = conversation.length - conversation.used;
  if (left <= 1) notes.push('(the context is full: /reset begins anew, --context opens with a longer one)');
  else if (left < Math.max(64, conversation.length / 8)) {
    notes.push(`(${left} of ${conversation.length} tokens left: /reset begins anew, --context opens with more)`);
  }
  return notes;
}

/** An answer without the white space it begins with. */
export class Beginning {
  #begun = false;

  push(text: string): string {
    const rest = this.#begun ? text : text.trimStart();
    this.#begun ||= rest !== '';
    return rest;
  }
}

/** Options of an answer; every turn draws anew from the seed. */
export function sampling({ temperature, top_k, top_p, seed, max_tokens }: Chat['settings'], turn: number): object {
  return {
    temperature,
    topK: top_k,
    topP: top_p,
    seed: seed + turn,
    maxTokens: max_tokens === 0 ? undefined : max_tokens,
  };
}

function readHistory(path: string | null): string[] {
  if (path === null || !existsSync(path)) return [];
  try {
    return printable(readWhole(path, 16 << 20, what => new OptionError(what)).toString()) // old lines are offered, not read
      .trimEnd()
      .split('\n')
      .slice(-HISTORY)
      .reverse();
  } catch {
    return []; // a chat without its history is still a chat
  }
}

function remember(path: string | null, text: string): void {
  if (path === null) return;
  try {
    makeFolder(dirname(path));
    appendFileSync(path, `${text.split('\n')[0]}\n`, { mode: 0o600 });
  } catch {} // as above
}
