// What a session can do about conversations.

import { printable } from '../../engine/printable.js';
import { notebook } from '../host/notebook.js';
import { extend } from '../session/extend.js';
import { Session } from '../session/session.js';
import { checkOptions } from '../values/arguments.js';
import { CONVERSATION_OPTIONS, Conversation, type ConversationOptions } from './conversation.js';

declare module '../session/session.js' {
  interface Session {
    /**
     * A conversation on one cache, in the turns the model was trained on. Dispose of it, or of the session. Throws TokenizerError where there is no vocabulary, or for a template that
     * Jinja does not compile.
     * @example const chat = model.chat(); await chat.write('Why is the sky blue?')
     */
    chat(options?: ConversationOptions): Conversation;
  }
}

extend(Session, {
  chat(given = {}) {
    this.ready();
    const options = checkOptions('chat', given, CONVERSATION_OPTIONS);
    const conversation = new Conversation(this, this.vocabulary(), options);
    this.depend(conversation);
    if (notebook()) tell(this, conversation.notices); // a command says it where it says what else there is
    return conversation;
  },
});

/** What each session's notebook was told. */
const told = new WeakMap<Session, Set<string>>();

function tell(session: Session, notices: readonly string[]): void {
  const before = told.get(session) ?? new Set();
  told.set(session, before);
  for (const notice of notices) {
    if (!before.has(notice)) process.stderr.write(`loupe: ${printable(notice)}\n`);
    before.add(notice);
  }
}
