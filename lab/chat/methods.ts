// What a session can do about conversations.

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
    return conversation;
  },
});
