// What stands around a prompt: ids that a tokenizer puts in front of a text and behind it when a model is to read it. Gemma's put a bos in
// front. A tokenizer.json says so by its post_processor; beside a tokenizer.model two keys do, and in a GGUF two others.

import { quoted } from './quoted.js';

/** What is put around a prompt. */
export interface Ends {
  /** Ids before it. */
  readonly front: readonly number[];
  /** And after it. */
  readonly back: readonly number[];
  /** Where it is said, for messages. */
  readonly from: string;
}

/** What the small files beside a vocabulary say. */
export interface EndKeys {
  /** `add_bos_token` and `add_eos_token`; null where they are not there. */
  readonly bos: boolean | null;
  readonly eos: boolean | null;
  /** Texts of `bos_token` and `eos_token`; null where the files say that there is none. */
  readonly bosText: string | null;
  readonly eosText: string | null;
}

type Json = Readonly<Record<string, unknown>>;

/**
 * What a tokenizer.json's `post_processor` puts around a single text; null where it has none.
 * @param need throws what is to be thrown where its first argument is false
 */
export function endsOfProcessor(value: unknown, need: (holds: boolean, what: string) => void): Ends | null {
  if (value === null || value === undefined) return null;
  const steps = stepsOf(value, need).map(step => around(step, need));
  const wraps = steps.filter(one => one !== null);
  // `tokenizers` itself ends on the second.
  need(wraps.length < 2, 'puts tokens around a text by two steps of its post_processor');
  return { ...(wraps[0] ?? { front: [], back: [] }), from: "tokenizer.json's post_processor" };
}

function stepsOf(value: unknown, need: (holds: boolean, what: string) => void): Json[] {
  const step = object(value);
  if (step.type !== 'Sequence') return [step];
  need(Array.isArray(step.processors), 'has a post_processor without steps');
  return (step.processors as unknown[]).map(object);
}

/** What one step adds; null for nothing. */
function around(step: Json, need: (holds: boolean, what: string) => void): Omit<Ends, 'from'> | null {
  const bad = (): never => {
    need(false, `puts tokens around a text by ${JSON.stringify(step).slice(0, 80)}`);
    throw new Error('unreachable');
  };
  if (step.type === 'ByteLevel') return null;
  if (step.type === 'BertProcessing' || step.type === 'RobertaProcessing') {
    const [front, back] = [step.cls, step.sep].map(pair => (Array.isArray(pair) ? pair[1] : undefined));
    return isId(front) && isId(back) ? { front: [front], back: [back] } : bad();
  }
  if (step.type !== 'TemplateProcessing' || !Array.isArray(step.single)) return bad();
  const names = object(step.special_tokens);
  const parts = step.single.map(part => {
    const { SpecialToken: special, Sequence: sequence } = object(part);
    if (sequence !== undefined && object(sequence).id === 'A') return null;
    const name = object(special).id;
    const ids = typeof name === 'string' && Object.hasOwn(names, name) ? object(names[name]).ids : undefined;
    return Array.isArray(ids) && ids.every(isId) ? ids : bad();
  });
  const text = parts.indexOf(null);
  if (text < 0 || parts.lastIndexOf(null) !== text) return bad();
  return { front: parts.slice(0, text).flat() as number[], back: parts.slice(text + 1).flat() as number[] };
}

/**
 * What the small files say; null where they say nothing, and Gemma's bos stays.
 * @param idOf the id of a text, or null
 */
export function endsOfKeys(
  { bos, eos, bosText, eosText }: EndKeys,
  idOf: (text: string) => number | null,
  from = 'tokenizer_config.json',
): Ends | null {
  if (bos === null && eos === null && bosText !== null) return null;
  const ids = (text: string | null) => [text === null ? null : idOf(text)].filter(id => id !== null);
  return {
    front: bos === false ? [] : ids(bosText),
    back: eos === true ? ids(eosText) : [],
    from,
  };
}

/** What a person should know where a tokenizer puts around a prompt what Gemma's do not. @param piece the text of an id */
export function endsNotices(ends: Ends | null, bosId: number, piece: (id: number) => string): string[] {
  if (ends === null || (ends.back.length === 0 && ends.front.length === 1 && ends.front[0] === bosId)) return [];
  const named = (ids: readonly number[]) => (ids.length === 0 ? 'nothing' : ids.map(id => quoted(piece(id))).join(' '));
  const on = ends.back.length === 0 ? '' : ' A generation goes on from behind that.';
  return [
    `By ${ends.from} a prompt gets ${named(ends.front)} in front and ${named(ends.back)} behind; Gemma's own get ${quoted(bosId < 0 ? '<bos>' : piece(bosId))} in front alone.${on}`,
  ];
}

/** The ids of a text with what stands around them; what it brings in front itself is not put there twice. */
export function withEnds(ids: readonly number[], { front, back }: Pick<Ends, 'front' | 'back'>): number[] {
  const has = front.every((id, i) => ids[i] === id);
  return [...(has ? [] : front), ...ids, ...back];
}

const isId = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;
const object = (value: unknown): Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : {};
