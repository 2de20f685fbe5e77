// How long a hub is waited for: as long as it asks, within a bound, and said; and what no waiting mends.

import { setTimeout as sleep } from 'node:timers/promises';

/** ms that are waited for because a hub asks for it. */
export const MOST_WAIT = 60_000;
/** ms from which a wait is said. */
const LONG = 1000;

/** Told of a wait before it begins. @param ms how long @param why a clause, such as "the hub asks for it (status 429)" */
export type OnWait = (ms: number, why: string) => void;

/** ms that a `Retry-After` asks for, in seconds or as a date; null where there is none that can be read. */
export function retryAfter(headers: Headers, now = Date.now()): number | null {
  const said = headers.get('retry-after')?.trim() ?? '';
  if (/^\d+$/.test(said)) return Number(said) * 1000;
  const ms = / GMT$/.test(said) ? Date.parse(said) - now : Number.NaN;
  return Number.isNaN(ms) ? null : Math.max(0, ms);
}

/** Waits, and says so where it is long. Throws the signal's reason. */
export async function wait(ms: number, why: string, signal?: AbortSignal, onWait?: OnWait): Promise<void> {
  if (ms >= LONG) onWait?.(ms, why);
  await sleep(ms, undefined, { signal }).catch(() => signal?.throwIfAborted());
}

/** Whether fetch failed for what the same address answers every time: a redirect to itself, or to what is no address, or none of the web; and a body that is not packed as it says. */
export function isForGood(error: unknown): boolean {
  const { cause } = error as Error;
  if (!(error instanceof TypeError && cause instanceof Error)) return false;
  return (
    /redirect|URL scheme|invalid URL/i.test(cause.message) || /^Z_/.test((cause as NodeJS.ErrnoException).code ?? '')
  );
}
