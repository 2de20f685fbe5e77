import { defineConfig } from 'vitest/config';

// The tests that need neither GPU nor kernel: those that a mutant of a pure file can be asked.
export default defineConfig({
  test: {
    include: (process.env.LOUPE_MUTATE_TESTS ?? '').split(',').filter(Boolean),
    testTimeout: 30_000,
  },
});
