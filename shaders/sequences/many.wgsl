// Where the tokens of a chunk stand: each in a sequence and at a position of its own. `at` is chunk.start + t, and the start is 0.

@group(0) @binding(10) var<storage, read> rows: array<vec4u>;      // [T]: sequence, position, keys of the sequence

/** Position of a token in its sequence. */
fn position_of(at: u32) -> u32 { return rows[at].y; }

/** Keys that its sequence has with this chunk, in which one has at most so many. */
fn keys_of(at: u32, most: u32) -> u32 { return rows[at].z; }

/** Where its sequence begins in a cache with so many slots a sequence. */
fn first_slot(at: u32, slots: u32) -> u32 { return rows[at].x * slots; }
