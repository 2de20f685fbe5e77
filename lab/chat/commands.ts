// The lines that begin with a slash.

import { OptionError } from '../../engine/errors.js';
import { nearest } from '../../engine/plan.js';
import { cacheBytesPerToken } from '../../engine/cache-format.js';
import { bytesText } from '../values/numbers.js';
import { select } from '../values/select.js';
import type { Conversation } from './conversation.js';
import { goOn, load, resumedText, save } from './file.js';
import { planProvenance } from '../session/request.js';
import { allFrom, changed, NAMES, type Settings, type Sources, settingsText, sourcesText } from './settings.js';

/** What a chat is made of; commands change it. */
export interface Chat {
  readonly conversation: Conversation;
  settings: Settings;
  /** Where each setting comes from; said by /set where it is known. */
  sources?: Sources;
  /** Selector of the stages to look at while answering. */
  tap: string | null;
}

interface SlashCommand {
  readonly usage: string;
  readonly help: string;
  /** @returns what to print, or null to leave */
  run(chat: Chat, argument: string): string | null;
}

const COMMANDS: Readonly<Record<string, SlashCommand>> = {
  help: {
    usage: '/help',
    help: 'these lines',
    run: () => {
      const wide = Math.max(...Object.values(COMMANDS).map(({ usage }) => usage.length));
      const lines = Object.values(COMMANDS).map(({ usage, help }) => `  ${usage.padEnd(wide)}  ${help}`);
      return [
        ...lines,
        '',
        '  """ begins and ends several lines, and so does a \\ at the end of each.',
        '  Ctrl-C stops the answer; a second before it has stopped ends the chat. Ctrl-D leaves.',
      ].join('\n');
    },
  },
  reset: {
    usage: '/reset',
    help: 'begin a new conversation',
    run: ({ conversation }) => {
      conversation.reset();
      return 'A new conversation.';
    },
  },
  system: {
    usage: '/system [TEXT]',
    help: 'what the model is told before the first turn; alone: show it; /system none: nothing',
    run: ({ conversation }, text) => {
      if (text !== '') conversation.system = text === 'none' ? '' : text;
      return conversation.system === '' ? 'No system text.' : `System text: ${conversation.system}`;
    },
  },
  set: {
    usage: '/set NAME VALUE',
    help: `${NAMES.join(', ')}; alone: show them`,
    run: (chat, argument) => {
      const [name, value = '', ...more] = argument.split(/\s+/);
      if (more.length > 0)
        throw new OptionError(`/set takes a name and a number, and here is more: /set ${name} ${value}`);
      if (name !== '') {
        chat.settings = changed(chat.settings, name, value);
        if (chat.sources) chat.sources = { ...chat.sources, [name]: '/set' };
      }
      return settingsText(chat.settings) + (chat.sources ? `\n(${sourcesText(chat.sources)})` : '');
    },
  },
  save: {
    usage: '/save FILE',
    help: 'the conversation as JSON',
    run: ({ conversation, settings }, path) => {
      if (path === '') throw new OptionError('Where to? /save FILE');
      const { messages, system, session } = conversation;
      save(path, { model: session.name, system, messages, settings });
      return `${messages.length} turns saved in ${path}.`;
    },
  },
  load: {
    usage: '/load FILE',
    help: 'go on with a saved conversation',
    run: (chat, path) => {
      if (path === '') throw new OptionError('From where? /load FILE');
      const saved = load(path);
      goOn(chat.conversation, saved, path);
      chat.settings = saved.settings;
      if (chat.sources) chat.sources = allFrom(path);
      return resumedText(saved, chat.conversation.session.name);
    },
  },
  tap: {
    usage: '/tap STAGES',
    help: 'look at stages while the model answers: /tap layers.*.resid; /tap off',
    run: (chat, selector) => {
      if (selector === 'off') chat.tap = null;
      else if (selector !== '') {
        select(chat.conversation.session.plan, selector); // throws with the nearest names
        chat.tap = selector;
      }
      if (chat.tap === null) return 'No taps.';
      const stages = select(chat.conversation.session.plan, chat.tap).map(({ name }) => name);
      return `Looking at ${stages.length === 1 ? stages[0] : `${stages.length} stages, ${stages[0]} to ${stages.at(-1)}`}.`;
    },
  },
  stats: {
    usage: '/stats',
    help: 'tokens a second, time to the first token, memory',
    run: chat => statsText(chat),
  },
  exit: { usage: '/exit', help: 'leave', run: () => null },
};
const ALIASES: Readonly<Record<string, string>> = { quit: 'exit', bye: 'exit', '?': 'help', clear: 'reset' };

/** @returns what to print, or null to leave. Throws OptionError for what is no command. */
export function runCommand(chat: Chat, line: string): string | null {
  const [, name, argument] = /^\/(\S*)\s*(.*)$/s.exec(line)!;
  const full = Object.hasOwn(ALIASES, name) ? ALIASES[name] : name;
  if (Object.hasOwn(COMMANDS, full)) {
    const { usage, run } = COMMANDS[full];
    if (argument.trim() !== '' && !usage.includes(' ')) throw new OptionError(`${usage} takes nothing after it.`);
    return run(chat, argument.trim());
  }
  throw new OptionError(`There is no /${name}. ${nearest(name, Object.keys(COMMANDS))} /help lists all.`);
}

export const commandNames = (): string[] => Object.keys(COMMANDS).map(name => `/${name}`);

function statsText({ conversation, settings }: Chat): string {
  const { stats, used, length, session } = conversation;
  const speed =
    stats === null
      ? 'no turn yet'
      : `${stats.tokensPerSecond === null ? 'one token' : `${stats.tokensPerSecond.toFixed(1)} tok/s`}, ` +
        `first token after ${Math.round(stats.firstTokenMs)} ms`;
  const rows = [
    ['last answer', speed],
    ...(stats === null
      ? []
      : [['last turn', `${stats.read} tokens read, ${stats.reused} in the cache already, ${stats.made} made`]]),
    ['context', `${used} of ${length} tokens`],
    [
      'cache',
      `${bytesText(cacheBytesPerToken(session.plan.stages, session.model.cache))} a token in ${session.model.cache}, until windows are full`,
    ],
    ['memory', `${bytesText(session.gpu.liveBytes)} on the GPU`],
    ['plan', Object.values(planProvenance(conversation.plan, session.model.activations)).join(', ')],
    ['adapter', session.provenance().adapter],
    ['sampling', settingsText(settings)],
  ];
  return rows.map(([name, value]) => `  ${name.padEnd(12)}${value}`).join('\n');
}
