// Names of models on a hub: org/name, org/name@revision, org/name:file.

export interface HubName {
  /** `org/name` */
  readonly repo: string;
  /** Branch, tag or commit. */
  readonly revision: string;
  /** A file of it, or a part of one's name; null for all that a model needs. */
  readonly file: string | null;
}

const NAME = /^([\w.-]+\/[\w.-]+?)(?:@([\w][\w./-]*))?(?::(.+))?$/;

/** Null for what is no such name. `..` is none. */
export function hubName(text: string): HubName | null {
  const found = NAME.exec(text);
  if (!found || /(^|\/)\.{1,2}(\/|$)/.test(text)) return null;
  const [, repo, revision = 'main', file = null] = found;
  return { repo, revision, file };
}
