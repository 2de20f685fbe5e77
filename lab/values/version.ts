// The version of the files that Loupe and its scripts write activations into, as each says in its metadata.

import { quoted } from '../../engine/tokenizer/quoted.js';

const VERSION = '1';
const MADE_BY = { loupe_golden: 'golden/make_golden.py', loupe_trace: 'loupe trace' } as const;

/** Whether a file says that it is one of ours. */
export const isOurs = (metadata: ReadonlyMap<string, string>): boolean =>
  Object.keys(MADE_BY).some(key => metadata.has(key));

/** What is wrong with the version that a file says, as a sentence; null where it is this one's, or the file says none. */
export function otherVersion(name: string, metadata: ReadonlyMap<string, string>): string | null {
  for (const [key, made] of Object.entries(MADE_BY)) {
    const version = metadata.get(key);
    if (version !== undefined && version !== VERSION)
      return `${name} says ${key} ${quoted(version)}, and this Loupe reads version ${VERSION} of them. Make it again with ${made}.`;
  }
  return null;
}
