// Where a list of files goes on: the `Link` header of an answer, as RFC 8288 writes it.

import { PullError } from '../../engine/errors.js';

/** One link: `<address>` and what is said of it; or a comma between two. */
const LINK = /\s*<([^>]*)>((?:\s*;\s*[!#$%&'*+.^`|~\w-]+(?:\s*=\s*(?:"(?:[^"\\]|\\.)*"|[^\s",;]*))?)*)\s*(?:;\s*)?/y;
const PARAMETER = /;\s*([!#$%&'*+.^`|~\w-]+)(?:\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s",;]*)))?/g;

/**
 * @param header of an answer that came from `url`, by which a relative address is completed
 * @returns the address of the next page; null where there is none. Throws PullError for a header that speaks of a next page and is not understood: a part of
 * the list would be left out.
 */
export function nextPage(header: string | null, url: string): string | null {
  if (header === null) return null;
  const next: string[] = [];
  for (let at = 0; at < header.length; ) {
    LINK.lastIndex = at;
    const found = LINK.exec(header);
    if (!found) {
      const comma = /[\s,]+/y;
      comma.lastIndex = at;
      if (!comma.test(header)) return notUnderstood(header, url);
      at = comma.lastIndex;
      continue;
    }
    at = LINK.lastIndex;
    if (at < header.length && header[at] !== ',') return notUnderstood(header, url);
    // Of several `rel` the first counts; it may name several relations, in letters of either case.
    const rel = [...found[2].matchAll(PARAMETER)].find(([, name]) => name.toLowerCase() === 'rel');
    const relations = (rel?.[2] ?? rel?.[3] ?? '').replace(/\\(.)/g, '$1').toLowerCase().split(/\s+/);
    if (relations.includes('next')) next.push(found[1]);
  }
  if (next.length === 0) return null;
  const [address] = next;
  if (next.some(other => other !== address) || !URL.canParse(address, url)) return notUnderstood(header, url);
  return new URL(address, url).href;
}

function notUnderstood(header: string, url: string): null {
  if (!/next/i.test(header)) return null;
  throw new PullError(
    `${new URL(url).origin} says that its list of files goes on, and not where: '${header.slice(0, 200)}'. Is it a hub? See HF_ENDPOINT.`,
  );
}
