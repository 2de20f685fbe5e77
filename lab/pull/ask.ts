// What a hub is asked: by whom, how long, and how often. A hub's answers lead to other hosts (a content network, a mirror's origin), and the token
// is for the hub alone.

import { PullError } from '../../engine/errors.js';
import { nextPage } from './next-page.js';
import { MOST_WAIT, type OnWait, retryAfter, wait } from './waiting.js';

const MOST_REQUESTS = 200; // a page has a thousand files
const MOST_BYTES = 32 << 20; // of one answer
const MOST_WAITS = 3; // for one answer

/** Address of the hub. Throws PullError for what is none, and for one with a password in it, which is not shown. */
export function endpoint(address: string): string {
  let url: URL;
  try {
    url = new URL(address);
  } catch {
    throw new PullError(`'${address}' is no address of a hub. Set HF_ENDPOINT to one, e.g. https://huggingface.co.`);
  }
  if (url.username !== '' || url.password !== '') {
    throw new PullError(
      `The address of the hub at ${url.host} has a name or a password in it. Set HF_ENDPOINT without them, and HF_TOKEN to your access token.`,
    );
  }
  if (url.protocol !== 'https:' && url.protocol !== 'http:') {
    throw new PullError(
      `A hub is asked by https, not by ${url.protocol.slice(0, -1)}. Set HF_ENDPOINT to such an address.`,
    );
  }
  return `${url.origin}${url.pathname}`.replace(/\/+$/, '');
}

/** The token's header for `url`, if that is the hub itself: same scheme, host and port. */
export function authorization(url: string, hubUrl: string, token: string | undefined): { authorization?: string } {
  return token !== undefined && new URL(url).origin === new URL(hubUrl).origin
    ? { authorization: `Bearer ${token}` }
    : {};
}

/**
 * `fetch` for the hub's library, which takes only tokens of Hugging Face itself, and follows its list of files from page to page, wherever the
 * next is said to be. (A redirect to another origin loses the header; that is fetch's own rule.)
 */
export function asking(
  hubUrl: string,
  token: string | undefined,
  idle: number,
  signal?: AbortSignal,
  onWait?: OnWait,
): typeof fetch {
  const seen = new Set<string>();
  return async (input, init) => {
    const url = input instanceof Request ? input.url : String(input);
    if (seen.has(url) || seen.size === MOST_REQUESTS) {
      throw new PullError(
        `${hubUrl} goes on listing files ${seen.has(url) ? 'in a circle' : `after ${MOST_REQUESTS} pages`}. Is it a hub? See HF_ENDPOINT.`,
      );
    }
    seen.add(url);
    if (hubUrl.startsWith('https:') && !url.startsWith('https:')) {
      throw new PullError(`${hubUrl} sends on to ${new URL(url).origin}, which is not encrypted. See HF_ENDPOINT.`);
    }
    const headers = new Headers(init?.headers);
    headers.delete('authorization');
    for (const [name, value] of Object.entries(authorization(url, hubUrl, token))) headers.set(name, value);
    for (let waits = 0; ; waits++) {
      const late = AbortSignal.timeout(idle);
      const response = await fetch(url, { ...init, headers, signal: signal ? AbortSignal.any([signal, late]) : late });
      const asked = [429, 503].includes(response.status) ? retryAfter(response.headers) : null;
      if (asked === null || asked > MOST_WAIT || waits === MOST_WAITS)
        return understood(response, url, await within(response, hubUrl));
      await response.body?.cancel();
      await wait(asked, `status ${response.status}`, signal, onWait);
    }
  };
}

/** The answer with where the list goes on as the library reads it, which is one way of the many that it may be written. */
function understood(response: Response, url: string, body: Uint8Array<ArrayBuffer> | null): Response {
  const headers = new Headers(response.headers);
  const next = response.ok ? nextPage(headers.get('link'), response.url || url) : null;
  headers.delete('link');
  if (next !== null) headers.set('link', `<${next}>; rel="next"`);
  return new Response(body, { status: response.status, statusText: response.statusText, headers });
}

/** The body, if it is of a size that an answer has. */
async function within(response: Response, hubUrl: string): Promise<Uint8Array<ArrayBuffer> | null> {
  if (response.body === null) return null;
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const part of response.body) {
    bytes += part.length;
    if (bytes > MOST_BYTES) throw new PullError(`${hubUrl} answers with more than ${MOST_BYTES} bytes. Is it a hub?`);
    parts.push(part);
  }
  return new Uint8Array(Buffer.concat(parts));
}
