// How far a stage may be from PyTorch, and why. Limits are relative L2 errors.
//
// Both sides are f32, so two right implementations differ by rounding alone: about 6e-8 · √(length of the sums). Measured on
// atlas and on the 270M (every stage, SwiftShader and lavapipe; `loupe diff --json` prints them): the largest local error is
// 2e-6, in q·k of nearly orthogonal vectors; the largest accumulated one 2e-5. The limits are five times that. A wrong constant, a
// missing +1 or a shifted position gives 1e-2 and more.

/** A stage on the golden's own inputs. */
export const LOCAL_LIMIT = 1e-5;

/** A stage on our inputs: the errors of all stages before it are in it. */
export const ACCUMULATED_LIMIT = 1e-4;
