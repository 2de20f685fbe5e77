// A text for reading in windows: each begins as the text does.

import type { Session } from '../session/session.js';

/** What every window begins with, and the rest. Ids that begin as a text's would are read as that. */
export function frontAndBody(session: Session, text: string | readonly number[]) {
  const ids = session.encode(text);
  const { bosId } = session.config;
  const { front, back } = session.tokenizer?.ends ?? { front: [bosId], back: [] };
  if (typeof text === 'string') return { front, body: ids.slice(front.length, ids.length - back.length) };
  const given = [front, [bosId]].find(begin => begin.length > 0 && begin.every((id, i) => ids[i] === id)) ?? [];
  return { front: given, body: ids.slice(given.length) };
}
