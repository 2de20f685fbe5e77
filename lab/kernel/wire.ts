// Jupyter's wire format, version 5: multipart frames signed with HMAC-SHA256. Nothing of a message is parsed before its signature is
// right, and a message that was seen before is refused, so that what one process overhears it cannot send again.
// https://jupyter-client.readthedocs.io/en/stable/messaging.html#the-wire-protocol

import { createHmac, randomUUID, timingSafeEqual } from 'node:crypto';
import { textOf } from '../../engine/utf8.js';
import { depthOf } from '../host/forms.js';
import { bytesText } from '../values/numbers.js';

export interface Header {
  readonly msg_id: string;
  readonly msg_type: string;
  readonly session: string;
  readonly username: string;
  readonly date: string;
  readonly version: string;
}

/** A message that came in. */
export interface Request {
  /** ZeroMQ's return address. */
  readonly identities: readonly Uint8Array[];
  readonly header: Header;
  readonly content: Readonly<Record<string, unknown>>;
}

/** A message that is not taken. */
export class WireError extends Error {
  /** @param request its header, where the message was signed and says what it asks: whoever sent it waits for an answer */
  constructor(
    message: string,
    readonly request: Request | null = null,
  ) {
    super(message);
  }
}

export const PROTOCOL = '5.4';
const DELIMITER = Buffer.from('<IDS|MSG>');
/** Signatures that are remembered; jupyter_client keeps as many. */
const REMEMBERED = 65_536;
/** Bytes of a message, and of its header, which goes back with every answer. */
export const MOST_BYTES = 16_777_216;
const MOST_HEADER = 65_536;
/** Levels of a message: threads cannot hand each other what is nested some thousands deep. */
const DEEPEST = 200;

/** JSON as it goes over the wire. Half a surrogate pair is replaced: Python reads it, and then cannot save the notebook. */
export function jsonText(content: unknown): string {
  const text = JSON.stringify(content);
  return text.includes('\\ud') ? text.replace(/(?<!\\)((?:\\\\)*)\\ud[89a-f][0-9a-f]{2}/g, '$1\ufffd') : text;
}

/** When a message was sent, in µs since 1970: Python's clients tell a cell and the Stop behind it apart by less than a millisecond. NaN for no date. */
export function sentAt({ date }: Header): number {
  if (typeof date !== 'string') return Number.NaN; // a header is anybody's JSON
  const [, beyond = ''] = /\.\d{3}(\d{1,3})/.exec(date) ?? [];
  return Date.parse(date) * 1000 + Number(beyond.padEnd(3, '0'));
}

export class Wire {
  readonly #seen = new Set<string>();
  readonly #session = randomUUID();

  constructor(private readonly key: string) {}

  /** Checks, then parses. Throws WireError for what is unsigned, wrongly signed, seen before or malformed. */
  parse(frames: readonly Uint8Array[]): Request {
    const at = frames.findIndex(frame => DELIMITER.equals(frame));
    if (at < 0) throw new WireError('a message without the delimiter <IDS|MSG>');
    const [signature, ...parts] = frames.slice(at + 1);
    if (parts.length < 4) throw new WireError(`a message of ${parts.length} parts, where 4 are needed`);
    const expected = this.#sign(parts.slice(0, 4)); // buffers may follow, which nobody signs
    if (signature.length !== expected.length || !timingSafeEqual(signature, expected)) {
      throw new WireError('a message with a wrong signature');
    }
    const name = expected.toString('latin1');
    if (this.#seen.has(name)) throw new WireError('a message that was sent before');
    this.#seen.add(name);
    if (this.#seen.size > REMEMBERED) this.#seen.delete(this.#seen.values().next().value!);
    return this.#decode(frames, at, parts);
  }

  /** @returns the frames of a message; `topic` in front for a broadcast, the parent's return address for a reply */
  frames(type: string, content: string, parent: Request | null, topic?: Uint8Array): Uint8Array[] {
    const header: Header = {
      msg_id: randomUUID(),
      msg_type: type,
      session: this.#session,
      username: parent?.header.username ?? 'kernel',
      date: new Date().toISOString(),
      version: PROTOCOL,
    };
    const parts = [JSON.stringify(header), JSON.stringify(parent?.header ?? {}), '{}', content].map(part =>
      Buffer.from(part),
    );
    return [...(topic ? [topic] : (parent?.identities ?? [])), DELIMITER, this.#sign(parts), ...parts];
  }

  #decode(frames: readonly Uint8Array[], at: number, parts: readonly Uint8Array[]): Request {
    const header = object(parts[0], MOST_HEADER) as unknown as Header;
    if (typeof header.msg_type !== 'string' || typeof header.msg_id !== 'string') {
      throw new WireError('a message without a type or an id');
    }
    const request = { identities: frames.slice(0, at), header, content: {} };
    const bytes = parts.reduce((sum, part) => sum + part.length, 0);
    if (bytes > MOST_BYTES) {
      throw new WireError(`a message of ${bytesText(bytes)}, where ${bytesText(MOST_BYTES)} are the most`, request);
    }
    try {
      return { ...request, content: object(parts[3], MOST_BYTES) };
    } catch (error) {
      throw new WireError((error as Error).message, request);
    }
  }

  #sign(parts: readonly Uint8Array[]): Buffer {
    const hmac = createHmac('sha256', this.key);
    for (const part of parts) hmac.update(part);
    return Buffer.from(hmac.digest('hex'));
  }
}

/** A part of a message. Throws WireError for what is too large or too deep to be one, before it is parsed. */
function object(part: Uint8Array, most: number): Record<string, unknown> {
  if (part.length > most) throw new WireError(`a message with a part of ${bytesText(part.length)}`);
  if (depthOf(part) > DEEPEST) throw new WireError(`a message that is nested more than ${DEEPEST} deep`);
  const text = textOf(part, () => new WireError('a message that is not UTF-8'));
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new WireError('a message that is no JSON');
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw new WireError('a message with a part that is no JSON object');
}
