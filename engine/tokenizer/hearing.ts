// Whether a template writes everything that was said. One that passes over system turns, tools or all turns but the last writes a prompt
// that looks whole, and the model answers to less than it was told: transformers says nothing of it, and here it is refused.

import { TokenizerError } from '../errors.js';
import { type ChatTemplate, folded } from './chat-template.js';
import { visible } from '../printable.js';
import { type ChatMessage, turnName } from './messages.js';
import { strip } from './python-text.js';

/**
 * The text of a conversation of which nothing is left out. A system text that the template passes over goes in front of what the user says
 * first. Throws TokenizerError, which names the turn, for any other turn that does not reach the text, and what `render` throws.
 * @param first as in the template's `render`
 */
export function heardPrompt(template: ChatTemplate, messages: readonly ChatMessage[], first = 1): string {
  const text = template.render(messages, true, first);
  const silent = unheard(template, text, messages);
  if (silent === null) return text;
  // Of what else the system message holds nothing would go with its text.
  const other = silent.index === 0 && keysOf(messages[0]).every(([key]) => USUAL.has(key)) ? folded(messages) : null;
  if (other === null) throw leftOut(silent, messages, first);
  const whole = template.render(other, true, first + 1);
  const still = unheard(template, whole, other);
  if (still !== null) throw leftOut(still, other, first + 1);
  return whole;
}

/** Turns that are written again, together, to see which of the things said make a difference: about a second. */
const MOST_TURNS = 200_000;

/** A message that may be changed: its keys and its parts are nobody else's. */
type Draft = Record<string, unknown> & { content: unknown };

/** One copy serves all changes of a message: a turn may have a hundred thousand parts. */
function draftOf(message: ChatMessage): Draft {
  const { content } = message;
  return { ...message, content: Array.isArray(content) ? content.map(part => ({ ...part })) : content };
}
const partOf = ({ content }: Draft, i: number) => (content as Record<string, unknown>[])[i];

/** Something that was said: where, and how another thing comes in its place. */
interface Spot {
  readonly index: number;
  /** What of the turn it is, where it is not its text. */
  readonly what: string | null;
  /** @param change what becomes of its text */
  put(draft: Draft, change: (text: string) => string): void;
  /** Other things in its place, of what is no text: it is left out where the prompt is the same with each. */
  readonly others?: readonly Spot['put'][];
  /** It is no text: no mark can be put into it. */
  readonly plain: boolean;
}

/**
 * The first thing said that a template leaves out; null where it writes all. It may change texts as it likes: one is left out where another
 * in its place would give the same prompt.
 * @param prompt what `template` has made of `messages`
 */
function unheard(template: ChatTemplate, prompt: string, messages: readonly ChatMessage[]): Spot | null {
  const spots = messages.flatMap(spotsIn);
  const marks = marked(template, prompt, messages, spots);
  const unseen = spots.length - marks.size;
  if (unseen * messages.length > MOST_TURNS)
    throw new TokenizerError(
      `The model's chat template shows ${unseen} of ${spots.length} things that are said in ${messages.length} turns in another form, and whether it leaves one out takes too long to tell. Give another template, or fewer turns.`,
    );
  return (
    spots.find((spot, i) => {
      if (marks.has(i)) return false;
      return [spot.put, ...(spot.others ?? [])].every(put => {
        const draft = draftOf(messages[spot.index]);
        put(draft, text => `x${text}x`);
        try {
          return template.render(messages.with(spot.index, draft as unknown as ChatMessage)) === prompt;
        } catch {
          return false; // it reads the text, at any rate
        }
      });
    }) ?? null
  );
}

/** Spots whose texts are seen in the prompt once each has got a mark of its own: one writing for all, and most templates write all. */
function marked(
  template: ChatTemplate,
  prompt: string,
  messages: readonly ChatMessage[],
  spots: readonly Spot[],
): ReadonlySet<number> {
  let sign = 'qzx';
  while (prompt.toLowerCase().includes(sign)) sign += 'q';
  const all = messages.map(draftOf);
  for (const [i, spot] of spots.entries()) if (!spot.plain) spot.put(all[spot.index], text => `${text}${sign}${i}z`);
  try {
    const text = template.render(all as unknown as readonly ChatMessage[]).toLowerCase();
    return new Set([...text.matchAll(new RegExp(`${sign}(\\d+)z`, 'g'))].map(([, i]) => Number(i)));
  } catch {
    return new Set(); // it reads the texts, and which is found one by one
  }
}

/**
 * Keys of a message that are looked at by themselves, or that templates pass over because they know what they are for: names and ids lead from a tool's
 * answer to its call, and what a model has thought is not told to it again.
 */
const USUAL = new Set([
  'role',
  'content',
  'name',
  'tool_calls',
  'tool_call_id',
  'reasoning',
  'reasoning_content',
  'thinking',
]);

/** A key that the usual messages have not, misspelt maybe: what stands there is to be heard too. */
function spotAt(index: number, where: string, value: unknown, set: (draft: Draft, value: unknown) => void): Spot {
  if (typeof value === 'string')
    return { index, what: where, plain: false, put: (draft, change) => set(draft, change(value)) };
  const put = (other: unknown) => (draft: Draft) => set(draft, other);
  return { index, what: where, plain: true, put: put(undefined), others: [put(true), put('x'), put(0)] };
}

/** Keys that hold something, and what. */
const keysOf = (holder: object): [string, unknown][] =>
  Object.entries(holder).filter(([, value]) => (value ?? null) !== null);
const named = (key: string): string => `the key '${visible(key.slice(0, 40))}'`;

function spotsIn(message: ChatMessage, index: number): Spot[] {
  const { content, tool_calls: calls } = message as ChatMessage & { readonly tool_calls?: unknown };
  const spots: Spot[] = [];
  if (['string', 'number', 'boolean'].includes(typeof content) && strip(String(content)) !== '') {
    const put: Spot['put'] = (draft, change) => {
      draft.content = change(String(draft.content));
    };
    spots.push({ index, what: null, plain: false, put });
  } else if (Array.isArray(content)) {
    for (const [i, part] of content.entries()) {
      for (const [key, value] of keysOf(part)) {
        if (key === 'type' || key === 'text') continue;
        const set = (draft: Draft, other: unknown) => {
          partOf(draft, i)[key] = other;
        };
        spots.push(spotAt(index, `${named(key)} of part ${i + 1}`, value, set));
      }
      if (strip(String(part.text)) === '') continue;
      const put: Spot['put'] = (draft, change) => {
        const part = partOf(draft, i);
        part.text = change(part.text as string);
      };
      spots.push({ index, what: content.length === 1 ? null : `part ${i + 1}`, plain: false, put });
    }
  }
  if (Array.isArray(calls) && calls.length > 0) {
    const put = (draft: Draft) => {
      delete draft.tool_calls;
    };
    spots.push({ index, what: 'the tool_calls', plain: true, put });
  }
  for (const [key, value] of keysOf(message)) {
    if (!USUAL.has(key))
      spots.push(
        spotAt(index, named(key), value, (draft, other) => {
          draft[key] = other;
        }),
      );
  }
  return spots;
}

function leftOut({ index, what }: Spot, messages: readonly ChatMessage[], first: number): TokenizerError {
  const turn = turnName(messages, index, first);
  const whole = what === null ? turn : `${what} of ${turn.replace(/^The/, 'the')}`;
  return new TokenizerError(
    `The model's chat template leaves out ${whole.replace(/^The/, 'the')}, so the model would not hear it. Give another template, or leave it out yourself.`,
  );
}
