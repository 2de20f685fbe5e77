// Where the tokens of a chunk stand: in one sequence, one after the other. `at` is chunk.start + t.

/** Position of a token in its sequence. */
fn position_of(at: u32) -> u32 { return at; }

/** Keys that its sequence has with this chunk, in which one has at most so many. */
fn keys_of(at: u32, most: u32) -> u32 { return most; }

/** Where its sequence begins in a cache with so many slots a sequence. */
fn first_slot(at: u32, slots: u32) -> u32 { return 0; }
