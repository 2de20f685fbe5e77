// A conversation as the text a model was trained on. The model's own Jinja template says how; without one, Gemma's turns.

import { Template } from '@huggingface/jinja';
import { TokenizerError } from '../errors.js';

export interface Message {
  readonly role: 'system' | 'user' | 'assistant';
  readonly content: string;
}

export interface ChatTemplate {
  /**
   * Text of the conversation, with bos, up to where the model's answer begins. It is to be encoded with `special`.
   * Throws TokenizerError where the template refuses it.
   * @param answer open the model's turn at the end; default true
   */
  render(messages: readonly Message[], answer?: boolean): string;
}

/**
 * @param source the model's Jinja template, or null for Gemma's turns
 * @param bos the piece that begins a sequence
 * @param eos the piece that ends one
 */
export function chatTemplate(source: string | null, bos = '<bos>', eos = '<eos>'): ChatTemplate {
  if (source === null) return { render: (messages, answer = true) => bos + turns(messages, answer) };
  const template = compiled(source);
  const render = (messages: readonly Message[], answer: boolean) =>
    template.render({ messages, add_generation_prompt: answer, bos_token: bos, eos_token: eos });
  return {
    render(messages, answer = true) {
      try {
        return render(messages, answer);
      } catch (error) {
        // Gemma 1 and 2 know no system turn; its text then goes where Gemma 3's template puts it.
        if (messages[0]?.role === 'system') {
          try {
            return render(folded(messages), answer);
          } catch {} // the first complaint says more
        }
        throw new TokenizerError(
          `The model's chat template refuses this conversation: ${(error as Error).message} Mend the conversation, or give another template.`,
        );
      }
    },
  };
}

function compiled(source: string): Template {
  try {
    return new Template(source);
  } catch (error) {
    throw new TokenizerError(
      `The model's chat template is no Jinja that can be read: ${(error as Error).message} Give another template.`,
    );
  }
}

/** The system text in front of the first user turn, with an empty line between. */
function folded(messages: readonly Message[]): readonly Message[] {
  const [system, first, ...rest] = messages;
  if (system?.role !== 'system') return messages;
  if (first?.role !== 'user') return first ? [first, ...rest] : [];
  return [{ role: 'user', content: `${system.content}\n\n${first.content.trim()}` }, ...rest];
}

function turns(messages: readonly Message[], answer: boolean): string {
  const system = messages[0]?.role === 'system' ? messages[0].content : null;
  const said = system === null ? messages : messages.slice(1);
  const text = said.map(({ role, content }, i) => {
    if ((role === 'user') !== (i % 2 === 0)) {
      throw new TokenizerError(
        `Turn ${i + 1} of the conversation is the ${role}'s, and user and assistant take turns, the user first. Mend the conversation.`,
      );
    }
    const first = i === 0 && system !== null ? `${system}\n\n` : '';
    return `<start_of_turn>${role === 'assistant' ? 'model' : role}\n${first}${content.trim()}<end_of_turn>\n`;
  });
  return text.join('') + (answer ? '<start_of_turn>model\n' : '');
}
