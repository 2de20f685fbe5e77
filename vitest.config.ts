import { defineConfig } from 'vitest/config';

/** What measures time or presses Stop while something runs: alone on the machine. */
const ALONE = [
  'test/notebook/**/*.test.ts',
  'test/engine/{bounds,endless-templates,faults,hearing,safetensors-bounds,wait,watchdog}.test.ts',
  'test/lab/{broken-files,ctrl-c,edit,generation,pull-trust,roofline,terminal,write-file}.test.ts',
  'test/slow/**/*.test.ts',
];

// Two files at a time: a software adapter compiles shaders on one core. What is alone comes first. The slow tests need the real model; .ci/run calls them
// by name.
const slow = process.env.LOUPE_SLOW ? [] : ['test/slow/**'];
export default defineConfig({
  test: {
    pool: 'forks',
    setupFiles: ['test/pictures.ts'],
    testTimeout: 300_000, // for what hangs: a software adapter may take a minute to compile what a GPU would run
    hookTimeout: 300_000,
    projects: [
      {
        extends: true,
        test: { name: 'alone', include: ALONE, exclude: slow, maxWorkers: 1, sequence: { groupOrder: 0 } },
      },
      {
        extends: true,
        test: {
          name: 'two',
          include: ['test/**/*.test.ts'],
          exclude: ALONE,
          maxWorkers: 2,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
