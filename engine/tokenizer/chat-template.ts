// A conversation as the text a model was trained on. The model's own Jinja template says how; without one, Gemma's turns.

import { TokenizerError } from '../errors.js';
import { compile, type Program, type Refusal } from './jinja.js';
import { type ChatMessage, checkedMessages, messageText, turnName } from './messages.js';
import { strip } from './python-text.js';

export type { ChatMessage, Message } from './messages.js';

export interface ChatTemplate {
  /** Whether its text gets a bos in front where it has none: Gemma's own turns do. What a template writes is left as it is, as in transformers. */
  readonly bos: boolean;
  /**
   * Text of the conversation, with bos, up to where the model's answer begins. It is to be encoded with `special`.
   * Throws TokenizerError, which names the turn, where the template refuses it, and where it does not end within a second.
   * @param answer open the model's turn at the end; default true
   * @param first number of the first message, for errors: turns are numbered as in the list that the caller gave, from 1, a system
   *   text in it among them; 0 where a system text was given beside that list; default 1
   */
  render(messages: readonly ChatMessage[], answer?: boolean, first?: number): string;
}

/**
 * @param source the model's Jinja template, or null for Gemma's turns
 * @param bos the piece that begins a sequence; empty where there is none
 * @param eos the piece that ends one; empty where there is none
 * @param special other texts that a template may name: `pad_token` and the like
 */
export function chatTemplate(
  source: string | null,
  bos = '<bos>',
  eos = '<eos>',
  special: Readonly<Record<string, string>> = {},
): ChatTemplate {
  if (source === null) {
    return {
      bos: true,
      render: (messages, answer = true, first = 1) => bos + turns(checkedMessages(messages, first), answer, first),
    };
  }
  const template = compiled(source);
  // One that there is none of is undefined, as in transformers.
  const variables = {
    ...special,
    bos_token: bos || undefined,
    eos_token: eos || undefined,
    tools: null,
    documents: null,
  };
  const render = (messages: readonly ChatMessage[], answer: boolean) =>
    template.render({ ...variables, messages: messages.map(withReasoning), add_generation_prompt: answer });
  return {
    bos: false,
    render(messages, answer = true, first = 1) {
      const checked = checkedMessages(messages, first);
      let text: string;
      try {
        text = render(checked, answer);
      } catch (error) {
        // Gemma 1 and 2 know no system turn; its text then goes where Gemma 3's template puts it.
        const other = folded(checked);
        if (other && !(error as Refusal).endless) {
          try {
            return render(other, answer);
          } catch {} // the first complaint says more
        }
        throw complaint(error as Refusal, checked, first);
      }
      refuseSilence(text, bos, checked);
      return text;
    },
  };
}

const REASONING = ['reasoning_content', 'thinking', 'reasoning'] as const;

/** What a model has thought goes by several names, and templates look for the first or the second: transformers gives it both. */
function withReasoning(message: ChatMessage): ChatMessage {
  const named = message as ChatMessage & Record<string, unknown>;
  const name = REASONING.find(key => Object.hasOwn(named, key));
  if (name === undefined) return message;
  return { thinking: named[name], ...named, reasoning_content: named[name] } as ChatMessage;
}

function compiled(source: string): Program {
  try {
    return compile(source);
  } catch (error) {
    const deep = error instanceof RangeError ? 'its brackets are too deep.' : ended((error as Error).message);
    throw new TokenizerError(`The model's chat template is no Jinja that can be read: ${deep} Give another template.`);
  }
}

/** Throws TokenizerError for a prompt that has nothing but bos, though the user said something. What a template makes of texts is its own affair. */
function refuseSilence(prompt: string, bos: string, messages: readonly ChatMessage[]): void {
  const nothing = (text: string) => strip(text) === '';
  if (!nothing(bos === '' ? prompt : prompt.replaceAll(bos, ''))) return;
  if (!messages.some(({ role, content }) => role === 'user' && typeof content === 'string' && !nothing(content)))
    return;
  throw new TokenizerError(
    "The model's chat template writes nothing of this conversation, so the model would answer to nothing. Give another template.",
  );
}

const ended = (sentence: string): string => sentence.replace(/\s+$/, '').replace(/[^.!?]$/, '$&.');

function complaint(error: Refusal, messages: readonly ChatMessage[], first: number): TokenizerError {
  const what = ended(error.message).slice(0, 600);
  const { endless, faulty, index } = error;
  if (endless) {
    return new TokenizerError(`The model's chat template does not come to an end: ${what} Give another template.`);
  }
  const odd = messages.findIndex(({ content }) => typeof content !== 'string');
  const at = index ?? (odd >= 0 ? odd : null);
  if (
    at !== null &&
    Array.isArray(messages[at].content) &&
    /a list where a text|a list and|and a list|undefined/.test(what)
  ) {
    return new TokenizerError(
      `The model's chat template refuses this conversation: ${turnName(messages, at, first)} has its content in parts, and the template takes it for a text (${what.replace(/\.$/, '')}). Give the text as one, or another template.`,
    );
  }
  const turn = at === null ? '' : `${turnName(messages, at, first)} was read. `;
  if (faulty) {
    return new TokenizerError(
      `The model's chat template is at fault, and not the conversation: ${what} ${turn}Give another template.`,
    );
  }
  return new TokenizerError(
    `The model's chat template refuses this conversation: ${what} ${turn}Mend the conversation, or give another template.`,
  );
}

/** The system text in front of the first user turn, with an empty line between; null where there is none, or it is no text. */
export function folded(messages: readonly ChatMessage[]): readonly ChatMessage[] | null {
  const [system, first, ...rest] = messages;
  if (system.role !== 'system' || typeof system.content !== 'string') return null;
  if (first === undefined) return null;
  if (first.role !== 'user' || typeof first.content !== 'string') return null;
  return [{ ...first, content: `${system.content}\n\n${strip(first.content)}` }, ...rest];
}

/** Gemma's own turns. What they have no form for is refused, and nothing is left out. */
function turns(messages: readonly ChatMessage[], answer: boolean, number: number): string {
  const said = messages[0].role === 'system' ? messages.slice(1) : messages;
  if (said.length === 0)
    throw new TokenizerError('The conversation has a system text and no turn. Say something first.');
  const refused = (i: number, what: string) =>
    new TokenizerError(
      `${turnName(messages, messages.length - said.length + i, number).replace(/ \(.*/, '')} of the conversation ${what}`,
    );
  const system =
    messages[0] === said[0] ? null : contentOf(messages[0], what => new TokenizerError(`The system text ${what}`));
  const text = said.map((message, i) => {
    const { role } = message;
    const model = role === 'assistant' || role === 'model';
    if (!model && role !== 'user') {
      throw refused(
        i,
        `has the role '${role}', and Gemma's turns know user and assistant. Give a template that knows it.`,
      );
    }
    if (model === (i % 2 === 0)) {
      throw refused(i, `is the ${role}'s, and user and assistant take turns, the user first. Mend the conversation.`);
    }
    const first = i === 0 && system !== null ? `${system}\n\n` : '';
    const content = contentOf(message, what => refused(i, what));
    return `<start_of_turn>${model ? 'model' : role}\n${first}${content}<end_of_turn>\n`;
  });
  return text.join('') + (answer ? '<start_of_turn>model\n' : '');
}

/** The stripped text of a message that has nothing else; of parts, each stripped, one after the other, as Gemma 3's template has it. */
function contentOf(message: ChatMessage, refused: (what: string) => TokenizerError): string {
  const { role, content, ...more } = message as ChatMessage & Record<string, unknown>;
  const [key] = Object.keys(more);
  if (key !== undefined)
    throw refused(`has '${key.slice(0, 40)}', which Gemma's turns have no form for. Give a template that knows it.`);
  const trim = role === 'system' ? (text: string) => text : (text: string) => strip(text);
  if (Array.isArray(content)) return content.map(({ text }) => trim(text)).join('');
  if (typeof content === 'string') return trim(content);
  throw refused(
    `has ${content === undefined ? 'no content' : `${messageText({ role, content })} for its content`}, and a text is needed.`,
  );
}
