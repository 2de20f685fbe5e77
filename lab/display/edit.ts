// What an edit of a shader came to, in a line.

import type { Edited } from '../session/views.js';
import type { Bundle } from '../values/shown.js';
import { html } from '../values/html.js';

export function editBundle({ shader, by, note, edited }: Edited): Bundle {
  const [first, ...more] = by;
  const who = more.length > 0 ? `${first} and ${more.length} more` : first;
  const what = edited ? 'is edited' : 'is the file’s again';
  const text = `'${shader}' ${what}${first ? `: it computes ${who}` : ''}.${note ? ` ${note}` : ''}`;
  return { 'text/html': html`<div>${text}</div>`.text, 'text/plain': text };
}
