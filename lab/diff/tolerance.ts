// How far a stage may be from PyTorch, and why. Limits are relative L2 errors.
//
// Both sides are f32, so two right implementations differ by rounding alone. Measured with `loupe diff --json` over the four goldens
// of atlas (SwiftShader and lavapipe) and the 270M (lavapipe), 939 stages: the largest local error is 4.7e-7, in mlp.down; the
// largest accumulated one 1.7e-6. The limits are ten times that. A wrong constant, a missing +1 or a shifted position gives 1e-2
// and more.

/** A stage on the golden's own inputs. */
export const LOCAL_LIMIT = 5e-6;

/** A stage on our inputs: the errors of all stages before it are in it. */
export const ACCUMULATED_LIMIT = 2e-5;
