import { defineConfig } from 'vitest/config';

// One GPU and two cores: files run one after the other. The slow tests need the real model; .ci/run calls them by name.
export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: process.env.LOUPE_SLOW ? [] : ['test/slow/**'],
    fileParallelism: false,
    pool: 'forks',
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
});
