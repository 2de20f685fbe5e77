// A conversation as it is read: who says what, one under the other.

import { type ChatMessage, messageText } from '../../engine/tokenizer/messages.js';
import type { Bundle } from '../values/shown.js';
import { html } from '../values/html.js';
import type { Conversation } from '../chat/conversation.js';

export function conversationBundle({ messages, system, used, length }: Conversation): Bundle {
  const all: ChatMessage[] = [...(system === '' ? [] : [{ role: 'system', content: system }]), ...messages];
  const said = all.map(message => ({ role: message.role, content: messageText(message) }));
  const note = `${used} of ${length} tokens`;
  const turns = said.map(
    ({ role, content }) =>
      html`<div style="display:flex;gap:12px;margin:6px 0"><div style="opacity:.6;min-width:70px;text-align:right">${role}</div><div style="white-space:pre-wrap;max-width:80ch">${content}</div></div>`,
  );
  return {
    'text/html': html`<div>${turns}<div style="opacity:.6;font-size:11px">${note}</div></div>`.text,
    'text/plain': [...said.map(({ role, content }) => `${role}: ${content}`), `(${note})`].join('\n'),
  };
}
