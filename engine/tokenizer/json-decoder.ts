// How a tokenizer.json says that ids become text: its `decoder`, a step or a sequence of them. Gemma's and Llama's are understood.

/** A step of a normaliser, a cut or a decoder. */
type Step = Readonly<Record<string, unknown>>;

const KINDS = ['BPEDecoder', 'ByteFallback', 'ByteLevel', 'CTC', 'Fuse', 'Metaspace', 'Replace', 'Strip', 'WordPiece'];

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
  const strange = steps.find(({ type }) => !KINDS.includes(String(type)));
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

function wordOf({ type, pattern, content, start, stop }: Step): string {
  const from = typeof pattern === 'object' && pattern !== null ? (pattern as Step).String : null;
  if (type === 'Replace' && from === '▁' && content === ' ') return 'spaces';
  if (type === 'Strip' && content === ' ' && start === 1 && stop === 0) return 'strip';
  return type === 'ByteFallback' ? 'bytes' : type === 'Fuse' ? 'fuse' : 'other';
}
