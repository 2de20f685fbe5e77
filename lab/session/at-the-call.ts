// What is called now and begins later: an iterator begins when somebody asks for its first token, and by then another shader may be in force.

import type { Shaders } from '../../engine/kernel.js';
import type { Model } from '../../engine/model.js';

/**
 * The shaders in force at the moment of this call, once the edits asked for before are taken or refused; those of the model as it was opened
 * again where its device was lost since.
 */
export function shadersNow(session: { readonly model: Model }): () => Promise<Shaders> {
  const { model } = session;
  const now = model.kernels.inForce();
  now.catch(() => {}); // told to who begins
  return () => (session.model === model ? now : session.model.kernels.inForce());
}
