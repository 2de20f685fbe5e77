// How a tokenizer.json says that ids become text: its `decoder`, a step or a sequence of them. Gemma's and Llama's are understood.

/** A step of a normaliser, a cut or a decoder. */
type Step = Readonly<Record<string, unknown>>;

const text = (value: unknown) => typeof value === 'string';
const yes = (value: unknown) => typeof value === 'boolean';
const orYes = (value: unknown) => value === undefined || yes(value);
const orNothing = (value: unknown) => value === null || orYes(value);
const letter = (value: unknown) => text(value) && [...(value as string)].length === 1;
const length = (value: unknown) => Number.isInteger(value) && (value as number) >= 0;
const prepended = (value: unknown) => value === undefined || ['always', 'first', 'never'].includes(value as string);
/** Of an older form; it may not say otherwise than the newer. */
const prefixed = (value: unknown, { prepend_scheme }: Step) =>
  orNothing(value) && (value !== false || prepend_scheme === 'never');
const pattern = (value: unknown) => {
  const [[kind, of] = [], more] = typeof value === 'object' && value !== null ? Object.entries(value) : [];
  return (kind === 'String' || kind === 'Regex') && text(of) && more === undefined;
};

/** What a step of each kind says, as tokenizers 0.23 reads it: with less, or other values, it reads no decoder. */
const KINDS: Readonly<Record<string, Readonly<Record<string, (value: unknown, step: Step) => boolean>>>> = {
  BPEDecoder: { suffix: text },
  ByteFallback: {},
  ByteLevel: { add_prefix_space: yes, trim_offsets: yes, use_regex: orYes },
  CTC: { pad_token: text, word_delimiter_token: text, cleanup: yes },
  Fuse: {},
  Metaspace: { replacement: letter, prepend_scheme: prepended, add_prefix_space: prefixed, split: orNothing },
  Replace: { pattern, content: text },
  Strip: { content: letter, start: length, stop: length },
  WordPiece: { prefix: text, cleanup: yes },
};

interface Decoding {
  /** Whether the space that a text begins with is taken away. */
  readonly dropsFirstSpace: boolean;
  /** Whether a ▁ that bytes make is a space too: bytes become text before ▁ becomes a space. */
  readonly bytesFirst: boolean;
  /** What there is to say where the file's decoder is not done; null where it is. */
  readonly notice: string | null;
}

/**
 * @param steps of the decoder, in their order; none where the file has none
 * @param need throws unless the first argument holds
 */
export function decodingOf(
  steps: readonly Step[],
  where: string,
  need: (holds: boolean, what: string) => void,
): Decoding {
  const strange = steps.find(step => !isWhole(step));
  need(strange === undefined, `decodes by ${JSON.stringify(strange)?.slice(0, 80)}`);
  const words = steps.map(wordOf);
  const strips = words.at(-1) === 'strip';
  const rest = strips ? words.slice(0, -1) : words;
  const fuses = rest.at(-1) === 'fuse';
  const [first, second, third] = fuses ? rest.slice(0, -1) : rest;
  const asGemma = third === undefined && [first, second].sort().join() === 'bytes,spaces' && (fuses || !strips);
  if (asGemma) return { dropsFirstSpace: strips, bytesFirst: first === 'bytes', notice: null };
  const said =
    steps.length === 0
      ? 'does not say how ids become text (decoder)'
      : `turns ids into text by ${steps.map(({ type }) => type).join(', ')}${steps.length === 1 ? ' alone' : ''} as they are set there (decoder)`;
  return {
    dropsFirstSpace: false,
    bytesFirst: false,
    notice: `${where} ${said}. Loupe does it as Gemma's does: ▁ is a space, and bytes are put together.`,
  };
}

function isWhole(step: Step): boolean {
  const kind = String(step.type);
  return Object.hasOwn(KINDS, kind) && Object.entries(KINDS[kind]).every(([key, takes]) => takes(step[key], step));
}

function wordOf({ type, pattern, content, start, stop }: Step): string {
  const from = typeof pattern === 'object' && pattern !== null ? (pattern as Step).String : null;
  if (type === 'Replace' && from === '▁' && content === ' ') return 'spaces';
  if (type === 'Strip' && content === ' ' && start === 1 && stop === 0) return 'strip';
  return type === 'ByteFallback' ? 'bytes' : type === 'Fuse' ? 'fuse' : 'other';
}
