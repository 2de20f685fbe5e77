import { defineConfig } from 'vitest/config';

/** What measures time or presses Stop while something runs: alone on the machine. */
const ALONE = [
  'test/notebook/{background,kernel,late-stop,odd-messages,predecessor,rough,stop-early,what-stays}.test.ts',
  'test/engine/{bounds,endless-templates,hearing,safetensors-bounds,wait,watchdog}.test.ts',
  'test/lab/{broken-files,ctrl-c,generation,pull-trust,roofline,terminal,write-file}.test.ts',
  'test/slow/**/*.test.ts',
];
/**
 * What leaves its process as it was: these share one, in which the lab is read and the shaders of the atlas are compiled once, and not for each file.
 * Whatever changes its environment, loses the device or asks what a fresh process has is not among them.
 */
const TOGETHER = [
  'test/engine/{attend,config-check,config-whole,conversations,cutting,declared-tokens,ends,folder-vocabulary,gguf,gguf-parts,jinja}.test.ts',
  'test/engine/{model-forms,names,odd-conversations,piece-tokenizer,pieces,safetensors,tokenizer-json,understood}.test.ts',
  'test/engine/{argmax,batch,few-tokens,formats,operations,quantise,rewind,rope,top}.test.ts',
  'test/golden/*.test.ts',
  'test/lab/{activations,apart,compare,f16-cache,fast-plan,head-scores,ids-without-a-piece,last-token,model-comparison}.test.ts',
  'test/lab/{oracle,other-weights,owned,perplexity,planted-faults,probe,reuse,score,two-traces,edit-notes,large-numbers}.test.ts',
  'test/lab/{activation,arithmetic,arrays,chat,chat-messages,display,generate-batch,hostile-names,html,in-words,leftover,lens}.test.ts',
  'test/lab/{metrics,mistakes,names,own-pictures,runs,save,show,slices,trace,vocabulary-fit}.test.ts',
];

// Two files at a time: a software adapter compiles shaders on one core. What is alone comes last. The slow tests need the real model; .ci/run calls them
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
          exclude: [...ALONE, ...TOGETHER],
          maxWorkers: 2,
          sequence: { groupOrder: 1 },
        },
      },
      {
        extends: true,
        test: {
          name: 'together',
          include: TOGETHER,
          setupFiles: ['test/left-open.ts'],
          isolate: false,
          maxWorkers: 2,
          unstubEnvs: true,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
});
