// A tokenizer against the reference implementations, on strings whose ids they have written down (golden/tokenizer_cases.py).

import { GoldenError } from '../../engine/errors.js';
import { readLines } from '../../engine/files.js';
import { keyTwice, parseJson } from '../../engine/json.js';
import { visible } from '../../engine/printable.js';
import type { Tokenizer } from '../../engine/tokenizer/tokenizer.js';

/** Whose ids are right: Python's `sentencepiece`, for which control pieces are text, or `tokenizers`, for which they are not. */
export type Reference = 'sentencepiece' | 'tokenizers';

export interface TokenCheck {
  readonly reference: Reference;
  readonly strings: number;
  /** Lists of ids that were decoded: those of the strings, and others. */
  readonly decoded: number;
  readonly tokens: number;
  /** Strings whose ids differ. */
  readonly encoding: number;
  /** Lists of ids that become another text than the reference's. */
  readonly decoding: number;
  /** The first that differ, in words. */
  readonly examples: readonly string[];
  /** Encoding alone. */
  readonly tokensPerSecond: number;
}

/**
 * Encodes and decodes every string of `path`.
 * @param path lines of JSON: text (or null), ids and back (the text of the ids) by sentencepiece; hf and hf_back where tokenizers differs
 */
export async function checkTokens(tokenizer: Tokenizer, path: string, reference: Reference): Promise<TokenCheck> {
  const examples: string[] = [];
  let lines = 0;
  let strings = 0;
  let tokens = 0;
  let encoding = 0;
  let decoding = 0;
  let spent = 0;
  const fault = (what: string) =>
    new GoldenError(`${path} cannot be read: ${what}. Write cases with golden/tokenizer_cases.py.`);
  for await (const line of readLines(path, fault)) {
    lines += 1;
    const { text, ids, back } = expected(line, reference, `${path}, line ${lines}`);
    if (text !== null) {
      strings += 1;
      const began = performance.now();
      const ours = tokenizer.encode(text, { special: reference === 'tokenizers' });
      spent += performance.now() - began;
      tokens += ours.length;
      if ((ours.length !== ids.length || ours.some((id, i) => id !== ids[i])) && encoding++ < 3)
        examples.push(`${JSON.stringify(text)}: [${ours}] instead of [${ids}]`);
    }
    const again = tokenizer.decode(ids);
    if (again !== back && decoding++ < 3)
      examples.push(`[${ids}]: ${JSON.stringify(again)} instead of ${JSON.stringify(back)}`);
  }
  if (strings === 0) throw new GoldenError(`${path} has no cases. Write some with golden/tokenizer_cases.py.`);
  const tokensPerSecond = Math.round((tokens / spent) * 1000);
  return { reference, strings, decoded: lines, tokens, encoding, decoding, examples, tokensPerSecond };
}

interface Case {
  /** Null where ids alone are to be decoded. */
  readonly text: string | null;
  readonly ids: readonly number[];
  readonly back: string;
}

const CASE_KEYS: readonly string[] = ['text', 'ids', 'back', 'hf', 'hf_back'];

function expected(line: string, reference: Reference, where: string): Case {
  let twice: string | null = null;
  let other: string | undefined;
  try {
    const found = (parseJson(line) ?? {}) as Record<string, unknown>;
    twice = keyTwice(line);
    other = Object.keys(found).find(key => !CASE_KEYS.includes(key));
    const { text } = found;
    const hf = reference === 'tokenizers';
    const ids = (hf ? found.hf : null) ?? found.ids;
    const back = (hf ? found.hf_back : null) ?? found.back;
    const whole = twice === null && other === undefined && Array.isArray(ids) && ids.every(Number.isInteger);
    if ((typeof text === 'string' || text === null) && whole && typeof back === 'string') return { text, ids, back };
  } catch {}
  if (twice !== null) throw new GoldenError(`${where} has the key '${visible(twice)}' twice. Take one out.`);
  if (other !== undefined)
    throw new GoldenError(
      `${where} has the key '${visible(other)}', of which nothing is read. A case has ${CASE_KEYS.join(', ')}; take it out.`,
    );
  throw new GoldenError(
    `${where} is no case: {"text", "ids", "back"} is expected. Write them with golden/tokenizer_cases.py.`,
  );
}
