// What came of a shader that was saved, and who uses it.

import { shaderUse } from '../../engine/shader-use.js';
import type { Session } from '../session/session.js';

/** What came of one file that was saved. */
export interface WatchEvent {
  /** When. */
  readonly at: Date;
  /** The file, as it is called in its folder. */
  readonly file: string;
  /** `taken`: in force. `same`: in force already. `refused`: the old one stays. `gone`: the file was deleted, and its shader stays. `unknown`: no shader is called so. */
  readonly outcome: 'taken' | 'same' | 'refused' | 'gone' | 'unknown';
  /** Who uses it; or why it was refused, with file, line and column. */
  readonly text: string;
}

/** In words, who uses a shader that was taken. */
export function useText({ model, longest }: Session, shader: string): string {
  const edited = model.kernels.edited.includes(shader);
  const { by, note } = shaderUse(model, shader, longest, edited);
  const [first, ...more] = by;
  const who = first ? `It computes ${first}${more.length > 0 ? ` and ${more.length} more` : ''}.` : '';
  return [edited ? '' : 'It is the package’s again.', who, note].filter(Boolean).join(' ');
}
